"""In: the jobs, the datasets, what runs verbs. Out: the training page's answers; see `assistant.pages`.

What is asked is in doors.py, what is seen in views/. What a job is doing is read from its folder each
time, so a reload, another tab and a restart of the app show the same.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from assistant.models.local.loading import DEFAULT
from assistant.pages.door import answered
from knowledge.pages.wording import Words
from tuning.datasets import Datasets, Filter, Status
from tuning.datasets.splitting import TRAIN
from tuning.errors import ForPerson
from tuning.jobs import Job, Jobs, evaluating
from tuning.jobs.publishing import evaluation
from tuning.pages import of
from tuning.pages.training import form as training_form
from tuning.pages.training.doors import Asked, At, Evaluate, Form, OnJob, Publish, Show
from tuning.pages.training.estimating import Estimating
from tuning.pages.training.published import PublishedRoom, published_room
from tuning.pages.training.published_doors import AnyRoomAction, door
from tuning.pages.training.views import compare_view, evaluation_view, form_view, frame_view, job_view, run
from tuning.pages.work import Work
from tuning.training import recipes
from tuning.training.folder import Status as JobStatus
from tuning.values import Example

if TYPE_CHECKING:
    from assistant.personas import Personas
    from tuning.parts import Parts

EVALUATE = "evaluate"
ORDER = (
    "lora", "voice", "prompt", "full", "bottleneck", "ia3", "norms", "last", "dora", "rslora", "text", "distil",
)  # fmt: skip
SHOWN = ("epochs", "batch", "learning_rate", "max_length")  # of a recipe, in the form
HEARD = 200  # rows that are looked at for what they begin with
Run = Callable[[str, Mapping[str, Any], threading.Event, str], Iterator[Mapping[str, Any]]]


class TrainingPage:
    """Knows no Gradio. `run`: a verb by its name; `models`: those that are known, (name, title)."""

    place = of("training", icon="training", key="b")

    def __init__(
        self,
        jobs: Jobs,
        datasets: Datasets,
        personas: Personas,
        run: Run,
        models: Callable[[str], list[tuple[str, str]]],
        room: PublishedRoom,
    ) -> None:
        self.work = Work()
        self._jobs, self._datasets, self._personas = jobs, datasets, personas
        self._run, self._models, self._room = run, models, room
        self._estimating = Estimating(self.work, run, self._asked)

    def close(self) -> None:
        self.work.close()
        self._room.close()

    def shell(self, say: Words) -> str:
        return frame_view.shell(say)

    def answer(self, payload: Any, say: Words) -> dict[str, Any]:
        return answered(door, payload, say, self._answer)

    def _answer(self, action: Any, say: Words) -> dict[str, Any]:
        match action:
            case Show(stamp=stamp, at=at):
                return {} if stamp == self._stamp(at, say) else self._drawn(at, say)
            case Asked(do="estimate"):
                self._estimating.start(action.form, say.language)
                return self._drawn(action.at, say)
            case Asked():
                return self._start(action, say)
            case OnJob():
                return self._on_job(action, say)
            case Evaluate():
                self._evaluate(action, say)
                return self._drawn(action.at, say)
            case Publish():
                return self._publish(action, say)
            case _:
                return self._in_room(action, say)

    def _in_room(self, action: AnyRoomAction, say: Words) -> dict[str, Any]:
        """What is handed out in pieces draws nothing."""
        answer = self._room.act(action, say)
        return answer if {"data", "fetch"} & set(answer) else {**self._drawn(action.at, say), **answer}

    # ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────

    def _stamp(self, at: At, say: Words) -> str:
        jobs = self._jobs.all()
        known = [(job.id, job.state, job.persona, job.evaluation) for job in jobs]
        files = [run.stamp(job) for job in jobs if job.id in (at.job, at.against)]
        clocks = (self._datasets.version(), self.work.version(), [one.name for one in self._personas.all()])
        told = repr((say.language, at, known, files, clocks, self._room.stamp() if at.room else None))
        return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]

    def _drawn(self, at: At, say: Words) -> dict[str, Any]:
        stamp, jobs = self._stamp(at, say), self._jobs.all()
        works = [*self.work.of(0), *(self.work.of(at.job) if at.job else [])]
        busy = any(one.running for one in works) or any(_goes_on(job) for job in jobs) or self._room.busy
        return {"stamp": stamp, "busy": busy, "regions": self._regions(at, jobs, say)}

    def _regions(self, at: At, jobs: list[Job], say: Words) -> dict[str, str]:
        if at.room:
            return self._room.regions(say)
        if at.job:
            found = next((job for job in jobs if job.id == at.job), None)
            if found is None:
                return {"head": frame_view.head(True, say), "body": frame_view.gone(say)}
            return {"head": job_view.head(found, say), "body": self._one(found, at, jobs, say)}
        if jobs and not at.new:
            return {"head": frame_view.head(True, say), "body": frame_view.listing(jobs, say)}
        offers = self._offers(at, say)
        body = form_view.form(offers, self._estimating.newest(), say) if offers.datasets else frame_view.beginning(say)
        return {"head": frame_view.head(False, say), "body": (frame_view.back(say) if jobs else "") + body}

    def _one(self, job: Job, at: At, jobs: list[Job], say: Words) -> str:
        shown = run.read(job)
        others = [one for one in jobs if one.id != job.id]
        other = next((one for one in others if one.id == at.against), None)
        below = compare_view.compare(shown, run.read(other), say) if other else ""
        persona = next(((one.id, one.name) for one in self._personas.all() if one.id == job.persona), None)
        around = job_view.Around(
            persona, others, other.id if other else 0, below, self._evaluated(job, at, say), self._again(job)
        )
        return job_view.body(shown, around, evaluation(job), say)

    def _again(self, job: Job) -> str:
        try:
            known = self._jobs.settings(str(job.settings.get("recipe") or job.method), {})
        except ForPerson:  # a recipe that is not there any more: everything is said
            return job.again({})
        return job.again(known.model_dump(mode="json"))

    def _evaluated(self, job: Job, at: At, say: Words) -> str:
        """Of one that has left a model behind."""
        if not job.state.status.over or not job.left:
            return ""
        work = next((one for one in reversed(self.work.of(job.id)) if one.what == EVALUATE), None)
        broken = None if work is not None and work.running else evaluating.broken_off(job)
        judges = [(name, title) for name, title in self._models(say.language) if name != job.base]
        found = evaluation_view.Evaluated(
            job.id, evaluating.report(job), work, broken, judges, at.part, at.by, at.page
        )  # fmt: skip
        return evaluation_view.evaluation(found, say)

    def _offers(self, at: At, say: Words) -> form_view.Offers:
        found = [(one, self._datasets.versions(one.id)) for one in self._datasets.all()]
        names = sorted(recipes.names(), key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
        defaults = {
            name: {key: value for key, value in self._jobs.settings(name, {}).model_dump().items() if key in SHOWN}
            for name in names
        }
        chosen = [(one, versions) for one, versions in found if versions or one.approved]
        bases = [(name, title) for name, title in self._models(say.language) if name.startswith(training_form.HERE)]
        return form_view.Offers(chosen, defaults, bases, DEFAULT, at.data, say("training_prompts"))

    # ── what is done ─────────────────────────────────────────────────────────────────────────────────────────────

    def _asked(self, form: Form, system: str = "") -> dict[str, Any]:
        """What `tune.start` and `tune.estimate` are given."""
        return {
            "data": self._datasets.get(form.dataset).name,
            "method": form.recipe,
            "base": form.base.strip() or DEFAULT,
            "settings": training_form.said(form, system),
            **({"number": form.version} if form.version else {}),
        }

    def _start(self, action: Asked, say: Words) -> dict[str, Any]:
        """Where the estimate says that memory or disk do not suffice, that is a question first."""
        form = action.form
        against = None if action.anyway else self._estimating.against(form)
        if against is not None:
            return {"refused": form_view.short_of(against, say)}
        system = training_form.heard(islice(self._examples(form), HEARD))
        asked = {**self._asked(form, system), "name": form.name.strip()}
        row = next(iter(self._verb("tune.start", asked, say)))
        return {"said": say("training_started"), "go": {"job": row["job"]}}

    def _examples(self, form: Form) -> Iterator[Example]:
        if form.version:
            version = self._datasets.version_of(form.dataset, form.version)
            return (row.example for row in self._datasets.rows(version, TRAIN))
        return (one.example for one in self._datasets.every(form.dataset, Filter(status=Status.APPROVED)))

    def _on_job(self, action: OnJob, say: Words) -> dict[str, Any]:
        if action.do == "halt":
            self.work.cancel(action.job)
            return self._drawn(action.at, say)
        self._verb(f"tune.{action.do}", {"number": action.job}, say)
        if action.do == "remove":
            return {"said": say("training_removed"), "go": {}}
        return self._drawn(action.at, say)

    def _evaluate(self, action: Evaluate, say: Words) -> None:
        """In the background: hundreds of answers take their time. What was answered before is not asked again."""
        job = self._jobs.get(action.job)
        before = evaluating.broken_off(job) if action.go_on else None
        asked = before.model_dump(mode="json") if before else _plan(action)

        def rows(stop: threading.Event) -> Iterator[Mapping[str, Any]]:
            yield from self._run("eval.job", {"number": job.id, **asked}, stop, say.language)

        self.work.start(EVALUATE, job.id, rows)

    def _publish(self, action: Publish, say: Words) -> dict[str, Any]:
        """A refusal of what was measured is a question: the person may publish it all the same."""
        asked = {"number": action.job, "persona": action.persona.strip(), "anyway": action.anyway}
        try:
            (row,) = self._verb("tune.publish", asked, say)
        except ForPerson as error:
            if action.anyway or not self._jobs.get(action.job).ended_well:
                raise
            return {"refused": error.said(say.language)}
        return {**self._drawn(action.at, say), "said": say("training_published_as", name=row["persona"])}

    def _verb(self, name: str, asked: Mapping[str, Any], say: Words) -> list[Mapping[str, Any]]:
        return list(self._run(name, asked, threading.Event(), say.language))


def _plan(asked: Evaluate) -> dict[str, Any]:
    checks = [one.strip() for one in asked.checks.split(",") if one.strip()]
    parts = ["unseen", *(name for name in ("trained", "general") if getattr(asked, name))]
    metrics = list(dict.fromkeys([*asked.metrics, *checks])) or list(evaluating.METRICS)
    return {"metrics": metrics, "parts": parts, "most": asked.most, "tokens": asked.tokens, "judge": asked.judge}


def _goes_on(job: Job) -> bool:
    return not job.state.status.over and job.state.status is not JobStatus.QUEUED


def training_page(parts: Parts) -> TrainingPage:
    """The page of the app's own parts."""
    from assistant.service.verbs import prepare

    def run(verb: str, arguments: Mapping[str, Any], stop: threading.Event, language: str) -> Any:
        return prepare(parts, verb, arguments, stop, language)()

    def models(language: str) -> list[tuple[str, str]]:
        return [(card.name, card.title) for card in parts.models.listed(language)]

    return TrainingPage(parts.jobs, parts.datasets, parts.personas, run, models, published_room(parts))
