"""The model's own weights are trained: all of them, its last layers, or its layer norms alone. float32 where they are
learned, the arithmetic in the quick precision; a whole model is written, in bf16 as the app loads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tuning.errors import ForPerson
from tuning.training.bases import Base
from tuning.training.engine.base import Loaded
from tuning.training.engine.methods.trained import Trained
from tuning.training.settings import Settings

_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.")


def full(loaded: Loaded, base: Base, settings: Settings) -> Trained:
    return _chosen(loaded, base, lambda name: True)


def norms(loaded: Loaded, base: Base, settings: Settings) -> Trained:
    """Every weight of a module whose class is called a norm."""
    inside = {name for name, module in loaded.model.named_modules() if "norm" in type(module).__name__.lower()}
    return _chosen(loaded, base, lambda name: name.rpartition(".")[0] in inside)


def last(loaded: Loaded, base: Base, settings: Settings) -> Trained:
    numbers = {name: int(found[1]) for name, _ in loaded.model.named_parameters() if (found := _LAYER.search(name))}
    first = max(numbers.values(), default=-1) + 1 - settings.last.layers
    ends = {name for name, _ in loaded.model.named_parameters() if re.search(r"(?:^|\.)(?:norm|ln_f)\.", name)}
    ends -= set(numbers)
    return _chosen(loaded, base, lambda name: numbers.get(name, -1) >= max(0, first) or name in ends)


def _chosen(loaded: Loaded, base: Base, chosen: Callable[[str], bool]) -> Trained:
    weights = {name: weight for name, weight in loaded.model.named_parameters() if chosen(name)}
    if not weights:
        raise ForPerson(
            f"{base.name} has none of the layers that would be trained. Choose another method.",
            spanish=f"{base.name} no tiene ninguna de las capas que se entrenarían. Elige otro método.",
        )
    for name, weight in loaded.model.named_parameters():
        weight.requires_grad_(name in weights)
        if name not in weights:
            weight.data = weight.data.to(loaded.compute)  # frozen: the quick precision from the start

    def write(folder: Path) -> None:
        _write(loaded.model, folder)

    return Trained(loaded, weights, write, whole=True)


def _write(model: Any, folder: Path) -> None:
    """A weight that goes by two names (embeddings that are the head, too) is written once."""
    state = model.state_dict()
    first = {tensor.data_ptr(): name for name, tensor in reversed(state.items())}
    kept = {name: state[name].detach().to("cpu", torch.bfloat16) for name in first.values()}
    model.save_pretrained(str(folder), state_dict=kept)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "bfloat16"}, indent=2), encoding="utf-8")
