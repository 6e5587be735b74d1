"""In: what a person asked for. Out: it is done, by a verb, or as a job where it takes its time; what came of it.

{"said"}            a sentence; {"error"}: one that says what to do
{"undo": {"said", "do"}}      a sentence, and the action that takes it back
{"go": {…}}         another place of the page
{"saved"}, {"problem"}        of the form of a name
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from knowledge.pages.uploads import file_name, uploaded
from knowledge.pages.wording import Words
from tuning.cleaning import EXCLUDED
from tuning.datasets import Dataset, Datasets, Filter, Status
from tuning.errors import ForPerson, TryAgain
from tuning.exchange import folder
from tuning.pages.datasets import doors
from tuning.pages.datasets.exports import Exports, Run
from tuning.pages.datasets.stage import format_for, share
from tuning.pages.datasets.views import gather_view, listing_view, progress_view
from tuning.pages.datasets.views.pieces_view import counted
from tuning.pages.work import Row, Work

SOON = 0.9  # seconds: what is done in them is seen as done; the rest goes on beside the page
_LABEL = re.compile(r"(.+)-v\d+-[0-9a-f]{8}$")  # a version's file is called so
_NO_NAME = re.compile(r"[^\w.-]+")  # what a dataset's name does not hold
_ONE_STEP = frozenset({"approve", "drop", "reopen", "tag", "untag", "mend", "build", "documents"})  # for an undo
_DID = {"approve": "data.approve", "drop": "data.drop", "reopen": "data.reopen", "tag": "data.tag", "untag": "data.tag"}
Answer = dict[str, Any]


class Acts:
    def __init__(
        self, datasets: Datasets, work: Work, exports: Exports, run: Run, cache: Path
    ) -> None:  # fmt: skip
        self._datasets, self._work, self._exports = datasets, work, exports
        self._run, self._cache = run, cache

    def do(self, action: Any, say: Words) -> Answer:
        match action:
            case doors.Keep():
                return self._keep(action, say)
            case doors.OnOne():
                return self._on_one(action, say)
            case doors.OnJob():
                (self._work.cancel if action.do == "cancel" else self._work.dismiss)(action.job)
                return {}
            case doors.Piece(file=file, offset=offset):
                data, following = self._exports.piece(file, offset)
                return {"alone": True, "data": base64.b64encode(data).decode(), "next": following}
            case doors.Gather(do="matching"):
                return self._matching(action, say)
            case doors.Take():
                return self._take(action, say)
            case doors.Sample(do="begin-sample", sample=sample):
                name = self._free(sample)
                one = self._datasets.create(name)
                return self._begun(one, "samples", "data.samples", {"name": name, "sample": sample}, say)
            case doors.Plain():
                return self._plain(action, say)
        return self._in_one(action, self._datasets.get(action.at.dataset), say)

    def _in_one(self, action: Any, one: Dataset, say: Words) -> Answer:
        match action:
            case doors.Gather(chats=chats):
                return self._job(one, "build", "data.build", chats.model_dump(mode="json", exclude_none=True), say)
            case doors.Import():
                return self._import(action, one, say)
            case doors.UndoImport(number=number):
                *_, row = self._now("data.undo-import", {"number": number}, say)
                return {"said": counted(say, "datasets_taken_out", int(row["taken_out"]))}
            case doors.Sample(sample=sample):
                return self._job(one, "samples", "data.samples", {"sample": sample}, say)
            case doors.Documents(documents=chosen):
                return self._job(one, "documents", "data.documents", {"chosen": chosen}, say)
            case doors.Propose():
                asked = {"chosen": action.documents, "model": action.model, "most": action.most}
                return self._job(one, "propose", "data.propose", asked, say)
            case doors.Distil():
                return self._distil(action, one, say)
            case doors.Decide():
                return self._decide(action, one, say)
            case doors.Clean():
                return self._clean(action, one, say)
            case doors.Freeze():
                return self._freeze(action, one, say)
            case doors.Estimate():
                return self._estimate(action, one, say)
        raise TypeError(action)

    # ── datasets ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _keep(self, action: doors.Keep, say: Words) -> Answer:
        given = {"note": action.note.strip(), "licence": action.licence.strip()}
        try:
            if action.dataset:
                one = self._datasets.change(action.dataset, name=action.name, **given)
                return {"saved": one.id, "said": say("datasets_kept", name=one.name)}
            one = self._datasets.create(action.name, **given)
        except ForPerson as wrong:
            return {"alone": True, "problem": wrong.said(say.language)}
        return {"saved": one.id, "go": {"dataset": one.id, "tab": "gather"}}

    def _on_one(self, action: doors.OnOne, say: Words) -> Answer:
        if action.do == "restore":
            one = self._datasets.restore(action.dataset)
            return {"said": say("datasets_restored", name=one.name)}
        gone = self._datasets.remove(action.dataset)
        back = {"do": "restore", "dataset": gone.id}
        return {"go": {}, "undo": {"said": say("datasets_removed", name=gone.name), "do": back}}

    def _plain(self, action: doors.Plain, say: Words) -> Answer:
        liked = {"rating": "liked"}
        match action.do:
            case "liked":
                *_, row = self._now("data.build", {**liked, "name": "x", "dry": True}, say)
                return {
                    "alone": True,
                    "regions": {"liked": listing_view.liked(row["answers"], bool(self._datasets.all()), say)},
                }
            case "begin-liked":
                one = self._datasets.create(self._free(say("datasets_liked_name")))
                return self._begun(one, "build", "data.build", {**liked, "name": one.name}, say)
        one = self._datasets.get(action.at.dataset)
        match action.do:
            case "look":
                return self._job(one, "look", "data.review", {}, say)
            case "undo":
                return self._job(one, "undo", "data.undo", {}, say)
            case "approve-all":
                return self._job(one, "approve", "data.approve", {"only": {"status": "draft"}}, say)
            case "again":
                return self._again(one, action.at, say)
        raise TypeError(action)

    def _again(self, one: Dataset, at: doors.At, say: Words) -> Answer:
        version = self._datasets.version_of(one.id, at.version)
        kinds = version.card.get("counts", {}).get("kinds", {})
        self._exports.again(one, version, at.format or format_for(kinds), say.language)
        return {}

    def _take(self, action: doors.Take, say: Words) -> Answer:
        path, name = uploaded(action.path, self._cache), file_name(action.name)
        stem = Path(name).stem
        if not folder.is_version(path):
            one = self._datasets.create(self._free(_NO_NAME.sub("-", stem).strip("-._")[:50] or "import"))
            return self._begun(one, "import", "data.import", {"path": str(path), "file": name}, say, title=name)
        label = _LABEL.match(stem)
        *_, row = self._now("data.take", {"path": str(path), "name": self._free(label[1]) if label else ""}, say)
        there = {"dataset": row["dataset"], "tab": "versions", "version": row["version"]}
        return {"said": say("datasets_taken", name=row["name"]), "go": there}

    def _begun(
        self, one: Dataset, what: str, verb: str, asked: Mapping[str, Any], say: Words, **about: Any
    ) -> Answer:  # fmt: skip
        """A new dataset and what comes into it at once; where that failed, there is none."""
        done = self._job(one, what, verb, asked, say, **about)
        if "error" in done:
            self._datasets.remove(one.id)
            return done
        return {**done, "go": {"dataset": one.id, "tab": "examples"}}

    def _free(self, base: str) -> str:
        taken = {one.name for one in self._datasets.all()}
        return next(name for n in count(1) if (name := base if n == 1 else f"{base}-{n}") not in taken)

    # ── what comes in ────────────────────────────────────────────────────────────────────────────────────────────

    def _matching(self, action: doors.Gather, say: Words) -> Answer:
        asked = {**action.chats.model_dump(mode="json", exclude_none=True), "name": "x", "dry": True}
        *_, row = self._now("data.build", asked, say)
        shown = gather_view.matching(row["found"], action.chats.kind, say)
        return {"alone": True, "regions": {"matching": shown}}

    def _import(self, action: doors.Import, one: Dataset, say: Words) -> Answer:
        path, name = uploaded(action.path, self._cache), file_name(action.name)
        asked = {"path": str(path), "file": name, "format": action.format, "siblings": action.siblings}
        return self._job(one, "import", "data.import", asked, say, title=name)

    def _distil(self, action: doors.Distil, one: Dataset, say: Words) -> Answer:
        prompts = [line.strip() for line in action.prompts.splitlines() if line.strip()]
        asked = action.model_dump(include={"topic", "model", "most", "persona"})
        return self._job(one, "distil", "data.distil", {**asked, "prompts": prompts}, say)

    def looked_through(self, one: Dataset, language: str) -> bool:
        """What came in or was changed is looked at without being asked for, so that what is wrong with it is known
        before it is approved; not again where that was stopped or failed, and not beside something else. Whether it is
        done already."""
        jobs = self._work.of(one.id)
        if any(job.running or (job.what == "look" and job.state != "done") for job in jobs):
            return False
        for job in jobs:
            if job.what == "look":
                self._work.dismiss(job.id)

        def rows(stop: threading.Event) -> Iterator[Row]:
            return self._run("data.review", {"name": one.name}, stop, language)

        with suppress(TryAgain):  # another tab was quicker
            begun = self._work.start("look", one.id, rows, about={"kept": True})
            ended = self._work.wait(begun.id, SOON / 3)
            return ended is not None and ended.state == "done"
        return False

    # ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────

    def _decide(self, action: doors.Decide, one: Dataset, say: Words) -> Answer:
        asked: Answer = {"name": one.name}
        if action.do in ("tag", "untag"):
            asked |= {"tag": action.tag, "off": action.do == "untag"}
        if not action.examples:
            asked["only"] = action.at.only.model_dump(mode="json", exclude_defaults=True)
            if action.do == "approve":  # what was dropped stays so, unless it is asked for by name
                asked["only"].setdefault("status", "draft")
            return self._job(one, action.do, _DID[action.do], asked, say)
        *_, row = self._now(_DID[action.do], {**asked, "numbers": action.examples}, say)
        return self._undoable(progress_view.changed(action.do, row, say), bool(row.get("changed")))

    def _clean(self, action: doors.Clean, one: Dataset, say: Words) -> Answer:
        found = {"finding": action.code}
        match action.do:
            case "mend":
                which = {"numbers": [action.example]} if action.example else {}
                return self._job(one, "mend", "data.mend", {"codes": [action.code], **which}, say)
            case "drop-found":
                return self._job(one, "drop", "data.drop", {"only": found}, say)
            case "include":
                let, held = EXCLUDED - {action.code}, Filter(finding=action.code, status=Status.DRAFT)
                done = self._datasets.set_status(one.id, held, Status.APPROVED, let)
                row = {"changed": done.changed, "left": done.left}
                return self._undoable(progress_view.changed("approve", row, say), bool(done.changed))

    @staticmethod
    def _undoable(said: str, some: bool) -> Answer:
        return {"undo": {"said": said, "do": {"do": "undo"}}} if some else {"said": said}

    # ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _freeze(self, action: doors.Freeze, one: Dataset, say: Words) -> Answer:
        part = share(one.approved) if action.share is None else action.share
        done = self._job(one, "freeze", "data.freeze", {"share": part, "seed": action.seed}, say)
        if number := done.get("row", {}).get("version"):
            done["go"] = {"dataset": one.id, "tab": "versions", "version": number}
        return done

    def _estimate(self, action: doors.Estimate, one: Dataset, say: Words) -> Answer:
        asked: Answer = {"model": action.model.strip(), "epochs": action.epochs, "batch": action.batch}
        if action.price.strip():
            asked["price"] = action.price.strip()
        for job in self._work.of(one.id):
            if job.what == "estimate":
                self._work.dismiss(job.id)
        return self._job(one, "estimate", "data.estimate", asked, say, keep=True, model=action.model.strip())

    # ── how it is done ───────────────────────────────────────────────────────────────────────────────────────────

    def _now(self, verb: str, asked: Mapping[str, Any], say: Words) -> list[dict[str, Any]]:
        return list(self._run(verb, asked, threading.Event(), say.language))

    def _job(
        self,
        one: Dataset,
        what: str,
        verb: str,
        asked: Mapping[str, Any],
        say: Words,
        *,
        keep: bool = False,
        **about: Any,
    ) -> Answer:
        """`keep`: what came of it stays with the page. Else what ended soon is said, and forgotten."""
        language, given = say.language, {"name": one.name, **asked}
        self._clear(one.id)
        job = self._work.start(
            what, one.id, lambda stop: self._run(verb, given, stop, language), about={**about, "kept": keep}
        )
        job = self._work.wait(job.id, SOON) or job
        if job.running or (keep and job.state == "done"):
            return {}
        said = progress_view.result(job, say)
        if not job.row.get("skipped"):  # what was left out is there to be read until it is dismissed
            self._work.dismiss(job.id)
        if job.state == "failed":
            return {"error": said}
        undoable = what in _ONE_STEP and bool(job.row.get("changed", job.row.get("added")))
        return {**self._undoable(said, undoable), "row": dict(job.row)}

    def _clear(self, dataset: int) -> None:
        """What ended well is old news as soon as something else begins."""
        for job in self._work.of(dataset):
            if job.state == "done" and not job.row.get("skipped") and not job.about.get("kept"):
                self._work.dismiss(job.id)
