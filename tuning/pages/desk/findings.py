"""In: a stored example. Out: what is wrong with it, ready to be said and marked; the example with one of it mended.

What the review of the whole dataset found is shown as it is kept; an example that changed since is looked at here and
now, alone, so that the marks never lag behind the words. Findings between examples come back with the next review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tuning import cleaning
from tuning.cleaning import CHECKS, Finding, Mend
from tuning.datasets import Stored
from tuning.pages.desk.views.turns_view import Found
from tuning.values import Example


class Cleaning:
    """See page.Findings."""

    def found(self, one: Stored, language: str) -> Sequence[Found]:
        return [_said(row, language) for row in self._rows(one)]

    def titles(self, language: str) -> Mapping[str, str]:
        return {code: cleaning.title(code, language) for code in CHECKS}

    def mended(self, one: Stored, finding: int) -> Example:
        """Unchanged where there is no such finding, or a person must decide."""
        rows = self._rows(one)
        return cleaning.mend(one.example, [_finding(rows[finding])]) if finding < len(rows) else one.example

    @staticmethod
    def _rows(one: Stored) -> Sequence[Mapping[str, Any]]:
        rows = [asdict(each) for each in cleaning.check(one.example)] if one.findings is None else one.findings
        return [row for row in rows if row.get("code") in CHECKS]


def _finding(row: Mapping[str, Any]) -> Finding:
    start, end = int(row.get("start") or 0), int(row.get("end") or 0)
    return Finding(str(row["code"]), str(row.get("field") or ""), start, end, str(row.get("shown") or ""))


def _said(row: Mapping[str, Any], language: str) -> Found:
    finding = _finding(row)
    return Found(
        finding.code,
        finding.said(language),
        finding.field,
        finding.start,
        finding.end,
        mends=CHECKS[finding.code].mend is not Mend.NONE,
        other=_other(finding),
    )


def _other(finding: Finding) -> int | None:
    """The example it is like: "#12"."""
    number = finding.shown.removeprefix("#")
    return int(number) if CHECKS[finding.code].many and number.isdecimal() else None
