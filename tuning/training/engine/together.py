"""Several processes that learn as one: each reads its share of a step's packs, what they found is added up.

Accelerate finds the ranks and the device (its environment: RANK, WORLD_SIZE, MASTER_ADDR …); gradients are summed in
one call. Every process makes the same decisions from the same numbers; only the first writes, and is asked to stop.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import torch

T = TypeVar("T")


class Together:
    def __init__(self, rank: int = 0, size: int = 1, device: str = "cpu", words: Any = None) -> None:
        self.rank, self.size, self.device = rank, size, device
        self._words = words  # a group that talks between processors, without a look at the GPU

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, all_of_them: Sequence[T]) -> Sequence[T]:
        """Dealt out as cards are."""
        return all_of_them[self.rank :: self.size]

    def add(self, weights: Iterable[Any], loss: Any) -> Any:
        """The gradients of all, in place; the loss of all."""
        if self.size == 1:
            return loss
        some = list(weights)
        last = torch.as_tensor(loss, dtype=torch.float32, device=some[0].device).detach().reshape(1)
        flat = torch.cat([*(_gradient(one).flatten() for one in some), last])
        torch.distributed.all_reduce(flat)
        for one, found in zip(some, flat[:-1].split([one.numel() for one in some]), strict=True):
            one.grad.copy_(found.view_as(one))
        return flat[-1] if isinstance(loss, torch.Tensor) else float(flat[-1])

    def total(self, *numbers: float) -> tuple[float, ...]:
        if self.size == 1:
            return numbers
        flat = torch.tensor(numbers, dtype=torch.float64)
        torch.distributed.all_reduce(flat, group=self._words)
        return tuple(flat.tolist())

    def told(self, asked: bool) -> bool:
        """Whether the first of them was asked to stop: all hear of it before the same step."""
        return self.total(float(asked and self.first))[0] > 0

    def close(self) -> None:
        if self.size > 1:
            torch.distributed.destroy_process_group()


ALONE = Together()


def _gradient(weight: Any) -> Any:
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    return weight.grad.float()


def joined(device: str) -> Together:
    """By the environment that a launcher made; alone where there is none."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Together(device=device)
    from accelerate import PartialState

    state = PartialState(cpu=device == "cpu")
    if device == "cuda":
        torch.cuda.set_device(state.device)
    words = torch.distributed.new_group(backend="gloo")
    return Together(state.process_index, state.num_processes, device, words)
