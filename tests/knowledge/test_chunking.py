"""Chunks: they cut back to the page, cover all of it, and none is longer than the embedder reads."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from knowledge import chunking
from knowledge.embedders import Embedder
from knowledge.values import Page

_PIECES = [
    "The board met on Tuesday. It approved the budget of 1,577.00 million dollars; nobody objected!",
    "\n\n", "\n", " ", "  \n \n ", "Ñandúes y cigüeñas volaron — según el informe — hacia el sur. ",
    "Total current assets 13,709 14,277 12,100", "internationalisation" * 30, "漢字かな交じり文", "•  item\n•  item\n",
    "e\u0301\u0301", "\u200b", "😀👩‍👩‍👧", "....!!!???", "x" * 700, "Dr. Who? Yes. ",
]  # fmt: skip


def _pages() -> list[Page]:
    random_ = random.Random(5)
    texts = ["", " \n ", "a", "\u200b\u200b", "word " * 3000, "x" * 20_000]
    texts += ["".join(random_.choices(_PIECES, k=random_.randint(1, 80))) for _ in range(40)]
    return [Page(number, text) for number, text in enumerate(texts, start=1)]


@pytest.mark.model
@pytest.mark.parametrize(("size", "overlap"), [(chunking.SIZE, chunking.OVERLAP), (40, 0), (60, 20), (10_000, 0)])
def test_chunks_cover_every_character_in_order_within_the_limit(embedder: Embedder, size: int, overlap: int) -> None:
    for page in _pages():
        spans = chunking.spans(page, embedder.tokens, size=size, limit=embedder.max_tokens, overlap=overlap)
        end = 0
        for span in spans:
            assert span.page == page.number
            assert 0 <= span.start < span.end <= len(page.text)
            text = page.text[span.start : span.end]
            assert text == text.strip()
            assert not page.text[end : span.start].strip(), "characters were left out"
            assert len(embedder.tokens(text)) <= min(size, embedder.max_tokens - chunking.SPECIAL)
            assert span.end > end
            end = span.end
        assert not page.text[end:].strip()
        assert [span.start for span in spans] == sorted({span.start for span in spans})


@pytest.mark.model
def test_a_chunk_ends_with_a_paragraph_or_sentence_where_one_is_near(embedder: Embedder) -> None:
    sentence = "The committee reviewed the annual report and found that all accounts had been kept with due care. "
    page = Page(1, "\n\n".join(sentence * 3 for _ in range(12)))
    spans = chunking.spans(page, embedder.tokens, limit=embedder.max_tokens)
    assert len(spans) > 2
    assert all(page.text[: span.end].endswith(".") for span in spans)


@pytest.mark.model
def test_overlapping_chunks_begin_with_a_sentence_of_the_one_before(embedder: Embedder) -> None:
    page = Page(1, " ".join(f"Sentence number {n} speaks about the river and the mill." for n in range(80)))
    spans = chunking.spans(page, embedder.tokens, size=100, limit=embedder.max_tokens, overlap=30)
    assert any(later.start < earlier.end for earlier, later in pairwise(spans))
    assert all(page.text[span.start :].startswith("Sentence") for span in spans)
