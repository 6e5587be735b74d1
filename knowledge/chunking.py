"""In: a page and a way to see its text as tokens. Out: Spans that cut back to the page's text.

Laws: a span never crosses a page; it holds at most `limit` tokens; every character that is not white space stands in at
least one span; spans come in reading order. Ends fall on a paragraph, else a sentence, else a line, else a word.
Knows nothing of embeddings or storage.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from knowledge.values import Page, Span

Tokens = Callable[[str], Sequence[tuple[int, int]]]  # text → character offsets of its tokens

# Measured with the fused search, per cent. Filings as they are read, evidence page first / within 5 in its document:
# 180 tokens 37 / 56, 220 30 / 48, 254 26 / 56. SQuAD, three paragraphs a page, page first: 130 85, 180 84, 254 83;
# passage with the answer within 5: 130 90, 180 94, 254 96; XQuAD Spanish 82, 89, 94 (an English embedder cuts Spanish
# words into more tokens, so there a chunk of the same text needs more). An overlap of 40 tokens gained nothing.
SIZE = 180  # tokens aimed at
SIZES = {"es": 254}  # by language, where it is not SIZE
OVERLAP = 0  # tokens
SPECIAL = 2  # [CLS] and [SEP], which the embedder adds within its limit

# Where a chunk may end, best first. A table row or heading ends with its line, so lines count before bare words.
_ENDS = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"(?<=[.!?…:;])[\"'”’»)\]]*\s+|\n(?=\s*[-•*#])"),
    re.compile(r"\n"),
    re.compile(r"\s+"),
)
_EARLIEST = 0.5  # of the size: a chunk is not cut shorter than this for a nicer end


def spans(page: Page, tokens: Tokens, *, size: int = SIZE, limit: int, overlap: int = OVERLAP) -> list[Span]:
    """Cut one page. `limit`: the embedder's `max_tokens`, special ones counted."""
    size = max(1, min(size, limit - SPECIAL))
    found: list[Span] = []
    start = _skip_space(page.text, 0)
    offsets = list(tokens(page.text)) if start < len(page.text) else []
    starts = [offset[0] for offset in offsets]
    while start < len(page.text):
        first = bisect_left(starts, start)
        end = len(page.text)
        if len(starts) - first > size:
            earliest = starts[first + max(1, int(size * _EARLIEST))]
            end = _best_end(page.text, start, earliest, starts[first + size])
        stop = start + len(page.text[start:end].rstrip())
        found.append(Span(page.number, start, stop, bisect_left(starts, stop) - first))
        start = _skip_space(page.text, max(end, start + 1))
        if overlap and start < len(page.text):
            start = _step_back(page.text, found[-1], start, starts, overlap)
    return found


def _best_end(text: str, start: int, earliest: int, latest: int) -> int:
    """The last end of the best kind in text[earliest:latest]; `latest` itself, a token's start, if there is none."""
    for kind in _ENDS:
        # A pattern may look at what stands before or after; only where the next chunk would begin is bounded.
        ends = [match.end() for match in kind.finditer(text, max(start, earliest - 1), min(len(text), latest + 1))]
        ends = [end for end in ends if earliest <= end <= latest and end > start]
        if ends:
            return ends[-1]
    return latest


def _step_back(text: str, last: Span, start: int, starts: Sequence[int], overlap: int) -> int:
    """Begin the next chunk at a sentence or line among the last `overlap` tokens of the one before."""
    floor = starts[max(bisect_left(starts, last.start) + 1, bisect_right(starts, last.end) - overlap)]
    for kind in _ENDS[1:3]:
        for match in kind.finditer(text, floor, last.end):
            if last.start < match.end() < last.end:
                return _skip_space(text, match.end())
    return start


def _skip_space(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start
