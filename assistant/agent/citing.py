"""In: what a model wrote over the passages it was given. Out: the same text, every [n] of it one checked citation.

A sentence keeps its place and its words. Its [n] become the numbers of the very stretches it rests on, counted 1, 2, 3
as they first appear; a sentence that no stretch supports keeps its citation as unverified, to the best stretch of the
passage the model named; an [n] of a passage that was never given is taken out. Code is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.history import cited
from knowledge import Citation, Passage
from knowledge.language import detect

if TYPE_CHECKING:
    from knowledge.answers.evidence import Evidence, Ranking
    from knowledge.library import Library

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_MARK = re.compile(r"[ \t]*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()")


def checked(
    text: str, question: str, passages: Sequence[Passage], library: Library, language: str
) -> tuple[str, tuple[Citation, ...]]:
    if not passages:
        return cited(text, ()), ()
    from knowledge.answers.evidence import rank

    asked = detect(question) or language
    checking = _Checking(question, passages, library, rank(question, passages, library, asked))
    made, at = "", 0
    for code in _CODE.finditer(text):
        made += checking.prose(text[at : code.start()]) + code[0]
        at = code.end()
    made += checking.prose(text[at:])
    return made, tuple(checking.found)


class _Checking:
    def __init__(self, question: str, passages: Sequence[Passage], library: Library, ranking: Ranking) -> None:
        self.question, self.passages, self.library, self.ranking = question, passages, library, ranking
        self.found: list[Citation] = []

    def prose(self, text: str) -> str:
        from knowledge.answers.sentences import split

        made, at = "", 0
        for a, b in split(text):
            made += text[at:a] + self._sentence(text[a:b])
            at = b
        return made + text[at:]

    def _sentence(self, sentence: str) -> str:
        from knowledge.answers.citations import check_sentence

        claim = check_sentence(sentence, self.question, self.ranking, self.passages, self.library)
        named = [n for n in claim.named if 1 <= n <= len(self.passages)]
        bare = _MARK.sub("", sentence)
        if claim.verified:
            numbers = [self._number(stretch, verified=True) for stretch in _stretches(claim.evidence)]
        else:
            numbers = [self._number((best,), verified=False) for n in named if (best := self._nearest(n))]
        return replace(claim, text=bare).marked(sorted(set(numbers))) if numbers or bare != sentence else sentence

    def _nearest(self, n: int) -> Evidence | None:
        """The sentence of passage n that fits the question best."""
        return next((one for one in self.ranking.sentences if one.passage == n), None)

    def _number(self, stretch: Sequence[Evidence], *, verified: bool) -> int:
        passage = self.passages[stretch[0].passage - 1]
        start, end = stretch[0].start, stretch[-1].end
        for known in self.found:
            same = (known.document, known.page, known.start, known.end) == (passage.document, passage.page, start, end)
            if same and known.verified is verified:
                return known.n
        quote = self.library.page(passage.document, passage.page).text[start:end]
        n = len(self.found) + 1
        self.found.append(Citation(n, passage.document, passage.title, passage.page, quote, start, end, verified))
        return n


def _stretches(evidence: Sequence[Evidence]) -> list[tuple[Evidence, ...]]:
    """Neighbours of one passage are one stretch."""
    made: list[tuple[Evidence, ...]] = []
    for one in evidence:
        if made and made[-1][-1].passage == one.passage and made[-1][-1].order + 1 == one.order:
            made[-1] = (*made[-1], one)
        else:
            made.append((one,))
    return made
