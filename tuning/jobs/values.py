"""In: nothing. Out: a job as a page or a verb reads it, frozen. Knows nothing of SQL and processes."""

from __future__ import annotations

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
    def time_up(self) -> bool:
        """Its time cap ended it."""
        cap = self.settings.get("time_cap")
        return self.state.status is Status.STOPPED and cap is not None and self.state.seconds >= float(cap)

    @property
    def command(self) -> str:
        """What repeats the run, or goes on with it."""
        return f"python -m tuning.training {self.place}"
