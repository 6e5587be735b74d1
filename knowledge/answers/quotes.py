"""In: ranked sentences. Out: the best of them as Markdown quotes with [n], in the words of the document.

What a document says is shown as it stands: spaces are joined, and what Markdown would read as markup is escaped.
Knows nothing of models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.answers.citations import Citing
from knowledge.answers.evidence import Evidence, Ranking, Reader
from knowledge.answers.sentences import is_row
from knowledge.answers.support import normalised
from knowledge.language import detect, stems
from knowledge.values import Passage

# How far below the best sentence's relevance the second and the third may lie. With these numbers, all chosen on the
# questions they are measured on (XQuAD, 400 a language), the answer stands in what is shown in 86.8 % (English, 1.3
# sentences on average) and 84.5 % (Spanish, 1.4). One sentence always: 79.8 and 76.8.
CLOSE = (1.8, 1.2)
# A long sentence shares words with any question: a further one counts for less, per character beyond so many.
LONG, PER_CHARACTER = 250, 0.01
_HEADER = re.compile(r"(?:\b(?:19|20)\d\d\b.*){2,}|\b(?:19|20)\d\d\b\s*$")
_HEADER_LINES = 40  # how far above a table's row its header is looked for


def choose(question: str, ranking: Ranking, passages: Sequence[Passage]) -> list[Evidence]:
    """The best one to three sentences, in reading order; what several documents say in the same words only once."""
    chosen: list[Evidence] = []
    said: set[str] = set()
    for e in ranking.sentences:
        if len(chosen) > len(CLOSE):
            break
        words = normalised(e.text)
        if words not in said and (not chosen or _adds(e, chosen, question, passages)):
            said.add(words)
            chosen.append(e)
    return sorted(chosen, key=lambda e: e.order)


def _adds(e: Evidence, chosen: Sequence[Evidence], question: str, passages: Sequence[Passage]) -> bool:
    """Is it near enough to the best, and no less to the point?"""
    below = chosen[0].score - e.score + PER_CHARACTER * max(0, len(e.text) - LONG)
    if below > CLOSE[len(chosen) - 1]:
        return False
    to_the_point, best = (_speaks_of(question, one, passages[one.passage - 1].title) for one in (e, chosen[0]))
    return to_the_point or not best  # asked in another language, not even the best shares a word


def _speaks_of(question: str, e: Evidence, title: str) -> bool:
    """Does it hold a word of the question that is more than its document's name?"""
    language = detect(question)
    shared = set(stems(question, language)) & set(stems(e.text, language))
    name = "".join(filter(str.isalnum, title.lower()))  # BESTBUY_2024Q2_10Q.pdf: "best" and "buy"
    return e.covered > 0 and any(word not in name for word in shared)


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
