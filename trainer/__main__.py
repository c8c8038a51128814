"""`python -m trainer`: the container's entry and the same steps one by one for a person."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer.errors import TrainerError, import_failures
from trainer.files.printable import error_line
from trainer.preparation.prepare_command import add_prepare
from trainer.synthesis.arguments import add_export_onnx, add_say
from trainer.wait_policy import wait_asleep


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m trainer") -> int:
    """Run one command of a program called `prog`.

    Returns the exit code: 0, 2 for usage, otherwise the failure's (10 data, 20 runtime, 30 training).
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    wait_asleep()
    if arguments[:1] == ["pretrain"]:
        # It has commands of its own, and starts itself again in several processes.
        from trainer.pretraining.__main__ import main as pretrain

        return pretrain(arguments[1:])
    options = _parser(prog).parse_args(arguments)
    if options.command == "run":
        from trainer.job.run import run

        return run(os.environ, sys.stdout)
    try:
        with import_failures():
            if options.command in ("say", "export-onnx"):
                from trainer.synthesis import command as commands
            else:
                from trainer import commands
        return getattr(commands, options.command.replace("-", "_"))(options)
    except TrainerError as error:
        print(error_line(error, error.cause), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog, description="Learns a voice from a recording of one speaker, and speaks with it."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="the whole job from environment variables, as in the container")

    add_prepare(commands)
    train = commands.add_parser(
        "train", help="train on a manifest; settings come from VOICE_ADAPT_*, VOICE_TRAIN_* and VOICE_BACKBONE_* variables"
    )
    train.add_argument("manifest", type=Path, metavar="MANIFEST")
    train.add_argument("--checkpoint", type=Path, required=True, metavar="FILE")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--threads", type=int, default=2)

    evaluate = commands.add_parser("evaluate", help="measure again what a checkpoint learnt")
    resynthesize = commands.add_parser(
        "resynthesize", help="held-out clips through a checkpoint, beside the originals"
    )
    for command in (evaluate, resynthesize):
        command.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
        command.add_argument("manifest", type=Path, metavar="MANIFEST")
        command.add_argument("--seed", type=int, default=0, help="seed of the untrained start")
        command.add_argument("--threads", type=int, default=2)
    resynthesize.add_argument("--heldout-seconds", type=float, default=30.0)
    resynthesize.add_argument("--output", type=Path, required=True, metavar="DIR")
    resynthesize.add_argument(
        "--picture", action="store_true", help="mel spectrograms as PNG (needs matplotlib)"
    )

    add_say(commands)
    add_export_onnx(commands)
    commands.add_parser("pretrain", help="make the base that every voice starts from: its corpus, its models (hours)", add_help=False)

    demo = commands.add_parser("render-demo", help="render the demonstration recording and its transcript")
    demo.add_argument("output", type=Path, metavar="FILE.flac")
    return parser


if __name__ == "__main__":
    sys.exit(main())
