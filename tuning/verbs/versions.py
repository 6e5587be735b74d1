"""In: a dataset's name, a version's number. Out: rows: versions made, compared, written as files and read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from tuning.datasets import Datasets, Version, VersionRow
from tuning.errors import ForOperator
from tuning.exchange import folder
from tuning.exchange.files import Export
from tuning.formats import find
from tuning.values import Example
from tuning.verbs.rows import Row, short, version

LISTED = 50  # rows of each kind in a difference


def data_freeze(datasets: Datasets, *, name: str, share: float = 0.1, seed: int = 7) -> Iterator[Row]:
    """A version of what is approved: tuning.verbs.rows.version. The same as the last one where nothing changed."""
    yield version(datasets.freeze(datasets.get(name).id, share=share, seed=seed, alike=alike))


def data_versions(datasets: Datasets, *, name: str) -> Iterator[Row]:
    yield from map(version, datasets.versions(datasets.get(name).id))


def data_card(datasets: Datasets, *, name: str, number: int | None = None) -> Iterator[Row]:
    """One row: the card, as it lies in an exported folder."""
    yield dict(_version(datasets, name, number).card)


def data_diff(datasets: Datasets, *, name: str, before: int, after: int) -> Iterator[Row]:
    """{change: added|removed|changed|moved, prompt, answer, split} each, then how many of each there are."""
    change = datasets.difference(_version(datasets, name, before), _version(datasets, name, after))
    for what, some in (("added", change.added), ("removed", change.removed)):
        for one in some[:LISTED]:
            yield {"change": what, **_line(one)}
    for what, pairs in (("changed", change.changed), ("moved", change.moved)):
        for was, one in pairs[:LISTED]:
            yield {"change": what, **_line(one), "was": _line(was)}
    yield {
        "same": change.same,
        "added": len(change.added),
        "removed": len(change.removed),
        "changed": len(change.changed),
        "moved": len(change.moved),
    }


def data_export(
    datasets: Datasets,
    *,
    name: str,
    to: str,
    out: str,
    number: int | None = None,
    split: Literal["all", "train", "validation"] = "train",
    language: str = "en",
) -> Iterator[Row]:
    """`to`: a format's name, or "folder" or "zip". `out`: the file, or the place of the folder.

    {path, rows, examples, lost, left_out}: what a format cannot hold is named, never dropped in silence.
    """
    one, place = _version(datasets, name, number), Path(out)
    if to == "folder":
        yield {"path": str(folder.write(datasets, one, place)), **version(one)}
        return
    try:
        if to == "zip":
            place.write_bytes(folder.zipped(datasets, one))
            yield {"path": str(place), **version(one)}
            return
        export = Export(_examples(datasets, one, split), find(to))
        with place.open("wb") as file:
            file.writelines(export)
    except OSError as error:
        raise ForOperator(
            f"{place} could not be written ({error.strerror}). Choose another place.",
            spanish=f"No se pudo escribir {place} ({error.strerror}). Elige otro lugar.",
        ) from error
    yield {"path": str(place), "format": to, "split": split, **export.counts(language)}


def data_take(datasets: Datasets, *, path: str, name: str = "") -> Iterator[Row]:
    """A folder or ZIP that data_export made: a dataset of its own, with that version."""
    made = folder.read(datasets, Path(path), name)
    yield {"name": made.name, **version(made)}


def alike(examples: Sequence[Example]) -> Iterator[Sequence[int]]:
    """Near-duplicates, by place: no two of a group may stand on both sides of a split."""
    from tuning.cleaning import compared, near_duplicates

    for group in near_duplicates((at, compared(example)) for at, example in enumerate(examples)):
        yield group.keys


def _examples(datasets: Datasets, one: Version, split: str) -> Iterator[Example]:
    for row in datasets.rows(one, "" if split == "all" else split):
        yield row.example


def _version(datasets: Datasets, name: str, number: int | None) -> Version:
    return datasets.version_of(datasets.get(name).id, number)


def _line(row: VersionRow) -> Row:
    chosen = row.example.chosen
    answer = chosen.text if chosen else next((turn.text for turn in reversed(row.example.turns) if turn.text), "")
    return {
        "split": row.split,
        "prompt": short(row.example.prompt),
        "answer": short(answer or row.example.text),
        "fingerprint": row.fingerprint,
    }
