"""What a library raises keeps its reason, and is not called damage where only memory was wanting."""

from __future__ import annotations

import pytest

from trainer.errors import DataError, RuntimeSetupError, TrainerError, TrainingError, foreign_failures


def _refusal(line: str) -> RuntimeSetupError:
    return RuntimeSetupError(f"x cannot be read ({line})", cause="weights_corrupt")


@pytest.mark.parametrize(
    ("raised", "kind", "cause", "said"),
    [
        (RuntimeError("a wrong shape\nand more"), RuntimeSetupError, "weights_corrupt", r"x cannot be read \(a wrong shape\)$"),
        (RuntimeError(), RuntimeSetupError, "weights_corrupt", r"\(RuntimeError\)$"),
        (MemoryError(), TrainingError, "out_of_memory", "memory ran out: MemoryError"),
        (RuntimeError("std::bad_alloc"), TrainingError, "out_of_memory", "memory ran out: std::bad_alloc"),
        (DataError("no sound", cause="no_usable_speech"), DataError, "no_usable_speech", "^no sound$"),
    ],
)  # fmt: skip
def test_what_a_library_raises_becomes_what_it_is(
    raised: Exception, kind: type[TrainerError], cause: str, said: str
) -> None:
    with pytest.raises(kind, match=said) as caught, foreign_failures(_refusal):
        raise raised
    assert caught.value.cause == cause
