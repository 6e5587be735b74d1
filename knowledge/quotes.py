"""In: ranked sentences. Out: the best of them as Markdown quotes with [n], in the words of the document.

What a document says is shown as it stands: spaces are joined, and what Markdown would read as markup is escaped.
Knows nothing of models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.citations import Citing
from knowledge.evidence import Evidence, Ranking, Reader
from knowledge.sentences import is_row
from knowledge.values import Passage

MOST = 3  # sentences shown
# A further sentence is shown while its relevance is this near to the best one's. On the questions the weights were
# fitted on, the answer stands in what is shown in 91.6 % (English, 1.5 sentences on average) and 88.1 % (Spanish, 1.6);
# with one sentence always 81.4 and 76.9, with three always 96.1 and 92.6.
CLOSE = 1.5
_HEADER = re.compile(r"(?:\b(?:19|20)\d\d\b.*){2,}|\b(?:19|20)\d\d\b\s*$")
_HEADER_LINES = 40  # how far above a table's row its header is looked for


def choose(ranking: Ranking) -> list[Evidence]:
    """The best one to three sentences, in reading order."""
    if not ranking.sentences:
        return []
    best = ranking.sentences[0].score
    chosen = [e for e in ranking.sentences[:MOST] if best - e.score <= CLOSE]
    return sorted(chosen, key=lambda e: e.order)


def markdown(chosen: Sequence[Evidence], citing: Citing, passages: Sequence[Passage], library: Reader) -> str:
    """One blockquote per sentence; a table's row comes with the line that names its columns, where there is one."""
    blocks = []
    for e in chosen:
        marks = "".join(f"[{n}]" for n in citing.cite([e]))
        lines = [f"> {escaped(e.text)} {marks}"]
        if is_row(e.text):
            passage = passages[e.passage - 1]
            header = _header(library.page(passage.document, passage.page).text, e.start)
            if header:
                lines.insert(0, f"> {escaped(header)}  ")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def escaped(text: str) -> str:
    """One line that Markdown shows as it is written: no links, images, HTML, or [n] of its own."""
    text = re.sub(r"([\\`*_\[\]<]|~(?=~))", r"\\\1", " ".join(text.split()))
    return re.sub(r"^([-+>]|#+|\d+[.)])(?=\s)", lambda m: m.group()[:-1] + "\\" + m.group()[-1], text)


def _header(page: str, row: int) -> str:
    above = page[:row].splitlines()[-_HEADER_LINES:]
    return next((line.strip() for line in reversed(above) if _HEADER.search(line) and len(line) < 160), "")
