"""The training page, as its script calls it: what a job's folder holds is what is seen, and nothing in it is HTML."""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from assistant.chat_page.wording import words_in
from assistant.service.settings import Settings
from tests.tuning.training_jobs import marv
from tuning.commands.tune import settings_of as session_settings
from tuning.datasets import Status as Approval
from tuning.datasets import Version
from tuning.evaluation.values import Answered
from tuning.jobs import Job, Jobs, evaluating
from tuning.jobs.evaluating import Plan
from tuning.pages.training.doors import Form
from tuning.pages.training.estimating import Estimating
from tuning.pages.training.form import deciding
from tuning.pages.training.page import TrainingPage, training_page
from tuning.pages.training.views import evaluation_view, form_view, run
from tuning.pages.training.views.compare_view import differing
from tuning.pages.work import Job as Working
from tuning.pages.work import Work
from tuning.parts import Parts
from tuning.training import recipes
from tuning.training.engine import guard
from tuning.training.folder import ADAPTER, LOG, Folder, Status
from tuning.training.settings import read as settings_read

WORDS = Path(__file__).parents[2] / "tuning" / "words"
EVIL = '"><img src=x onerror=alert(1)></textarea></pre></svg><script>1</script>'
ASKED = {"prompt": "What is the capital of France?", "system": ""}
Ask = Callable[..., dict[str, Any]]


class Waiting(Jobs):
    """Jobs that nobody begins: their folders are written by the tests."""

    def look(self) -> None:
        pass


class Tags(HTMLParser):
    """Which tags and attributes there are."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}


@pytest.fixture
def parts(tmp_path: Path, weights: Path) -> Iterator[Parts]:
    home = tmp_path / "home"
    home.mkdir()
    parts = Parts(Settings(home=home, weights=weights, _env_file=None))  # type: ignore[call-arg]
    parts.adopt("jobs", Waiting(parts.datasets, parts.home, parts.weights))
    yield parts
    parts.close()


@pytest.fixture
def version(parts: Parts) -> Version:
    number = parts.datasets.create("marv").id
    parts.datasets.add(number, marv(20), status=Approval.APPROVED)
    return parts.datasets.freeze(number)


@pytest.fixture
def page(parts: Parts) -> Iterator[TrainingPage]:
    page = training_page(parts)
    yield page
    page.close()


@pytest.fixture
def ask(page: TrainingPage) -> Ask:
    def ask(do: str, language: str = "en", **more: Any) -> dict[str, Any]:
        return page.answer({"do": do, **more}, words_in(language, WORDS))

    return ask


def learned(job: Job, *, steps: int = 40, falls: bool = True, answer: str = "Paris, obviously.") -> Folder:
    """As a process writes it."""
    folder = Folder(job.place)
    for step in range(0, steps + 1, 20):
        shown = 3.0 - step / 40 if falls else 3.0 + step / 40
        folder.measured(step=step, eval_loss=shown, seconds=step * 2.0)
        folder.measured(step=step, samples=[{**ASKED, "text": answer if step else "It is Paris."}])
        for at in range(step + 1, min(step + 20, steps) + 1):
            folder.measured(
                step=at, loss=3.0 - at / 40, learning_rate=0.001, tokens_per_second=310.5, memory_bytes=912_000_000
            )
    folder.say(status=Status.DONE, step=steps, steps=steps, seconds=steps * 2.0, best_step=steps, best_loss=2.0)
    return folder


def body(answer: dict[str, Any]) -> str:
    assert "error" not in answer, answer
    return str(answer["regions"]["body"])


# ── what is asked before it starts ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "payload",
    [
        {"do": "start"},
        {"do": "start", "form": {"data": "1; drop", "recipe": "lora"}},
        {"do": "start", "form": {"data": "1:1", "recipe": "lora", "weights": "/elsewhere"}},
        {"do": "publish", "job": "one", "persona": "x"},
        {"do": "remove", "job": -1},
        {"do": "show", "at": {"job": 1, "folder": "/"}},
        {"do": "watch"},
        None,
    ],
)
def test_what_is_not_known_is_refused(page: TrainingPage, payload: Any) -> None:
    assert set(page.answer(payload, words_in("en", WORDS))) == {"error"}


@pytest.mark.parametrize("language", ["en", "es"])
def test_with_nothing_to_learn_from_it_leads_to_the_datasets(ask: Ask, language: str) -> None:
    shown = body(ask("show", language))
    assert 'data-view="datasets"' in shown
    assert "<form" not in shown


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_recipe_is_offered_with_a_sentence(ask: Ask, version: Version, language: str) -> None:
    shown, say = body(ask("show", language)), words_in(language, WORDS)
    for name in recipes.names():
        assert f'value="{name}"' in shown
        assert escape(say(f"training_recipe_{name}_about")) in shown
    for status in Status:
        assert say(f"training_status_{status}")
    train, held = (version.card["split"][side] for side in ("train", "validation"))
    assert f'value="{version.dataset}:1"' in shown
    assert all(str(n) in shown for n in (train, held))


def test_a_job_starts_with_what_the_form_says_and_is_asked_as_its_rows_ask(
    ask: Ask, parts: Parts, version: Version
) -> None:
    form = {
        "data": f"{version.dataset}:1", "recipe": "lora", "name": "mine", "epochs": 2, "learning_rate": "0,002",
        "minutes": 5, "every": 10, "samples": "What?\n\n  Who?  \nWhat?",
    }  # fmt: skip
    answer = ask("start", form=form)
    job = parts.jobs.get(answer["go"]["job"])
    assert job.name == "mine"
    assert job.dataset == version.label
    assert (job.settings["epochs"], job.settings["learning_rate"], job.settings["time_cap"]) == (2, 0.002, 300)
    assert [one["prompt"] for one in job.settings["samples"]] == ["What?", "Who?"]
    assert {one["system"] for one in job.settings["samples"]} == {marv(1)[0].system}
    assert "mine" in ask("show", at={"job": job.id})["regions"]["head"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"learning_rate": "quick"}, "no learning rate"),
        ({"learning_rate": "99"}, "cannot be used"),
        ({"base": "openai:gpt-4o"}, "cannot be tuned on this machine"),
        ({"recipe": "magic"}, "no recipe magic"),
        ({"recipe": "distil"}, "teacher"),
        ({"data": "999:1"}, "no dataset"),
    ],
)
def test_what_cannot_start_is_one_sentence(
    ask: Ask, parts: Parts, version: Version, wrong: dict[str, Any], told: str
) -> None:
    form = {"data": f"{version.dataset}:1", "recipe": "lora", **wrong}
    english, spanish = ask("start", form=form)["error"], ask("start", "es", form=form)["error"]
    assert told in english
    assert spanish != english
    assert parts.jobs.all() == []


def test_the_start_button_says_how_long(parts: Parts, version: Version) -> None:
    say = words_in("en", WORDS)
    offers = form_view.Offers(
        [(parts.datasets.get(version.dataset), [version])], {"lora": {"epochs": 4}}, [], "local:x"
    )
    row: dict[str, Any] = {"rows": 66, "batch": 8, "steps": 36, "tokens": 6600, "seconds": 240.0, "memory_bytes": 10**9}
    row |= {"measured_steps": 4, "measured_rows": 8, "tokens_per_second": 200.0, "precision": EVIL, "price": 0.0}
    done = Working(1, "estimate", 0, {"form": {"data": EVIL}}, "done", row)
    shown = form_view.form(offers, done, say)
    assert "Start: about 4 minutes" in shown
    assert "money: it runs here" in shown
    assert not Tags(shown).seen & {"script", "img", "onerror"}
    assert "Start: about" not in form_view.form(offers, None, say)


def test_an_estimate_that_fails_says_why_and_a_start_is_still_offered(
    ask: Ask, page: TrainingPage, version: Version
) -> None:
    form = {"data": f"{version.dataset}:1", "recipe": "lora", "base": "hf:/nowhere/at/all"}
    for wrong, told in ((form, "nowhere"), ({**form, "learning_rate": "quick"}, "no learning rate")):
        shown = body(ask("estimate", form=wrong))
        while any(one.running for one in page.work.of(0)):
            time.sleep(0.02)
        shown = body(ask("show"))
        assert 'class="state bad fresh"' in shown
        assert told in shown
        assert '<button class="button primary">Start</button>' in shown


def test_another_form_cancels_what_is_measured_and_the_same_one_does_not(parts: Parts) -> None:
    begun, ended = list[str](), list[str]()

    def run(verb: str, asked: Mapping[str, Any], stop: threading.Event, language: str) -> Iterator[dict[str, Any]]:
        begun.append(asked["recipe"])
        yield {"done": 0, "of": 0, "what": "measure"}
        if asked["recipe"] == "slow":
            stop.wait(20)
            ended.append(asked["recipe"])
            return
        yield {"seconds": 1.0, "enough_memory": False, "enough_disk": True}

    work = Work()
    estimating = Estimating(work, run, lambda form: {"recipe": form.recipe})
    slow, quick = Form(data="1:1", recipe="slow"), Form(data="1:1", recipe="quick")
    for form in (slow, slow, quick, quick, quick.model_copy(update={"name": "another name"})):
        estimating.start(form, "en")
    work.close()
    assert (begun, ended) == (["slow", "quick"], ["slow"])
    assert estimating.against(slow) is None
    assert estimating.against(quick) == {"seconds": 1.0, "enough_memory": False, "enough_disk": True}


def test_a_machine_that_is_too_small_is_a_question_and_no_hindrance(
    ask: Ask, page: TrainingPage, parts: Parts, version: Version
) -> None:
    form = Form(data=f"{version.dataset}:1", recipe="lora")
    row = {"enough_memory": False, "enough_disk": True, "memory_bytes": 9 * 10**9, "memory_free": 2 * 10**9}
    page.work.start("estimate", 0, lambda _: iter([row]), about={"form": deciding(form)})
    while any(one.running for one in page.work.of(0)):
        time.sleep(0.02)
    asked = form.model_dump(exclude_defaults=True)
    english, spanish = (ask("start", language, form=asked)["refused"] for language in ("en", "es"))
    assert "9.0 GB are needed" in english
    assert "9,0 GB" in spanish
    assert parts.jobs.all() == []
    assert ask("start", form=asked, anyway=True)["go"] == {"job": 1}
    assert "go" in ask("start", form={**asked, "epochs": 1})  # what was not measured is not held against it


def test_where_the_disk_refuses_nothing_is_begun(ask: Ask, parts: Parts, version: Version) -> None:
    (parts.home / "jobs").write_text("a file where the folder should be")
    form = {"data": f"{version.dataset}:1", "recipe": "lora"}
    english, spanish = (ask("start", language, form=form)["error"] for language in ("en", "es"))
    assert "free space" in english
    assert "espacio libre" in spanish
    assert parts.jobs.all() == []
    assert parts.datasets.version_of(version.dataset, 1).fingerprint == version.fingerprint


@pytest.mark.parametrize("language", ["en", "es"])
def test_few_rows_are_said_before_they_are_learned_by_heart(version: Version, parts: Parts, language: str) -> None:
    say = words_in(language, WORDS)
    offers = form_view.Offers([(parts.datasets.get(version.dataset), [version])], {"lora": {}}, [], "local:x")
    row = {"rows": 3, "held": 0, "empty": 2, "batch": 8, "steps": 4, "seconds": 4.0, "capped": True}
    shown = form_view.form(offers, Working(1, "estimate", 0, {"form": {}}, "done", row), say)
    for key in ("training_few", "training_none_held", "training_empty", "training_capped"):
        assert escape(say.sentences[key].split("{n}")[-1]) in shown
    more = form_view.form(offers, Working(1, "estimate", 0, {"form": {}}, "done", {**row, "rows": 50, "held": 5}), say)
    assert escape(say.sentences["training_few"].split("{n}")[-1]) not in more


# ── what is seen of it ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_is_measured_is_seen_and_drawn_again_only_when_there_is_more(
    ask: Ask, parts: Parts, version: Version, language: str
) -> None:
    job = parts.jobs.start(version, name="first")
    waits = ask("show", language, at={"job": job.id})
    assert words_in(language, WORDS)("training_waits") in body(waits)
    folder = Folder(job.place)
    folder.say(status=Status.RUNNING, step=10, steps=40, seconds=20.0, seconds_left=60.0)
    folder.measured(step=10, loss=2.5, learning_rate=0.001, tokens_per_second=310.5, memory_bytes=912_000_000)
    answer = ask("show", language, at={"job": job.id}, stamp=waits["stamp"])
    shown = body(answer)
    assert answer["busy"] is True
    assert 'value="0.250"' in shown
    assert words_in(language, WORDS).number(2.5, 3) in shown
    assert ask("show", language, at={"job": job.id}, stamp=answer["stamp"]) == {}
    folder.measured(step=10, samples=[{**ASKED, "text": "It is Paris."}])
    assert "It is Paris." in body(ask("show", language, at={"job": job.id}, stamp=answer["stamp"]))


def test_before_and_after_stand_side_by_side(ask: Ask, parts: Parts, version: Version) -> None:
    job = parts.jobs.start(version)
    learned(job)
    shown = body(ask("show", at={"job": job.id}))
    pairs = re.search(r'<ul class="pairs">.*?</ul>', shown, re.S)
    assert pairs
    assert pairs[0].index("It is Paris.") < pairs[0].index("Paris, obviously.")
    assert shown.count("<svg class='plot'") == 4
    assert "afina tune start --data marv --version 1 --method lora" in shown
    assert "fell from 3.000 to 2.000" in shown


def test_the_command_that_is_shown_makes_the_same_run(parts: Parts, version: Version) -> None:
    said = {"epochs": 2, "lora": {"r": 4, "alpha": 8}, "samples": [{"prompt": 'Who\'s "there"?', "system": ""}]}
    job = parts.jobs.start(version, said=said)
    known = parts.jobs.settings("lora", {}).model_dump(mode="json")
    words = shlex.split(job.again(known))
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert {name: given[name] for name in ("--data", "--version", "--method", "--base")} == {
        "--data": "marv", "--version": "1", "--method": "lora", "--base": job.base,
    }  # fmt: skip
    again = session_settings([value for name, value in zip(words[3::2], words[4::2], strict=True) if name == "--set"])
    assert parts.jobs.settings("lora", {**again, "base": job.base}).model_dump(mode="json") == dict(job.settings)
    assert set(again) == {"epochs", "lora", "samples"}


def test_nothing_of_a_job_is_html(ask: Ask, parts: Parts, version: Version) -> None:
    one, other = (
        parts.jobs.start(version, name=EVIL[:80], said={"base": f"hf:{EVIL}{n}", "samples": []}) for n in "ab"
    )
    for job in (one, other):
        folder = learned(job, answer=EVIL)
        folder.measured(step=40, samples=[{"prompt": EVIL, "system": EVIL, "text": EVIL}])
        folder.file(LOG).write_text(EVIL, encoding="utf-8")
        folder.say(status=Status.FAILED, reason={"en": EVIL, "es": EVIL})
        folder.file(ADAPTER).mkdir()
        evaluated(job, EVIL, EVIL)
    for at in ({}, {"job": one.id}, {"job": one.id, "against": other.id}, {"new": True}):
        html = "".join(ask("show", at=at)["regions"].values())
        assert not Tags(html).seen & {"script", "img", "onerror"}
    assert "&lt;script&gt;" in html or at == {"new": True}


def test_metrics_that_are_no_numbers_are_left_out(parts: Parts, version: Version, ask: Ask) -> None:
    job = parts.jobs.start(version)
    rows = (
        '{"step": 1, "loss": NaN}',
        '{"step": 2, "loss": "low"}',
        '{"step": 3, "loss": 2.0}',
        '{"step": 3, "samples": 7}',
    )
    Folder(job.place).file("metrics.jsonl").write_text("\n".join((*rows, '{"st')))
    shown = run.read(job)
    assert [point for point in shown.points("loss") if point[1] == point[1]] == [(3.0, 2.0)]
    assert shown.answers == []
    assert "<svg" in body(ask("show", at={"job": job.id}))


def test_two_runs_tell_the_settings_that_differ(ask: Ask, parts: Parts, version: Version) -> None:
    one = parts.jobs.start(version, name="one")
    other = parts.jobs.start(version, name="other", said={"lora": {"r": 4, "alpha": 8}, "samples": [ASKED]})
    learned(one), learned(other, answer="Paris. Next.")
    assert differing(run.read(one), run.read(other)) == [("lora.alpha", "32", "8"), ("lora.r", "16", "4")]
    shown = body(ask("show", at={"job": one.id, "against": other.id}))
    assert shown.count("<polyline") == 3 + 2 * 1 + 4
    assert "Paris. Next." in shown
    assert "lora.r" not in body(ask("show", at={"job": one.id}))


# ── evaluation ───────────────────────────────────────────────────────────────────────────────────────────────────────


def answers_of(part: str, texts: Iterable[str], right: str = "Paris, as everybody knows.") -> list[Answered]:
    return [Answered(f"{part}-{at}", f"{part} question {at}?", (right,), text) for at, text in enumerate(texts)]


def evaluated(job: Job, before: str, after: str, many: int = 24, metrics: tuple[str, ...] = ("rouge1", "chrf")) -> Plan:
    """As an evaluation leaves it: answers that were all `before` and are all `after` now."""
    plan, found = Plan(metrics=metrics), dict[tuple[str, str], list[Answered]]()
    for part in plan.parts:
        for side, text in (("before", before), ("after", after)):
            found[part, side] = answers_of(part, [f"{text} {at}" for at in range(many)])
    place = job.place / "evaluation"
    place.mkdir()
    (place / "plan.json").write_text(plan.model_dump_json())
    (place / "report.json").write_text(json.dumps(evaluating.summed(plan, found)))
    return plan


@pytest.mark.parametrize("language", ["en", "es"])
def test_an_evaluation_tells_verdicts_intervals_and_each_answer(
    ask: Ask, parts: Parts, version: Version, language: str
) -> None:
    job, say = parts.jobs.start(version), words_in(language, WORDS)
    learned(job).file(ADAPTER).mkdir()
    assert say("training_eval_start") in body(ask("show", language, at={"job": job.id}))
    evaluated(job, "It is a town.", "Paris, as everybody knows, my friend.")
    shown = body(ask("show", language, at={"job": job.id}))
    part = shown[shown.index('data-key="evaluation"') : shown.index('data-key="publish"')]
    assert part.count(f">{say('training_eval_better')}<") >= 2
    assert part.count("<svg class='plot'") == 2
    assert part.count("<li>") == 2 * 2 + 10  # few of each kind where it learned, a page of all
    assert "unseen question" in part
    assert say("training_eval_page", page=say.number(1), pages=say.number(3)) in part
    last = body(ask("show", language, at={"job": job.id, "page": 99, "part": "general", "by": "contained"}))
    assert say("training_eval_page", page=say.number(3), pages=say.number(3)) in last
    assert "general question" in last
    assert "<li" not in evaluation_view.evaluation(evaluation_view.Evaluated(job.id), say)


def test_answers_are_sorted_by_the_change_of_the_metric_that_is_chosen(
    ask: Ask, parts: Parts, version: Version
) -> None:
    job = parts.jobs.start(version)
    learned(job).file(ADAPTER).mkdir()
    evaluated(job, "Rome.", "Paris.", many=3)
    report = evaluating.report(job)
    assert report is not None
    rows = report["parts"]["unseen"]["rows"]
    for row, chrf, rouge in zip(rows, (0.1, 0.9, 0.5), (0.9, 0.1, 0.5), strict=True):
        row["scores"] = {"chrf": [0.0, chrf], "rouge1": [0.0, rouge]}
    (job.place / "evaluation" / "report.json").write_text(json.dumps(report))
    for by, order in (("chrf", (1, 2, 0)), ("rouge1", (0, 2, 1))):
        shown = body(ask("show", at={"job": job.id, "by": by}))
        listed = shown[shown.index('<ol class="pairs"') :]
        places = [listed.index(escape(rows[at]["prompt"])) for at in order]
        assert places == sorted(places)


def test_an_evaluation_that_did_not_end_goes_on_as_it_was_asked(
    ask: Ask, page: TrainingPage, parts: Parts, version: Version
) -> None:
    job = parts.jobs.start(version)
    learned(job).file(ADAPTER).mkdir()
    place = job.place / "evaluation"
    place.mkdir()
    (place / "plan.json").write_text(Plan(metrics=("bleu",), most=3, parts=("unseen",)).model_dump_json())
    assert 'data-do="go-on"' in body(ask("show", at={"job": job.id}))
    ask("evaluate", job=job.id, go_on=True, at={"job": job.id})
    while any(one.running for one in page.work.of(job.id)):
        time.sleep(0.02)
    (work,) = page.work.of(job.id)
    assert work.state == "failed"  # there is no weight in the adapter's folder
    shown = body(ask("show", at={"job": job.id}))
    assert 'class="state bad" role="alert"' in shown
    assert Plan.model_validate_json((place / "plan.json").read_bytes()).most == 3
    assert parts.jobs.get(job.id).state.status is Status.DONE


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"metrics": ["love"]}, "no metric"),
        ({"checks": "max_words:no"}, "number above 0"),
        ({"tokens": 9000}, "tokens"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    ask: Ask, page: TrainingPage, parts: Parts, version: Version, asked: dict[str, Any], told: str
) -> None:
    job = parts.jobs.start(version)
    learned(job).file(ADAPTER).mkdir()
    ask("evaluate", job=job.id, at={"job": job.id}, **asked)
    while any(one.running for one in page.work.of(job.id)):
        time.sleep(0.02)
    assert told in body(ask("show", at={"job": job.id}))
    assert not (job.place / "evaluation").exists()
    assert "no job" in ask("evaluate", job=99)["error"]


# ── what is done with it ─────────────────────────────────────────────────────────────────────────────────────────────


def test_one_that_waits_is_stopped_resumed_and_removed(ask: Ask, parts: Parts, version: Version) -> None:
    job = parts.jobs.start(version)
    assert 'data-do="resume"' in body(ask("cancel", job=job.id, at={"job": job.id}))
    assert 'data-do="cancel"' in body(ask("resume", job=job.id, at={"job": job.id}))
    assert ask("remove", job=job.id, at={"job": job.id})["go"] == {}
    assert not job.place.exists()
    assert words_in("en", WORDS)("training_gone") in body(ask("show", at={"job": job.id}))
    assert "no job" in ask("resume", job=job.id)["error"]


def test_one_whose_time_was_up_gets_as_much_again(ask: Ask, parts: Parts, version: Version) -> None:
    job = parts.jobs.start(version, said={"time_cap": 60.0})
    folder = Folder(job.place)
    folder.say(status=Status.RUNNING, step=3, steps=40, seconds=20.0)
    assert "ends after 60 s" in body(ask("show", at={"job": job.id}))
    folder.say(status=Status.STOPPED, seconds=61.5, reason={"en": "Its time was up.", "es": "Se agotó su tiempo."})
    shown = body(ask("show", at={"job": job.id}))
    assert "Its time was up." in shown
    assert "Resume for 60 s more" in shown
    before = settings_read(job.place / "config.json")
    ask("resume", job=job.id, at={"job": job.id})
    after = settings_read(job.place / "config.json")
    assert after.time_cap == 121.5
    assert after.fingerprint == before.fingerprint  # its checkpoints are gone on with
    assert parts.jobs.get(job.id).settings["time_cap"] == 121.5
    folder.say(status=Status.STOPPED, seconds=90.0)  # it was asked to stop: its cap stays
    ask("resume", job=job.id, at={"job": job.id})
    assert settings_read(job.place / "config.json").time_cap == 121.5
    folder.say(status=Status.STOPPED, seconds=90.0)
    assert parts.jobs.resume(job.id, 2).settings["time_cap"] == 210.0


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_run_that_exploded_says_what_to_do_and_can_be_gone_on_with(
    ask: Ask, parts: Parts, version: Version, language: str
) -> None:
    job = parts.jobs.start(version, said={"learning_rate": 10.0})
    folder = learned(job)
    settings = settings_read(folder.file("config.json"))
    english, spanish = guard.said(guard.NotFinite("loss", float("nan")), settings, job.place)
    told = {"en": english, "es": spanish}
    folder.say(status=Status.FAILED, reason=told)
    shown = body(ask("show", language, at={"job": job.id}))
    assert escape(told[language]) in shown
    assert "1" in told[language]
    assert 'data-do="resume"' in shown
    assert 'data-do="publish"' not in shown
    assert parts.jobs.get(job.id).state.status is Status.FAILED


def test_publishing_asks_where_it_did_not_learn_and_leads_to_the_chat(ask: Ask, parts: Parts, version: Version) -> None:
    job = parts.jobs.start(version)
    folder = learned(job, falls=False)
    folder.file(ADAPTER).mkdir()
    (folder.file(ADAPTER) / "adapter_config.json").write_text(json.dumps({}))
    asked = {"job": job.id, "persona": "Dry", "at": {"job": job.id}}
    assert "did not learn" in ask("publish", **asked)["refused"]
    assert parts.personas.named("Dry") is None
    shown = body(ask("publish", **asked, anyway=True))
    stored = parts.personas.named("Dry")
    assert stored is not None
    assert f'data-do="chat" data-persona="{stored.id}"' in shown
    parts.personas.remove(stored.id)
    assert 'data-do="chat"' not in body(ask("show", at={"job": job.id}))


def test_one_that_is_not_done_cannot_be_published(ask: Ask, parts: Parts, version: Version) -> None:
    job = parts.jobs.start(version)
    assert "done" in ask("publish", job=job.id, persona="Dry")["error"]
    ask("cancel", job=job.id)
    assert "done" in ask("publish", job=job.id, persona="Dry")["error"]


def test_one_that_was_stopped_with_its_best_kept_can_be_published(ask: Ask, parts: Parts, version: Version) -> None:
    job = parts.jobs.start(version, said={"time_cap": 60.0})
    folder = learned(job)
    folder.say(status=Status.STOPPED, seconds=61.0)
    folder.file(ADAPTER).mkdir()
    (folder.file(ADAPTER) / "adapter_config.json").write_text(json.dumps({}))
    shown = body(ask("show", at={"job": job.id}))
    assert all(f'data-do="{name}"' in shown for name in ("publish", "evaluate", "resume"))
    ask("publish", job=job.id, persona="Dry", at={"job": job.id})
    assert parts.personas.named("Dry") is not None


def test_the_page_calls_verbs_that_there_are(parts: Parts) -> None:
    for name in (
        "tune.list",
        "tune.start",
        "tune.cancel",
        "tune.resume",
        "tune.remove",
        "tune.publish",
        "tune.estimate",
        "eval.job",
    ):
        assert name in parts.verbs
