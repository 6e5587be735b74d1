"""Evaluation and the verbs: figures that can be checked by hand, rows with exactly the keys that were promised."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge import evaluation, verbs
from knowledge.embedders import Embedder
from knowledge.errors import ForPerson
from knowledge.evaluation import Outcome, Question
from knowledge.library import Library
from knowledge.store.database import connect
from knowledge.values import Passage
from tests.pdfs import FACTS_EN, handbook


def _passage(document: int, page: int, text: str = "") -> Passage:
    return Passage(document, "t", page, 1, text, 0, len(text), 1.0, 1.0, 1.0)


def test_the_figures_are_those_of_the_book() -> None:
    outcomes = [Outcome(1, (1,)), Outcome(2, (3, 6)), Outcome(1, ())]
    result = evaluation.summary(outcomes)
    assert list(result) == ["n", "recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10"]
    assert result["recall@1"] == pytest.approx(1 / 3, abs=1e-4)
    assert result["recall@5"] == pytest.approx((1 + 0.5) / 3, abs=1e-4)
    assert result["recall@10"] == pytest.approx(2 / 3, abs=1e-4)
    assert result["mrr@10"] == pytest.approx((1 + 1 / 3) / 3, abs=1e-4)
    gained = 1 / math.log2(4) + 1 / math.log2(7)
    assert result["ndcg@10"] == pytest.approx((1 + gained / (1 + 1 / math.log2(3))) / 3, abs=1e-4)


def test_a_page_counts_once_and_only_in_its_document() -> None:
    question = Question(question="q", document=None, quote="the heron")
    passages = [_passage(1, 2, "nothing"), _passage(1, 2, "The\nheron nests"), _passage(2, 2, "the heron")]
    assert evaluation.outcome(question, None, passages).ranks == (2,)


def test_an_unusable_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "q", "quote": "x"}\n{"question": "q"}\n', "utf-8")
    with pytest.raises(ForPerson, match=r"line 2.*quote"):
        list(evaluation.read(path))
    path.write_text("{nonsense\n", "utf-8")
    with pytest.raises(ForPerson, match="line 1"):
        list(evaluation.read(path))


@pytest.fixture
def library(home: Path, embedder: Embedder, tmp_path: Path) -> Iterator[Library]:
    home.mkdir()
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    yield library
    library.close()
    engine.dispose()


@pytest.mark.model
def test_the_verbs_make_a_whole_trip_in_plain_json(library: Library, tmp_path: Path) -> None:
    path = handbook(tmp_path / "handbook.pdf")
    (tmp_path / "fake.pdf").write_bytes(b"nothing of the kind")
    rows = list(verbs.docs_add(library, paths=[str(path), str(tmp_path / "fake.pdf")]))
    finals = [row for row in rows if "path" in row]
    assert [row["status"] for row in finals] == ["ready", "not_a_pdf"]
    assert {"path", "document", "title", "status", "message", "pages", "seconds"} <= set(finals[0])
    assert finals[0]["pages"] == 30
    id_ = finals[0]["document"]
    (hit, *_) = verbs.docs_search(library, query=FACTS_EN[0][0], k=3)
    assert set(hit) >= {"document", "title", "page", "chunk", "score", "text", "start", "end"}
    (page,) = verbs.docs_show(library, document=id_, page=hit["page"])
    assert page["text"][hit["start"] : hit["end"]] == hit["text"]
    assert id_ in {row["document"] for row in verbs.docs_list(library)}
    assert list(verbs.docs_check(library)) == []
    questions = tmp_path / "questions.jsonl"
    lines = [{"question": q, "document": "handbook.pdf", "pages": [n], "answer": a} for q, a, n in FACTS_EN]
    lines.append({"question": FACTS_EN[0][0], "quote": "operates 212 wind turbines"})
    questions.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    *_, last = verbs.docs_evaluate(library, path=str(questions))
    assert set(last) == {"n", "recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10"}
    assert last["n"] == 5
    assert last["recall@5"] == 1.0
    (gone,) = verbs.docs_remove(library, document=id_)
    assert gone["removed"]
    json.dumps([*rows, hit, page, last, gone])
    with pytest.raises(ForPerson, match="called handbook"):
        list(verbs.docs_evaluate(library, path=str(questions)))
