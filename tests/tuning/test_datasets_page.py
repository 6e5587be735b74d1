"""The datasets page, as its script calls it: what is asked is checked, done by the verbs, and seen from every tab."""

from __future__ import annotations

import base64
import re
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from assistant.chat_page.wording import words_in
from assistant.service.settings import Settings
from assistant.store.transactions import now
from tests.tuning import generated
from tests.tuning.chats import chat, exchange, reply, say
from tuning.checking import Problem, Summary, check
from tuning.cleaning import CHECKS
from tuning.datasets import Dataset, Facets, Filter, Status
from tuning.formats import FORMATS
from tuning.pages.datasets import exports as datasets_exports
from tuning.pages.datasets.page import DatasetsPage, datasets_page
from tuning.pages.datasets.stage import next_step, share
from tuning.pages.datasets.views import examples_view, export_view, gather_view
from tuning.parts import Parts
from tuning.samples import SAMPLES
from tuning.sources import KINDS
from tuning.values import Answer, Example, Kind, Role, Source, Turn, conversation

Answered = dict[str, Any]
Ask = Callable[..., Answered]
WORDS = Path(__file__).parents[2] / "tuning" / "words"
EVIL = '"><img src=x onerror=alert(1)></textarea><script>1</script>'
VOID = {"input", "br", "img", "hr", "meta", "link"}


@pytest.fixture
def parts(tmp_path: Path, weights: Path) -> Iterator[Parts]:
    home = tmp_path / "home"
    home.mkdir()
    parts = Parts(Settings(home=home, weights=weights, _env_file=None))  # type: ignore[call-arg]
    yield parts
    parts.close()


@pytest.fixture
def page(parts: Parts) -> Iterator[DatasetsPage]:
    page = datasets_page(parts)
    yield page
    page.close()


@pytest.fixture(params=["en", "es"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ask(page: DatasetsPage) -> Ask:
    def ask(do: str, language: str = "en", **more: Any) -> Answered:
        return page.answer({"do": do, **more}, words_in(language, WORDS))

    return ask


@pytest.fixture
def likes(parts: Parts) -> None:
    history = parts.history
    for n in range(10):
        history.rate(exchange(history, chat(history), f"How far is place {n}?", f"{n + 3} kilometres, on foot."), True)
    exchange(history, chat(history), "And now?", "Nothing special.")


def whole(page: DatasetsPage, dataset: int) -> None:
    """Everything that was begun is done, and what came in is looked through, as it is when the page is seen."""
    until = time.monotonic() + 60
    show = {"do": "show", "at": {"dataset": dataset, "tab": "gather"}}
    while page.answer(show, words_in("en", WORDS))["busy"]:
        assert time.monotonic() < until
        time.sleep(0.02)


def pieces(ask: Ask, file: str) -> bytes:
    data, offset = b"", 0
    while offset is not None:
        answer = ask("piece", file=file, offset=offset)
        data += base64.b64decode(answer["data"])
        offset = answer["next"]
    return data


def uploaded(parts: Parts, name: str, data: bytes) -> str:
    """A file where the browser's uploads lie."""
    folder = parts.settings.uploads / "0a1b"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return str(folder / name)


def uploaded_at(parts: Parts, name: str) -> str:
    return str(parts.settings.uploads / "0a1b" / name)


def talk(n: int, answer: str = "") -> Example:
    source = Source("import", name="talks.jsonl", group=f"g:{n}", line=n + 1)
    return conversation(
        Turn(Role.USER, f"Question number {n}?"), Turn(Role.ASSISTANT, answer or f"It is {n}."), source=source
    )


class Tree(HTMLParser):
    """Raises where a tag is closed that is not open, and keeps every tag's name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.names.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open, tag
            assert self.open.pop() == tag


# ── the way from likes to a file ─────────────────────────────────────────────────────────────────────────────────────


def test_four_clicks_lead_from_ten_likes_to_a_file_its_provider_takes(
    ask: Ask, page: DatasetsPage, likes: None, tmp_path: Path
) -> None:
    assert "Gather 10 liked answers" in ask("liked")["regions"]["liked"]
    begun = ask("begin-liked")
    at = begun["go"]
    whole(page, at["dataset"])
    assert "Approve 10" in ask("show", at=at)["regions"]["head"]
    assert "10 examples approved" in ask("approve-all", at=at)["undo"]["said"]
    there = ask("freeze", at=at)["go"]
    assert (there["tab"], there["version"]) == ("versions", 1)
    whole(page, at["dataset"])
    body = ask("show", at=there)["regions"]["body"]
    assert "Checked: valid" in body
    assert "Where the example comes from is not in this format" in body  # before it is saved
    file = re.search(r'data-file="([^"]+)" data-name="([^"]+)"', body)
    assert file
    assert file[2].startswith("liked-answers-v1-")
    saved = tmp_path / file[2]
    saved.write_bytes(pieces(ask, file[1]))
    *problems, summary = check(saved, "openai")
    assert isinstance(summary, Summary)
    assert (summary.rows, summary.errors) == (10, 0)
    assert {one.code for one in problems if isinstance(one, Problem)} == {"few_advised"}


def test_the_next_step_is_the_only_one_that_makes_sense() -> None:
    def step(draft: int = 0, approved: int = 0, version: int = 0, apart: int = 0, **facets: int) -> str:
        one = Dataset(1, "x", "", "", (), now(), now(), draft=draft, approved=approved)
        counts = {"unseen": 0, "unranked": 0, "held": 0, **facets}
        return next_step(one, Facets({}, {}, {}, {}, {}, {}, {}, {}, **counts), version, apart).do

    assert step() == "gather"
    assert step(draft=3, unseen=3) == "look"
    assert step(draft=3, unranked=3, held=3) == "rank"
    assert step(draft=3, held=1) == "approve"
    assert step(draft=3, held=3) == "held"
    assert step(draft=3, approved=2, held=3) == "freeze"
    assert step(approved=2, version=1, apart=1) == "freeze"
    assert step(approved=2, version=1) == "export"
    assert step(approved=2, unseen=1, version=1) == "export"  # what is approved is decided


@pytest.mark.parametrize(("approved", "part"), [(1, 0.0), (10, 0.0), (11, 0.1), (200, 0.1)])
def test_nothing_is_set_apart_where_too_few_would_be_left_to_train(approved: int, part: float) -> None:
    assert share(approved) == part
    assert part == 0 or approved - round(approved * part) >= 10


# ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"do": "erase"}, {"do": "show", "at": {"dataset": -1}}, {"do": "show", "at": {"tab": "secret"}},
     {"do": "show", "at": {"only": {"sql": "1"}}}, {"do": "approve", "examples": ["1"]}, {"do": "freeze", "share": 0.9},
     {"do": "gather", "chats": {"kind": "all"}}, {"do": "piece"},
     {"do": "import", "path": "/etc/passwd", "name": "x", "to": "y"}],
)  # fmt: skip
def test_what_no_page_sends_is_refused_in_a_sentence(page: DatasetsPage, language: str, payload: Any) -> None:
    answer = page.answer(payload, words_in(language, WORDS))
    assert set(answer) == {"error"}


def test_only_uploads_are_read_and_only_files_made_here_are_handed_out(ask: Ask, parts: Parts, tmp_path: Path) -> None:
    number = parts.datasets.create("x").id
    strange = tmp_path / "strange.jsonl"
    strange.write_text('{"question": "a", "answer": "b"}\n')
    for do in ("import", "take"):
        assert ask(do, at={"dataset": number}, path=str(strange), name="strange.jsonl")["error"]
    assert parts.datasets.get(number).examples == 0
    for name in ("../home/afina.sqlite3", "afina.sqlite3", str(strange)):
        assert "This file is gone" in ask("piece", file=name)["error"]


def test_every_sentence_is_there_in_both_languages() -> None:
    english, spanish = (words_in(one, WORDS).sentences for one in ("en", "es"))
    mine = [key for key in english if key.startswith(("datasets", "js_datasets"))]
    assert {key for key in spanish if key.startswith(("datasets", "js_datasets"))} == set(mine)
    for key in mine:
        assert set(re.findall(r"{\w+}", english[key])) == set(re.findall(r"{\w+}", spanish[key])), key


# ── what is drawn ────────────────────────────────────────────────────────────────────────────────────────────────────


TABS = ("gather", "examples", "statistics", "clean", "versions")


@pytest.fixture
def strange(parts: Parts) -> int:
    """A dataset of every kind of example, whose every word is hostile, with a version."""
    number = parts.datasets.create("strange", EVIL, EVIL).id
    source = Source("import", name=EVIL, group="g", how=EVIL[:20], persona=EVIL)
    turns = (Turn(Role.SYSTEM, EVIL), Turn(Role.USER, EVIL), Turn(Role.ASSISTANT, EVIL))
    parts.datasets.add(number, [conversation(*turns, tags=(EVIL,), source=source)], status=Status.APPROVED)
    parts.datasets.add(number, [Example(Kind.TEXT, text=EVIL + " text", source=source)])
    parts.datasets.add(number, [talk(1, f"{EVIL} Write to ana@example.com {EVIL}")])
    ranked = tuple(Answer((Turn(Role.ASSISTANT, EVIL + str(n)),)) for n in range(3))
    parts.datasets.add(number, [Example(Kind.RANKING, turns[:2], ranked, source=source)])
    parts.datasets.add(number, [generated.example(seed) for seed in range(60)])
    parts.datasets.freeze(number, share=0)
    return number


@pytest.mark.parametrize("tab", TABS)
def test_what_others_wrote_is_no_markup_and_every_tab_is_whole(
    ask: Ask, page: DatasetsPage, strange: int, tab: str, language: str
) -> None:
    at = {"dataset": strange, "tab": tab, "version": 1 if tab == "versions" else 0}
    ask("look", language, at=at)
    whole(page, strange)
    for where in (at, {**at, "code": "special_tokens"}, {**at, "code": "email"}):
        ask("show", language, at=where)
        whole(page, strange)
        regions = ask("show", language, at=where)["regions"]
        for html in regions.values():
            names = Tree(html).names
            assert not {"img", "script"} & set(names)
    assert EVIL[:8] not in "".join(regions.values())


def test_what_is_shown_is_sent_once_and_again_when_something_changed(ask: Ask, parts: Parts) -> None:
    parts.datasets.create("one")
    at = {"dataset": 1, "tab": "examples"}
    shown = ask("show", at=at)
    assert ask("show", stamp=shown["stamp"], at=at) == {}
    parts.datasets.add(1, [talk(1)])
    again = ask("show", stamp=shown["stamp"], at=at)
    assert "Question number 1?" in again["regions"]["body"]
    assert ask("show", stamp=again["stamp"], at={"dataset": 1, "tab": "clean"})["regions"]  # another place
    assert ask("show", "es", stamp=again["stamp"], at=at)["regions"]  # another language


def test_a_dataset_that_is_gone_is_told_so_and_the_way_back_shown(ask: Ask, language: str) -> None:
    regions = ask("show", language, at={"dataset": 99, "tab": "clean"})["regions"]
    assert "/?view=datasets" in regions["body"]


# ── what is done ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_is_kept_changed_refused_with_its_reason_deleted_and_taken_back(ask: Ask, parts: Parts) -> None:
    made = ask("keep", dataset=0, name="my set", note=" For tests ", licence="CC0")
    assert made["go"] == {"dataset": made["saved"], "tab": "gather"}
    assert parts.datasets.get("my-set").note == "For tests"
    assert "already" in ask("keep", dataset=0, name="my-set")["problem"]
    assert "ya" in ask("keep", "es", dataset=0, name="my-set")["problem"].lower()
    ask("keep", dataset=made["saved"], name="other")
    assert [one.name for one in parts.datasets.all()] == ["other"]
    removed = ask("remove", dataset=made["saved"])
    assert not parts.datasets.all()
    ask(**removed["undo"]["do"])
    assert [one.name for one in parts.datasets.all()] == ["other"]


def test_some_are_decided_on_or_all_that_pass_and_an_undo_takes_it_back(ask: Ask, parts: Parts) -> None:
    number = parts.datasets.create("x").id
    added = parts.datasets.add(number, [*map(talk, range(5)), talk(7, "Es la número siete, sin duda alguna, amigo.")])
    at = {"dataset": number, "tab": "examples"}
    assert "2 examples approved" in ask("approve", at=at, examples=added.ids[:2])["undo"]["said"]
    ask("drop", at={**at, "only": {"language": "es"}})
    counts = parts.datasets.get(number)
    assert (counts.approved, counts.dropped, counts.draft) == (2, 1, 3)
    ask("approve", at=at)
    assert (parts.datasets.get(number).approved, parts.datasets.get(number).dropped) == (5, 1)  # that was decided
    ask("undo", at=at)
    ask("undo", at=at)
    assert parts.datasets.get(number).dropped == 0
    ask("tag", at=at, examples=added.ids[:1], tag="short")
    assert parts.datasets.page(number, Filter(tag="short")).total == 1
    ask("untag", at={**at, "only": {"tag": "short"}}, tag="short")
    assert parts.datasets.page(number, Filter(tag="short")).total == 0


def test_what_would_be_gathered_is_counted_before_it_is(ask: Ask, parts: Parts, likes: None) -> None:
    number = parts.datasets.create("x").id
    at = {"dataset": number, "tab": "gather"}

    def matching(**chats: Any) -> str:
        return str(ask("matching", at=at, chats=chats)["regions"]["matching"])

    assert "Gather 10 examples" in matching(rating="liked")
    assert "Gather 1 example<" in matching(rating="liked", search="12 kilometres")
    assert "Gather 11 examples" in matching()
    assert "button" not in matching(kind="ranking")
    assert parts.datasets.get(number).examples == 0
    assert (
        "1 example came in"
        in ask("gather", at=at, chats={"rating": "liked", "search": "12 kilometres"})["undo"]["said"]
    )


def test_a_file_comes_in_with_what_was_left_out_by_line_and_goes_again(
    ask: Ask, page: DatasetsPage, parts: Parts, language: str
) -> None:
    number = parts.datasets.create("x").id
    at = {"dataset": number, "tab": "gather"}
    lines = [b'{"question": "Is it far?", "answer": "No."}', b"{broken", b'{"question": "Near?", "answer": "Yes."}']
    path = uploaded(parts, "pairs.jsonl", b"\n".join(lines))
    ask("import", language, at=at, path=path, name="my pairs.jsonl")
    whole(page, number)
    assert parts.datasets.get(number).draft == 2
    shown = ask("show", language, at=at)["regions"]
    assert "my pairs.jsonl" in shown["body"]
    assert "<td>2</td>" in shown["body"]  # the line
    assert parts.datasets.imports(number)[0].problems[0]["message"] in shown["body"]
    assert "job" in shown["work"]  # there to be read, until it is closed
    for job in page.work.of(number):
        ask("dismiss", at=at, job=job.id)
    assert ask("show", at=at)["regions"]["work"] == ""
    ask("undo-import", at=at, number=parts.datasets.imports(number)[0].id)
    assert parts.datasets.get(number).examples == 0


def test_any_file_becomes_a_dataset_of_its_own_or_says_why_not(ask: Ask, page: DatasetsPage, parts: Parts) -> None:
    text = b"Q: Is it far?\nA: No.\n\nQ: Is it near?\nA: Yes.\n"
    begun = ask("take", path=uploaded(parts, "a.txt", text), name="My ¿notes? (1).txt")
    whole(page, begun["go"]["dataset"])
    one = parts.datasets.get(begun["go"]["dataset"])
    assert (one.name, one.draft) == ("My-notes-1", 2)
    assert ask("take", path=uploaded(parts, "b.bin", bytes(200)), name="b.bin")["error"]
    assert [each.name for each in parts.datasets.all()] == ["My-notes-1"]  # of what cannot be read nothing stays


def test_documents_come_in_as_text_and_a_model_is_asked_only_about_something(
    ask: Ask, page: DatasetsPage, parts: Parts, tmp_path: Path
) -> None:
    number = parts.datasets.create("x").id
    at = {"dataset": number, "tab": "gather"}
    assert "no documents" in ask("propose", at=at, documents=[])["error"]
    assert "Name a topic" in ask("distil", at=at, topic=" ", prompts=" \n ")["error"]
    note = tmp_path / "tower.txt"
    note.write_text("The tower was finished in 1889. It is 330 metres high. " * 3)
    list(parts.library.add(note))
    [document] = parts.library.documents()
    assert document.title in ask("show", at=at)["regions"]["body"]
    ask("documents", at=at, documents=[document.id])
    whole(page, number)
    [came] = parts.datasets.page(number).examples
    assert came.example.kind is Kind.TEXT
    assert "330 metres" in came.example.text


def test_a_long_import_is_seen_as_it_goes_and_nothing_of_it_stays_when_it_is_cancelled(
    ask: Ask, page: DatasetsPage, parts: Parts
) -> None:
    number = parts.datasets.create("x").id
    at = {"dataset": number, "tab": "examples"}
    row = b'{"question": "How much is %d?", "answer": "As much as it says, which is %d."}'
    path = uploaded(parts, "long.jsonl", b"\n".join(row % (n, n) for n in range(20_000)))
    answer = ask("import", at=at, path=path, name="long.jsonl")
    assert answer["busy"]
    assert "<progress" in answer["regions"]["work"]
    assert page.answer({"do": "show", "at": at}, words_in("en", WORDS))["busy"]  # as any other tab sees it
    [job] = page.work.of(number)
    assert "running here already" in ask("import", at=at, path=path, name="long.jsonl")["error"]
    ask("cancel", at=at, job=job.id)
    whole(page, number)
    assert parts.datasets.get(number).examples == 0
    assert "nothing of the file came in" in ask("show", at=at)["regions"]["work"]


def test_personal_data_is_shown_held_back_replaced_and_the_replacement_undone(
    ask: Ask, page: DatasetsPage, parts: Parts
) -> None:
    number = parts.datasets.create("x").id
    parts.datasets.add(number, [*map(talk, range(3)), talk(9, "Write to ana.lopez@example.com, she will know.")])
    at = {"dataset": number, "tab": "clean"}
    ask("look", at=at)
    whole(page, number)
    assert "<mark>ana.lopez@example.com</mark>" in ask("show", at={**at, "code": "email"})["regions"]["body"]
    assert "1 was left" in ask("approve-all", at=at)["undo"]["said"]
    assert "is held back" in ask("show", at=at)["regions"]["head"]
    ask("mend", at={**at, "code": "email"}, code="email")
    whole(page, number)
    [mended] = parts.datasets.page(number, Filter(status=Status.DRAFT)).examples
    assert "ana" not in mended.example.turns[1].text
    ask("undo", at=at)
    assert parts.datasets.example(mended.id).example.turns[1].text.startswith("Write to ana.lopez@")


def test_what_is_held_back_is_approved_when_a_person_says_so(ask: Ask, page: DatasetsPage, parts: Parts) -> None:
    number = parts.datasets.create("x").id
    parts.datasets.add(number, [talk(1, "Write to ana@example.com."), talk(2, "Call him, or write to bo@example.com.")])
    at = {"dataset": number, "tab": "clean", "code": "email"}
    ask("look", at=at)
    whole(page, number)
    assert "2 held back" in ask("show", at=at)["regions"]["body"]
    assert "0 examples approved" in ask("approve-all", at=at)["said"]
    ask("include", at=at, code="email")
    assert parts.datasets.get(number).approved == 2
    assert "held back" not in ask("show", at=at)["regions"]["body"]
    ask("drop-found", at=at, code="email")
    assert parts.datasets.get(number).dropped == 2


def test_near_duplicates_stand_beside_the_one_that_is_kept(ask: Ask, page: DatasetsPage, parts: Parts) -> None:
    number = parts.datasets.create("x").id
    text = "The tower was finished in eighteen eighty-nine for the fair, and nobody in the city liked it at all then"
    parts.datasets.add(number, [talk(1, text + ", they say."), talk(1, text + ", people say.")])
    at = {"dataset": number, "tab": "clean", "code": "near_duplicate"}
    ask("look", at=at)
    whole(page, number)
    body = ask("show", at=at)["regions"]["body"]
    assert "they say." in body
    assert "people say." in body
    assert "Kept:" in body


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def versioned(ask: Ask, parts: Parts) -> int:
    """Twelve approved examples in version 1; version 2 has one in other words, one more, one less."""
    number = parts.datasets.create("v").id
    ids = parts.datasets.add(number, map(talk, range(12)), status=Status.APPROVED).ids
    at = {"dataset": number, "tab": "versions"}
    ask("freeze", at=at)
    parts.datasets.edit(ids[0], talk(0, "It is nought, really."))
    parts.datasets.set_status(number, ids[1], Status.DROPPED)
    parts.datasets.add(number, [talk(40)], status=Status.APPROVED)
    assert "3 approved" not in ask("show", at=at)["regions"]["head"]
    ask("freeze", at=at, share=0.2, seed=3)
    return number


def test_two_versions_are_compared_word_by_word(ask: Ask, versioned: int, language: str) -> None:
    at = {"dataset": versioned, "tab": "versions", "version": 2, "against": 1}
    body = ask("show", language, at=at)["regions"]["body"]
    said = words_in(language, WORDS)
    for what in ("added", "removed", "changed"):
        assert f">{said(f'datasets_change_{what}')}</span>" in body
    assert "It is nought, really." in body
    assert "<del>It is 0.</del>" in body


def test_every_format_says_what_it_takes_and_what_it_leaves_out(
    ask: Ask, page: DatasetsPage, strange: int, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets_exports, "PIECE", 1_000)  # so that a file is several
    parts.datasets.set_status(strange, Filter(), Status.APPROVED)
    version = parts.datasets.freeze(strange, share=0).number
    for name in (*FORMATS, "zip"):
        at = {"dataset": strange, "tab": "versions", "version": version, "format": name}
        ask("show", at=at)
        whole(page, strange)
        body = ask("show", at=at)["regions"]["body"]
        assert f'data-key="files-{name}"' in body, name
        file = re.search(r'data-file="([^"]+)"', body)
        assert file
        made = [path.read_bytes() for path in Path(tempfile.gettempdir()).glob(f"afina-exports-*/{file[1]}")]
        assert pieces(ask, file[1]) in made
        if name not in ("afina", "zip"):
            assert "Left out of the file" in body or "What this format does not hold" in body


def test_a_version_travels_as_one_zip(ask: Ask, page: DatasetsPage, parts: Parts, versioned: int) -> None:
    at = {"dataset": versioned, "tab": "versions", "version": 2, "format": "zip"}
    ask("show", at=at)
    whole(page, versioned)
    file = re.search(r'data-file="([^"]+)" data-name="([^"]+)"', ask("show", at=at)["regions"]["body"])
    assert file
    path = uploaded(parts, "v.zip", pieces(ask, file[1]))
    taken = ask("take", path=path, name=file[2])
    came, was = (parts.datasets.version_of(number, n) for number, n in ((taken["go"]["dataset"], 2), (versioned, 2)))
    assert came.name == "v-2"  # the name was taken
    assert came.fingerprint == was.fingerprint
    torn = zipfile.ZipFile(path)
    with zipfile.ZipFile(uploaded(parts, "torn.zip", b""), "w") as less:
        less.writestr("card.json", torn.read(torn.namelist()[0]))
    before = len(parts.datasets.all())
    assert "was changed" in ask("take", path=uploaded_at(parts, "torn.zip"), name="torn.zip")["error"]
    assert len(parts.datasets.all()) == before


def test_a_deleted_chat_leaves_the_drafts_and_marks_the_versions_that_hold_it(
    ask: Ask, page: DatasetsPage, parts: Parts, likes: None
) -> None:
    begun = ask("begin-liked")["go"]
    whole(page, begun["dataset"])
    ask("approve-all", at=begun)
    at = ask("freeze", at=begun)["go"]
    shown = ask("show", at=at)
    assert "was deleted since" not in shown["regions"]["body"]
    parts.history.delete(parts.history.conversations()[-1].id)
    again = ask("show", at=at, stamp=shown["stamp"])["regions"]
    assert "9 approved" in again["head"]
    assert "The chat of 1 example in it was deleted since" in again["body"]


def test_what_learning_takes_is_estimated_with_its_rule_and_its_notes(
    ask: Ask, page: DatasetsPage, versioned: int
) -> None:
    at = {"dataset": versioned, "tab": "versions"}
    ask("estimate", at=at, model="openai:gpt-3.5-turbo", epochs=3, batch=4, price="8")
    whole(page, versioned)
    body = ask("show", at=at)["regions"]["body"]
    assert "<dd>12</dd>" in body
    assert "<dd>9</dd>" in body  # 3 × ⌈12 / 4⌉ steps
    assert "openai:gpt-3.5-turbo" in body
    shown = ask("show", at=at)
    page.work.dismiss(page.work.of(versioned)[-1].id)
    again = page.work.start("estimate", versioned, lambda stop: iter([{"examples": 4321}]), about={"kept": True})
    page.work.wait(again.id, 10)  # between two looks of another tab
    assert "<dd>4,321</dd>" in ask("show", at=at, stamp=shown["stamp"])["regions"]["body"]
    assert "no price" in ask("estimate", at=at, price="free")["error"]


def test_a_file_that_a_provider_would_refuse_is_told_line_by_line(ask: Ask, page: DatasetsPage, parts: Parts) -> None:
    number = parts.datasets.create("few").id
    parts.datasets.add(number, map(talk, range(3)), status=Status.APPROVED)
    at = {"dataset": number, "tab": "versions"}
    ask("freeze", at=at)
    whole(page, number)
    body = ask("show", at={**at, "version": 1, "format": "openai"})["regions"]["body"]
    assert "1 error: a provider would refuse this file" in body
    assert "Add 7 more." in body


def test_jobs_end_when_the_page_is_closed(page: DatasetsPage) -> None:
    begun = threading.Event()

    def rows(stop: threading.Event) -> Iterator[dict[str, Any]]:
        begun.set()
        yield {"done": 1, "of": 2}
        stop.wait(30)

    job = page.work.start("import", 1, rows)
    begun.wait(10)
    page.close()
    ended = page.work.get(job.id)
    assert ended
    assert ended.state == "stopped"


def test_what_breaks_off_is_told_without_its_insides(page: DatasetsPage, ask: Ask) -> None:
    def rows(stop: threading.Event) -> Iterator[dict[str, Any]]:
        yield {"done": 1, "of": 2}
        raise RuntimeError("the insides")

    job = page.work.start("import", 0, rows)
    page.work.wait(job.id, 10)
    work = ask("show")["regions"]["work"]
    assert "the insides" not in work
    assert "bad" in work


def test_a_page_of_ten_thousand_is_fifty_rows(ask: Ask, parts: Parts) -> None:
    number = parts.datasets.create("many").id
    parts.datasets.add(number, map(talk, range(10_000)))
    body = ask("show", at={"dataset": number, "tab": "examples", "page": 200})["regions"]["body"]
    assert body.count('<li class="card entry') == examples_view.AT_ONCE
    assert "Question number 9999?" in body
    assert "Page 200 of 200" in body


def test_what_is_listed_has_a_word() -> None:
    sentences = words_in("en", WORDS).sentences
    assert not [kind for kind in gather_view.KINDS if f"datasets_kind_{kind}_about" not in sentences]
    assert not [code for code in CHECKS if f"datasets_why_{code}" not in sentences]
    named = (*FORMATS, "zip")
    assert not [name for name in named if f"datasets_format_{name.replace('-', '_')}" not in sentences]
    assert not [name for name in KINDS if f"datasets_reads_{name.replace('-', '_')}" not in sentences]
    assert not [name for name in SAMPLES if f"datasets_sample_{name.replace('-', '_')}" not in sentences]
    assert set(export_view.ORDER) == set(FORMATS)


def test_rankings_ask_to_be_ranked_first(ask: Ask, page: DatasetsPage, parts: Parts) -> None:
    history = parts.history
    conversation = chat(history)
    asked = say(history, conversation, "My house is too hot")
    for text in ("Open a window.", "Move out.", "Close the blinds at noon."):
        reply(history, conversation, asked, text)
    number = parts.datasets.create("ranked").id
    at = {"dataset": number, "tab": "gather"}
    ask("gather", at=at, chats={"kind": "ranking"})
    whole(page, number)
    assert "1 ranking waits for its order" in ask("show", at=at)["regions"]["head"]
