"""Cutting: the limits hold for every track, and natural pauses are where speech is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.audio.speech_track import WINDOW_S, SpeechTrack
from trainer.preparation.cutting import Cut, cut, seconds, speech_segments, trimmed
from trainer.preparation.prepare_settings import PrepareSettings

DEFAULTS = PrepareSettings()
SPEECH_DB, PAUSE_DB = -20.0, -60.0


def track(*stretches: tuple[float, float], tail_s: float = 0.0) -> SpeechTrack:
    """A track of (seconds of speech, seconds of pause after it)."""
    probabilities: list[float] = []
    for speech_s, pause_s in stretches:
        probabilities += [0.95] * round(speech_s / WINDOW_S) + [0.02] * round(pause_s / WINDOW_S)
    probabilities += [0.02] * round(tail_s / WINDOW_S)
    values = np.array(probabilities, np.float32)
    levels = np.where(values > 0.5, SPEECH_DB, PAUSE_DB).astype(np.float32)
    return SpeechTrack(probabilities=values, levels_db=levels, duration_s=len(values) * WINDOW_S)


def durations(cuts: list[Cut], of: SpeechTrack) -> list[float]:
    return [seconds(each.end, of) - seconds(each.start, of) for each in cuts]


@st.composite
def tracks(draw: st.DrawFn) -> SpeechTrack:
    """Speech, pauses and murmurs of any length, with any level, ending anywhere in the last window."""
    runs = draw(st.lists(st.tuples(st.integers(1, 500), st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0])), max_size=40))
    values = np.repeat([value for _, value in runs], [count for count, _ in runs]).astype(np.float32)
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = generator.uniform(-120.0, 0.0, len(values)).astype(np.float32)
    missing = draw(st.floats(0.0, 0.99)) if len(values) else 0.0
    return SpeechTrack(probabilities=values, levels_db=levels, duration_s=(len(values) - missing) * WINDOW_S)


@settings(max_examples=300, deadline=None)
@given(any_track=tracks())
def test_kept_cuts_last_between_the_limits(any_track: SpeechTrack) -> None:
    for each, duration in zip(cuts := cut(any_track, DEFAULTS), durations(cuts, any_track), strict=True):
        if each.reason is None:
            assert DEFAULTS.min_utterance_s <= duration <= DEFAULTS.max_utterance_s


@settings(max_examples=300, deadline=None)
@given(any_track=tracks())
def test_cuts_are_in_order_without_overlap_inside_the_recording(any_track: SpeechTrack) -> None:
    position = 0
    for each in cut(any_track, DEFAULTS):
        assert position <= each.start < each.end <= len(any_track.probabilities)
        assert seconds(each.end, any_track) <= any_track.duration_s
        position = each.end


@settings(max_examples=300, deadline=None)
@given(any_track=tracks())
def test_kept_and_dropped_cuts_cover_all_detected_speech(any_track: SpeechTrack) -> None:
    covered = np.zeros(len(any_track.probabilities), bool)
    for each in cut(any_track, DEFAULTS):
        covered[each.start : each.end] = True
    assert covered[any_track.probabilities >= DEFAULTS.speech_on].all()


@settings(max_examples=100, deadline=None)
@given(any_track=tracks())
def test_segments_hold_every_confident_window_and_no_long_pause(any_track: SpeechTrack) -> None:
    segments = speech_segments(any_track.probabilities, DEFAULTS)
    inside = np.zeros(len(any_track.probabilities), bool)
    for start, end in segments:
        inside[start:end] = True
        assert any_track.probabilities[start] >= DEFAULTS.speech_on
        assert any_track.probabilities[end - 1] >= DEFAULTS.speech_off
    assert inside[any_track.probabilities >= DEFAULTS.speech_on].all()


@settings(max_examples=100, deadline=None)
@given(any_track=tracks())
def test_trimming_a_clip_gives_one_cut_that_holds_its_speech(any_track: SpeechTrack) -> None:
    if not len(any_track.probabilities):
        return
    (only,) = trimmed(any_track, DEFAULTS)
    confident = np.flatnonzero(any_track.probabilities >= DEFAULTS.speech_on)
    assert 0 <= only.start < only.end <= len(any_track.probabilities)
    assert not len(confident) or (only.start <= confident[0] and confident[-1] < only.end)


def test_sentences_are_cut_at_their_pauses() -> None:
    spoken = track((4.0, 0.8), (5.0, 0.6), (3.0, 0.9))
    cuts = cut(spoken, DEFAULTS)
    assert [each.reason for each in cuts] == [None] * 3
    assert durations(cuts, spoken) == pytest.approx([4.0, 5.0, 3.0], abs=2 * DEFAULTS.pad_s + WINDOW_S)


def test_a_comma_does_not_cut() -> None:
    spoken = track((3.0, 0.25), (3.0, 1.0))
    assert len(cut(spoken, DEFAULTS)) == 1


def test_a_short_word_joins_the_nearer_neighbour() -> None:
    spoken = track((4.0, 1.0), (0.5, 0.6), (4.0, 1.0))
    first, second = durations(cut(spoken, DEFAULTS), spoken)
    assert first < 4.5 < 5.0 < second


def test_a_lonely_word_is_dropped_as_too_short() -> None:
    spoken = track((4.0, 3.0), (0.6, 3.0), (4.0, 1.0))
    assert [each.reason for each in cut(spoken, DEFAULTS)] == [None, "too_short", None]


def test_long_speech_is_cut_at_its_longest_pause() -> None:
    spoken = track((5.0, 0.15), (4.0, 0.35), (5.0, 0.15), (4.0, 1.0))
    cuts = cut(spoken, DEFAULTS)
    assert durations(cuts, spoken) == pytest.approx([9.3, 9.3], abs=0.3)


def test_long_speech_without_a_pause_is_cut_where_the_level_dips() -> None:
    spoken = track((18.0, 1.0))
    spoken.levels_db[280:284] = -55.0
    cuts = cut(spoken, DEFAULTS)
    assert [each.reason for each in cuts] == [None, None]
    assert cuts[0].end == cuts[1].start
    assert 280 <= cuts[0].end <= 284


def test_long_speech_that_never_dips_is_dropped_as_too_long() -> None:
    assert [each.reason for each in cut(track((18.0, 1.0)), DEFAULTS)] == ["too_long"]


def test_speech_around_a_murmur_without_confidence_is_not_speech() -> None:
    values = np.full(150, 0.4, np.float32)
    values[:3] = values[-3:] = 0.6
    murmur = SpeechTrack(probabilities=values, levels_db=np.full(150, -30.0, np.float32), duration_s=150 * WINDOW_S)
    assert [each.reason for each in cut(murmur, DEFAULTS)] == ["not_speech"]


def test_no_speech_gives_no_cut() -> None:
    assert cut(track((0.0, 30.0)), DEFAULTS) == []


def test_five_hours_without_a_sentence_pause_are_cut_in_reasonable_time() -> None:
    generator = np.random.default_rng(0)
    spoken = track(*[(generator.uniform(0.5, 4.0), generator.uniform(0.12, 0.4)) for _ in range(7000)])
    cuts = cut(spoken, DEFAULTS)
    assert sum(each.reason is None for each in cuts) > 0.95 * len(cuts)
