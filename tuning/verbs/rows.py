"""In: datasets' values. Out: their rows of plain JSON, as every verb prints them."""

from __future__ import annotations

from typing import Any

from tuning import rows
from tuning.datasets import Dataset, Import, Stored, Version

Row = dict[str, Any]


def dataset(one: Dataset) -> Row:
    return {
        "dataset": one.id,
        "name": one.name,
        "examples": one.examples,
        "draft": one.draft,
        "approved": one.approved,
        "dropped": one.dropped,
        "versions": one.versions,
        "note": one.note,
        "licence": one.licence,
        "updated_at": one.updated_at.isoformat(timespec="seconds"),
    }


def example(one: Stored, *, whole: bool = True) -> Row:
    """`whole`: with its content; else as a line of a list."""
    row: Row = {
        "example": one.id,
        "dataset": one.dataset,
        "status": one.status.value,
        "kind": one.example.kind.value,
        "language": one.language,
        "characters": one.characters,
        "tags": list(one.example.tags),
        "findings": None if one.findings is None else [finding["code"] for finding in one.findings],
        "fingerprint": one.fingerprint,
    }
    if not whole:
        chosen = one.example.chosen
        last = chosen.text if chosen else next((turn.text for turn in reversed(one.example.turns) if turn.text), "")
        return {**row, "prompt": short(one.example.prompt), "answer": short(last or one.example.text)}
    found = None if one.findings is None else [dict(finding) for finding in one.findings]
    return {**row, "findings": found, "content": rows.to_row(one.example)}


def import_(one: Import) -> Row:
    return {
        "import": one.id,
        "dataset": one.dataset,
        "file": one.name,
        "format": one.format,
        "status": one.status,
        "read": one.read,
        "known": one.known,
        "skipped": one.skipped,
        "problems": [dict(problem) for problem in one.problems],
        "created_at": one.created_at.isoformat(timespec="seconds"),
    }


def version(one: Version) -> Row:
    split = one.card.get("split", {})
    return {
        "version": one.number,
        "dataset": one.dataset,
        "label": one.label,
        "fingerprint": one.fingerprint,
        "examples": one.card.get("counts", {}).get("examples", 0),
        "train": split.get("train", 0),
        "validation": split.get("validation", 0),
        "deleted_chats": one.deleted_chats,
        "created_at": one.created_at.isoformat(timespec="seconds"),
    }


def short(text: str, longest: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest].rsplit(' ', 1)[0]}…"
