"""In: a text, its citations. Out: the text without the [n] that lead nowhere, the citations that still stand in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from knowledge import Citation
from knowledge.answers.sentences import split

# [3], but not the Markdown link [3](…); code is left as it is, `row[3]` is no citation.
_MARK = re.compile(r"(?P<code>```.*?(?:```|\Z)|`[^`\n]*`)|[ \t]?\[(?P<n>\d{1,3})\](?!\()", re.DOTALL)


def still_cited(before: str, after: str, citations: Sequence[Citation]) -> list[Citation]:
    """Of an answer that was corrected: the citations that still stand in it; one whose sentences have changed is no
    longer verified."""
    old, new = _sentences(before), _sentences(after)
    marks = {citation.n: f"[{citation.n}]" for citation in citations}
    return [
        one if _holding(new, marks[one.n]) <= _holding(old, marks[one.n]) else replace(one, verified=False)
        for one in citations
        if _holding(new, marks[one.n])
    ]


def _sentences(text: str) -> list[str]:
    return [" ".join(text[start:end].split()) for start, end in split(text)]


def _holding(sentences: Sequence[str], mark: str) -> set[str]:
    return {sentence for sentence in sentences if mark in sentence}


def cited(text: str, citations: Collection[Citation]) -> str:
    """A model that talks plainly may write [n] too."""
    known = {citation.n for citation in citations}
    return _MARK.sub(lambda mark: mark[0] if mark["code"] or int(mark["n"]) in known else "", text)
