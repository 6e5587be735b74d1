"""In: examples by their numbers, or all that pass a filter. Out: rows: what they are after they were changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuning import rows
from tuning.datasets import Datasets, Filter, Status
from tuning.datasets.curation import Which
from tuning.errors import ForPerson
from tuning.verbs.rows import Row, example


def data_examples(
    datasets: Datasets, *, name: str, only: Filter | None = None, offset: int = 0, limit: int = 50
) -> Iterator[Row]:
    """A page of them as lines {example, status, kind, language, prompt, answer, tags, findings, …}."""
    page = datasets.page(datasets.get(name).id, only or Filter(), offset=offset, limit=limit)
    for one in page.examples:
        yield example(one, whole=False)


def data_example(datasets: Datasets, *, number: int) -> Iterator[Row]:
    """One, whole."""
    yield example(datasets.example(number))


def data_approve(
    datasets: Datasets, *, name: str, numbers: Sequence[int] = (), only: Filter | None = None
) -> Iterator[Row]:
    """{changed, left}: of several, what waits to be ranked or quotes strangers is left for a person to decide."""
    yield from _status(datasets, name, numbers, only, Status.APPROVED)


def data_drop(
    datasets: Datasets, *, name: str, numbers: Sequence[int] = (), only: Filter | None = None
) -> Iterator[Row]:
    yield from _status(datasets, name, numbers, only, Status.DROPPED)


def data_reopen(
    datasets: Datasets, *, name: str, numbers: Sequence[int] = (), only: Filter | None = None
) -> Iterator[Row]:
    yield from _status(datasets, name, numbers, only, Status.DRAFT)


def data_tag(
    datasets: Datasets,
    *,
    name: str,
    tag: str,
    numbers: Sequence[int] = (),
    only: Filter | None = None,
    off: bool = False,
) -> Iterator[Row]:
    dataset = datasets.get(name).id
    yield {"changed": datasets.tag(dataset, _which(numbers, only), tag, on=not off).changed}


def data_edit(datasets: Datasets, *, number: int, content: Row) -> Iterator[Row]:
    """`content`: as data_example prints it. ForPerson names the field that is wrong."""
    try:
        given = rows.from_row(content)
    except ValueError as wrong:
        raise ForPerson(f"This is no example: {wrong}.", spanish=f"Esto no es un ejemplo: {wrong}.") from None
    yield example(datasets.edit(number, given))


def data_mask(datasets: Datasets, *, number: int, turn: int, learn: bool = False) -> Iterator[Row]:
    yield example(datasets.mask(number, turn, learn))


def data_rank(datasets: Datasets, *, number: int, ranks: Sequence[int]) -> Iterator[Row]:
    yield example(datasets.rank(number, ranks))


def data_split(datasets: Datasets, *, number: int, at: int) -> Iterator[Row]:
    yield from map(example, datasets.split(number, at))


def data_merge(datasets: Datasets, *, first: int, second: int) -> Iterator[Row]:
    yield example(datasets.merge(first, second))


def data_undo(datasets: Datasets, *, name: str) -> Iterator[Row]:
    """{undone}: what the newest step was; null where there is none."""
    yield {"undone": datasets.undo(datasets.get(name).id)}


def _status(
    datasets: Datasets, name: str, numbers: Sequence[int], only: Filter | None, status: Status
) -> Iterator[Row]:
    from tuning.cleaning.findings import EXCLUDED

    done = datasets.set_status(datasets.get(name).id, _which(numbers, only), status, EXCLUDED)
    yield {"changed": done.changed, "left": done.left, "status": status.value}


def _which(numbers: Sequence[int], only: Filter | None) -> Which:
    if len(numbers) == 1:
        return numbers[0]
    return list(numbers) if numbers else only or Filter()
