"""A sentence stands in the quiet of its own recording's room."""

import numpy as np
import pytest

from trainer.audio.features import MELS
from trainer.synthesis.narrator import Frames
from trainer.synthesis.passages import Passage
from trainer.synthesis.room import AFTER, BEFORE, with_room
from trainer.text.phones import ID


def passage(*symbols: str) -> Passage:
    return Passage(
        text="", symbols=np.array([ID[symbol] for symbol in symbols]), word_starts=np.zeros(len(symbols), np.float32),
        words=1, mark=".", opens_paragraph=True, warnings=(),
    )  # fmt: skip


def frames(*durations: int, levels: list[float]) -> Frames:
    total = sum(durations)
    mel = np.repeat(np.array(levels, np.float32), durations)[None].repeat(MELS, 0)
    mel += np.linspace(0.0, 0.1, total, dtype=np.float32)
    return Frames(
        mel=mel, f0=np.full(total, 120.0, np.float32), voicing=np.ones(total, np.float32), frames=np.array(durations)
    )


SPOKEN = passage("SIL", "M", "AA1", ".")
SENTENCE = frames(2, 5, 7, 9, levels=[-5.0, -1.0, 0.0, -8.0])


def test_the_room_is_added_to_the_first_and_the_last_symbol():
    found = with_room(SENTENCE, SPOKEN)
    assert found.frames.tolist() == [2 + BEFORE, 5, 7, 9 + AFTER]
    assert found.mel.shape == (MELS, 23 + BEFORE + AFTER) and len(found.f0) == len(found.voicing) == 23 + BEFORE + AFTER


def test_what_is_said_stays_as_it_was():
    found = with_room(SENTENCE, SPOKEN)
    for name in ("mel", "f0", "voicing"):
        np.testing.assert_array_equal(getattr(found, name)[..., BEFORE:-AFTER], getattr(SENTENCE, name))


def test_the_room_is_as_quiet_as_the_quietest_pause_and_has_no_voice():
    found = with_room(SENTENCE, SPOKEN)
    for part in (found.mel[:, :BEFORE], found.mel[:, -AFTER:]):
        assert part.max() < -7.0
    assert not found.voicing[:BEFORE].any() and not found.voicing[-AFTER:].any()


def test_a_short_dip_is_not_taken_for_the_room():
    dip = frames(1, 5, 2, 7, 9, levels=[-12.0, -1.0, -11.0, 0.0, -8.0])
    found = with_room(dip, passage("SIL", "M", ",", "AA1", "."))
    assert found.mel[:, :BEFORE].min() > -9.0


@pytest.mark.parametrize("durations", [(0, 5, 7, 0)])
def test_a_sentence_without_a_pause_stays_as_it_is(durations):
    bare = frames(*durations, levels=[-5.0, -1.0, 0.0, -8.0])
    assert with_room(bare, SPOKEN) is bare
