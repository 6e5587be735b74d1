"""What is trained, whatever the method: weights by name, and how they are written down at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.training.engine.base import Loaded


@dataclass(frozen=True, slots=True)
class Trained:
    loaded: Loaded
    weights: dict[str, Any]  # name → torch.nn.Parameter, float32
    write: Callable[[Path], None]  # into a folder that is there: weights and their description
    whole: bool = False  # a whole model is written, not an adapter
    vectors: Any = None  # (many, hidden) a parameter that is read before the first token; None: there is none

    @property
    def model(self) -> Any:
        return self.loaded.model

    @property
    def parameters(self) -> int:
        return sum(weight.numel() for weight in self.weights.values())
