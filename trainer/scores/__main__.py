"""`python -m trainer.scores`: judge folders of clips."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer.errors import TrainerError, from_import_error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 2 for usage, otherwise the failure's (10 data, 20 runtime, 30 training)."""
    options = _parser().parse_args(arguments)
    try:
        try:
            from trainer.scores import commands
        except (ImportError, OSError) as error:
            raise from_import_error(error) from error
        return getattr(commands, options.command)(options)
    except TrainerError as error:
        print(f"error: {error} [{error.cause}]", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer.scores", description="Judges what a voice is worth.")
    commands = parser.add_subparsers(dest="command", required=True)
    sentences = commands.add_parser("sentences", help="print what every voice of the benchmark has to say")
    sentences.add_argument("--listening", action="store_true", help="the sentences for ears instead")

    rate = commands.add_parser("rate", help="similarity, WER, PER and DNSMOS of clips named by sentence number")
    rate.add_argument("clips", type=Path, nargs="+", metavar="DIR")
    rate.add_argument(
        "--texts", type=Path, metavar="FILE", help="one sentence a line, or name|text (default: the benchmark's)"
    )
    rate.add_argument("--reference", type=Path, metavar="DIR", help="real clips of the wanted speaker")
    rate.add_argument("--processes", type=int, default=2)
    rate.add_argument("--clips-table", action="store_true", help="also a line for every clip")
    rate.add_argument("--json", type=Path, metavar="FILE", help="write all of it")

    compare = commands.add_parser("benchmark", help="one table and one plot of a voice and everything it is compared with")
    real = compare.add_mutually_exclusive_group(required=True)
    real.add_argument("--manifest", type=Path, metavar="FILE", help="dataset whose held-out clips are the wanted speaker")
    real.add_argument("--reference", type=Path, metavar="DIR", help="or held-out real clips in a folder")
    compare.add_argument("--texts", type=Path, metavar="FILE", help="what is said in the folder, as name|text")
    compare.add_argument("--others", type=Path, metavar="DIR", help="clips of other speakers, one a file")
    compare.add_argument(
        "--voice", type=named_path, action="append", default=[], metavar="NAME=DIR", help="rendered sentences, named by number"
    )
    compare.add_argument(
        "--checkpoint", type=named_path, action="append", default=[], metavar="NAME=FILE", help="a voice to speak the sentences"
    )
    compare.add_argument("--without-base", action="store_true", help="leave out what the first voice was before adaptation")
    compare.add_argument("--without-rivals", action="store_true", help="leave flite and espeak-ng out")
    compare.add_argument("--sentences", type=int, default=None, metavar="N", help="only the first N sentences (a quick look)")
    compare.add_argument("--output", type=Path, required=True, metavar="DIR")
    compare.add_argument("--processes", type=int, default=2)
    compare.add_argument("--threads", type=int, default=2, help="for the voices (their bytes depend on it)")
    return parser


def named_path(text: str) -> tuple[str, Path]:
    """`NAME=PATH`, or a path that names itself by its stem."""
    name, separator, path = text.partition("=")
    return (name, Path(path)) if separator else (Path(text).stem, Path(text))


if __name__ == "__main__":
    sys.exit(main())
