"""A take that comes from elsewhere is written if it is the next one; anything else is one clear error."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from acceptance.production.engines.incoming import IncomingShard
from tests.acceptance.production import made_plans
from trainer.errors import DataError
from trainer.production.remote import RemoteTake
from trainer.production.timing import Timing


@pytest.mark.parametrize("line", [b"", b"{}\n", b"[]\n", b"no JSON\n", b"\xff\n", b'{"id": "0001"}\n'])
def test_a_line_that_is_no_take_names_the_shard_and_nothing_is_written(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "voice.pt").write_bytes(b"voice")
    plan = made_plans.planned(tmp_path / "batch", None)
    with ExitStack() as stack:
        shard = IncomingShard.opened(stack, tmp_path / "batch", plan, 1, None)
        with pytest.raises(DataError, match=r"shard 1 of 1 .*gave a take that does not hold: .*--resume") as error:
            shard.add(RemoteTake(line=line, clip=None, timing=Timing()))
    assert error.value.cause == "shard_invalid"
    assert (shard.kept, shard.folder.healed()) == (0, 0)
