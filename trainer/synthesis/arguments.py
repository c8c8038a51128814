"""What can be typed behind `say` and `export-onnx`; imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainer.synthesis.delivery import BOUNDS, SAMPLE_RATE, SAMPLE_RATES

STDOUT = "-"


def add_say(commands: Any) -> argparse.ArgumentParser:
    """The parser of `say`, for `command.say` and `command.speak`; `commands` is what `add_subparsers` gave."""
    parser = commands.add_parser(
        "say",
        allow_abbrev=False,
        help="speak a text with a trained voice",
        description="Speak a text in English with a trained voice. Sentence by sentence: a text may be as long as a book.",
        epilog='Play at once: python -m trainer say "Hello." --checkpoint voice.pt -o - | aplay',
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "text", nargs="?", metavar="TEXT", help="what to say; without it (or as -) standard input is read"
    )
    source.add_argument("--file", type=Path, metavar="FILE", help="read the text from a UTF-8 file")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="VOICE",
        help="a trained voice, or a folder that export-onnx wrote",
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="a .wav or .flac file, or - for audio on standard output",
    )
    target.add_argument(
        "--output-dir", type=Path, metavar="DIR", help="with --lines: 0001.wav, 0002.wav, … by line number"
    )
    parser.add_argument("--lines", action="store_true", help="every line of the text into a file of its own")
    parser.add_argument(
        "--format",
        choices=("wav", "flac", "raw"),
        help="for -o -: wav (default) or raw little-endian 16-bit mono; for --output-dir: wav (default) or flac",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    for name, meaning in (
        ("rate", "above 1 is faster"),
        ("pitch", "semitones"),
        ("pause", "factor on pauses"),
        ("liveliness", "factor on the melody, 0 is monotone"),
    ):
        low, high = BOUNDS[name]
        default = 0.0 if name == "pitch" else 1.0
        parser.add_argument(
            f"--{name}", type=float, default=default, help=f"{meaning} ({low:g} to {high:g}; {default:g})"
        )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the noise in the voice: equal seeds, equal bytes (%(default)s)"
    )
    parser.add_argument(
        "--sample-rate", type=int, default=SAMPLE_RATE, choices=SAMPLE_RATES, help=f"Hz ({SAMPLE_RATE})"
    )
    parser.add_argument("--threads", type=int, default=1, help="1, the default, is already many times faster than speech")
    return parser


def add_export_onnx(commands: Any) -> None:
    """The parser of `export-onnx`, for `command.export_onnx`."""
    parser = commands.add_parser(
        "export-onnx",
        help="write a trained voice as ONNX files",
        description="Write acoustic.onnx and vocoder.onnx, and compare their speech with the checkpoint's before leaving them.",
    )
    parser.add_argument("checkpoint", type=Path, metavar="VOICE")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")


def parser() -> argparse.ArgumentParser:
    """Both commands alone."""
    alone = argparse.ArgumentParser(prog="python -m trainer.synthesis", description=__doc__.splitlines()[0])
    commands = alone.add_subparsers(dest="command", required=True)
    add_say(commands)
    add_export_onnx(commands)
    return alone
