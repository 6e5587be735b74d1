"""The lexical index: what is added is found, what is removed is not, and a broken file is put aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.words import SqliteWords


@pytest.fixture
def words(tmp_path: Path) -> Iterator[SqliteWords]:
    words = SqliteWords(tmp_path / "words.sqlite3")
    yield words
    words.close()


def test_the_chunk_with_more_and_rarer_of_the_words_comes_first(words: SqliteWords) -> None:
    words.add(1, [(1, ["dividend", "share"]), (2, ["share", "board"]), (3, ["weather"]), (4, ["rain"]), (5, ["sun"])])
    hits = words.search(["dividend", "share"], 10)
    assert [hit.chunk for hit in hits] == [1, 2]
    assert hits[0].score > hits[1].score > 0


def test_a_document_can_be_searched_alone_and_removed(words: SqliteWords) -> None:
    for document in (1, 2, 3):
        words.add(document, [(document * 10 + n, ["river", f"word{n}"]) for n in range(5)])
    assert {hit.document for hit in words.search(["river"], 20, [2])} == {2}
    assert {hit.document for hit in words.search(["river"], 20, [1, 3])} == {1, 3}
    words.remove(2)
    assert words.search(["river"], 20, [2]) == []
    assert len(words.search(["river"], 20)) == 10
    assert set(words.chunks()) == {1, 3}


def test_adding_a_chunk_again_replaces_it(words: SqliteWords) -> None:
    words.add(1, [(7, ["old"])])
    words.add(1, [(7, ["new"])])
    assert words.search(["old"], 5) == []
    assert [hit.chunk for hit in words.search(["new"], 5)] == [7]


@pytest.mark.parametrize("stems", [[], ['"'], ["AND", "OR", "NOT"], ["NEAR("], ["*"], ["a:b"], ["ñandu", "漢字"]])
def test_no_word_is_an_operator(words: SqliteWords, stems: list[str]) -> None:
    words.add(1, [(1, ["harmless"])])
    assert words.search(stems, 5) == []


def test_a_broken_file_is_put_aside_and_an_empty_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite3"
    path.write_bytes(b"this is not a database" * 500)
    words = SqliteWords(path)
    assert words.fresh
    words.add(1, [(1, ["alive"])])
    assert len(words.search(["alive"], 5)) == 1
    assert (tmp_path / "words.sqlite3.broken-1").exists()
    words.close()
