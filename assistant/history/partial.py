"""In: an answer that was cut short, its passages. Out: its text and citations, so that every [n] has one.

Nothing was checked, so nothing is verified; a number without a passage is taken out of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge import Citation, Passage

# [3], but not the Markdown link [3](…); code is left as it is, `row[3]` is no citation.
_MARK = re.compile(r"(?P<code>```.*?(?:```|\Z)|`[^`\n]*`)|[ \t]?\[(?P<n>\d{1,3})\](?!\()", re.DOTALL)


def cited(text: str, passages: Sequence[Passage]) -> tuple[str, tuple[Citation, ...]]:
    used: set[int] = set()

    def keep(mark: re.Match[str]) -> str:
        if mark["code"]:
            return mark[0]
        n = int(mark["n"])
        if 1 <= n <= len(passages):
            used.add(n)
            return mark[0]
        return ""

    kept = _MARK.sub(keep, text)
    return kept, tuple(_whole(n, passages[n - 1]) for n in sorted(used))


def _whole(n: int, passage: Passage) -> Citation:
    return Citation(
        n=n,
        document=passage.document,
        title=passage.title,
        page=passage.page,
        quote=passage.text,
        start=passage.start,
        end=passage.end,
        verified=False,
    )
