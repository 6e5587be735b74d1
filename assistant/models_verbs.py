"""In: a weights folder. Out: rows for `afina models`: what there is, and a fetch as it goes. Prints nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from knowledge import weights as weight_files


def models_list(weights: Path) -> Iterator[dict[str, Any]]:
    """{name, role, title, present, path, size, licence, source}"""
    for state in weight_files.states(weights):
        yield {**asdict(state), "path": str(state.path)}


def models_fetch(
    weights: Path, names: Sequence[str] = (), *, stop: threading.Event | None = None
) -> Iterator[dict[str, Any]]:
    """{name, done, total, source, message}, bytes; all models where none is named."""
    for name in names or [state.name for state in weight_files.states(weights)]:
        for step in weight_files.fetch(name, weights, stop=stop):
            yield asdict(step)
