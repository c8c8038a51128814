"""`voice verify`: whether a checkpoint is the one that somebody signed."""

from __future__ import annotations

from pathlib import Path

import click

from acceptance.cli.output import NO, YES, answers, emit, finish

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("checkpoint", type=_file)
@click.option("--signature", type=_file, required=True, metavar="FILE", help="As voice promote --sign wrote it.")
@click.option("--key", type=_file, required=True, metavar="FILE", help="The public key of who signed.")
@answers
def verify(checkpoint: Path, signature: Path, key: Path, as_json: bool) -> None:
    """Check the signature of a checkpoint.

    No network is needed. Ends with 0 if the signature holds, 1 if not, 2 where there is no answer.

    \b
    voice verify voice.pt --signature voices/dottie/versions/3598cec15fc5.sig --key studio.pub
    """
    from acceptance.voices import signing

    problem = signing.problem(signature, checkpoint, signing.public_key(key))
    emit(
        {"schema": "verify/1", "holds": problem is None, "problem": problem},
        problem or "the signature holds",
        as_json=as_json,
    )
    finish(YES if problem is None else NO)
