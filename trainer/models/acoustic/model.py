"""The acoustic model: two networks that share nothing, so that each can be stopped when it has learnt enough.

`ProsodyNetwork` says how long, how high and how loud every symbol is; `Decoder` turns symbols with given durations, pitch and energy into frames.
Non-autoregressive with explicit durations after FastSpeech 2 (Ren et al. 2021); everything is predicted relative to the speaker's
statistics. The decoder works at half the frame rate and writes two frames a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from trainer.audio import features
from trainer.models.acoustic.layers import Stack, shifted
from trainer.models.acoustic.speaker import EMBEDDING, Speaker
from trainer.models.acoustic.symbols import COUNT, POSITIONS, even_frames, is_pause
from trainer.models.network import Network, NetworkConfig, size

if TYPE_CHECKING:
    from trainer.models.acoustic.examples import AcousticBatch

OUTPUTS = features.MELS + 2
"""Of one frame: mel bands, log-F0, voicing."""
LONGEST_SYMBOL = 200
"""Frames (2.3 s): no predicted duration exceeds it, whatever the weights say."""
_IMMENSE = 1e6
_CYCLE = (1, 2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcousticConfig(NetworkConfig):
    """Sizes of both networks."""

    owner: ClassVar[str] = "an acoustic model's"

    width: int = size(256, 1024)
    hidden: int = size(512, 4096)
    encoder_blocks: int = size(3, 32)
    decoder_blocks: int = size(6, 32)
    prosody_width: int = size(192, 1024)
    prosody_hidden: int = size(384, 4096)
    prosody_blocks: int = size(4, 32)
    kernel: int = size(3, 15)
    speaker: int = size(64, 512)

    @property
    def least_weights(self) -> int:
        """A lower bound of the number of weights."""
        blocks = self.encoder_blocks + self.decoder_blocks
        frames = blocks * (self.kernel + 1) * self.width * self.hidden
        return frames + self.prosody_blocks * (self.kernel + 1) * self.prosody_width * self.prosody_hidden


class SymbolProsody(NamedTuple):
    """Per symbol, (batch, symbols) each, relative to the speaker."""

    log_duration: torch.Tensor
    """log(1 + frames) minus the speaker's mean."""
    pitch: torch.Tensor
    """Mean log-F0 in deviations from the speaker's mean."""
    energy: torch.Tensor
    """Mean over frames and speech bands of the mel spectrum in deviations from the speaker's mean."""


class FramePrediction(NamedTuple):
    """Per frame, absolute: `mel` (batch, MELS, frames), `log_f0` and `voicing` (a logit), (batch, frames) each."""

    mel: torch.Tensor
    log_f0: torch.Tensor
    voicing: torch.Tensor


class Prediction(NamedTuple):
    """What training compares with the truth."""

    symbols: SymbolProsody
    frames: FramePrediction


class Rendering(NamedTuple):
    """An utterance as the vocoder takes it: mel (MELS, T), f0 (T,) Hz, voicing (T,) 0 or 1; and the frames of every symbol, (P,) int64."""

    mel: torch.Tensor
    f0: torch.Tensor
    voicing: torch.Tensor
    frames: torch.Tensor


class AcousticModel(Network):
    """Symbols and a speaker to frames; `forward` for training, `infer` for one utterance, the networks themselves for export."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        self.config = config
        self.voice = Voice(config.speaker)
        self.prosody_voice = Voice(config.speaker)
        self.prosody = ProsodyNetwork(config)
        self.decoder = Decoder(config)

    def forward(self, batch: AcousticBatch) -> Prediction:
        """Predictions with the durations, pitch and energy of the truth."""
        mask, embedding = batch.symbol_mask[:, :, None], batch.speaker.embedding
        predicted = self.prosody(batch.symbols, batch.word_starts, mask, self.prosody_voice(embedding))
        # The voice is computed for each use: one for both would round its gradient otherwise, and other bytes would be learnt.
        encoded = self.decoder.encode(
            batch.symbols, batch.word_starts, mask, batch.truth.pitch, batch.truth.energy, self.voice(embedding)
        )
        frame_mask = batch.frame_mask[:, :, None]
        raw = self.decoder.frames(encoded, batch.index, batch.positions, frame_mask, self.voice(embedding))
        return Prediction(predicted, absolute(raw, batch.speaker))

    @torch.no_grad()
    def infer(
        self,
        symbols: torch.Tensor,
        word_starts: torch.Tensor,
        speaker: Speaker,
        *,
        rate: float | torch.Tensor = 1.0,
        pitch: float | torch.Tensor = 0.0,
        pause: float | torch.Tensor = 1.0,
        liveliness: float | torch.Tensor = 1.0,
        frames: torch.Tensor | None = None,
    ) -> Rendering:
        """One utterance: symbols (P,) int64, word_starts (P,), an unbatched speaker.

        `rate` above 1 speaks faster, `pitch` is in semitones, `pause` stretches pauses, `liveliness` stretches the melody around its mean;
        `frames` (P,) int64 replaces the predicted durations.
        """
        one = speaker.batch()
        starts = word_starts[None].float()
        # From the input, not from its shape: a traced shape would be a constant.
        mask = torch.ones_like(starts)[:, :, None]
        predicted = self.prosody(symbols[None], starts, mask, self.prosody_voice(one.embedding))
        if frames is None:
            frames = durations(
                predicted.log_duration[0] + speaker.log_duration, is_pause(symbols), rate=rate, pause=pause
            )
        # Two frames a step: an odd last frame is written twice and cut below.
        index, positions, length = even_frames(frames)
        voice = self.voice(one.embedding)
        encoded = self.decoder.encode(
            symbols[None], starts, mask, predicted.pitch * liveliness, predicted.energy, voice
        )
        every = torch.ones_like(positions[None, :, :1])
        raw = self.decoder.frames(encoded, index[None], positions[None], every, voice)
        return finish(absolute(raw, one), speaker, frames, length, pitch=pitch)

    @property
    def parts(self) -> dict[str, list[nn.Module]]:
        """Both networks with what belongs to each; no weight is in two parts."""
        return {"prosody": [self.prosody_voice, self.prosody], "frames": [self.voice, self.decoder]}


class Voice(nn.Module):
    """Speaker embedding to conditioning vector; `offset` is zero in the base and learnt for one speaker by adaptation."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.project = nn.Linear(EMBEDDING, size)
        self.offset = nn.Parameter(torch.zeros(size))

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """(batch, 256) of unit length -> (batch, size)."""
        # A unit vector's elements are about 1/16: brought to unit variance.
        return torch.tanh(self.project(embedding * 16.0)) + self.offset


class ProsodyNetwork(nn.Module):
    """Symbols and a speaker vector to duration, pitch and energy of every symbol."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        width = config.prosody_width
        self.input = SymbolInput(width)
        dilations = tuple(_CYCLE[block % len(_CYCLE)] for block in range(config.prosody_blocks))
        self.blocks = Stack(width, config.prosody_hidden, config.kernel, dilations, config.speaker, 0.2)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(0.2)
        self.output = nn.Linear(width, 3)

    def forward(
        self, symbols: torch.Tensor, word_starts: torch.Tensor, mask: torch.Tensor, voice: torch.Tensor
    ) -> SymbolProsody:
        """(batch, P) int64, (batch, P), (batch, P, 1), (batch, speaker) -> relative prosody."""
        x = self.blocks(self.input(symbols, word_starts, mask), voice, mask)
        return SymbolProsody(*self.output(self.dropout(self.norm(x))).float().unbind(dim=2))


class Decoder(nn.Module):
    """Symbols with pitch and energy, spread over frames, to relative mel, log-F0 and voicing."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        width = config.width
        self.input = SymbolInput(width)
        encoder = tuple(_CYCLE[block % len(_CYCLE)] for block in range(config.encoder_blocks))
        self.encoder = Stack(width, config.hidden, config.kernel, encoder, config.speaker, 0.1)
        self.prosody = nn.Linear(3 * 2, width)
        self.pair = nn.Linear(2 * (width + POSITIONS), width)
        decoder = tuple(_CYCLE[block % len(_CYCLE)] for block in range(config.decoder_blocks))
        self.decoder = Stack(width, config.hidden, config.kernel, decoder, config.speaker, 0.1)
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, 2 * OUTPUTS)

    def encode(
        self,
        symbols: torch.Tensor,
        word_starts: torch.Tensor,
        mask: torch.Tensor,
        pitch: torch.Tensor,
        energy: torch.Tensor,
        voice: torch.Tensor,
    ) -> torch.Tensor:
        """(batch, P) each, mask (batch, P, 1), voice (batch, speaker) -> (batch, P, width)."""
        x = self.encoder(self.input(symbols, word_starts, mask), voice, mask)
        # The neighbours' pitch too: the contour within a symbol runs from one to the other.
        melody = shifted(torch.stack([pitch, energy], dim=2) * mask, [-1, 0, 1], 1)
        return x + self.prosody(melody)

    def frames(
        self,
        encoded: torch.Tensor,
        index: torch.Tensor,
        positions: torch.Tensor,
        mask: torch.Tensor,
        voice: torch.Tensor,
    ) -> torch.Tensor:
        """(batch, P, width), (batch, T), (batch, T, POSITIONS), (batch, T, 1), (batch, speaker) -> (batch, T, OUTPUTS); T is even."""
        spread = torch.gather(encoded, 1, index[:, :, None].expand(-1, -1, encoded.shape[2]))
        x = torch.cat([spread, positions.to(spread.dtype)], dim=2)
        batch, length, width = x.shape
        x = self.pair(x.reshape(batch, length // 2, 2 * width))
        x = self.decoder(x, voice, mask.reshape(batch, length // 2, 2)[:, :, :1])
        return self.output(self.norm(x)).float().reshape(batch, length, OUTPUTS)


class SymbolInput(nn.Module):
    """Embedding of the symbol, of whether a word starts, and of the place in the utterance."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.symbol = nn.Embedding(COUNT, width)
        self.start = nn.Parameter(torch.zeros(width))
        self.place = nn.Linear(3, width)
        nn.init.normal_(self.symbol.weight, std=0.5)

    def forward(self, symbols: torch.Tensor, word_starts: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(batch, P) int64, (batch, P), (batch, P, 1) -> (batch, P, width)."""
        place = torch.cumsum(mask, dim=1)
        total = mask.sum(dim=1, keepdim=True)
        # Near either end counts, far from both does not: a long sentence is no stranger than a short one.
        ends = [torch.exp(-place / 8.0), torch.exp(-(total + 1.0 - place) / 8.0), place / (total + 1.0)]
        where = self.place(torch.cat(ends, dim=2))
        return (self.symbol(symbols) + word_starts[:, :, None] * self.start + where) * mask


def absolute(raw: torch.Tensor, speaker: Speaker) -> FramePrediction:
    """Relative frames (batch, T, OUTPUTS) -> spectrum and log-F0 of the speakers."""
    mel = speaker.mel_mean[:, :, None] + speaker.mel_deviation[:, :, None] * raw[:, :, : features.MELS].transpose(1, 2)
    log_f0 = speaker.log_f0_mean[:, None] + speaker.log_f0_deviation[:, None] * raw[:, :, features.MELS]
    return FramePrediction(mel, log_f0, raw[:, :, features.MELS + 1])


def durations(
    log_duration: torch.Tensor, pauses: torch.Tensor, *, rate: float | torch.Tensor, pause: float | torch.Tensor
) -> torch.Tensor:
    """Log durations (P,) of symbols, which are pauses (P,) -> whole frames (P,) int64: at least 1 for a phone, 0 or more for a pause.

    They are never all zero. No branch depends on a value, so that this is exported too.
    """
    # A broken voice's durations may be NaN or too large to be summed; they become 0 or the limit.
    exact = torch.expm1(log_duration).nan_to_num(nan=0.0).clamp(min=0.0, max=_IMMENSE) / rate
    exact = torch.where(pauses, exact * pause, exact)
    # Rounding the running sum keeps the pace: errors do not add up.
    ends = torch.round(torch.cumsum(exact.double(), 0)).long()
    frames = torch.diff(F.pad(ends, (1, 0)))
    frames = torch.where(pauses, frames, frames.clamp(min=1)).clamp(max=LONGEST_SYMBOL)
    return torch.cat([frames[:-1], torch.where(frames.sum() == 0, 1, frames[-1:])])


def finish(
    prediction: FramePrediction,
    speaker: Speaker,
    frames: torch.Tensor,
    length: int,
    *,
    pitch: float,
) -> Rendering:
    """The first prediction of a batch, cut to `length`, with the speaker's own variance, within what the vocoder knows."""
    mel = prediction.mel[0] * speaker.mel_gain[:, None] + speaker.mel_shift[:, None]
    melody = (prediction.log_f0[0] - speaker.log_f0_mean) * speaker.f0_gain
    f0 = torch.exp(melody + speaker.log_f0_mean) * 2.0 ** (pitch / 12.0)
    return Rendering(
        mel=mel[:, :length].clamp(min=float(torch.tensor(features.LOG_FLOOR).log()), max=5.0),
        f0=f0[:length].clamp(features.F0_LOW_HZ, features.F0_HIGH_HZ),
        voicing=(prediction.voicing[0, :length] > 0).float(),
        frames=frames,
    )
