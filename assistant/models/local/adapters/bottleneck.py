"""Bottleneck adapters (Houlsby et al. 2019): y + up(gelu(down(y))) after each attention and feed-forward block.

Where it differs from the paper: the layer norms stay frozen; it stands in pre-norm models, before the block's result is
added to what goes on. `up` begins as zero, so that at first nothing is changed.

    adapter_model.safetensors    "<layer>.down.weight" (size, hidden), .down.bias, .up.weight (hidden, size), .up.bias
    adapter_config.json          {"peft_type": "AFINA_BOTTLENECK", "base_model_name_or_path", "size", "after"}

PEFT does not know it; `wear` puts one on a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch.nn import functional

from assistant.models.local.adapters.wardrobe import SETTINGS, WEIGHTS


class Settings(BaseModel):
    """adapter_config.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    peft_type: Literal["AFINA_BOTTLENECK"] = "AFINA_BOTTLENECK"
    base_model_name_or_path: str
    size: int = Field(ge=1, le=4096)
    after: tuple[str, ...] = Field(min_length=1, max_length=100)  # linear layers that end a block


class Bottleneck(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, before: Any, size: int, dtype: Any) -> None:
        """`before`: the linear layer whose result it stands after."""
        super().__init__()
        width, like = before.out_features, {"dtype": dtype, "device": before.weight.device}
        self.before = before
        self.down = torch.nn.Linear(width, size, **like)
        self.up = torch.nn.Linear(size, width, **like)
        torch.nn.init.zeros_(self.up.weight)
        torch.nn.init.zeros_(self.up.bias)

    def forward(self, x: Any) -> Any:
        y = self.before(x)
        narrow = functional.linear(y, self.down.weight.to(y.dtype), self.down.bias.to(y.dtype))
        return y + functional.linear(functional.gelu(narrow), self.up.weight.to(y.dtype), self.up.bias.to(y.dtype))


def put(model: Any, size: int, after: Sequence[str], dtype: Any = None) -> dict[str, Bottleneck]:
    """One after each linear layer called so, by the layer's name. `dtype` None: the layer's own."""
    made = {}
    for name, layer in list(model.named_modules()):
        owner, _, own = name.rpartition(".")
        if own in after and isinstance(layer, torch.nn.Linear):
            made[name] = Bottleneck(layer, size, dtype or layer.weight.dtype)
            setattr(model.get_submodule(owner), own, made[name])
    return made


def weights(put_on: dict[str, Bottleneck]) -> dict[str, Any]:
    """What stands in the file: name → parameter."""
    return {
        f"{name}.{part}": weight
        for name, layer in put_on.items()
        for part, weight in layer.named_parameters()
        if not part.startswith("before.")
    }


def write(folder: Path, said: Settings, trained: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    (folder / SETTINGS).write_text(said.model_dump_json(indent=2), encoding="utf-8")
    save_file({name: one.detach().cpu().contiguous() for name, one in trained.items()}, folder / WEIGHTS)


def wear(model: Any, folder: Path) -> int:
    """Put what `write` wrote on the same base. Out: how many layers have one. ValueError where it does not fit."""
    from safetensors.torch import load_file

    said = _settings(folder / SETTINGS)
    found = load_file(folder / WEIGHTS)
    put_on = put(model, said.size, said.after)
    own = weights(put_on)
    if not own or set(own) != set(found):
        raise ValueError("the adapter's layers are not those of the model")
    with torch.no_grad():
        for name, weight in own.items():
            if found[name].shape != weight.shape:
                raise ValueError(f"{name} has another shape than the model's layer asks for")
            if not bool(torch.isfinite(found[name]).all()):
                raise ValueError(f"{name} holds values that are no numbers")
            weight.copy_(found[name]).requires_grad_(False)
    return len(put_on)


def _settings(file: Path) -> Settings:
    try:
        return Settings.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{file.name}, {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
