"""The curation desk: its door, what is done through it, and that what strangers wrote stays words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from assistant.chat_page.wording import words_in
from assistant.history import History
from knowledge.pages.wording import words
from knowledge.store.database import connect
from tests.tuning import generated
from tuning.counting.tokens import Counter, Rule, RuleCounter
from tuning.counting.vocabularies import Tokenizers
from tuning.datasets import Datasets, Filter, Status
from tuning.pages.desk import changes
from tuning.pages.desk.changes import Typed, TypedCall, Wrong, as_typed, restored
from tuning.pages.desk.findings import Cleaning
from tuning.pages.desk.page import DeskPage
from tuning.pages.desk.views import turns_view
from tuning.pages.desk.views.turns_view import Found
from tuning.values import Answer, Call, Example, Kind, Role, Source, Turn, conversation, pairs, preference
from tuning.verbs.clean import data_review

S, U, A, T = Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL
TUNING = Path(__file__).parents[2] / "tuning"
EN, ES = (words_in(language, TUNING / "words") for language in ("en", "es"))
EVIL = '"><img src=x onerror=alert(1)></textarea></pre><script>1</script>'
VOID = {"input", "br", "img", "hr", "meta", "link"}


def talk(n: int) -> Example:
    source = Source("import", name="talks.jsonl", group=f"g:{n}", line=n + 1)
    return conversation(Turn(U, f"Question {n}?"), Turn(A, f"Answer {n}."), source=source)


LONG = conversation(
    Turn(S, "Be brief."), Turn(U, "One?"), Turn(A, "1"), Turn(U, "Two?"), Turn(A, "2", learn=False), tags=("kept",)
)
CALLED = conversation(
    Turn(U, "Time?"),
    Turn(A, "", (Call("clock", '{"zone": ', "c1"),)),
    Turn(T, "noon", call_id="c1", name="clock"),
    Turn(A, "Noon."),
)
PAIR = preference((Turn(U, "Hello?"),), Answer((Turn(A, "Hi."),)), Answer((Turn(A, "Dear Sir, hello."),)))
RANKING = Example(Kind.RANKING, (Turn(U, "Say it."),), tuple(Answer((Turn(A, text),)) for text in "abc"))
SCORED = Example(Kind.SCORE, (Turn(U, "Who?"),), (Answer((Turn(A, "Leonardo."),), scores={"like": 1.0}),))
TEXT = Example(Kind.TEXT, text="  A lighthouse.\n\nSeen from afar.\t")


class Marks:
    """Finds the word "Answer", mends it to "Reply"."""

    def found(self, one: Any, language: str) -> Sequence[Found]:
        for at, turn in enumerate(one.example.turns):
            if (start := turn.text.find("Answer")) >= 0:
                field = f"turns.{at}.text"
                return [Found("word", EVIL, field, start, start + 6, mends=True, other=7)]
        return []

    def titles(self, language: str) -> Mapping[str, str]:
        return {"word": "A word"}

    def mended(self, one: Any, finding: int) -> Example:
        turns = [replace(turn, text=turn.text.replace("Answer", "Reply")) for turn in one.example.turns]
        return replace(one.example, turns=tuple(turns))


@pytest.fixture
def datasets(tmp_path: Path) -> Iterator[Datasets]:
    engine = connect(f"sqlite:///{(tmp_path / 'db.sqlite3').as_posix()}")
    yield Datasets(engine, History(engine))
    engine.dispose()


def rule() -> Counter:
    return RuleCounter("local:x", Rule.WORDS_OVER, ("The tokenizer is <not> here.", "El tokenizador no está."))


@pytest.fixture
def page(datasets: Datasets) -> DeskPage:
    return DeskPage(datasets, Marks(), rule)


@pytest.fixture(scope="module")
def counter(weights: Path) -> Counter:
    """The default model's own."""
    return Tokenizers(weights).counter()


class Desk:
    """A person at the desk: remembers where it is, as the browser does."""

    def __init__(self, page: DeskPage, datasets: Datasets, *examples: Example) -> None:
        self.page, self.datasets = page, datasets
        self.dataset = datasets.create("marv").id
        self.ids = datasets.add(self.dataset, examples).ids
        self.at: dict[str, Any] = {"dataset": self.dataset, "example": self.ids[0] if self.ids else 0}
        self.only: dict[str, Any] = {}

    def __call__(self, do: str, **fields: Any) -> dict[str, Any]:
        here = {"dataset": self.at["dataset"], "example": self.at["example"], "only": self.only}
        answer = self.page.answer({"do": do, **here, **fields}, EN)
        if answer.get("at"):
            self.at = answer["at"]
        return answer

    @property
    def example(self) -> Example:
        return self.datasets.example(self.at["example"]).example

    def write(self, place: str, turn: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        return self("write", place=place, turn=dict(turn), **{"of": self.at.get("of", ""), **more})


@pytest.fixture
def desk(page: DeskPage, datasets: Datasets) -> Desk:
    return Desk(page, datasets, *map(talk, range(4)))


# ── where one is ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_opens_at_the_first_and_goes_on_to_the_end(desk: Desk) -> None:
    first = desk("open", example=0, whole=True)
    assert set(first["parts"]) == {"example", "dataset", "choices", "progress"}
    assert "1 of 4" in first["parts"]["progress"]
    seen = [desk.at["example"]]
    while desk.at["after"]:
        desk("open", to="after")
        seen.append(desk.at["example"])
    assert tuple(seen) == desk.ids
    desk("open", to="after")
    assert desk.at["example"] == desk.ids[3]  # there it stays
    desk("open", example=desk.ids[2], to="before")
    assert desk.at["example"] == desk.ids[1]


def test_what_lies_ahead_is_what_the_next_step_shows(desk: Desk) -> None:
    desk("open", example=desk.ids[1])
    assert "2 of 4" in desk("progress")["parts"]["progress"]
    assert desk("ahead")["next"] == desk("open", to="after")
    desk("open", example=desk.ids[3])
    assert "next" not in desk("ahead")


def test_a_dataset_is_opened_by_its_name_too_and_a_wrong_one_is_a_sentence(desk: Desk, page: DeskPage) -> None:
    assert desk("open", dataset="marv", example=0)["at"]["dataset"] == desk.dataset
    assert "There is no dataset" in page.answer({"do": "open", "dataset": "nobody"}, EN)["error"]
    assert "No hay" in page.answer({"do": "open", "dataset": 99}, ES)["error"]


def test_an_example_that_is_gone_or_of_another_dataset_leads_to_the_first(desk: Desk, datasets: Datasets) -> None:
    other = datasets.create("other").id
    stranger = datasets.add(other, [talk(9)]).ids[0]
    assert "not here any more" in desk("open", example=999)["said"]
    assert desk.at["example"] == desk.ids[0]
    assert desk("open", example=stranger)["at"]["example"] == desk.ids[0]
    assert "another dataset" in desk("approve", example=stranger)["error"]
    assert datasets.example(stranger).status is Status.DRAFT


def test_empty_places_say_what_to_do(page: DeskPage, datasets: Datasets) -> None:
    assert "No datasets yet" in page.answer({"do": "choose"}, EN)["parts"]["example"]
    desk = Desk(page, datasets)
    assert "Nothing in this dataset yet" in desk("open")["parts"]["example"]
    assert "marv" in page.answer({"do": "choose"}, EN)["parts"]["example"]
    datasets.add(desk.dataset, [talk(1)])
    assert "No example passes" in desk("open", only={"search": "nowhere"})["parts"]["example"]
    assert (
        "Ningún ejemplo" in page.answer({"do": "open", "dataset": 1, "only": {"search": "x"}}, ES)["parts"]["example"]
    )


def test_progress_counts_under_the_filter(desk: Desk, datasets: Datasets) -> None:
    datasets.tag(desk.dataset, list(desk.ids[:3]), "some")
    datasets.set_status(desk.dataset, desk.ids[0], Status.APPROVED)
    datasets.set_status(desk.dataset, desk.ids[1], Status.DROPPED)
    html = desk("open", example=desk.ids[2], only={"tag": "some"}, whole=True)["parts"]["progress"]
    for words_ in ("3 of 3", "1 approved · 1 dropped · 1 to look at"):
        assert words_ in html
    html = desk("open", example=desk.ids[2], only={"tag": "some", "status": "draft"}, whole=True)["parts"]["progress"]
    assert "1 of 1" in html
    assert "1 approved · 1 dropped · 1 to look at" in html
    html = desk("progress", example=desk.ids[0], only={"status": "draft"})["parts"]["progress"]
    assert "Passes the filter no more; 2 do" in html


def test_the_filter_bar_offers_what_there_is_and_keeps_what_is_chosen(desk: Desk, datasets: Datasets) -> None:
    datasets.tag(desk.dataset, desk.ids[0], EVIL)
    html = desk("open", only={"tag": "gone", "origin": "import"}, whole=True)["parts"]["choices"]
    assert '<option value="gone" selected>' in html
    assert "More filters" in html
    assert "<script" not in html
    assert "To look at (4)" in html
    assert "Conversation (4)" in html


def test_the_clock_moves_when_anything_changes_and_only_then(desk: Desk, page: DeskPage, datasets: Datasets) -> None:
    first = page.answer({"do": "show", "stamp": ""}, EN)
    assert page.answer({"do": "show", "stamp": first["stamp"]}, EN) == {}
    opened = desk("open")
    assert f'data-clock="{opened["at"]["clock"]}"' in first["regions"]["clock"]
    datasets.set_status(desk.dataset, desk.ids[0], Status.APPROVED)
    assert page.answer({"do": "show", "stamp": first["stamp"]}, EN)["stamp"] != first["stamp"]


def test_a_deleted_chat_takes_its_example_off_the_desk(datasets: Datasets, page: DeskPage) -> None:
    history = History(datasets._engine)
    chat = history.create("A chat").id
    source = Source("chat", name="A chat", group=f"chat:{chat}", conversation=chat)
    desk = Desk(page, datasets, replace(talk(0), source=source), talk(1))
    stamp = page.answer({"do": "show", "stamp": ""}, EN)["stamp"]
    history.delete(chat)
    assert page.answer({"do": "show", "stamp": stamp}, EN) != {}
    assert desk("open")["at"]["example"] == desk.ids[1]


# ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("do", "status"), [("approve", Status.APPROVED), ("drop", Status.DROPPED)])
def test_a_decision_leads_on(desk: Desk, datasets: Datasets, do: str, status: Status) -> None:
    desk("open")
    for number in desk.ids:
        assert desk.at["example"] == number
        answer = desk(do)
        assert datasets.example(number).status is status
    assert "last one" in answer["said"]
    assert desk.at["example"] == desk.ids[-1]
    desk("reopen")
    assert datasets.example(desk.ids[-1]).status is Status.DRAFT


def test_among_drafts_one_goes_on_with_those_left_until_none_is(desk: Desk) -> None:
    desk.only = {"status": "draft"}
    desk("open", example=desk.ids[1])
    for at in (2, 3):
        desk("approve")
        assert desk.at["example"] == desk.ids[at]
    assert "from the first" in desk("approve")["said"]
    assert desk.at["example"] == desk.ids[0]
    answer = desk("drop")
    assert answer["at"]["example"] == 0
    assert "All looked at" in answer["parts"]["example"]
    assert "3 approved, 1 dropped" in answer["parts"]["example"]


def test_a_ranking_without_ranks_is_not_approved(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, RANKING)
    desk("open")
    assert "rank them first" in desk("approve")["error"]
    desk("rank", order=[[2], [0, 1]])
    assert [answer.rank for answer in desk.example.answers] == [2, 2, 1]
    assert len(list(pairs(desk.example))) == 2
    assert "error" not in desk("approve")


@pytest.mark.parametrize("order", [[[0]], [[0], [0], [1]], [[0], [1], [3]], [], [[0, 1, 2, 2]]])
def test_half_an_order_is_none(page: DeskPage, datasets: Datasets, order: Any) -> None:
    desk = Desk(page, datasets, RANKING)
    assert "needs its place once" in desk("rank", order=order)["error"]
    assert desk.example == RANKING


def test_the_better_answer_of_a_pair_stands_first(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, PAIR)
    html = desk("rank", order=[[1], [0]])["parts"]["example"]
    assert [answer.text for answer in desk.example.answers] == ["Dear Sir, hello.", "Hi."]
    assert html.index("chosen") < html.index("Dear Sir") < html.index("rejected") < html.index("Hi.")


def test_scores_are_read_as_people_type_them(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, SCORED)
    desk("score", dimension=" the  voice ", value="0,5")
    assert desk.example.answers[0].scores == {"like": 1.0, "the voice": 0.5}
    desk("score", dimension="like", value="4")
    desk("score", dimension="the voice", value="")
    assert desk.example.answers[0].scores == {"like": 4.0}
    for wrong in ("six", "-1", "5.5", "nan", "inf"):
        assert "from 0 to 5" in desk("score", dimension="like", value=wrong)["error"]
    assert desk.example.answers[0].scores == {"like": 4.0}


def test_tags_come_and_go_and_are_offered(desk: Desk) -> None:
    answer = desk("tag", tag="  good   one ")
    assert desk.example.tags == ("good one",)
    assert 'value="good one"' in answer["parts"]["choices"]
    assert "empty" in desk("tag", tag="  ")["error"]
    desk("tag", tag="good one", on=False)
    assert desk.example.tags == ()


def test_masks_belong_to_answers_of_conversations(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, LONG, PAIR)
    html = desk("mask", turn=2, learn=False)["parts"]["example"]
    assert html.count("not learned</span>") == 2
    assert [turn.learn for turn in desk.example.turns] == [True, True, False, True, False]
    assert "error" in desk("mask", turn=1, learn=False)
    assert "Only an answer of a conversation" in desk("mask", example=desk.ids[1], turn=0, learn=False)["error"]


def test_split_and_merge_undo_each_other(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, LONG, talk(1))
    desk("open")
    assert "second half" in desk("split", turn=3)["said"]
    assert [turn.text for turn in desk.example.turns] == ["Be brief.", "One?", "1"]
    assert len(datasets.ids(desk.dataset)) == 3
    assert "Merged" in desk("merge")["said"]
    assert desk.example.turns == LONG.turns
    assert desk.example.tags == LONG.tags
    assert "error" in desk("split", turn=2)
    assert "no next one" in desk("merge", example=desk.ids[1])["error"]


def test_a_finding_is_mended_unless_the_example_changed(desk: Desk) -> None:
    desk("open")
    stale = desk.at["of"]
    desk("mend", finding=0, of=stale)
    assert desk.example.turns[1].text == "Reply 0."
    assert "changed elsewhere" in desk("mend", finding=0, of=stale)["said"]


# ── undo ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_is_taken_back_one_by_one(page: DeskPage, datasets: Datasets) -> None:
    examples = [LONG, talk(1), RANKING, SCORED, CALLED]
    desk = Desk(page, datasets, *examples)
    before = [datasets.example(number) for number in datasets.ids(desk.dataset)]
    first, _, ranking, scored, called = desk.ids
    desk("open")
    for do, fields in (
        ("tag", {"tag": "new", "example": first}),
        ("mask", {"turn": 2, "learn": False, "example": first}),
        ("split", {"turn": 3, "example": first}),
        ("merge", {"example": first}),
        ("merge", {"example": first}),
        ("take", {"place": "turns.0", "example": first}),
        ("rank", {"order": [[1], [0], [2]], "example": ranking}),
        ("score", {"dimension": "voice", "value": "3", "example": scored}),
        ("write", {"place": "turns.3", "turn": {"text": "Twelve."}, "of": "", "keep": True, "example": called}),
        ("approve", {"example": called}),
        ("drop", {"example": scored}),
    ):
        assert "error" not in desk(do, **fields), do
    undone = []
    while (answer := desk("undo", example=first)).get("undone"):
        undone.append(answer["undone"])
    assert undone == [
        "drop", "approve", "pair", "edit", "score", "rank", "edit", "merge", "merge", "split", "mask", "tag",
    ]  # fmt: skip
    assert answer["ask"][0] == "Take the newest examples out again?"  # nothing of the desk's is left to undo
    now = [datasets.example(number) for number in datasets.ids(desk.dataset)]
    assert [(one.id, one.example, one.status) for one in now] == [(one.id, one.example, one.status) for one in before]
    assert desk("undo", sure=True)["undone"] == "add"
    assert desk("undo")["said"] == "There is nothing to undo."


# ── other words ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_kept_to_the_blank(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, LONG, TEXT)
    odd = "  two  blanks,\ta tab\n\n\nand an end \n"
    desk("open")
    answer = desk.write("turns.4", {"role": "assistant", "text": odd})
    assert answer["saved"]
    assert desk.example.turns[4] == Turn(A, odd, learn=False)  # still not learned
    assert desk.example.tags == LONG.tags
    desk("open", example=desk.ids[1])
    desk.write("text", {"text": f"{odd}more"})
    assert desk.example.text == f"{odd}more"


@pytest.mark.parametrize(
    ("old", "typed", "new"),
    [
        ("a\r\nb\r\n", "a\nb\n", "a\r\nb\r\n"),
        ("a\r\nb", "a\nb\nc", "a\r\nb\r\nc"),
        ("a\rb\nc\r\nd", "a\nb\nc\nd", "a\rb\nc\r\nd"),
        ("a\rb\nc\r\nd", "a\nb\nc\nd!", "a\nb\nc\nd!"),
        ("a\0b", "a\ufffdb", "a\0b"),
        ("\n\na", "\n\na", "\n\na"),
    ],
)
def test_line_ends_survive_a_browser(old: str, typed: str, new: str) -> None:
    assert restored(old, typed) == new
    assert restored(old, as_typed(old)) == old


@pytest.mark.parametrize(
    ("place", "turn", "field", "words_"),
    [
        ("turns.1", {"role": "user", "text": " \n"}, "text", "Nothing stands here"),
        ("turns.1", {"role": "system", "text": "x"}, "role", "stands first"),
        ("turns.9", {"role": "user", "text": "x"}, "", "not there any more"),
        ("answers.0.turns.0", {"role": "assistant", "text": "x"}, "", "not there any more"),
        ("text", {"text": ""}, "text", "Nothing stands here"),
        ("turns.2", {"text": "x", "calls": [{"name": " ", "arguments": "{}"}]}, "calls.0.name", "Which tool?"),
        ("turns.2", {"calls": [{"name": "c", "arguments": '{"a":\n1,}'}]}, "calls.0.arguments", "line 2, column 3"),
        ("turns.2", {"calls": [{"name": "c", "arguments": "[1]"}]}, "calls.0.arguments", "between braces"),
        ("turns.2", {"calls": [{"name": "c", "arguments": "[" * 99_999}]}, "calls.0.arguments", "too deeply"),
    ],
)
def test_a_problem_stands_beside_its_field_and_nothing_changes(
    page: DeskPage, datasets: Datasets, place: str, turn: dict[str, Any], field: str, words_: str
) -> None:
    desk = Desk(page, datasets, LONG)
    (problem,) = desk.write(place, turn)["problems"]
    assert problem["field"] == field
    assert words_ in problem["said"]
    assert desk.example == LONG


def test_arguments_a_model_wrote_wrongly_stay_until_they_are_touched(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, CALLED)
    call = {"name": "clock", "arguments": '{"zone": ', "id": "c1", "was": 0}
    desk.write("turns.1", {"text": "Let me look.", "calls": [call]})
    assert desk.example.turns[1] == Turn(A, "Let me look.", (Call("clock", '{"zone": ', "c1"),))
    desk("open")
    assert "problems" in desk.write("turns.1", {"calls": [{**call, "arguments": '{"zone": "'}]})
    more = {"name": "convert", "arguments": ""}
    desk.write("turns.1", {"calls": [{**call, "arguments": '{"zone": "UTC"}'}, more, more]})
    named = [(one.name, one.arguments, one.id) for one in desk.example.turns[1].calls]
    assert named == [
        ("clock", '{"zone": "UTC"}', "c1"), ("convert", "{}", "call_1"), ("convert", "{}", "call_2"),
    ]  # fmt: skip


def test_turns_come_go_and_change_their_role(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, talk(0))
    desk("open")
    desk.write("turns.0", {"role": "system", "text": "Be kind."}, new=True)
    desk.write("turns.3", {"role": "user", "text": "And then?"}, new=True)
    desk.write("turns.3", {"role": "assistant", "text": "Then nothing."})
    assert [(turn.role, turn.text) for turn in desk.example.turns] == [
        (S, "Be kind."), (U, "Question 0?"), (A, "Answer 0."), (A, "Then nothing."),
    ]  # fmt: skip
    desk("take", place="turns.3")
    desk("take", place="turns.0")
    assert desk.example == talk(0)
    assert "needs an answer" in desk("take", place="turns.1")["error"]
    assert "problems" in desk.write("turns.7", {"text": "x"}, new=True)
    assert "stands first" in desk.write("turns.2", {"role": "system", "text": "x"}, new=True)["problems"][0]["said"]


def test_a_new_turn_begins_as_the_one_that_is_missing() -> None:
    assert [changes.asked_first(CALLED, at).role for at in range(-1, 4)] == [S, A, T, A, U]
    assert changes.asked_first(CALLED, 1).call_id == "c1"


def test_an_edited_answer_beats_its_original(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, LONG)
    desk("open")
    answer = desk.write("turns.2", {"text": "One, of course."}, keep=True)
    assert "rejected answer of a pair" in answer["said"]
    assert desk.example.turns[2].text == "One, of course."
    pair = datasets.example(datasets.ids(desk.dataset)[-1])
    assert (pair.example.kind, pair.status) == (Kind.PREFERENCE, Status.DRAFT)
    assert pair.example.turns == LONG.turns[:2]
    assert [one.text for one in pair.example.answers] == ["One, of course.", "1"]
    assert pair.example.source == replace(LONG.source, how="edited")
    assert pair.example.chosen is not None
    assert pair.example.chosen.text == "One, of course."
    for place, turn in (("turns.2", {"text": " One, of course. "}), ("turns.1", {"role": "user", "text": "x"})):
        assert "problems" in desk.write(place, turn, keep=True, of="")
    assert len(datasets.ids(desk.dataset)) == 2


def test_nothing_is_overwritten_that_changed_elsewhere(desk: Desk, datasets: Datasets) -> None:
    desk("open")
    mine = desk.at["of"]
    datasets.edit(desk.ids[0], replace(talk(0), turns=(Turn(U, "Other?"), Turn(A, "Theirs."))))
    answer = desk.write("turns.1", {"text": "Mine."}, of=mine)
    assert set(answer) == {"conflict"}
    assert desk.example.turns[1].text == "Theirs."
    desk.write("turns.1", {"text": "Mine."}, of="")
    assert [turn.text for turn in desk.example.turns] == ["Other?", "Mine."]


def test_an_editor_left_alone_changes_nothing(page: DeskPage, datasets: Datasets) -> None:
    """Whatever stands in an example: opened, read back as a browser does, saved."""
    desk = Desk(page, datasets, *map(generated.example, range(60)))
    for number in desk.ids:
        before = datasets.example(number).example
        places = ["text"] if before.kind is Kind.TEXT else [f"turns.{at}" for at in range(len(before.turns))]
        places += [f"answers.{at}.turns.0" for at in range(len(before.answers))]
        for place in places:
            typed = _typed(desk("editor", example=number, place=place)["editor"])
            if typed.role is not T and not typed.text.strip() and not typed.calls:
                with pytest.raises(Wrong):
                    changes.written(before, place, typed)
            else:
                assert changes.written(before, place, typed) == before


class _Form(HTMLParser):
    """What a browser reads off the editor's fields, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._area: str | None = None
        self._template = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._template = self._template or tag == "template"
        if self._template:
            return
        if tag == "input":
            self.fields.append((given["data-field"], given["value"]))
        elif tag == "textarea":
            self.fields.append((given["data-field"], ""))
            self._area = ""
        elif tag == "option" and "selected" in given:
            self.fields.append(("role", given["value"]))

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._template = False
        if tag == "textarea" and self._area is not None:
            self.fields[-1] = (self.fields[-1][0], self._area.removeprefix("\n"))
            self._area = None


def _typed(html: str) -> Typed:
    form = _Form()
    form.feed(html)
    plain = {name: value for name, value in form.fields if not name.startswith("call-")}
    called = [(name.removeprefix("call-"), value) for name, value in form.fields if name.startswith("call-")]
    calls = [
        TypedCall(was=at, **dict(called[3 * at : 3 * at + 3])) for at in range(len(called) // 3)
    ]  # fmt: skip
    return Typed(**{"role": "assistant", **plain}, calls=tuple(calls))  # type: ignore[arg-type]


# ── as it is drawn ───────────────────────────────────────────────────────────────────────────────────────────────


class _Balanced(HTMLParser):
    """Every tag that opens closes, in order; nothing runs, nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "img", "iframe", "object", "style", "base"}
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"src", "srcdoc"}]
        for name, value in attrs:
            assert name != "href" or re.fullmatch(r"/\?c=\d+", value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def balanced(html: str) -> str:
    look = _Balanced()
    look.feed(html)
    look.close()
    assert look.open == []
    return html


HOSTILE = Source(
    "chat", name=EVIL, group="g", conversation=3, how=EVIL, persona=EVIL, model=EVIL, untrusted=(EVIL,), created_at=EVIL
)
EVILS = [
    conversation(
        Turn(S, EVIL),
        Turn(U, EVIL, name=EVIL),
        Turn(A, f"Answer {EVIL}", (Call(EVIL, EVIL, EVIL), Call(EVIL, f'{{"{EVIL[3:9]}": 1}}'))),
        Turn(T, EVIL, call_id=EVIL, name=EVIL),
        Turn(A, EVIL, learn=False),
        tags=(EVIL,),
        tools=({"type": "function", "function": {"name": EVIL, "description": EVIL}},),
        source=HOSTILE,
    ),
    preference((Turn(U, EVIL),), Answer((Turn(A, EVIL),)), Answer((Turn(A, f"{EVIL}2"),)), source=HOSTILE),
    Example(Kind.SCORE, (Turn(U, EVIL),), (Answer((Turn(A, EVIL),), scores={EVIL: 2.0}),), source=HOSTILE),
    Example(Kind.TEXT, text=EVIL, source=replace(HOSTILE, conversation=None, origin=EVIL, line=3)),
]


@pytest.mark.parametrize("say", [EN, ES])
def test_a_strangers_words_stay_words(datasets: Datasets, counter: Counter, say: Any) -> None:
    page = DeskPage(datasets, Marks(), lambda: counter)
    history = History(datasets._engine)
    assert [history.create("").id for _ in range(3)][-1] == HOSTILE.conversation
    dataset = datasets.create("x").id
    drawn = [page.shell(say), page.answer({"do": "choose"}, say)["parts"]["example"]]
    for example, number in zip(EVILS, datasets.add(dataset, EVILS).ids, strict=True):
        here = {"dataset": dataset, "example": number}
        for seen in (False, True):
            drawn += page.answer({"do": "open", "whole": True, "seen": seen, **here}, say)["parts"].values()
        places = ["text"] if example.kind is Kind.TEXT else [f"turns.{at}" for at in range(len(example.turns))]
        drawn += [page.answer({"do": "editor", "place": place, **here}, say)["editor"] for place in places]
    assert len(drawn) > 40
    for html in drawn:
        balanced(html)


def test_an_example_is_drawn_with_all_its_words(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, *map(generated.example, range(60)))
    for number in desk.ids:
        read = _Words()
        read.feed(balanced(desk("open", example=number)["parts"]["example"]))
        for text in desk.example.texts:
            assert text in read.text


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_marks_that_overlap_lose_no_letter() -> None:
    found = [
        Found("a", "A", "f", start=2, end=6),
        Found("b", "B", field="f", start=4, end=9),
        Found("c", "C", field="f", start=5, end=500),
        Found("d", "D", field="other", start=0, end=9),
        Found("e", "E", field="f"),
    ]
    html = turns_view.marked("0123456789<&", "f", found)
    read = _Words()
    read.feed(balanced(html))
    assert read.text == "0123456789<&"
    assert re.findall(r'data-findings="([\d ]+)"', html) == ["0", "0 1", "0 1 2", "1 2", "2"]
    assert turns_view.marked("", "f", found) == ""


def test_what_was_found_is_said_marked_and_can_be_mended(desk: Desk) -> None:
    html = desk("open")["parts"]["example"]
    assert '<mark data-findings="0"' in html
    assert 'data-do="mend" data-finding="0"' in html
    assert 'data-do="other" data-example="7"' in html
    assert "talks.jsonl, line 1" in html


@pytest.mark.parametrize(("say", "said"), [(EN, "An e-mail address: "), (ES, "Una dirección de correo: ")])
def test_what_the_review_finds_is_mended_on_the_desk(datasets: Datasets, say: Any, said: str) -> None:
    page = DeskPage(datasets, Cleaning(), rule)
    wrong = conversation(Turn(U, "Whom do I write to?"), Turn(A, "Write to ana@example.com, please."))
    desk = Desk(page, datasets, wrong)
    here = {"dataset": desk.dataset, "example": desk.ids[0]}
    opened = page.answer({"do": "open", "whole": True, **here}, say)
    assert f"{said}ana@example.com." in opened["parts"]["example"]
    assert "ana@example.com</mark>, please." in opened["parts"]["example"]
    mended = page.answer({"do": "mend", "finding": 0, "of": opened["at"]["of"], **here}, say)
    assert desk.example.turns[1].text == "Write to [EMAIL_1], please."
    assert "<mark" not in mended["parts"]["example"]
    assert page.answer({"do": "undo", **here}, say)["undone"] == "mend"
    assert desk.example == wrong


def test_what_the_review_of_a_whole_dataset_finds_leads_to_the_example_it_is_like(
    datasets: Datasets, counter: Counter, weights: Path
) -> None:
    said = "The lighthouse of the cape was lit for the first time in the year 1950, and its light is seen from afar."
    twins = [conversation(Turn(U, f"Tell me{mark}"), Turn(A, said)) for mark in (" all.", " all!!")]
    desk = Desk(DeskPage(datasets, Cleaning(), rule), datasets, *twins)
    for _ in data_review(datasets, Tokenizers(weights), name="marv"):
        pass
    pages = [desk("open", example=number, whole=True)["parts"] for number in desk.ids]
    led = [re.findall(r'data-do="other" data-example="(\d+)"', parts["example"]) for parts in pages]
    assert led in ([[], [str(desk.ids[0])]], [[str(desk.ids[1])], []])
    assert "Near duplicates (1)" in pages[0]["choices"]
    assert "tokens ·" in pages[0]["example"]


def test_a_missing_tokenizer_is_one_sentence(desk: Desk) -> None:
    html = desk("open", seen=True)["parts"]["example"]
    assert "The tokenizer is &lt;not&gt; here." in html
    assert "data-stop" not in html


@pytest.mark.parametrize(
    ("example", "learned"),
    [
        (LONG, ["1<|im_end|>"]),
        (PAIR, ["Hi.<|im_end|>", "Dear Sir, hello.<|im_end|>"]),
        (replace(PAIR, answers=PAIR.answers[::-1]), ["Hi.<|im_end|>", "Dear Sir, hello.<|im_end|>"]),
        (TEXT, ["  A lighthouse.\n\nSeen from afar.\t<|im_end|>"]),
    ],
)
def test_what_carries_loss_is_marked_token_by_token(
    datasets: Datasets, counter: Counter, example: Example, learned: list[str]
) -> None:
    page = DeskPage(datasets, Marks(), lambda: counter)
    html = Desk(page, datasets, example)("open", seen=True)["parts"]["example"]
    read = []
    for block in html.split('<div class="desk-tokens"')[1:]:
        found = re.findall(r'<i class="[a-z] l(?: t)?" title="[^"]*">([^<]*)</i>', block)
        read.append(unescape("".join(found)).replace("↵\n", "\n"))
    assert read == learned


def test_masking_an_answer_takes_its_tokens_out_of_the_loss(datasets: Datasets, counter: Counter) -> None:
    page = DeskPage(datasets, Marks(), lambda: counter)
    desk = Desk(page, datasets, conversation(Turn(U, "One?"), Turn(A, "It is one."), Turn(U, "Two?"), Turn(A, "Two.")))

    def learned(html: str) -> int:
        return len(re.findall(r'<i class="a l', html.partition("desk-tokens")[2]))

    whole = learned(desk("open", seen=True)["parts"]["example"])
    less = learned(desk("mask", turn=1, learn=False, seen=True)["parts"]["example"])
    assert 0 < less < whole


# ── the door and the words ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"do": "open"},
        {"do": "open", "dataset": -1},
        {"do": "open", "dataset": 1, "only": {"colour": "blue"}},
        {"do": "open", "dataset": 1, "to": "nowhere"},
        {"do": "erase", "dataset": 1, "example": 1},
        {"do": "editor", "dataset": 1, "example": 1, "place": "turns.-1"},
        {"do": "editor", "dataset": 1, "example": 1, "place": '"><script>'},
        {"do": "editor", "dataset": 1, "example": 1, "place": "turns.1\n"},
        {"do": "write", "dataset": 1, "example": 1, "place": "turns.0", "of": "", "turn": {"role": "god"}},
        {"do": "write", "dataset": 1, "example": 1, "place": "turns.0", "of": "", "turn": {"learn": False}},
        {"do": "mask", "dataset": 1, "example": 1, "turn": -1, "learn": True},
        {"do": "rank", "dataset": 1, "example": 1, "order": [["a"]]},
        {"do": "tag", "dataset": 1, "example": 1, "tag": "x" * 300},
        {"do": "undo", "dataset": 1, "more": 1},
        {"do": "approve", "dataset": 1, "example": 2**80},
    ],
)
def test_anything_else_is_refused_with_a_sentence(page: DeskPage, payload: Any) -> None:
    assert page.answer(payload, EN) == {"error": EN("bad_request")}


def test_every_word_and_every_action_is_there_in_both_languages(page: DeskPage, datasets: Datasets) -> None:
    desk = Desk(page, datasets, LONG, CALLED, PAIR, RANKING, SCORED, TEXT)
    drawn = [
        page.shell(EN),
        page.answer({"do": "choose"}, EN)["parts"]["example"],
        desk("open", only={"search": "zz"})["parts"]["example"],
    ]
    for number in desk.ids:
        answer = desk("open", example=number, whole=True, only={"origin": "hand"})
        drawn += answer["parts"].values()
        place = "text" if number == desk.ids[-1] else "turns.0"
        drawn.append(desk("editor", place=place)["editor"])
    drawn.append(desk("editor", example=desk.ids[0], place="turns.2")["editor"])
    scripts = "".join(path.read_text("utf-8") for path in sorted((TUNING / "static").glob("desk*.js")))
    table = scripts[scripts.index("desk.actions = {") : scripts.index("host.on(desk.actions)")]
    for action in set(re.findall(r'data-do="([a-z-]+)"', "".join(drawn))) - {"sidebar"}:
        assert re.search(rf'^    "?{action}"?: ', table, re.MULTILINE), action
    for key in set(re.findall(r"words\.(\w+)", scripts)):
        assert f"js_{key}" in EN.sentences, key
    own = [words(language, TUNING / "words").sentences for language in ("en", "es")]
    mine = [{key for key in sentences if "desk" in key} for sentences in own]
    assert mine[0] == mine[1]
    assert len(mine[0]) > 100
    for action in changes_keys():
        assert action in EN.sentences, action


def changes_keys() -> set[str]:
    """Words that are named in code only, never in a view that a test draws."""
    files = [*(TUNING / "pages" / "desk").glob("*.py"), *(TUNING / "pages" / "desk" / "views").glob("*.py")]
    return {key for path in files for key in re.findall(r'"(desk_[a-z_]+)"', path.read_text("utf-8"))}


def test_a_filter_is_the_datasets_own(page: DeskPage) -> None:
    """What another page hands over is what it filters by itself."""
    only = Filter(status=Status.APPROVED, tag="x", batch=3, longest=9)
    row = only.model_dump(mode="json", exclude_defaults=True)
    assert "There is no dataset" in page.answer({"do": "open", "dataset": 5, "only": row}, EN)["error"]
