"""Bottleneck adapters (Houlsby et al. 2019): y + up(gelu(down(y))) after each attention and feed-forward block.

Where it differs from the paper: the layer norms stay frozen; it stands in pre-norm models, before the block's result is
added to what goes on. `up` begins as zero, so that at first nothing is changed.

    adapter_model.safetensors    "<layer>.down.weight" (size, hidden), .down.bias, .up.weight (hidden, size), .up.bias
    adapter_config.json          {"peft_type": "AFINA_BOTTLENECK", "base_model_name_or_path", "size", "after"}

PEFT does not know it; `wear` puts one on a model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from tuning.errors import ForPerson
from tuning.training.bases import Base
from tuning.training.engine.base import Loaded
from tuning.training.engine.methods.trained import Trained
from tuning.training.settings import Settings

KIND = "AFINA_BOTTLENECK"


class Bottleneck(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, before: Any, width: int, size: int, like: Any) -> None:
        super().__init__()
        self.before = before
        self.down = torch.nn.Linear(width, size, dtype=torch.float32, device=like.device)
        self.up = torch.nn.Linear(size, width, dtype=torch.float32, device=like.device)
        torch.nn.init.zeros_(self.up.weight)
        torch.nn.init.zeros_(self.up.bias)

    def forward(self, x: Any) -> Any:
        y = self.before(x)
        narrow = functional.linear(y, self.down.weight.to(y.dtype), self.down.bias.to(y.dtype))
        return y + functional.linear(functional.gelu(narrow), self.up.weight.to(y.dtype), self.up.bias.to(y.dtype))


def make(loaded: Loaded, base: Base, settings: Settings) -> Trained:
    torch.manual_seed(settings.seed)
    asked = settings.bottleneck
    put = _put(loaded.model, asked.size, asked.after)
    if not put:
        raise ForPerson(
            f"{base.name} has no layer called {' or '.join(asked.after)}. Name the layers that end its blocks.",
            spanish=f"{base.name} no tiene capas llamadas {' o '.join(asked.after)}. Nombra las que cierran bloques.",
        )
    weights = {
        f"{name}.{part}": weight
        for name, layer in put.items()
        for part, weight in layer.named_parameters()
        if not part.startswith("before.")
    }

    def write(folder: Path) -> None:
        from safetensors.torch import save_file

        said = {"base_model_name_or_path": base.known_as, "size": asked.size, "after": list(asked.after)}
        (folder / "adapter_config.json").write_text(json.dumps({"peft_type": KIND, **said}, indent=2), encoding="utf-8")
        save_file({name: one.detach().cpu().contiguous() for name, one in weights.items()}, folder / _FILE)

    return Trained(loaded, weights, write)


_FILE = "adapter_model.safetensors"


def wear(model: Any, folder: Path) -> int:
    """Put what `make` wrote on the same base. Out: how many layers have one. ValueError where it does not fit."""
    from safetensors.torch import load_file

    said = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    put, found = _put(model, said["size"], said["after"]), load_file(folder / _FILE)
    wanted = {f"{name}.{part}" for name in put for part in ("down.weight", "down.bias", "up.weight", "up.bias")}
    if wanted != set(found):
        raise ValueError("the adapter's layers are not those of the model")
    with torch.no_grad():
        for name, layer in put.items():
            for part in ("down", "up"):
                getattr(layer, part).weight.copy_(found[f"{name}.{part}.weight"])
                getattr(layer, part).bias.copy_(found[f"{name}.{part}.bias"])
    return len(put)


def _put(model: Any, size: int, after: Sequence[str]) -> dict[str, Bottleneck]:
    made = {}
    for name, layer in list(model.named_modules()):
        owner, _, own = name.rpartition(".")
        if own in after and isinstance(layer, torch.nn.Linear):
            made[name] = Bottleneck(layer, layer.out_features, size, layer.weight)
            setattr(model.get_submodule(owner), own, made[name])
    return made
