"""Fusion by score, and the exact matrix. Vectors small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.index import Matrix
from knowledge.search import Hit, fuse, lexical_weight, question_stems, spread
from knowledge.words import WordHit


@pytest.fixture
def matrix() -> Matrix:
    matrix = Matrix(2)
    matrix.put(1, [1, 2], np.array([[1.0, 0.0], [0.6, 0.8]], np.float32))
    matrix.put(2, [3], np.array([[0.0, 1.0]], np.float32))
    return matrix


EAST = np.array([1.0, 0.0], np.float32)


def test_scores_are_fused_not_ranks(matrix: Matrix) -> None:
    """Second in both halves, but nearly as good as the first in each, beats first in one and last in the other."""
    matrix.put(1, [1, 2], np.array([[1.0, 0.0], [0.96, 0.28]], np.float32))
    hits = fuse(matrix.scores(EAST), [WordHit(3, 2, 10.0), WordHit(2, 1, 9.5), WordHit(1, 1, 0.1)], 0.5, 3)
    assert [hit.chunk for hit in hits] == [2, 1, 3]
    assert hits[0].score == pytest.approx(0.5 * 0.95 + 0.5 * 0.96)


def test_the_parts_of_a_score_are_the_true_cosine_and_the_share_of_the_best_bm25(matrix: Matrix) -> None:
    hits = {hit.chunk: hit for hit in fuse(matrix.scores(EAST), [WordHit(3, 2, 8.0), WordHit(2, 1, 2.0)], 0.5, 9)}
    assert hits[2].dense == pytest.approx(0.6)
    assert (hits[1].lexical, hits[2].lexical, hits[3].lexical) == (0.0, 0.25, 1.0)
    assert all(0.0 <= hit.score <= 1.0 for hit in hits.values())


def test_either_half_can_stand_alone(matrix: Matrix) -> None:
    assert [hit.chunk for hit in fuse(None, [WordHit(3, 2, 8.0), WordHit(2, 1, 2.0)], 0.5, 9)] == [3, 2]
    assert [hit.chunk for hit in fuse(matrix.scores(EAST), [], 0.8, 9)] == [1, 2, 3]
    assert fuse(None, [], 0.5, 9) == []


def test_words_count_more_in_spanish_and_less_across_languages() -> None:
    spanish, english = "¿Cuántos aerogeneradores opera la empresa?", "How many turbines are there?"
    assert lexical_weight(spanish, {"es", "en"}) > lexical_weight(english, {"en"}) > lexical_weight(spanish, {"en"})


def test_a_page_shown_already_gives_way_a_little() -> None:
    hits = [Hit(1, 1, 0.90, 0, 0), Hit(2, 1, 0.88, 0, 0), Hit(3, 1, 0.86, 0, 0), Hit(4, 1, 0.50, 0, 0)]
    best = spread(hits, {1: 5, 2: 5, 3: 6, 4: 7}, 3)
    assert [hit.chunk for hit in best] == [1, 3, 2]
    assert [hit.score for hit in best] == sorted((hit.score for hit in best), reverse=True)


def test_a_question_is_stemmed_in_every_language_of_the_library() -> None:
    assert {"accion"} <= set(question_stems("acciones", {"es"}))
    assert {"run"} <= set(question_stems("¿Qué es running?", {"en", "es"}))


def test_a_document_is_a_slice_of_the_matrix(matrix: Matrix) -> None:
    assert [chunk for chunk, _, _ in matrix.scores(EAST, [2]).best(5)] == [3]
    assert matrix.scores(EAST, []).best(5) == []
    assert matrix.scores(EAST, [99]).best(5) == []


def test_removing_and_replacing_leave_the_rest_as_it_was() -> None:
    random = np.random.default_rng(1)
    rows = {document: random.standard_normal((document * 40, 8)).astype(np.float32) for document in range(1, 30)}
    matrix = Matrix(8)
    for document, vectors in rows.items():
        matrix.put(document, range(document * 10_000, document * 10_000 + len(vectors)), vectors)
    for document in (1, 7, 29):
        matrix.remove(document)
        del rows[document]
    rows[5] = rows[5][::-1].copy()
    matrix.put(5, range(50_000, 50_000 + len(rows[5])), rows[5])
    vector = random.standard_normal(8).astype(np.float32)
    scored = matrix.scores(vector)
    assert len(matrix) == sum(map(len, rows.values()))
    for document, vectors in rows.items():
        for n in (0, len(vectors) - 1):
            assert scored.of(document * 10_000 + n, document) == pytest.approx(float(vectors[n] @ vector), abs=1e-4)
    assert scored.of(10_000, 1) is None
    best = max(float((vectors @ vector).max()) for vectors in rows.values())
    assert scored.best(1)[0][2] == pytest.approx(best, abs=1e-4)
