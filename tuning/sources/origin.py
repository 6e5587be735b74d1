"""In: which file is imported, and how. Out: the Source of each example in it. Knows nothing of formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tuning.sources.skipped import Place
from tuning.values import Source


@dataclass(frozen=True, slots=True)
class Origin:
    name: str  # of the file, as the person knows it
    key: str  # first 12 hex digits of the file's SHA-256
    format: str
    kind: str = "import"  # or "sample"
    siblings: bool = False  # whether an answer that was asked for again loses against the shown one
    liked: Mapping[str, bool] = field(default_factory=dict, hash=False)  # message → thumb, where the export keeps it

    def source(self, place: Place, id: str = "") -> Source:  # noqa: A002
        """`id`: the conversation's own; two exports of one account that both hold it then share a group."""
        group = f"import:{self.format}:{id[:_ID]}" if id else f"{self.kind}:{self.key}:{self._row(place)}"
        return Source(self.kind, name=self.name, group=group, line=place.line or place.index)

    def _row(self, place: Place) -> str:
        return f"{place.file}:{place.index}" if place.file else str(place.index)


_ID = 100  # characters; the ids of all known products are shorter
