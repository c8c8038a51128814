"""Limits of sound: which recordings are read, which channels are averaged, what counts as speech, how loud a clip becomes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioLimits:
    """Bounds that reading and measuring sound needs; the preparation's settings add their own."""

    # --- what may come in ---
    min_sample_rate: int = 8_000
    max_sample_rate: int = 192_000
    max_duration_s: float = 24 * 3600.0  # a day: above it the file is a mistake or a decompression bomb

    # --- which channels are averaged (channels.py; measured with 44 kinds of second channels) ---
    # between quiet and loud windows; a recording below it has no speech to choose a channel by
    min_channel_spread_db: float = 6.0
    # so far below the best a channel is hum, noise, a time code or silence: 0 to 1 of 30
    max_channel_spread_loss_db: float = 12.0
    # share of the band that the mean cancels: stereo has at most 0.02, a comb filter at least 0.27
    max_channel_cancellation: float = 0.15

    # --- speech and loudness ---
    speech_on: float = 0.5  # the detector's own recommended threshold
    # of 16-bit sound: 22 dB of gain would make its quantisation noise heard; 6 dB lower for each bit more
    min_loudness_lufs: float = -45.0
    target_lufs: float = -23.0  # EBU R 128
    max_peak_dbfs: float = -1.0  # the gain is lowered, never limited, where the target would exceed it
