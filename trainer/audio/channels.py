"""Which channels of a recording hold the speech, and whether their mean would cancel it.

Everything is measured in windows of 64 ms, as the recording streams by. Speech goes up and down by 20 dB and more; hum, noise, a time code
and silence do not: such channels are left out. Of channels in opposite phase, or of microphones at different distances, the mean cancels what
each of them holds: then one channel is taken. In all other recordings the mean of all channels is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.audio.limits import AudioLimits

MOST_CHANNELS = 32
"""Beyond it every pair of channels would be too many to compare, and all are averaged."""

_WINDOW_S = 0.064
_HUM_HZ, _SPEECH_HZ, _HIGHEST_HZ = 40.0, 150.0, 5_000.0
_NYQUIST_SHARE = 0.45
_POWER_FLOOR = 1e-12
_SILENT_DB = -90.0  # below lies no noise of a room: the channel is dead there, or was gated
_SPREAD_PERCENTILES = (10.0, 95.0)
_ENOUGH_SPREAD_DB = 30.0  # clean speech has 30 to 60 dB: from here on one channel is as good as the other
_FULL_RATE_S = 300.0  # after each five minutes only every second block of those before is measured: a day costs no more than 45 minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The channels to average, by index, and why they are not all; `why` is empty where they are."""

    taken: tuple[int, ...]
    why: str = ""


class ChannelMeter:
    """Collects levels and cross spectra of (frames, channels) blocks; memory grows with the logarithm of the length."""

    def __init__(self, channels: int, sample_rate: int) -> None:
        self._rate = sample_rate
        self._size = 2 ** max(round(np.log2(_WINDOW_S * sample_rate)), 6)
        self._window = np.hanning(self._size).astype(np.float32)
        self._hertz = np.fft.rfftfreq(self._size, 1.0 / sample_rate)
        highest = min(_HIGHEST_HZ, _NYQUIST_SHARE * sample_rate)
        self._audible = (self._hertz >= _HUM_HZ) & (self._hertz <= highest)
        self._speech = (self._hertz >= _SPEECH_HZ) & (self._hertz <= highest)
        self._levels: list[np.ndarray] = []
        self._cross = np.zeros((channels, channels, len(self._hertz)), np.complex128)
        self._seen, self._stride, self._measured_s = 0, 1, 0.0

    def add(self, block: np.ndarray) -> None:
        """Measure the next block of the recording, or pass over it."""
        turn, self._seen = self._seen % self._stride == 0, self._seen + 1
        count = (len(block) - self._size) // (self._size // 2) + 1
        if not turn or count < 1:
            return
        frames = np.lib.stride_tricks.sliding_window_view(block, self._size, axis=0)[:: self._size // 2]
        spectra = np.fft.rfft(frames * self._window, axis=-1)  # (windows, channels, bins)
        power = np.square(np.abs(spectra[..., self._audible])).sum(axis=-1) * (
            2.0 / (self._window.sum() * self._size / 2)
        )
        self._levels.append((10.0 * np.log10(np.maximum(power, _POWER_FLOOR))).astype(np.float32))
        self._cross += np.einsum("wif,wjf->ijf", spectra, spectra.conj())
        self._measured_s += len(block) / self._rate
        if self._measured_s >= _FULL_RATE_S:
            self._stride, self._measured_s = 2 * self._stride, 0.0

    @property
    def levels(self) -> np.ndarray:
        """(windows, channels) in dBFS, of what was measured."""
        return np.concatenate(self._levels)

    def choice(self, settings: AudioLimits) -> Choice:
        """Decide by what was measured."""
        channels = len(self._cross)
        everything = Choice(taken=tuple(range(channels)))
        if not self._levels:
            return everything
        levels = self.levels
        spreads = [spread_db(levels[:, channel]) for channel in range(channels)]
        best = max(spreads)
        if best < settings.min_channel_spread_db:
            return everything
        kept = [
            channel for channel in range(channels) if spreads[channel] >= best - settings.max_channel_spread_loss_db
        ]
        reasons = _left_out([channel for channel in range(channels) if channel not in kept], levels)
        if len(kept) > 1 and self.cancelled(kept) > settings.max_channel_cancellation:
            reasons.append(self._phase(kept))
            kept = [
                max(
                    kept,
                    key=lambda channel: (
                        round(spreads[channel]),
                        float(np.percentile(levels[:, channel], 95.0)),
                        -channel,
                    ),
                )
            ]
        return Choice(taken=tuple(kept), why="; ".join(reasons))

    def cancelled(self, kept: Sequence[int]) -> float:
        """Share of the speech band in which the mean of channels has less than half the power that unlike channels would leave."""
        chosen = self._cross[np.ix_(kept, kept)][..., self._speech].real
        separate = np.trace(chosen)
        together = chosen.sum(axis=(0, 1))
        heard = separate > _POWER_FLOOR
        return float(np.mean(together[heard] < 0.5 * separate[heard])) if heard.any() else 0.0

    def _phase(self, kept: Sequence[int]) -> str:
        """What lies between the two loudest channels."""
        loudest = sorted(kept, key=lambda channel: -float(self._cross[channel, channel, self._speech].real.sum()))[:2]
        first, second = sorted(loudest)
        cross = np.where(self._speech, self._cross[first, second], 0.0)
        pulse = np.fft.irfft(cross / np.maximum(np.abs(cross), _POWER_FLOOR), 8 * self._size)
        peak = int(np.argmax(np.abs(pulse)))
        lag_ms = 1000.0 * abs(peak if peak < len(pulse) // 2 else peak - len(pulse)) / (8 * self._rate)
        apart = f"{lag_ms:.2f} ms apart" if lag_ms >= 0.05 else ""
        opposite = "in opposite phase" if pulse[peak] < 0 else ""
        return f"{named((first, second))} are {' and '.join(filter(None, (opposite, apart))) or 'not in phase'}, their mean would cancel speech"


def spread_db(levels: np.ndarray) -> float:
    """From the quiet to the loud windows of one channel; 0 where it is silent."""
    audible = levels[levels > _SILENT_DB]
    if len(audible) < 2:
        return 0.0
    low, high = np.percentile(audible, _SPREAD_PERCENTILES)
    return min(float(high - low), _ENOUGH_SPREAD_DB)


def _left_out(channels: Sequence[int], levels: np.ndarray) -> list[str]:
    """What the channels hold that are left out; `levels` is (windows, channels)."""
    silent = [
        channel
        for channel in channels
        if float(np.percentile(levels[:, channel], _SPREAD_PERCENTILES[1])) <= _SILENT_DB
    ]
    steady = [channel for channel in channels if channel not in silent]
    parts = [
        (silent, "is silent", "are silent"),
        (steady, "holds no speech but a steady sound", "hold no speech but steady sounds"),
    ]
    return [f"{named(those)} {one if len(those) == 1 else many}" for those, one, many in parts if those]


def named(channels: Sequence[int]) -> str:
    """Channels by index, as people count them: `channel 2`, `channels 1 and 3`."""
    *numbers, last = [str(channel + 1) for channel in channels]
    return f"channels {', '.join(numbers)} and {last}" if numbers else f"channel {last}"
