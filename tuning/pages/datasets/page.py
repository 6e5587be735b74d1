"""In: the datasets, what runs verbs. Out: the datasets page's answers; see `assistant.pages`.

What is asked is in doors.py, what is done in acts.py, what is seen in views/. A page is
drawn again when something of a dataset changed or a job ended; while one runs, only its progress is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.pages.door import answered
from knowledge.pages.wording import Words
from tuning.cleaning import EXCLUDED
from tuning.datasets import Dataset, Datasets, Filter, Stored, Version
from tuning.datasets.drafts import UnknownDataset, UnknownExample
from tuning.pages import of
from tuning.pages.datasets.acts import Acts
from tuning.pages.datasets.doors import At, Show, door
from tuning.pages.datasets.exports import Exports, Run
from tuning.pages.datasets.stage import format_for, next_step, share
from tuning.pages.datasets.views import (
    clean_view,
    examples_view,
    export_view,
    gather_view,
    head_view,
    listing_view,
    plots_view,
    progress_view,
    versions_view,
)
from tuning.pages.work import Work

if TYPE_CHECKING:
    from tuning.parts import Parts

CALM = 4.0  # seconds between two drawings of the same while a job runs; its progress is drawn at once


class DatasetsPage:
    """Knows no Gradio. `run`: a verb by its name; `offers`: what can be gathered from; `cache`: where uploads lie."""

    place = of("datasets", icon="dataset", key="s")

    def __init__(self, datasets: Datasets, run: Run, offers: Callable[[str], gather_view.Offers], cache: Path) -> None:
        self.work = Work()
        self._datasets, self._run, self._offers = datasets, run, offers
        self._exports = Exports(self.work, run)
        self._acts = Acts(datasets, self.work, self._exports, run, cache)
        kept = lru_cache(maxsize=8)  # by the clock: what has not changed is not counted again
        self._counted = kept(lambda dataset, only, clock: datasets.statistics(dataset, only))
        self._facets = kept(lambda dataset, clock: datasets.facets(dataset, EXCLUDED))
        self._distances: dict[int, tuple[int, int]] = {}  # version → (clock, how far it is from what is approved)

    def close(self) -> None:
        self.work.close()
        self._exports.close()

    def shell(self, say: Words) -> str:
        return listing_view.shell(say)

    def answer(self, payload: Any, say: Words) -> dict[str, Any]:
        return answered(door, payload, say, self._answer)

    def _answer(self, action: Any, say: Words) -> dict[str, Any]:
        if isinstance(action, Show):
            return self._shown(action, say)
        done = self._acts.do(action, say)
        return done if done.pop("alone", False) else {**self._drawn(action.at, say), **done}

    # ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────

    def _shown(self, show: Show, say: Words) -> dict[str, Any]:
        body, _, progress = show.stamp.rpartition("|")
        if body != self._body_stamp(show.at, say):
            return self._drawn(show.at, say)
        if progress != str(self.work.version()):
            return {"stamp": self._stamp(show.at, say), **self._progress(show.at, say)}
        return {}

    def _stamp(self, at: At, say: Words) -> str:
        return f"{self._body_stamp(at, say)}|{self.work.version()}"

    def _body_stamp(self, at: At, say: Words) -> str:
        self._datasets.withdraw()
        jobs = self.work.of(at.dataset)
        clock = str(self._datasets.version())
        if any(job.running for job in jobs):  # drawing it all again at every step of a job would slow the job down
            clock = "busy" if at.tab == "statistics" else f"busy{time.monotonic() // CALM:.0f}"
        shown = hash((at.model_dump_json(), *((job.id, job.state) for job in jobs))) & 0xFFFFFFFF
        return f"{say.language}.{clock}.{shown:x}"

    def _progress(self, at: At, say: Words) -> dict[str, Any]:
        jobs = self.work.of(at.dataset)
        told = [job for job in jobs if not (job.about.get("quiet") or (job.about.get("kept") and job.state == "done"))]
        return {"regions": {"work": progress_view.jobs(told, say)}, "busy": any(job.running for job in jobs)}

    def _drawn(self, at: At, say: Words) -> dict[str, Any]:
        stamp = self._stamp(at, say)
        try:
            regions = self._one(at, say) if at.dataset else self._all(say)
        except UnknownDataset:
            regions = listing_view.gone(say)
        progress = self._progress(at, say)
        return {"stamp": stamp, "busy": progress["busy"], "regions": {**regions, **progress["regions"]}}

    def _all(self, say: Words) -> dict[str, str]:
        found = self._datasets.all()
        return {"head": listing_view.head(bool(found), say), "body": listing_view.listing(found, say)}

    def _one(self, at: At, say: Words) -> dict[str, str]:
        one = self._datasets.get(at.dataset)
        facets = self._facets(one.id, self._datasets.version())
        if facets.unseen and self._acts.looked_through(one, say.language):
            facets = self._facets(one.id, self._datasets.version())
        versions = self._datasets.versions(one.id)
        apart = self._apart(versions[0]) if versions else 0
        step = next_step(one, facets, versions[0].number if versions else 0, apart)
        tab = at.tab or ("examples" if one.examples else "gather")
        head = head_view.head(one, step, tab, versions[0] if versions else None, say)
        titles = clean_view.titles(say.language)
        match tab:
            case "gather":
                body = gather_view.tab(one, self._datasets.imports(one.id), self._offers(say.language), say)
            case "examples":
                size = examples_view.AT_ONCE
                page = self._datasets.page(one.id, at.only, offset=(at.page - 1) * size, limit=size)
                undoable = self._datasets.undoable(one.id) or ""
                body = examples_view.tab(one, page, at.only, facets, undoable, titles, say)
            case "statistics":
                found = self._counted(one.id, at.only, self._datasets.version())
                body = plots_view.tab(one, at.only, facets, found, titles, say)
            case "clean":
                body = self._clean(one, at, facets, say)
            case _:
                body = self._versions(one, at, versions, apart, say)
        return {"head": head, "body": body}

    def _apart(self, version: Version) -> int:
        clock = self._datasets.version()
        known = self._distances.get(version.id)
        if known is None or known[0] != clock:
            known = self._distances[version.id] = (clock, self._datasets.apart(version))
        return known[1]

    def _clean(self, one: Dataset, at: At, facets: Any, say: Words) -> str:
        if not at.code:
            return clean_view.tab(one, facets, None, say)
        page = self._datasets.page(one.id, Filter(finding=at.code), limit=clean_view.AT_ONCE)
        alike = {number: each for number in clean_view.alike(page) if (each := self._example(number))}
        return clean_view.tab(one, facets, clean_view.Opened(at.code, page, alike), say)

    def _example(self, number: int) -> Stored | None:
        try:
            return self._datasets.example(number)
        except UnknownExample:
            return None

    def _versions(self, one: Dataset, at: At, versions: list[Version], apart: int, say: Words) -> str:
        chosen = next((each for each in versions if each.number == at.version), None)
        below = self._opened(one, chosen, versions, at, say) if chosen else ""
        estimates = [job for job in self.work.of(one.id) if job.what == "estimate"]
        takes = versions_view.estimate(self._offers(say.language).models, estimates[-1] if estimates else None, say)
        opened = versions_view.Opened(at.version if chosen else 0, below)
        return versions_view.tab(one, versions, apart, share(one.approved), opened, takes, say)

    def _opened(self, one: Dataset, chosen: Version, versions: list[Version], at: At, say: Words) -> str:
        best = format_for(chosen.card.get("counts", {}).get("kinds", {}))
        kind = at.format if at.format in export_view.KNOWN else best
        files = self._exports.wanted(one, chosen, kind, say.language)
        others = [each for each in versions if each.number != chosen.number]
        rows = list[Mapping[str, Any]]()
        if at.against and any(each.number == at.against for each in others):
            asked = {"name": one.name, "before": at.against, "after": chosen.number}
            rows = list(self._run("data.diff", asked, threading.Event(), say.language))
        parts = (
            export_view.files(kind, files, say),
            export_view.formats(chosen, kind, say),
            versions_view.card(chosen, say),
            versions_view.compare(chosen, others, at.against, rows, say),
        )
        return "".join(parts)


def datasets_page(parts: Parts) -> DatasetsPage:
    """The page of the app's own parts."""
    from assistant.service.verbs import prepare
    from tuning.samples import SAMPLES
    from tuning.sources import KINDS

    def run(verb: str, arguments: Mapping[str, Any], stop: threading.Event, language: str) -> Any:
        return prepare(parts, verb, arguments, stop, language)()

    def offers(language: str) -> gather_view.Offers:
        documents = [one for one in parts.library.documents() if one.status.searchable]
        return gather_view.Offers(
            personas=[(one.name, one.name) for one in parts.personas.all()],
            models=[(card.name, card.title) for card in parts.models.listed()],
            documents=[(str(one.id), one.title) for one in documents],
            samples=list(SAMPLES),
            formats=KINDS,
        )

    return DatasetsPage(parts.datasets, run, offers, parts.settings.uploads)
