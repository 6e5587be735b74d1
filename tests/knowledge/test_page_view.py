"""Laws of the viewer and of the documents page: boxes lie over the words, nothing of a file gets through as HTML."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from knowledge.errors import ForPerson
from knowledge.pages import documents_view, page_view
from knowledge.pages.arrivals import Arrival
from knowledge.pages.uploads import file_name, uploaded
from knowledge.pages.wording import HERE, LANGUAGES, Words, language_of, words
from knowledge.values import Box, Document, Line, Page, Passage, Progress, Status

EVIL = '"><img src=x onerror=alert(1)>'
TEXT = "The first line of print\nand the second one"
PAGE = Page(1, TEXT, (Line(0, 23, Box(0.1, 0.1, 0.5, 0.12)), Line(24, 42, Box(0.1, 0.13, 0.4, 0.15))))


def _document(title: str = "a.pdf", kind: str = "pdf", status: Status = Status.READY) -> Document:
    return Document(3, "ab" * 32, title, kind, status, "", 1, 1, "en", 2_400_000, datetime(2026, 1, 2, tzinfo=UTC))


def test_a_box_covers_its_words_and_no_whole_line() -> None:
    start = TEXT.index("line")
    (box,) = page_view.boxes(PAGE, start, start + 4)
    assert 0.1 < box.left < box.right < 0.5
    assert (box.top, box.bottom) == (0.1, 0.12)
    before, after = page_view.boxes(PAGE, 0, start)[0], page_view.boxes(PAGE, start + 4, 23)[0]
    assert before.right <= box.left
    assert box.right <= after.left


def test_a_whole_line_gives_its_whole_box_and_two_lines_give_two() -> None:
    assert page_view.boxes(PAGE, 0, len(TEXT)) == [line.box for line in PAGE.lines]


def test_white_space_gets_no_box() -> None:
    assert page_view.boxes(PAGE, 23, 24) == []
    assert page_view.boxes(PAGE, 3, 4) == []


def test_text_is_marked_exactly_and_escaped() -> None:
    page = Page(1, f"before {EVIL} after")
    leaf = page_view.leaf(_document(kind="text"), page, (7, 7 + len(EVIL)), None)
    assert "<img" not in leaf
    assert "before <mark>&quot;&gt;&lt;img" in leaf


def test_a_title_is_never_html() -> None:
    say = words("en")
    arrival = Arrival(1, "documents", Progress(None, EVIL, Status.READING))
    passage = Passage(3, EVIL, 1, 1, EVIL, 0, 3, 1.0, 1.0, 1.0)
    for html in (
        page_view.panel(_document(EVIL), PAGE, mark=(0, 3), image="/afina/x.png", words=say),
        documents_view.listing([_document(EVIL)], [arrival], say),
        documents_view.chip(arrival, say),
        documents_view.found(EVIL, [passage], say),
        documents_view.found(EVIL, [], say),
    ):
        assert "<img src=x" not in html


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_has_a_sentence_in_every_language(status: Status, language: str) -> None:
    say = words(language)
    arrival = Arrival(1, "documents", Progress(3, "a.pdf", status), done=status.final)
    assert documents_view.row(_document(status=status), None, say)
    assert documents_view.chip(arrival, say)


def test_both_languages_know_the_same_words_with_the_same_values() -> None:
    import string

    english, spanish = (words(language, HERE).sentences for language in LANGUAGES)
    assert english.keys() == spanish.keys()
    for key in english:
        fields = [{f for _, f, _, _ in string.Formatter().parse(s[key]) if f} for s in (english, spanish)]
        assert fields[0] == fields[1], key


@pytest.mark.parametrize(
    ("cookie", "accept", "language"),
    [
        ("es", "en-US,en", "es"),
        (None, "es-ES,es;q=0.9,en;q=0.8", "es"),
        (None, "fr,en;q=0.8", "en"),
        ("../x", None, "en"),
        (None, "", "en"),
    ],
)
def test_the_cookie_wins_over_the_browser(cookie: str | None, accept: str | None, language: str) -> None:
    assert language_of(cookie, accept) == language


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert Words("en", {}).number(1234.5, 1) == "1,234.5"
    assert Words("es", {}).number(1234.5, 1) == "1.234,5"


def test_only_an_upload_of_this_app_is_opened(tmp_path: Path) -> None:
    cache = tmp_path / "uploads"
    (cache / "hash").mkdir(parents=True)
    good = cache / "hash" / "a.pdf"
    good.write_bytes(b"x")
    outside = tmp_path / "secret.pdf"
    outside.write_bytes(b"x")
    (cache / "hash" / "link.pdf").symlink_to(outside)
    assert uploaded(str(good), cache) == good
    for path in (
        outside,
        cache / "hash" / "link.pdf",
        cache / "hash" / ".." / ".." / "secret.pdf",
        cache / "hash",
        "/etc/passwd",
    ):
        with pytest.raises(ForPerson):
            uploaded(str(path), cache)
    for nonsense in ("", "\0", "http://example.invalid/a.pdf", str(cache / "gone" / "a.pdf")):
        with pytest.raises(ForPerson):
            uploaded(nonsense, cache)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\a\\b.pdf", "b.pdf"), ("a\u202e\n.pdf", "a.pdf"), ("", "document")],
)
def test_a_files_name_is_its_last_part(name: str, kept: str) -> None:
    assert file_name(name) == kept
    assert file_name("x" * 500 + ".pdf").endswith(".pdf")
    assert len(file_name("x" * 500 + ".pdf")) <= 120


def test_a_long_passage_is_shown_around_what_was_asked() -> None:
    text = "filler " * 100 + "the ferry leaves at seven " + "filler " * 100
    shown = documents_view.highlighted(text, "When does the ferry leave?")
    assert "the <b>ferry</b> <b>leaves</b> at seven" in shown  # by their stems, without "the" and "at"
    assert shown.startswith("… ")
    assert shown.endswith(" …")
