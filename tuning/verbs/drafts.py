"""In: names. Out: rows: what datasets there are, made, renamed, removed and brought back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from tuning.datasets import Datasets, Filter
from tuning.verbs.rows import Row, dataset


def data_list(datasets: Datasets) -> Iterator[Row]:
    """{dataset, name, examples, draft, approved, dropped, versions, note, licence, updated_at}, by name."""
    yield from map(dataset, datasets.all())


def data_create(datasets: Datasets, *, name: str, note: str = "", licence: str = "") -> Iterator[Row]:
    yield dataset(datasets.create(name, note, licence))


def data_change(
    datasets: Datasets, *, name: str, rename: str | None = None, note: str | None = None, licence: str | None = None
) -> Iterator[Row]:
    yield dataset(datasets.change(datasets.get(name).id, name=rename, note=note, licence=licence))


def data_remove(datasets: Datasets, *, name: str) -> Iterator[Row]:
    """Out of sight; `data_restore` with its number brings it back."""
    yield {**dataset(datasets.remove(datasets.get(name).id)), "removed": True}


def data_restore(datasets: Datasets, *, dataset_id: int) -> Iterator[Row]:
    yield dataset(datasets.restore(dataset_id))


def data_stats(datasets: Datasets, *, name: str, only: Filter | None = None) -> Iterator[Row]:
    """One row: counts and histograms of what passes `only`; tuning.datasets.values.Statistics."""
    found = datasets.statistics(datasets.get(name).id, only or Filter())
    row = asdict(found)
    row.pop("more")
    yield row
