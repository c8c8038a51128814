"""The best path through a graph of states, and through no graph at all."""

from __future__ import annotations

import numpy as np

from trainer.models.aligner.graph import Graph
from trainer.models.aligner.model import PHONES, STATES_PER_PHONE

_LOOP_ENTRY = float(np.log(1.0 / len(PHONES)))


def best_path(graph: Graph, emission: np.ndarray, stay: np.ndarray) -> np.ndarray:
    """States (frames,) of the best path; none if the utterance is too short for any.

    `emission` (frames, STATES) log-densities, `stay` (STATES,) self-transition probabilities.
    """
    leave = np.log1p(-stay)[graph.models].astype(np.float32)
    ways = graph.cost + np.where(
        np.arange(graph.cost.shape[1]) == 0, np.log(stay)[graph.models][:, None], leave[graph.before]
    )
    ways = np.ascontiguousarray(ways.T, dtype=np.float32)
    before = np.ascontiguousarray(graph.before.T)
    columns = np.arange(before.shape[1])
    heard = emission[:, graph.models]
    chosen = np.empty((len(emission), before.shape[1]), dtype=np.uint8)
    score = np.full(before.shape[1], -np.inf, dtype=np.float32)
    score[0] = heard[0, 0]
    for frame in range(1, len(emission)):
        reached = score[before] + ways
        best = reached.argmax(axis=0)
        chosen[frame] = best
        score = reached[best, columns] + heard[frame]
    end = graph.last[int(score[graph.last].argmax())]
    if not np.isfinite(score[end]):
        return np.zeros(0, dtype=np.intp)
    path = np.empty(len(emission), dtype=np.intp)
    path[-1] = end
    for frame in range(len(emission) - 1, 0, -1):
        path[frame - 1] = before[chosen[frame, path[frame]], path[frame]]
    return path


def free_score(emission: np.ndarray, stay: np.ndarray) -> float:
    """Log-likelihood of the best sequence of any phones in any order: what a transcript competes with."""
    per_phone = emission.reshape(len(emission), len(PHONES), STATES_PER_PHONE)
    log_stay = np.log(stay).astype(np.float32).reshape(len(PHONES), STATES_PER_PHONE)
    leave = np.log1p(-stay).astype(np.float32).reshape(len(PHONES), STATES_PER_PHONE)
    score = np.full_like(log_stay, -np.inf)
    score[:, 0] = per_phone[0, :, 0] + _LOOP_ENTRY
    arriving = np.empty_like(score)
    for frame in range(1, len(emission)):
        left = score + leave
        arriving[:, 0] = left[:, -1].max() + _LOOP_ENTRY
        arriving[:, 1:] = left[:, :-1]
        score = np.maximum(score + log_stay, arriving) + per_phone[frame]
    return float(score.max())
