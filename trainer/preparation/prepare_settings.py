"""Every threshold of the preparation, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from trainer.audio.limits import AudioLimits


def _warns(limit: float) -> float:
    """A limit that only a warning depends on."""
    return field(default=limit, metadata={"warns": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSettings(AudioLimits):
    """How a recording is cut, judged and split; the same settings and the same audio give the same bytes.

    The quality gates were set on clean read speech to which noise, gain and clipping were added, and on one utterance each of 251 speakers, of
    whom none falls below a gate; tests/trainer/audio/test_quality.py holds them to it.
    """

    # --- speech detection (silero-vad gives one probability per 32 ms) ---
    speech_off: float = 0.35  # 0.15 lower, so that a weak consonant does not end a word
    min_pause_s: float = 0.096  # shorter dips are stop closures, not pauses
    sentence_pause_s: float = 0.45  # read speech: commas mostly stay below, full stops above
    merge_pause_s: float = 1.2  # a short utterance may join its neighbour across at most this pause
    pad_s: float = 0.16  # kept on both sides, so that soft onsets and releases survive

    # --- utterances ---
    min_utterance_s: float = 1.5
    max_utterance_s: float = 12.0
    min_dip_db: float = 15.0  # speech without a pause is cut only where its level falls this far below its mean

    # --- quality gates ---
    min_speech_fraction: float = 0.4  # of an utterance's windows; music and noise that trip the detector stay below
    # white noise 10 dB below the speech measures 11-14 and passes, 5 dB below measures 6-9 and is dropped
    min_snr_db: float = 10.0
    # share of samples at full scale: 6 dB too hot mostly passes, 9 dB does not; clean speech has none
    max_clipping: float = 0.005

    # --- what is said and who says it ---
    # of two groups' mean vectors: from here on they are one speaker (one_speaker.py: calibration)
    same_speaker_cosine: float = 0.78
    other_speaker_cosine: float = 0.65  # below: certainly another voice, not noise or echo
    other_speaker_share: float = 0.3  # of the speech; with so much of a certainly other voice the recording is refused
    min_speaker_s: float = 4.0  # less speech says too little of who speaks
    # of speech that bears out its text, to train on: with less a voice repeats its few sentences
    min_transcribed_s: float = 40.0
    # as much as an adaptation learns from: beyond it evenly chosen utterances are recognised
    max_transcribed_s: float = 1200.0

    # --- what kind of recording it is (recording_kinds.py; acceptance/thresholds.yaml says what was measured) ---
    min_kind_share: float = _warns(0.25)  # of the speech that is of a kind
    min_bandwidth_hz: float = _warns(4500.0)  # a telephone ends at 3400 to 4000
    min_voiced_share: float = _warns(0.15)  # of an utterance's loud frames: vowels hold half of them, a whisper none
    max_tonal_pauses: float = _warns(0.4)  # of an utterance's quietest frames: so many with tones are music
    max_not_understood: float = _warns(0.33)  # of the utterances without a text; from here on it is more than slips
    # of an utterance: of 252 readers none is higher; a child speaks at 250 to 400
    max_median_f0_hz: float = _warns(280.0)

    # --- whether a text is what is said ---
    # of its words in the dictionary: below, a text is in another language; prose with many names has 0.9
    min_english_share: float = 0.6
    # of the speech that has to match a whole recording's text: below, the text is another recording's
    min_text_share: float = 0.15
    complete_text_share: float = 0.7  # below, a warning says that the text lacks parts
    min_text_confidence: float = 0.5  # of one utterance's stretch of that text; halfway between right and wrong texts
    min_unspoken_gain: float = 5.0  # log-likelihood a word: so much better fits a text without words that nobody says
    # of recognised words, as alignment.Alignment.score; see trainer/preparation/transcription/recognise.py
    min_recognised_score: float = -1.2
    # of any transcript when it is learnt from, by an aligner that knows the speaker
    min_transcript_confidence: float = 0.1
    # of the speech whose transcripts reach that: below, they are taken for another recording's
    min_fitting_share: float = 0.5

    min_heldout_utterances: int = 2  # whose text is known: with fewer, or less speech, nothing is proved
    min_heldout_s: float = 5.0

    # --- output ---
    sample_rate: int = 22_050

    # --- split ---
    held_out_fraction: float = 0.12
    held_out_min_utterances: int = 3
    held_out_max_s: float = 120.0  # a long recording does not need more to measure a loss
    # two utterances of full length or a dozen short ones: below, nothing is left to hold out
    min_usable_s: float = 20.0

    def deciding(self) -> dict[str, Any]:
        """All that clips and transcripts depend on, by name: what a manifest is known by."""
        return {each.name: getattr(self, each.name) for each in fields(self) if not each.metadata.get("warns")}
