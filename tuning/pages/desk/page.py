"""In: the datasets, a tokenizer, what looks for findings. Out: the curation desk's answers; see `assistant.pages`.

open      one example of a dataset, among those that pass a filter
ahead     the next one, before it is asked for
progress · choices      how far one is; what can be filtered for
approve · drop · reopen      and on to the next
editor · write · take · mask · tag · rank · score · split · merge · mend · undo

An answer is {"at": where one is then, "parts": {region: HTML}}: `desk.js` draws them, in its own order. "problems"
stand beside their fields, "conflict" says that the example changed meanwhile, "ask" is a question before something is
lost. The clock tells the browser that something changed elsewhere: it is all that is asked for again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, assert_never

from assistant.pages.door import Show, answered
from knowledge import KnowledgeError
from knowledge.pages.wording import Words
from tuning.counting.tokens import Counter
from tuning.datasets import Datasets, Filter, Status, Stored, UnknownDataset, UnknownExample
from tuning.pages import of
from tuning.pages.desk import changes
from tuning.pages.desk.changes import Wrong
from tuning.pages.desk.doors import (
    Beside,
    Choose,
    Decide,
    Edit,
    Here,
    Mask,
    Mend,
    Merge,
    Open,
    Rank,
    Score,
    Split,
    Tag,
    Take,
    Undo,
    Write,
    door,
)
from tuning.pages.desk.views import editor_view, example_view, seen_view
from tuning.pages.desk.views import frame_view as view
from tuning.pages.desk.views.turns_view import Found
from tuning.values import Example, Kind, Role, Turn

OWN = frozenset({"approve", "drop", "reopen", "tag", "edit", "mask", "rank", "score", "split", "merge", "mend", "pair"})
_STATUS = {"approve": Status.APPROVED, "drop": Status.DROPPED, "reopen": Status.DRAFT}


class Findings(Protocol):
    """What is wrong with examples, and how it is said."""

    def found(self, one: Stored, language: str) -> Sequence[Found]: ...

    def titles(self, language: str) -> Mapping[str, str]:
        """Of all codes."""

    def mended(self, one: Stored, finding: int) -> Example:
        """`finding`: its place in `found`."""


class DeskPage:
    """Knows no Gradio."""

    place = of("desk", icon="desk", key="c")

    def __init__(self, datasets: Datasets, findings: Findings, counter: Callable[[], Counter]) -> None:
        """`counter`: of the default model; its tokenizer is read when someone first asks how the model sees it."""
        self._datasets, self._findings, self._counter = datasets, findings, counter
        self._counted: tuple[Any, Mapping[int, int], Mapping[str, int]] | None = None

    def shell(self, say: Words) -> str:
        return view.shell(say)

    def answer(self, payload: Any, say: Words) -> dict[str, Any]:
        return answered(door, payload, say, self._answer)

    def _answer(self, action: Any, say: Words) -> dict[str, Any]:
        try:
            return self._done(action, say)
        except Wrong as wrong:
            said = [{"field": one.field, "said": say(one.key, **dict(one.values))} for one in wrong.problems]
            return {"problems": said} if isinstance(action, Write) else {"error": said[0]["said"]}

    def _done(self, action: Any, say: Words) -> dict[str, Any]:
        match action:
            case Show(stamp=stamp):
                return self._clock(stamp, say)
            case Choose():
                return {
                    "at": None,
                    "parts": {
                        "example": view.choice(self._datasets.all(), say),
                        "dataset": "",
                        "choices": "",
                        "progress": "",
                    },
                }
            case Open():
                return self._open(action, say)
            case Beside():
                return self._beside(action, say)
            case Decide():
                return self._decide(action, say)
            case Edit():
                return self._editor(action, say)
            case Write():
                return self._write(action, say)
            case Undo():
                return self._undo(action, say)
            case Split() | Merge():
                return self._apart_or_together(action, say)
            case Take() | Mask() | Tag() | Rank() | Score() | Mend():
                return self._change(action, say)
            case _:
                assert_never(action)

    # ── where one is ─────────────────────────────────────────────────────────────────────────────────────────

    def _clock(self, stamp: str, say: Words) -> dict[str, Any]:
        self._datasets.withdraw()
        clock = self._datasets.version()
        mine = f"{clock}.{say.language}"
        return {} if stamp == mine else {"stamp": mine, "regions": {"clock": f'<i data-clock="{clock}"></i>'}}

    def _open(self, action: Open, say: Words) -> dict[str, Any]:
        only, said = action.only, ""
        try:
            one = self._datasets.example(action.example) if action.example else None
        except UnknownExample:
            one, said = None, say("desk_gone")
        dataset = action.dataset
        if one is None or one.dataset != dataset:
            dataset = self._datasets.get(dataset).id  # by its name, or one that is not there: not asked for every step
            one = one if one is not None and one.dataset == dataset else self._first(dataset, only)
        if one is not None and action.to != "here":
            before, after = self._datasets.place(one.id, only)
            there = before if action.to == "before" else after
            one = self._datasets.example(there) if there else one
        answer = self._shown(dataset, one, only, say, seen=action.seen)
        if action.whole:
            answer["parts"] |= self._around(dataset, say, only, one)
        return {**answer, **({"said": said} if said else {})}

    def _first(self, dataset: int, only: Filter) -> Stored | None:
        return next(iter(self._datasets.page(dataset, only, limit=1).examples), None)

    def _around(self, dataset: int, say: Words, only: Filter, one: Stored | None) -> dict[str, str]:
        this, all_ = self._datasets.get(dataset), self._datasets.all()
        parts = {"dataset": view.chosen(this, all_, say), "choices": self._choices(dataset, only, say)}
        return {**parts, "progress": self._progress(dataset, only, one, say)}

    def _choices(self, dataset: int, only: Filter, say: Words) -> str:
        return view.choices(only, self._datasets.facets(dataset), self._findings.titles(say.language), say)

    def _progress(self, dataset: int, only: Filter, one: Stored | None, say: Words) -> str:
        places, counts = self._standing(dataset, only)
        n = places.get(one.id) if one is not None else None
        return view.progress(view.Standing(n, len(places), **counts), say)

    def _standing(self, dataset: int, only: Filter) -> tuple[Mapping[int, int], Mapping[str, int]]:
        """Each example's place among those that pass, and how many have which status: counted again when something
        changed, not for every step (50 ms of 10,000)."""
        key = (dataset, only, self._datasets.version())
        if self._counted is None or self._counted[0] != key:
            places = {number: n for n, number in enumerate(self._datasets.ids(dataset, only), 1)}
            counts = self._counts(dataset, only, len(places))
            self._counted = (key, places, counts)
            return places, counts
        return self._counted[1:]

    def _counts(self, dataset: int, only: Filter, passing: int) -> dict[str, int]:
        """Of each status under the rest of the filter. What is known already is not counted by SQL once more."""

        def many(status: Status) -> int:
            return self._datasets.page(dataset, only.model_copy(update={"status": status}), limit=0).total

        if only.status is None:
            approved, dropped = many(Status.APPROVED), many(Status.DROPPED)
            return {"approved": approved, "dropped": dropped, "draft": passing - approved - dropped}
        return {one.value: passing if one is only.status else many(one) for one in Status}

    def _shown(self, dataset: int, one: Stored | None, only: Filter, say: Words, *, seen: bool) -> dict[str, Any]:
        clock = self._datasets.version()
        if one is None:
            html = view.none_passes(self._datasets.get(dataset), only, say)
            parts = {"example": html, "progress": self._progress(dataset, only, None, say)}
            return {"at": {"dataset": dataset, "example": 0, "clock": clock}, "parts": parts}
        before, after = self._datasets.place(one.id, only)
        at = {"dataset": dataset, "example": one.id, "before": before, "after": after, "of": one.fingerprint}
        found = self._findings.found(one, say.language)
        html = example_view.example(one, found, say, self._seen(one, say) if seen else "")
        return {"at": {**at, "clock": clock}, "parts": {"example": html}}

    def _seen(self, one: Stored, say: Words) -> str:
        try:
            return seen_view.seen(one.example, self._counter(), say)
        except KnowledgeError as error:
            return seen_view.unseen(error.said(say.language))

    def _beside(self, action: Beside, say: Words) -> dict[str, Any]:
        if action.do == "choices":
            return {"parts": {"choices": self._choices(action.dataset, action.only, say)}}
        one = self._mine(action)
        if action.do == "progress":
            return {"parts": {"progress": self._progress(action.dataset, action.only, one, say)}}
        clock = self._datasets.version()
        _, after = self._datasets.place(one.id, action.only)
        if after is None:
            return {"clock": clock}
        following = self._datasets.example(after)
        return {"clock": clock, "next": self._shown(action.dataset, following, action.only, say, seen=action.seen)}

    def _mine(self, action: Here) -> Stored:
        one = self._datasets.example(action.example)
        if one.dataset != action.dataset:
            raise UnknownDataset("This example is of another dataset.", spanish="Este ejemplo es de otro conjunto.")
        return one

    # ── decisions ────────────────────────────────────────────────────────────────────────────────────────────

    def _decide(self, action: Decide, say: Words) -> dict[str, Any]:
        one = self._mine(action)
        before, after = self._datasets.place(one.id, action.only)
        self._datasets.set_status(action.dataset, one.id, _STATUS[action.do])
        told = {"told": say(f"desk_told_{action.do}")}
        if action.do == "reopen":
            return {**self._same(action, say), **told}
        if after is not None:
            return {
                **self._shown(action.dataset, self._datasets.example(after), action.only, say, seen=action.seen),
                **told,
            }
        passes = action.only.status in (None, _STATUS[action.do])
        said = say("desk_last") if passes else say("desk_from_the_first") if before else ""
        first = self._datasets.example(one.id) if passes else self._first(action.dataset, action.only)
        return {
            **self._shown(action.dataset, first, action.only, say, seen=action.seen),
            **told,
            **({"said": said} if said else {}),
        }

    def _same(self, action: Here, say: Words) -> dict[str, Any]:
        return self._shown(action.dataset, self._datasets.example(action.example), action.only, say, seen=action.seen)

    def _undo(self, action: Undo, say: Words) -> dict[str, Any]:
        what = self._datasets.undoable(action.dataset)
        if what is None:
            return {"said": say("desk_undo_none")}
        if what not in OWN and not action.sure:
            keys = ("desk_undo_ask", "desk_undo_ask_about", "desk_undo_yes", "desk_undo_no")
            return {"ask": [say(key) for key in keys]}
        self._datasets.undo(action.dataset)
        only, seen = action.only, action.seen
        opened = self._open(Open(do="open", dataset=action.dataset, example=action.example, only=only, seen=seen), say)
        name = say.sentences.get(f"desk_undone_{what}", "") or say("desk_undone_other")
        return {**opened, "said": say("desk_undone", what=name), "undone": what}

    # ── other words ──────────────────────────────────────────────────────────────────────────────────────────

    def _editor(self, action: Edit, say: Words) -> dict[str, Any]:
        one = self._mine(action)
        turn = changes.turn_at(one.example, action.place)
        if action.new:
            at = int(action.place.rpartition(".")[2])
            if not action.place.startswith("turns.") or at > len(one.example.turns):
                raise Wrong(changes.Problem("", "desk_no_place"))
            turn = changes.asked_first(one.example, at - 1)
        elif turn is None and not (action.place == "text" and one.example.kind is Kind.TEXT):
            raise Wrong(changes.Problem("", "desk_no_place"))
        html = editor_view.editor(
            one.example, action.place, turn or Turn(Role.USER), say, of=one.fingerprint, new=action.new
        )
        return {"editor": html, "of": one.fingerprint}

    def _write(self, action: Write, say: Words) -> dict[str, Any]:
        one = self._mine(action)
        if action.of and action.of != one.fingerprint:
            return {"conflict": say("desk_conflict")}
        if action.new:
            at = int(action.place.rpartition(".")[2]) if action.place.startswith("turns.") else -1
            example = changes.inserted(one.example, at, action.turn)
        else:
            example = changes.written(one.example, action.place, action.turn)
        pair = changes.corrected(one.example, action.place, action.turn) if action.keep else None
        stored = self._datasets.edit(one.id, example)
        said = say("desk_saved")
        if pair is not None:
            added = self._datasets.add(action.dataset, [pair], what="pair")
            said = say("desk_pair_kept" if added.added else "desk_pair_known")
        changed = {"said": said} if pair is not None else {"told": said}
        return {**self._shown(action.dataset, stored, action.only, say, seen=action.seen), **changed, "saved": True}

    def _change(self, action: Take | Mask | Tag | Rank | Score | Mend, say: Words) -> dict[str, Any]:
        one = self._mine(action)
        match action:
            case Take(place=place):
                self._datasets.edit(one.id, changes.without(one.example, place))
            case Mask(turn=turn, learn=learn):
                if one.example.kind is not Kind.CONVERSATION:
                    raise Wrong(changes.Problem("", "desk_mask_where"))
                self._datasets.mask(one.id, turn, learn)
            case Tag(tag=tag, on=on):
                self._datasets.tag(action.dataset, one.id, tag, on=on)
            case Rank(order=order):
                self._datasets.rank(one.id, changes.ranks(order, len(one.example.answers)))
            case Score(dimension=dimension, value=value):
                self._datasets.score(one.id, changes.scores(one.example, dimension, value))
            case Mend(finding=finding, of=fingerprint):
                if fingerprint != one.fingerprint:
                    return {**self._same(action, say), "said": say("desk_changed")}
                self._datasets.mend(action.dataset, one.id, lambda there: self._findings.mended(there, finding))
            case _:
                assert_never(action)
        answer = self._same(action, say)
        if isinstance(action, Tag):
            answer["parts"]["choices"] = self._choices(action.dataset, action.only, say)
        return answer

    def _apart_or_together(self, action: Split | Merge, say: Words) -> dict[str, Any]:
        one = self._mine(action)
        if isinstance(action, Split):
            self._datasets.split(one.id, action.turn)
            return {**self._same(action, say), "said": say("desk_split_done")}
        _, after = self._datasets.place(one.id, action.only)
        if after is None:
            raise Wrong(changes.Problem("", "desk_merge_last"))
        self._datasets.merge(one.id, after)
        return {**self._same(action, say), "said": say("desk_merge_done")}
