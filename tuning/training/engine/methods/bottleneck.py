"""Bottleneck adapters (Houlsby et al. 2019), learned in float32. What they are, how they are written and worn:
assistant.models.local.adapters.bottleneck."""

from __future__ import annotations

from pathlib import Path

import torch

from assistant.models.local.adapters import bottleneck
from tuning.errors import ForPerson
from tuning.training.bases import Base
from tuning.training.engine.base import Loaded
from tuning.training.engine.methods.trained import Trained
from tuning.training.settings import Settings


def make(loaded: Loaded, base: Base, settings: Settings) -> Trained:
    torch.manual_seed(settings.seed)
    asked = settings.bottleneck
    put = bottleneck.put(loaded.model, asked.size, asked.after, torch.float32)
    if not put:
        raise ForPerson(
            f"{base.name} has no layer called {' or '.join(asked.after)}. Name the layers that end its blocks.",
            spanish=f"{base.name} no tiene capas llamadas {' o '.join(asked.after)}. Nombra las que cierran bloques.",
        )
    weights = bottleneck.weights(put)
    said = bottleneck.Settings(base_model_name_or_path=base.known_as, size=asked.size, after=asked.after)

    def write(folder: Path) -> None:
        bottleneck.write(folder, said, weights)

    return Trained(loaded, weights, write)
