"""In: a text, its citations. Out: the text without the [n] that lead nowhere. Knows nothing of passages or models."""

from __future__ import annotations

import re
from collections.abc import Collection

from knowledge import Citation

# [3], but not the Markdown link [3](…); code is left as it is, `row[3]` is no citation.
_MARK = re.compile(r"(?P<code>```.*?(?:```|\Z)|`[^`\n]*`)|[ \t]?\[(?P<n>\d{1,3})\](?!\()", re.DOTALL)


def cited(text: str, citations: Collection[Citation]) -> str:
    """A model that talks plainly may write [n] too."""
    known = {citation.n for citation in citations}
    return _MARK.sub(lambda mark: mark[0] if mark["code"] or int(mark["n"]) in known else "", text)
