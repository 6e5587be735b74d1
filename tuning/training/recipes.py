"""In: a recipe's name, a device. Out: the settings it advises; what is said for them wins over it.

Recipes are TOML files in tuning/recipes/, one per method. Their head carries the exact command, and the time and memory
that were measured with it. [cpu] and [gpu] hold what is otherwise there.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tuning.errors import ForPerson
from tuning.training.settings import Settings

PLACE = Path(__file__).parent.parent / "recipes"


def names() -> list[str]:
    return sorted(file.stem for file in PLACE.glob("*.toml"))


def settings(name: str, *, device: str = "cpu", **said: Any) -> Settings:
    """ForPerson of a recipe that is not there. `said`: fields of Settings; `weights` must be among them."""
    if name not in names():
        raise ForPerson(
            f"There is no recipe {name}. Choose {', '.join(names())}.",
            spanish=f"No hay ninguna receta {name}. Elige {', '.join(names())}.",
        )
    found = tomllib.loads((PLACE / f"{name}.toml").read_text(encoding="utf-8"))
    devices = {one: found.pop(one, {}) for one in ("cpu", "gpu")}
    return Settings.model_validate({**found, **devices.get(device, {}), "recipe": name, **said})
