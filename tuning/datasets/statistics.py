"""In: a dataset and a filter. Out: counts and histograms of what passes, for plots and cards. SQL does the counting."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from tuning.datasets import reading
from tuning.datasets.values import EVERYTHING, Facets, Filter, Statistics, Status
from tuning.datasets.versions import Versions
from tuning.store.tables import ExampleRow

LENGTHS = (100, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)  # characters, the last bar is open
TOKENS = (32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192)
TURNS = (2, 3, 5, 7, 10, 20, 50)


class Statistical(Versions):
    def statistics(self, dataset: int, only: Filter = EVERYTHING) -> Statistics:
        self.withdraw()
        where = list(reading.conditions(dataset, only))
        with self._read() as session:
            self._dataset(session, dataset)

            def by(column: Any) -> dict[str, int]:
                query = select(column, func.count()).where(*where).group_by(column).order_by(func.count().desc())
                return {str(value) or "other": count for value, count in session.execute(query)}

            lengths = [
                (characters, tokens, turns)
                for characters, tokens, turns in session.execute(
                    select(ExampleRow.characters, ExampleRow.tokens, ExampleRow.turns).where(*where)
                )
            ]
            counted = [tokens for _, tokens, _ in lengths if tokens is not None]
            tags, findings, roles, unreviewed = self._inside(session, where)
            how = by(ExampleRow.how)
            how.pop("other", None)
            return Statistics(
                total=len(lengths),
                status=by(ExampleRow.status),
                kind=by(ExampleRow.kind),
                origin=by(ExampleRow.origin),
                how=how,
                language=by(ExampleRow.language),
                tags=tags,
                findings=findings,
                roles=roles,
                characters=histogram((one[0] for one in lengths), LENGTHS),
                tokens=histogram(counted, TOKENS),
                turns=histogram((one[2] for one in lengths), TURNS),
                all_characters=sum(one[0] for one in lengths),
                all_tokens=sum(counted) if len(counted) == len(lengths) else None,
                unreviewed=unreviewed,
                duplicates=self._twice(session, where),
                longest=max((one[0] for one in lengths), default=0),
            )

    def facets(self, dataset: int, excluded: Collection[str] = ()) -> Facets:
        """In one pass over the columns, and without reading any content. `excluded`: codes of findings."""
        self.withdraw()
        where = list(reading.conditions(dataset, EVERYTHING))
        row, counts = ExampleRow, [Counter[str]() for _ in range(5)]
        columns = (row.status, row.kind, row.origin, row.how, row.language)
        unseen = unranked = held = 0
        with self._read() as session:
            self._dataset(session, dataset)
            looked = row.findings.is_not(None)
            query = select(*columns, looked, row.unranked, func.count()).where(*where)
            for *values, seen, waits, count in session.execute(query.group_by(*columns, looked, row.unranked)):
                for counter, value in zip(counts, values, strict=True):
                    counter[value or "other"] += count
                kept = values[0] != Status.DROPPED
                unseen += count * (kept and not seen)
                unranked += count * (kept and bool(waits))
                held += count * (values[0] == Status.DRAFT and bool(waits))
            tagged = Counter(tag for tags, *_ in _listed(session, row.tags, where) for tag in set(tags))
            found, open_ = Counter[str](), Counter[str]()
            for findings, status, waits in _listed(session, row.findings, where):
                mine = {finding["code"] for finding in findings}
                found.update(mine)
                open_.update(mine if status == Status.DRAFT else ())
                held += status == Status.DRAFT and not waits and not mine.isdisjoint(excluded)
        del counts[3]["other"]
        ordered = (dict(one.most_common()) for one in (*counts, tagged, found, open_))
        status, kind, origin, how, language, tags, codes, undecided = ordered
        return Facets(status, kind, origin, how, language, tags, codes, undecided, unseen, unranked, held)

    @staticmethod
    def _inside(session: Session, where: list[Any]) -> tuple[dict[str, int], dict[str, int], dict[str, int], int]:
        """What lies in JSON is counted here: a database's own functions for it differ from one to the next."""
        tags, findings, roles, unreviewed = Counter[str](), Counter[str](), Counter[str](), 0
        query = select(ExampleRow.tags, ExampleRow.findings, ExampleRow.content).where(*where)
        for tagged, found, content in session.execute(query.execution_options(yield_per=500)):
            tags.update(set(tagged))
            unreviewed += found is None
            findings.update({one["code"] for one in found or ()})
            roles.update(turn["role"] for turn in content.get("turns", ()))
            roles.update(turn["role"] for answer in content.get("answers", ()) for turn in answer["turns"])
        return dict(tags.most_common()), dict(findings.most_common()), dict(roles.most_common()), unreviewed

    @staticmethod
    def _twice(session: Session, where: list[Any]) -> int:
        same = select(func.count().label("n")).where(*where).group_by(ExampleRow.folded).subquery()
        query = select(func.coalesce(func.sum(same.c.n - 1), 0)).where(same.c.n > 1)
        return int(session.scalar(query) or 0)


def _listed(session: Session, column: Any, where: list[Any]) -> Iterable[Any]:
    """(what stands in a column of JSON lists, status, unranked); empty ones are left out."""
    some = func.length(cast(column, String)) > len("[]")
    query = select(column, ExampleRow.status, ExampleRow.unranked)
    return session.execute(query.where(*where, column.is_not(None), some))


def histogram(values: Iterable[int], bounds: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """(upper bound, how many) per bar, bounds inclusive; the last bar, bound 0, holds what is above them all."""
    bars = [0] * (len(bounds) + 1)
    for value in values:
        bars[bisect_left(bounds, value)] += 1
    return tuple(zip((*bounds, 0), bars, strict=True))
