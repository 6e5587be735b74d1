"""What is trained, to files and back: weights, AdamW's moments, the generator's state. safetensors alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save_file

from tuning.training.engine.methods.trained import Trained

WEIGHTS, OPTIMIZER = "weights.safetensors", "optimizer.safetensors"
_MOMENTS = {"first": "exp_avg", "second": "exp_avg_sq", "steps": "step"}


class Kept(Protocol):
    @property
    def trained(self) -> Trained: ...

    @property
    def optimizer(self) -> Any: ...


def save(learner: Kept, folder: Path) -> None:
    weights = learner.trained.weights
    save_file({name: _whole(weight) for name, weight in weights.items()}, folder / WEIGHTS)
    kept = {"generator": torch.get_rng_state()}
    if learner.trained.loaded.device == "cuda":
        kept["generator.cuda"] = torch.cuda.get_rng_state()
    for name, weight in weights.items():
        state = learner.optimizer.state.get(weight, {})
        for short, long in _MOMENTS.items():
            if long in state:
                kept[f"{short}.{name}"] = _whole(state[long])
    save_file(kept, folder / OPTIMIZER)


def load(learner: Kept, folder: Path) -> None:
    """ValueError where the files are of another shape than what is trained."""
    load_weights(learner, folder)
    kept = load_file(folder / OPTIMIZER)
    for name, weight in learner.trained.weights.items():
        found = {long: kept[f"{short}.{name}"] for short, long in _MOMENTS.items() if f"{short}.{name}" in kept}
        if found:
            device = {long: one.to(weight.device) for long, one in found.items()}  # fused AdamW: the steps too
            learner.optimizer.state[weight] = device
    torch.set_rng_state(kept["generator"])
    if learner.trained.loaded.device == "cuda" and "generator.cuda" in kept:
        torch.cuda.set_rng_state(kept["generator.cuda"])


def load_weights(learner: Kept, folder: Path) -> None:
    found = load_file(folder / WEIGHTS)
    weights = learner.trained.weights
    if set(found) != set(weights):
        raise ValueError("its weights have other names than what is trained")
    with torch.no_grad():
        for name, weight in weights.items():
            if found[name].shape != weight.shape or not bool(torch.isfinite(found[name]).all()):
                raise ValueError(f"{name} has another shape, or values that are no numbers")
            weight.copy_(found[name])


def finite(learner: Kept) -> bool:
    return all(bool(torch.isfinite(weight).all()) for weight in learner.trained.weights.values())


def _whole(tensor: Any) -> Any:
    return tensor.detach().cpu().contiguous().clone()
