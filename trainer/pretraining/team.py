"""Several processes of one thread each that train one model: on a busy machine they wait for each other once a step, not at every operation."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

RANK, SIZE = "VOICE_PRETRAIN_RANK", "VOICE_PRETRAIN_SIZE"
_PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Team:
    """This process among `size`; a team of one does nothing."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, meeting: Path) -> Team:
        """The team that `hire` started this process for (they meet at a file), or a team of one."""
        team = cls(int(os.environ.get(RANK, "0")), int(os.environ.get(SIZE, "1")))
        if team.size > 1:
            distributed.init_process_group(
                "gloo",
                init_method=f"file://{meeting}",
                rank=team.rank,
                world_size=team.size,
                timeout=_PATIENCE,
            )
        return team

    @property
    def leads(self) -> bool:
        """Whether this process writes files and lines."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its mean over the team."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        together = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(together)
        together /= self.size
        parts = together.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def anyone(self, wish: bool) -> bool:
        """Whether anyone of the team wishes it."""
        if self.size == 1:
            return wish
        votes = torch.tensor([int(wish)])
        distributed.all_reduce(votes)
        return bool(votes.item())


def hire(command: Sequence[str], *, size: int, meeting: Path) -> list[subprocess.Popen[bytes]]:
    """Start the other `size` - 1 processes with this command and make this one the leader."""
    meeting.unlink(missing_ok=True)
    os.environ[SIZE] = str(size)
    others = [
        subprocess.Popen(command, env={**os.environ, RANK: str(rank)}, stdout=subprocess.DEVNULL)
        for rank in range(1, size)
    ]
    os.environ[RANK] = "0"
    return others
