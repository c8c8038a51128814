"""Finished batches as `voice produce` leaves them, without their pages: small real clips, made-up measures, judged and sorted for real."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from acceptance.policy import Policy
from acceptance.production import delivery, report
from acceptance.production.report import Summary
from acceptance.production.take_verdicts import TakeFilter
from tests.acceptance.production import made_rows
from trainer.evaluation.faults import SignalLimits
from trainer.files import json_lines, plain_file, strict_json
from trainer.production import layout
from trainer.production.plan import Plan, PlannedDelivery, PlannedReference, dumps
from trainer.production.takes import TakeRow
from trainer.synthesis.sentences import SENTENCES

RATE = 22050
METRIC = "ge2e_cosine"
_SHORTEST_S, _STEP_S, _SOUNDS = 1.6, 0.2, 8
"""Different sounds; the clips of a batch are links to them."""
_MADE_UP = "0123456789abcdef" * 4
_TIMES = {"schema": "production_batch_timing/1", "wall_s": 412.5, "engines": ["local"], "audio_s": 1234.5, "clips_per_minute": 58.2,
          "real_time_factor": 0.334, "cpu_s": {"load": 4.0, "speak": 200.0, "signal": 20.0, "similarity": 40.0, "realism": 90.0,
                                               "intelligibility": 300.0},
          "cost": {"currency": "USD", "total": 123_400, "per_approved_utterance": 412}}  # fmt: skip


def make(batch: Path, prompts: int, *, takes: int = 2, texts: Sequence[str] = (), left_out: int = 2) -> None:
    """A finished batch in a new folder; the first prompts say `texts`. Equal arguments give equal bytes."""
    random = np.random.default_rng(0)
    sounds = _sounds(batch / "sounds")
    said = [texts[number] if number < len(texts) else _text(number) for number in range(prompts)]
    plan = _plan(batch, said, takes, left_out)
    (batch / layout.PLAN).write_bytes(dumps(plan))
    clips = layout.shard_folder(batch, 1, 1) / layout.CLIPS
    clips.mkdir(parents=True)
    rows = []
    for number, text in enumerate(said, start=1):
        for take in range(1, takes + 1):
            row = _take(random, f"{number:04d}", text, take, sounds[int(random.integers(_SOUNDS))])
            if row.file is not None:
                os.link(sounds[round((row.seconds - _SHORTEST_S) / _STEP_S)][0], clips / row.file)
            rows.append(row)
    policy, summary = Policy(), Summary()
    judged = TakeFilter(policy, METRIC, best_of=False).judged(rows)
    placed = ((one, None if one.row.file is None else clips / one.row.file) for one in judged)
    for _ in summary.counted(delivery.deliver(batch, placed)):
        pass
    report.write(batch, plan, summary, policy)
    (batch / layout.TIMING).write_bytes(strict_json.readable({**_TIMES, "takes": len(rows)}))


def _text(number: int) -> str:
    first = SENTENCES[number % len(SENTENCES)]
    return first if number < len(SENTENCES) else f"{first} This is sentence number {number}."


def _sounds(folder: Path) -> list[tuple[Path, float, str]]:
    """(path, seconds, sha256) of sounds that look like speech: harmonics under moving formants, with pauses and breath."""
    folder.mkdir(parents=True)
    found = []
    for number in range(_SOUNDS):
        random = np.random.default_rng(100 + number)
        seconds = _SHORTEST_S + _STEP_S * number
        time = np.arange(round(RATE * seconds)) / RATE
        pitch = 110 + 40 * np.sin(2 * np.pi * 0.7 * time + number) + 12 * np.sin(2 * np.pi * 3.1 * time)
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        formants = [
            500 + 200 * np.sin(2 * np.pi * 2 * time),
            1500 + 600 * np.sin(2 * np.pi * 1.3 * time + 1),
            2700 + 0 * time,
        ]
        wave = sum(
            np.sin(order * phase)
            / order
            * sum(np.exp(-(((order * pitch - formant) / 180) ** 2)) for formant in formants)
            for order in range(1, 30)
        )
        spoken = np.clip(np.sin(2 * np.pi * 2.3 * time + number) * 2 + 1, 0, 1)
        wave = 0.5 * spoken * wave / np.abs(wave).max() + 0.004 * random.normal(size=time.size)
        path = folder / f"{number}.flac"
        soundfile.write(path, wave.astype(np.float32), RATE, subtype="PCM_16")
        found.append((path, len(wave) / RATE, plain_file.sha256(path)))
    return found


def _take(random: np.random.Generator, name: str, text: str, take: int, sound: tuple[Path, float, str]) -> TakeRow:
    """A take as voices make them: most are good, some are not, and one of a hundred cannot be spoken."""
    words = max(1, len(text.split()))
    share = random.choice([0.0, 0.1, 0.2, 0.35, 0.6, 1.0], p=[0.55, 0.2, 0.12, 0.05, 0.05, 0.03])
    edits, overall = round(words * share), float(random.normal(3.0, 0.25))
    _, seconds, digest = sound
    spoken_s = 0.5 + 0.35 * words
    row = made_rows.row(
        name, take, text=text, sha256=digest, seconds=seconds, sample_rate=RATE, similarity=min(1.0, float(random.normal(0.83, 0.045))),
        overall=overall, speech=overall + 0.2, p808=overall + 0.3, word_edits=edits, words=words, character_edits=4 * edits,
        characters=len(text), heard=" ".join(text.lower().split()[edits:]), signal=replace(made_rows.SIGNAL, seconds=spoken_s, spoken_s=spoken_s),
    )  # fmt: skip
    if random.random() >= 0.01:
        return row
    failed = made_rows.failed(
        name, take, cause="not_spoken", message="the voice gave samples that are not finite; another seed may speak it"
    )
    return replace(failed, text=text, file=None, sha256=None, seconds=0.0, sample_rate=RATE)


def _plan(batch: Path, said: Sequence[str], takes: int, left_out: int) -> Plan:
    with json_lines.NewFile(batch / layout.PROMPTS) as prompts, json_lines.NewFile(batch / layout.LEFT_OUT) as skipped:
        for number, text in enumerate(said, start=1):
            prompts.add({"id": f"{number:04d}", "text": text})
        for line in range(len(said) + 1, len(said) + 1 + left_out):
            text, reason = (said[0], "the same text as 0001") if line % 2 else ("😀 😀", "nothing to speak")
            skipped.add({"line": line, "id": None, "text": text, "reason": reason})
    return Plan(
        project_version="0.1.0+made-up", checkpoint_sha256=_MADE_UP, manifest_sha256=_MADE_UP, certified_run="20261128T153246Z-dbce2f",
        prompts=prompts.listing, left_out=skipped.listing, takes=takes, seed=0,
        delivery=PlannedDelivery(rate=1.0, pitch=0.0, pause=1.0, liveliness=1.0, sample_rate=RATE),
        reference=PlannedReference(clips=8, sha256=_MADE_UP, metric=METRIC), signal_limits=SignalLimits(), policy_sha256=Policy().judging_sha256,
        pins={"dnsmos": _MADE_UP, "normaliser": _MADE_UP, "recogniser": _MADE_UP, "speaker_encoder": _MADE_UP}, shards=1, best_of=False,
    )  # fmt: skip
