"""`python -m trainer.evaluation`: judge folders of clips."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer.errors import TrainerError, from_import_error
from trainer.evaluation.faults import SignalLimits
from trainer.files.printable import error_line
from trainer.wait_policy import wait_asleep


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 2 for usage, otherwise the failure's (10 data, 20 runtime, 30 training)."""
    options = _parser().parse_args(arguments)
    wait_asleep()
    try:
        try:
            from trainer.evaluation import commands
        except (ImportError, OSError) as error:
            raise from_import_error(error) from error
        return getattr(commands, options.command)(options)
    except TrainerError as error:
        print(error_line(error, error.cause), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer.evaluation", description="Judges what a voice is worth.")
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

    evaluation = commands.add_parser("evaluate", help="every measure of every clip against real clips, as one document")
    evaluation.add_argument("--generated", type=Path, metavar="DIR", required=True, help="clips to judge")
    evaluation.add_argument("--reference", type=Path, metavar="DIR", help="real clips of the speaker")
    evaluation.add_argument("--manifest", type=Path, metavar="FILE", help="dataset: its held-out clips are the reference, without --reference")
    evaluation.add_argument("--texts", type=Path, metavar="FILE", help="one sentence a line, or name|text (default: the folder's own)")
    evaluation.add_argument("--without-texts", action="store_true", help="do not judge words")
    evaluation.add_argument("--encoder", type=Path, metavar="FILE", help="another speaker encoder: ONNX or TorchScript (see encoder_file.py)")
    evaluation.add_argument("--checkpoint", type=Path, metavar="FILE", help="what spoke the clips; its hash is written down")
    evaluation.add_argument("--limit", type=signal_limit, action="append", default=[], metavar="NAME=NUMBER", help="a limit of the signal's faults")
    evaluation.add_argument("--output", type=Path, metavar="FILE", help="write the evaluation as JSON")
    evaluation.add_argument("--markdown", type=Path, metavar="FILE")
    evaluation.add_argument("--plot", type=Path, metavar="FILE", help="write a PNG (needs matplotlib, which the image lacks)")
    evaluation.add_argument("--overwrite", action="store_true", help="replace files that are no earlier evaluation")
    evaluation.add_argument("--processes", type=int, default=2)

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


def signal_limit(text: str) -> tuple[str, float]:
    """`max_offset=0.02`: a limit of trainer.evaluation.faults and its value."""
    name, _, value = text.partition("=")
    if name not in SignalLimits.__dataclass_fields__:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(SignalLimits.__dataclass_fields__)}")
    number = float(value)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{value} is not a finite number")
    return name, number


if __name__ == "__main__":
    sys.exit(main())
