"""The curation desk in a real browser, by keyboard alone: read, decided, edited, masked, tagged, ranked, split, merged,
and all of it taken back; two tabs and a lost connection take nothing that was typed; on a phone by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from knowledge.store.database import connect
from tests.browser.conftest import serving
from tuning.datasets import Datasets, Stored
from tuning.values import Answer, Call, Example, Kind, Role, Source, Turn, conversation, preference

pytestmark = pytest.mark.browser
S, U, A, T = Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL
LONG = conversation(
    Turn(S, "Marv answers reluctantly."),
    Turn(U, "Capital of France?"),
    Turn(A, "Paris,  as if nobody knew.\n"),
    Turn(U, "And of Spain?"),
    Turn(A, "Madrid. Write to marv@example.org for more."),
    source=Source("import", name="<b>marv</b>.jsonl", line=3, group="g:1"),
)
CALLED = conversation(
    Turn(U, "What time is it?"),
    Turn(A, "", (Call("clock", '{"zone": "UTC"}', "c1"),)),
    Turn(T, "noon", call_id="c1", name="clock"),
    Turn(A, "It is noon."),
)
PAIR = preference((Turn(U, "Hello?"),), Answer((Turn(A, "Hi."),)), Answer((Turn(A, "Dear Sir."),)))
RANKING = Example(
    Kind.RANKING, (Turn(U, "Say it."),), tuple(Answer((Turn(A, text),)) for text in ("one", "two", "three"))
)
SCORED = Example(Kind.SCORE, (Turn(U, "Who?"),), (Answer((Turn(A, "Leonardo."),), scores={"like": 1.0}),))
TEXT = Example(Kind.TEXT, text="A lighthouse.\n\nSeen from afar.")
ALL = (LONG, CALLED, PAIR, RANKING, SCORED, TEXT)
CUT = """() => [...document.querySelectorAll('.desk-page :is(button, input, select, textarea, p, b, li, .desk-text)')]
    .filter((e) => e.checkVisibility() && !e.closest('.desk-more') && e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.outerHTML.slice(0, 90))"""
DATASETS = {  # one for each test, made before the app owns the data folder
    "all": ALL,
    "keys": (LONG, CALLED),
    "place": ALL,
    "tabs": (CALLED,),
    "wrong": (CALLED, LONG),
    "seen": (LONG, PAIR),
    "drag": (RANKING,),
    "phone-light": ALL,
    "phone-dark": ALL,
    "chosen": (CALLED, PAIR),
}


@dataclass
class Drawer:
    """What the app has written of one dataset: read beside it, never written."""

    datasets: Datasets
    number: int

    @property
    def examples(self) -> list[Stored]:
        return list(self.datasets.every(self.number))

    def now(self) -> list[tuple[int, Example, str]]:
        return [(one.id, one.example, one.status.value) for one in self.examples]


@dataclass
class Site:
    url: str
    datasets: Datasets

    def of(self, name: str) -> Drawer:
        return Drawer(self.datasets, self.datasets.get(name).id)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Site]:
    """The app over a data folder of its own."""
    home = tmp_path_factory.mktemp("desk") / "home"
    home.mkdir()
    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    datasets = Datasets(engine)
    for name, examples in DATASETS.items():
        datasets.add(datasets.create(name).id, examples)
    with serving(home, AFINA_WEIGHTS=str(weights)) as url:
        yield Site(url, datasets)
    engine.dispose()


class Desk:
    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def at(self, n: int, of: int) -> None:
        expect(self.page.locator("[data-part=place]")).to_have_text(f"{n} of {of}")

    def status(self, status: str) -> None:
        expect(self.page.locator(".desk-example")).to_have_attribute("data-status", status)

    def shown(self, number: int) -> None:
        expect(self.page.locator(".desk-example")).to_have_attribute("data-example", str(number))

    def focus(self, place: str) -> None:
        """By the arrows alone."""
        for key in ("ArrowUp",) * 12 + ("ArrowDown",) * 12:
            if self.page.evaluate("document.activeElement.dataset.place") == place:
                return
            self.press(key)
        raise AssertionError(f"no arrow leads to {place}")

    def typed(self, text: str, *, save: str = "Control+Enter") -> None:
        area = self.page.locator(".desk-editor [data-field=text]")
        expect(area).to_be_focused()
        self.press("Control+a")
        self.page.keyboard.insert_text(text)
        self.press(save)
        expect(self.page.locator(".desk-editor")).to_have_count(0)


@contextmanager
def opened(chromium: Browser, site: Site, dataset: int | str, **options: object) -> Iterator[Desk]:
    options.setdefault("locale", "en-US")
    context = chromium.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    page.goto(f"{site.url}?view=desk&dataset={dataset}")
    page.wait_for_selector(".afina[data-ready=yes]")
    page.wait_for_selector(".desk-example")
    yield Desk(page)
    assert errors == []
    context.close()


def test_a_dataset_is_gone_through_and_everything_taken_back_by_keyboard_alone(site: Site, chromium: Browser) -> None:
    drawer = site.of("all")
    before = drawer.now()
    first, called, pair, ranking, scored, text = (one.id for one in drawer.examples)
    with opened(chromium, site, "all") as desk:
        page = desk.page
        desk.at(1, 6)

        desk.press("e")  # the last answer is where keys act
        desk.typed("Madrid.\n\n  Obviously. ", save="Control+Shift+Enter")  # and its original becomes a rejected answer
        expect(page.locator(".toast")).to_contain_text("rejected answer of a pair")
        desk.focus("turns.2")
        desk.press("m")
        expect(page.locator('[data-stop][data-place="turns.2"]')).to_have_attribute("data-masked", "")
        desk.press("t")
        page.keyboard.type("reluctant")
        desk.press("Enter", "Escape")
        expect(page.locator(".desk-tags .tag")).to_have_text("reluctant")
        desk.focus("turns.3")
        desk.press("s")
        expect(page.locator("[data-part=turns] .desk-turn")).to_have_count(3)
        desk.press("c")
        expect(page.locator("[data-part=turns] .desk-turn")).to_have_count(5)
        desk.press("a")
        desk.shown(called)

        desk.focus("turns.0")
        desk.press("i")
        desk.typed("Be brief.")
        expect(page.locator('[data-stop][data-place="turns.0"]')).to_have_attribute("data-role", "system")
        desk.focus("turns.4")
        desk.press("Delete")
        expect(page.locator("[data-part=turns] .desk-turn")).to_have_count(4)
        desk.press("x")
        desk.shown(pair)

        desk.press("2")
        expect(page.locator(".desk-answer").first).to_contain_text("Dear Sir.")
        desk.press("j")
        desk.shown(ranking)
        desk.press("a")
        expect(page.locator(".toast.bad")).to_contain_text("rank them first")
        desk.press("3", "1", "=", "2")
        expect(page.locator('.desk-answer[data-answer="2"]')).to_have_attribute("data-rank", "1")
        expect(page.locator('.desk-answer[data-answer="1"]')).to_have_attribute("data-rank", "2")
        desk.focus("answers.2.turns.0")
        desk.press("Alt+ArrowDown")
        expect(page.locator('.desk-answer[data-answer="2"]')).to_have_attribute("data-rank", "2")
        desk.press("a")
        desk.shown(scored)
        desk.press("0")
        expect(page.locator('[data-value="0"]')).to_have_attribute("aria-pressed", "true")
        desk.press("l", "4")
        expect(page.locator('[data-value="4"]')).to_have_attribute("aria-pressed", "true")
        desk.focus("score like")
        desk.press("5")
        expect(page.locator('[data-value="5"]')).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".desk-score")).to_be_focused()
        desk.press("n")
        desk.shown(text)
        desk.press("e")
        desk.typed("A lighthouse.\n\nSeen from very far.")

        done = {one.id: one for one in drawer.examples}
        assert done[first].example.turns[4].text == "Madrid.\n\n  Obviously. "
        assert done[first].example.turns[2] == Turn(A, "Paris,  as if nobody knew.\n", learn=False)
        assert done[first].example.tags == ("reluctant",)
        assert [one.status.value for one in done.values()] == [
            "approved",
            "dropped",
            "draft",
            "approved",
            "draft",
            "draft",
            "draft",
        ]
        assert [answer.rank for answer in done[ranking].example.answers] == [1, 3, 2]
        assert done[scored].example.answers[0].scores == {"like": 5.0}
        kept = drawer.examples[-1].example
        assert (kept.kind, kept.source.how) == (Kind.PREFERENCE, "edited")
        assert [answer.text for answer in kept.answers] == ["Madrid.\n\n  Obviously. ", LONG.turns[4].text]

        for what in (
            "edit", "score", "score", "score", "approved", "order", "order", "order", "dropped", "edit", "edit",
            "approved", "merge", "split", "tag", "mask", "pair", "edit",
        ):  # fmt: skip
            desk.press("u")
            expect(page.locator(".toast").last).to_contain_text(f"Undone: {what}.")
        desk.shown(first)
        assert drawer.now() == before
        desk.press("u")  # what is left is that the examples were added: asked about first
        expect(page.locator(".dialog[open]")).to_contain_text("Take the newest examples out again?")
        desk.press("Escape")
        assert drawer.now() == before


def test_no_key_fires_while_something_is_written_and_the_apps_keys_stay_its_own(site: Site, chromium: Browser) -> None:
    drawer = site.of("keys")
    before = drawer.now()
    with opened(chromium, site, "keys") as desk:
        page = desk.page
        desk.press("/")
        expect(page.locator("[name=search]")).to_be_focused()
        page.keyboard.type("axmrucs noon")
        expect(page.locator(".desk-nothing")).to_contain_text("No example passes")
        page.locator("[name=search]").fill("noon")
        expect(page.locator("[data-part=place]")).to_have_text("1 of 1")
        page.locator("[name=search]").fill("")
        desk.at(1, 2)
        desk.press("Escape", "?")
        expect(page.locator(".desk-help")).to_be_visible()
        desk.press("a", "Escape")
        expect(page.locator(".desk-help")).to_be_hidden()
        desk.press("e")
        expect(page.locator(".desk-editor [data-field=text]")).to_be_focused()
        page.keyboard.type("axuj")
        desk.press("Escape")
        assert drawer.now() == before
        desk.press("g", "p")  # to the personas, not to the example before
        expect(page.locator(".personas-page")).to_be_visible()
        desk.press("a", "x", "j")
        desk.press("g", "c")
        expect(page.locator(".desk-page")).to_be_visible()
        desk.at(1, 2)
        assert drawer.now() == before


def test_a_reload_keeps_the_place_the_filter_and_what_was_being_typed(site: Site, chromium: Browser) -> None:
    drawer = site.of("place")
    with opened(chromium, site, "place") as desk:
        page = desk.page
        page.select_option("[data-filter=kind]", "conversation")
        desk.at(1, 2)
        desk.press("j")
        desk.at(2, 2)
        assert re.search(rf"view=desk&dataset={drawer.number}&example=\d+$", page.url)
        desk.press("e")
        expect(page.locator(".desk-editor [data-field=text]")).to_be_focused()
        page.keyboard.type(" And what  of it?")
        page.reload()
        expect(page.locator(".toast")).to_contain_text("What you were writing is here again.")
        expect(page.locator(".desk-editor [data-field=text]")).to_have_value("It is noon. And what  of it?")
        desk.press("Control+Enter")
        expect(page.locator(".desk-editor")).to_have_count(0)
        assert drawer.examples[1].example.turns[-1].text == "It is noon. And what  of it?"
        desk.at(2, 2)
        page.reload()
        expect(page.locator(".desk-example")).to_contain_text("And what  of it?")
        assert page.locator(".desk-editor").count() == 0


def test_neither_another_tab_nor_a_lost_connection_takes_what_was_typed(site: Site, chromium: Browser) -> None:
    drawer = site.of("tabs")
    with opened(chromium, site, "tabs") as desk, opened(chromium, site, "tabs") as other:
        page = desk.page
        desk.press("e")
        area = page.locator(".desk-editor [data-field=text]")
        expect(area).to_be_focused()
        page.keyboard.type(" Mine.")
        other.press("e")
        other.typed("Theirs.")
        expect(page.locator(".desk-conflict")).to_contain_text("changed elsewhere")
        expect(area).to_have_value("It is noon. Mine.")
        desk.press("Control+Enter")
        page.wait_for_timeout(300)
        assert drawer.examples[0].example.turns[-1].text == "Theirs."

        page.context.set_offline(True)
        page.click("[data-do=save-anyway]")
        expect(page.locator(".desk-editor .state.bad").last).to_contain_text("kept here")
        expect(area).to_have_value("It is noon. Mine.")
        page.context.set_offline(False)
        page.click("[data-do=save-anyway]")
        expect(page.locator(".desk-editor")).to_have_count(0)
        assert drawer.examples[0].example.turns[-1].text == "It is noon. Mine."
        expect(other.page.locator('[data-stop][data-place="turns.3"]')).to_contain_text(
            "It is noon. Mine."
        )  # without a reload


def test_wrong_arguments_are_said_beside_their_field_and_what_was_found_is_mended(
    site: Site, chromium: Browser
) -> None:
    with opened(chromium, site, "wrong") as desk:
        page = desk.page
        desk.focus("turns.1")
        desk.press("e")
        arguments = page.locator("[data-field=call-arguments]")
        expect(arguments).to_be_visible()
        arguments.fill('{"zone": ')
        desk.press("Control+Enter")
        expect(page.locator("[data-problem=call-arguments]").first).to_contain_text("not JSON")
        expect(arguments).to_be_focused()
        arguments.fill('{"zone": "CET"}')
        desk.press("Control+Enter")
        expect(page.locator(".desk-call")).to_contain_text('"zone": "CET"')
        desk.press("j")
        expect(page.locator(".desk-source")).to_have_text("From <b>marv</b>.jsonl, line 3")
        expect(page.locator("mark")).to_have_text("marv@example.org")
        page.click(".desk-findings [data-do=mend]")
        expect(page.locator('[data-stop][data-place="turns.4"]')).to_contain_text("[EMAIL_1]")


def test_as_the_model_sees_it_a_mask_takes_the_loss_away(site: Site, chromium: Browser) -> None:
    with opened(chromium, site, "seen") as desk:
        page = desk.page
        desk.press("v")
        learned = page.locator(".desk-tokens .l")
        expect(page.locator(".desk-seen")).to_contain_text("of them learned")
        whole = learned.count()
        assert "".join(learned.all_text_contents()).startswith("Paris,  as if nobody knew.↵\n<|im_end|>")
        desk.press("ArrowUp", "ArrowUp", "ArrowUp")
        desk.focus("turns.2")
        desk.press("m")
        expect(page.locator('.desk-tokens [data-stop][data-place="turns.2"]')).to_have_attribute("data-masked", "")
        assert 0 < learned.count() < whole
        desk.press("j")
        expect(page.locator(".desk-tokens")).to_have_count(2)
        expect(page.locator(".desk-tokens").nth(1)).to_contain_text("the same prompt")
        desk.press("v")
        expect(page.locator(".desk-answers")).to_be_visible()


def test_answers_are_dragged_by_mouse(site: Site, chromium: Browser) -> None:
    drawer = site.of("drag")
    with opened(chromium, site, "drag") as desk:
        page = desk.page
        grip = page.locator('.desk-answer[data-answer="2"] [data-grip]')
        grip.hover()
        page.mouse.down()
        target = page.locator('.desk-answer[data-answer="0"]').bounding_box()
        assert target
        page.mouse.move(target["x"] + 30, target["y"] + 30, steps=8)
        page.mouse.up()
        expect(page.locator('.desk-answer[data-answer="2"]')).to_have_attribute("data-rank", "1")
        assert [answer.rank for answer in drawer.examples[0].example.answers] == [2, 3, 1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_in_spanish_it_is_gone_through_by_hand_and_nothing_is_cut_off(
    site: Site, chromium: Browser, scheme: str
) -> None:
    drawer = site.of(f"phone-{scheme}")
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True, "locale": "es-ES"}
    with opened(chromium, site, f"phone-{scheme}", color_scheme=scheme, **phone) as desk:
        page = desk.page
        for one in drawer.examples:
            desk.shown(one.id)
            for place in ("turns", "editor", "tokens"):
                if place == "editor":
                    page.tap(".desk-more [data-do=edit]")
                    page.wait_for_selector(".desk-editor")
                if place == "tokens":
                    page.tap(".desk-editor [data-do=cancel]")
                    page.tap(".desk-more [data-do=seen]")
                    page.wait_for_selector(".desk-seen")
                assert page.evaluate(CUT) == []
            page.tap(".desk-more [data-do=seen]")
            page.wait_for_selector(".desk-seen", state="detached")
            if one.example.kind is Kind.RANKING:
                page.tap('.desk-answer[data-answer="1"] [data-do=rise]')
                expect(page.locator('.desk-answer[data-answer="1"]')).to_have_attribute("data-rank", "1")
            page.tap(".desk-main [data-do=approve]")
        expect(page.locator(".toast").last).to_contain_text("Era el último")
        assert {one.status.value for one in drawer.examples} == {"approved"}


def test_with_no_dataset_named_one_is_chosen_and_another_page_may_name_it(site: Site, chromium: Browser) -> None:
    drawer = site.of("chosen")
    with opened(chromium, site, "chosen") as desk:
        page = desk.page
        page.evaluate("sessionStorage.clear()")
        page.goto(f"{site.url}?view=desk")
        page.click(".desk-choice:has-text('chosen')")
        desk.at(1, 2)
        page.goto(site.url)
        page.wait_for_selector(".afina[data-ready=yes]")
        pair = drawer.examples[1].id
        page.evaluate(
            "(place) => sessionStorage.setItem('afina-desk', JSON.stringify(place))",
            {"dataset": drawer.number, "example": pair, "filter": {"kind": "preference"}},
        )
        page.click('.nav-item[data-view="desk"]')
        desk.shown(pair)
        desk.at(1, 1)
        assert len(drawer.examples) == 2
