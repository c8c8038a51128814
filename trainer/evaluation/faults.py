"""What was measured in the signal of one clip, and beyond which limits that is a fault. Plain data: nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLimits:
    """Beyond these a clip has a fault. The built-in defaults; the section `audio` of the threshold policy replaces them."""

    max_clipping: float = 1e-4
    max_offset: float = 0.01
    max_silence: float = 0.6
    max_pause_s: float = 1.5
    max_edge_db: float = -20.0
    """An edge this close to the loud windows is in the middle of a sound."""
    min_snr_db: float = 10.0
    min_loudness_lufs: float = -45.0
    max_loudness_lufs: float = -9.0
    min_clip_s: float = 0.5
    """A shorter clip says too little of a voice."""
    min_seconds_per_word: float = 0.15
    max_seconds_per_word: float = 1.2


DEFAULT_LIMITS = SignalLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Measurements of one wave."""

    seconds: float
    spoken_s: float
    """From the first sound to the last."""
    not_finite: int
    """Samples that are NaN or infinite."""
    clipping: float
    """Share of samples at full scale."""
    offset: float
    """Absolute mean, full scale 1."""
    silence: float
    """Share of 20 ms windows more than 40 dB below the loudest; 1 for digital silence."""
    longest_pause_s: float
    """Longest run of such windows between sounds."""
    start_edge_db: float
    """Level of the first 5 ms against the loud windows; near 0 dB the wave starts in a sound."""
    end_edge_db: float
    """As `start_edge_db`, of the last 5 ms."""
    loudness_lufs: float | None
    """Integrated loudness; None for less than 0.4 s, and for digital silence."""
    snr_db: float | None = None
    """Signal-to-noise ratio; needs a speech detector, so None where nobody measured it."""

    def faults(self, limits: SignalLimits = DEFAULT_LIMITS, *, words: int | None = None) -> tuple[str, ...]:
        """What is wrong, by name; empty for a sound wave. `words`: how many are said in it, where that is known."""
        pace = self.spoken_s / words if words and self.spoken_s else None
        found = {
            "not_finite": self.not_finite > 0,
            "clipped": self.clipping > limits.max_clipping,
            "offset": self.offset > limits.max_offset,
            "silent": self.silence > limits.max_silence,
            "long_pause": self.longest_pause_s > limits.max_pause_s,
            "starts_abruptly": self.start_edge_db > limits.max_edge_db,
            "ends_abruptly": self.end_edge_db > limits.max_edge_db,
            "noisy": self.snr_db is not None and self.snr_db < limits.min_snr_db,
            "too_quiet": self.loudness_lufs is not None and self.loudness_lufs < limits.min_loudness_lufs,
            "too_loud": self.loudness_lufs is not None and self.loudness_lufs > limits.max_loudness_lufs,
            "too_short": self.seconds < limits.min_clip_s,
            "too_fast": pace is not None and pace < limits.min_seconds_per_word,
            "too_slow": pace is not None and pace > limits.max_seconds_per_word,
        }
        return tuple(name for name, present in found.items() if present)
