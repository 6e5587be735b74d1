"""In: nothing. Out: a job as a page or a verb reads it, frozen. Knows nothing of SQL and processes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tuning.training.folder import ADAPTER, MODEL, State, Status


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    name: str
    backend: str  # "local"
    dataset: str  # the version's label: "marv-v2-3f9a1c2b"
    fingerprint: str  # the version's
    base: str  # "local:smollm2-135m"
    method: str
    settings: Mapping[str, Any]  # tuning.training.settings.Settings as JSON
    place: Path  # its folder
    state: State
    attempts: int
    persona: int | None
    evaluation: Mapping[str, Any]
    created_at: datetime  # UTC

    @property
    def left(self) -> bool:
        """Whether there is a model in its folder."""
        return any((self.place / name).is_dir() for name in (ADAPTER, MODEL))

    @property
    def ended_well(self) -> bool:
        """Done, or stopped with its best kept: it can be published."""
        return self.state.status is Status.DONE or (self.state.status is Status.STOPPED and self.left)

    @property
    def time_up(self) -> bool:
        """Its time cap ended it."""
        cap = self.settings.get("time_cap")
        return self.state.status is Status.STOPPED and cap is not None and self.state.seconds >= float(cap)

    @property
    def command(self) -> str:
        """What goes on with the run, without the app."""
        return f"python -m tuning.training {shlex.quote(str(self.place))}"

    def again(self, defaults: Mapping[str, Any]) -> str:
        """What makes the same run anew, in any data folder that has the version. `defaults`: the recipe's settings."""
        label = re.fullmatch(r"(.+)-v(\d+)-[0-9a-f]{8}", self.dataset)
        name, number = (label[1], label[2]) if label else (self.dataset, "")
        said = {
            "data": name,
            "version": number,
            "method": self.settings.get("recipe") or self.method,
            "base": self.base,
        }
        words = [f"--{option} {shlex.quote(str(value))}" for option, value in said.items() if value]
        known = _flat(defaults)
        words += [
            f"--set {shlex.quote(f'{field}={json.dumps(value, ensure_ascii=False)}')}"
            for field, value in sorted(_flat(self.settings).items())
            if field not in _APART and known.get(field) != value
        ]
        return " ".join(["afina tune start", *words])


_APART = ("weights", "base", "recipe", "method", "format")  # said otherwise, or not at all


def _flat(given: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """{"lora": {"r": 8}} → {"lora.r": 8}"""
    found: dict[str, Any] = {}
    for name, value in given.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {before + name: value}
    return found
