"""Whether a command line asks for steps of the objective; nothing of the trainer is imported, for another package may have its name."""

from __future__ import annotations

from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1]
HOW_TO_RUN = "`pytest acceptance -q` builds an image and trains; `pytest acceptance -k guardrails -q` only looks"


def targets_steps(config: pytest.Config) -> bool:
    """Whether collecting the command line's arguments would reach the phase modules."""
    return any(_names_package(arg, config) or _leads_to_package(arg, config) for arg in config.args)


def asks_for_steps(config: pytest.Config) -> bool:
    """Whether somebody meant the steps: named their package, a module or a test in it, or selected with -k or -m.

    Without that, as in a bare `pytest` or an editor's "run all", nothing may start to build and train.
    """
    named = config.args_source is pytest.Config.ArgsSource.ARGS and any(
        _names_package(arg, config) for arg in config.args
    )
    return bool(named or config.option.keyword or config.option.markexpr)


def _names_package(arg: str, config: pytest.Config) -> bool:
    name = arg.partition("::")[0]
    if (
        config.option.pyargs
        and name.split(".")[0] == PACKAGE.name
        and not (config.invocation_params.dir / name).exists()
    ):
        return True
    path = (config.invocation_params.dir / name).resolve()
    return path == PACKAGE or PACKAGE in path.parents


def _leads_to_package(arg: str, config: pytest.Config) -> bool:
    """Whether the package lies below a directory, and not in an environment that pytest does not collect."""
    path = (config.invocation_params.dir / arg.partition("::")[0]).resolve()
    return path in PACKAGE.parents and not {"site-packages", "dist-packages"} & {*PACKAGE.relative_to(path).parts}
