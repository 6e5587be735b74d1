"""In: the chat history, a filter. Out: examples, with where they come from.

conversations   each path to a matching answer; earlier answers of it are context, out of the loss
preferences     an edited answer beats its original, a liked one a disliked one under the same prompt, the shown one its
                regenerated siblings
rankings        all answers to one question, to be ranked by a person
scores          one rated answer: {"like": 1.0} or 0.0

An answer from documents is kept with its passages, as the model was asked (`grounding="passages"`), because an [n]
without them teaches to invent citations; "plain" leaves the marks out instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.events import Route
from assistant.history import History, Message, MessageStatus, cited
from assistant.history.words import folded
from knowledge.language import detect
from tuning.sources.speech import Cast, answer_turns, asked, context, grounded
from tuning.values import Answer, Example, Kind, Role, Source, Turn, preference

Names = tuple[int, ...]


class ChatFilter(BaseModel):
    """Which answers; everything left out lets all pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: datetime | None = None  # of the answer; aware
    until: datetime | None = None
    persona: str = Field(default="", max_length=64)  # a name; "Afina": nobody's
    route: Route | None = None
    rating: Literal["", "liked", "disliked", "rated", "unrated"] = ""
    reason: str = Field(default="", max_length=40)  # of the rating
    edited: bool | None = None  # corrected by a person
    language: str = Field(default="", max_length=8)  # of the answer
    search: str = Field(default="", max_length=200)  # each word stands in the question or the answer
    shortest: int | None = Field(default=None, ge=0)  # characters of the answer
    longest: int | None = Field(default=None, ge=0)
    conversations: Names = ()
    messages: Names = ()  # these answers and no others


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["conversation", "preference", "ranking", "score"] = "conversation"
    turns: Literal["conversation", "exchange"] = "conversation"  # with what came before it, or question and answer
    grounding: Literal["passages", "plain"] = "passages"
    tools: bool = True  # calls and results as turns; else only what was said


@dataclass(frozen=True, slots=True)
class Tree:
    """One conversation: all its messages, and who answers whom."""

    conversation: int
    title: str
    messages: Mapping[int, Message]
    below: Mapping[int | None, Sequence[Message]] = field(hash=False)
    shown: frozenset[int] = frozenset()  # of the branch that a person sees

    @classmethod
    def of(cls, history: History, conversation: int, title: str) -> Tree:
        found, shown = history.branches(conversation)
        messages = {one.id: one for one in found}
        below = defaultdict[int | None, list[Message]](list)
        for one in found:
            below[one.parent].append(one)
        return cls(conversation, title, messages, below, shown)

    def path(self, message: Message) -> list[Message]:
        """From the first question to it, itself last."""
        path = [message]
        while path[-1].parent is not None:
            path.append(self.messages[path[-1].parent])
        return path[::-1]

    def answers(self, question: int) -> list[Message]:
        return [one for one in self.below[question] if whole(one)]


def gather(history: History, only: ChatFilter, shape: Shape, cast: Cast) -> Iterator[Example]:
    """Conversation by conversation, the oldest first."""
    trees = _trees(history, only)
    match shape.kind:
        case "conversation":
            for tree in trees:
                yield from _conversations(tree, only, shape, cast)
        case "preference":
            yield from _preferences(trees, only, shape, cast)
        case "ranking":
            for tree in trees:
                yield from _rankings(tree, only, shape, cast)
        case "score":
            for tree in trees:
                yield from _scores(tree, only, shape, cast)


def whole(message: Message) -> bool:
    """An answer that ended as it should and says something."""
    return message.role == "assistant" and message.status is MessageStatus.COMPLETE and bool(message.text.strip())


def passes(answer: Message, question: str, only: ChatFilter) -> bool:
    """A table of conditions: each one a person can set."""
    words = folded(only.search).split()
    said = folded(f"{question}\n{answer.text}") if words else ""
    rated = answer.liked is not None
    return (
        whole(answer)
        and (not only.messages or answer.id in only.messages)
        and (only.since is None or answer.created_at >= only.since)
        and (only.until is None or answer.created_at < only.until)
        and (not only.persona or (answer.persona or "Afina").casefold() == only.persona.casefold())
        and (only.route is None or answer.route is only.route)
        and {"": True, "liked": answer.liked is True, "disliked": answer.liked is False, "rated": rated,
             "unrated": not rated}[only.rating]
        and (not only.reason or only.reason in answer.reasons)
        and (only.edited is None or (answer.edited_from is not None) is only.edited)
        and (not only.language or (detect(answer.text) or "other") == only.language)
        and (only.shortest is None or len(answer.text) >= only.shortest)
        and (only.longest is None or len(answer.text) <= only.longest)
        and all(word in said for word in words)
    )  # fmt: skip


def _trees(history: History, only: ChatFilter) -> Iterator[Tree]:
    found = [one for one in history.conversations() if not only.conversations or one.id in only.conversations]
    for one in sorted(found, key=lambda each: each.id):
        yield Tree.of(history, one.id, one.title)


def _matching(tree: Tree, only: ChatFilter) -> list[Message]:
    return [
        one
        for one in tree.messages.values()
        if whole(one) and one.parent is not None and passes(one, tree.messages[one.parent].text, only)
    ]


# ── conversations ────────────────────────────────────────────────────────────────────────────────────────────────


def _conversations(tree: Tree, only: ChatFilter, shape: Shape, cast: Cast) -> Iterator[Example]:
    matching = _matching(tree, only)
    alone = [one for one in matching if shape.turns == "exchange" or _grounded(one, shape)]
    for answer in alone:
        yield _exchange(tree, answer, shape, cast)
    rest = [one for one in matching if one not in alone]
    for persona in dict.fromkeys(one.persona for one in rest):
        mine = [one for one in rest if one.persona == persona]
        above = {one.id for answer in mine for one in tree.path(answer)[:-1]}
        for last in mine:
            if last.id not in above:
                yield _path(tree, last, {one.id for one in mine}, shape, cast)


def _exchange(tree: Tree, answer: Message, shape: Shape, cast: Cast) -> Example:
    turns = (*_prompt(tree, answer, shape, cast, alone=True), *answer_turns(answer, shape.tools, plain=_plain(shape)))
    return Example(
        Kind.CONVERSATION, turns=turns, tools=cast.tools(turns), source=_source(tree, [answer], _how(answer), cast)
    )


def _path(tree: Tree, last: Message, learned: set[int], shape: Shape, cast: Cast) -> Example:
    path = tree.path(last)
    plain = _plain(shape)
    turns = [*cast.system(last.persona, last.text), *context(path[:-2], learned, shape.tools)]
    turns = [*turns, asked(path[-2], last), *answer_turns(last, shape.tools, plain=plain)]
    mine = [one for one in path if one.id in learned]
    how = _how(last) if len({_how(one) for one in mine}) == 1 else "chat"
    whole_turns = tuple(turns)
    return Example(
        Kind.CONVERSATION,
        turns=whole_turns,
        tools=cast.tools(whole_turns),
        source=_source(tree, mine, how, cast, path),
    )


def _prompt(tree: Tree, answer: Message, shape: Shape, cast: Cast, *, alone: bool) -> list[Turn]:
    """What stands before an answer: its passages and the question, or the conversation so far."""
    path = tree.path(answer)
    if _grounded(answer, shape):
        return grounded(answer, path[-2].text)
    before = [] if alone or shape.turns == "exchange" else context(path[:-2], set(), shape.tools)
    return [*cast.system(answer.persona, answer.text), *before, asked(path[-2], answer)]


def _grounded(answer: Message, shape: Shape) -> bool:
    return shape.grounding == "passages" and bool(answer.citations) and not answer.persona


def _plain(shape: Shape) -> bool:
    return shape.grounding == "plain"


# ── preferences, rankings, scores ────────────────────────────────────────────────────────────────────────────────


def _preferences(trees: Iterable[Tree], only: ChatFilter, shape: Shape, cast: Cast) -> Iterator[Example]:
    first_questions = defaultdict[tuple[str, str], list[tuple[Tree, Message]]](list)
    for tree in trees:
        for question in [one for one in tree.messages.values() if one.role == "user"]:
            answers = tree.answers(question.id)
            for better, worse, how in _better(answers, tree):
                if passes(better, question.text, only):
                    yield _pair(tree, better, worse, how, shape, cast)
            if question.parent is None:
                same = [(tree, one) for one in answers if one.liked is not None]
                first_questions[folded(question.text), ""] += same
    for rated in first_questions.values():
        yield from _across(rated, only, shape, cast)


def _better(answers: Sequence[Message], tree: Tree) -> Iterator[tuple[Message, Message, str]]:
    """(better, worse, why), the surest reason of each pair once."""
    by_id = {one.id: one for one in answers}
    told = set[frozenset[int]]()
    for better, worse, how in _reasons(answers, by_id, _shown(answers, tree)):
        pair = frozenset((better.id, worse.id))
        if pair not in told and better.text.strip() != worse.text.strip():
            told.add(pair)
            yield better, worse, how


def _reasons(
    answers: Sequence[Message], by_id: Mapping[int, Message], shown: Message | None
) -> Iterator[tuple[Message, Message, str]]:
    for one in answers:
        if one.edited_from in by_id and one.liked is not False:
            yield one, by_id[one.edited_from], "edited"  # type: ignore[index]  # None is no key of it
    for liked, disliked in product(answers, answers):
        if liked.liked is True and disliked.liked is False:
            yield liked, disliked, "rated"
    if shown is not None and shown.liked is not False:
        for other in answers:
            if other.id != shown.id and other.liked is not True:
                yield shown, other, "regenerated"


def _shown(answers: Sequence[Message], tree: Tree) -> Message | None:
    """The answer a person stayed with: the one the conversation went on from, else the one that is shown."""
    went_on = [one for one in answers if tree.below[one.id]]
    if len(went_on) == 1:
        return went_on[0]
    return next((one for one in answers if one.id in tree.shown), None)


def _across(rated: Sequence[tuple[Tree, Message]], only: ChatFilter, shape: Shape, cast: Cast) -> Iterator[Example]:
    """A like in one chat beats a dislike in another, under the same first question and the same persona."""
    for (tree, liked), (other, disliked) in product(rated, rated):
        apart = tree.conversation != other.conversation and liked.persona == disliked.persona
        opposite = liked.liked is True and disliked.liked is False and liked.text != disliked.text
        question = tree.messages[liked.parent].text if liked.parent is not None else ""
        if apart and opposite and passes(liked, question, only):
            yield _pair(tree, liked, disliked, "rated", shape, cast)


def _pair(tree: Tree, better: Message, worse: Message, how: str, shape: Shape, cast: Cast) -> Example:
    prompt = tuple(_prompt(tree, better, shape, cast, alone=False))
    chosen, rejected = _answer(better, shape), _answer(worse, shape)
    source = replace(_source(tree, [better], how, cast, [worse, better]), messages=(worse.id, better.id))
    return preference(prompt, chosen, rejected, source=source)


def _rankings(tree: Tree, only: ChatFilter, shape: Shape, cast: Cast) -> Iterator[Example]:
    for question in [one for one in tree.messages.values() if one.role == "user"]:
        answers = list({one.text.strip(): one for one in tree.answers(question.id)}.values())
        if len(answers) < 2 or not any(passes(one, question.text, only) for one in answers):
            continue
        prompt = tuple(_prompt(tree, answers[0], shape, cast, alone=False))
        source = _source(tree, answers, "to rank", cast)
        yield Example(Kind.RANKING, prompt, tuple(_answer(one, shape) for one in answers), source=source)


def _scores(tree: Tree, only: ChatFilter, shape: Shape, cast: Cast) -> Iterator[Example]:
    for one in _matching(tree, only):
        if one.liked is None:
            continue
        answer = replace(_answer(one, shape), scores={"like": 1.0 if one.liked else 0.0})
        prompt = tuple(_prompt(tree, one, shape, cast, alone=False))
        yield Example(Kind.SCORE, prompt, (answer,), source=_source(tree, [one], "rated", cast))


def _answer(message: Message, shape: Shape) -> Answer:
    """What was said; how a tool was called is not compared."""
    text = cited(message.text, ()) if _plain(shape) else message.text
    return Answer((Turn(Role.ASSISTANT, text),))


# ── where it comes from ──────────────────────────────────────────────────────────────────────────────────────────


def _how(answer: Message) -> str:
    if answer.edited_from is not None:
        return "edited"
    return {True: "liked", False: "disliked", None: "chat"}[answer.liked]


def _source(tree: Tree, answers: Sequence[Message], how: str, cast: Cast, path: Sequence[Message] = ()) -> Source:
    newest = answers[-1]
    return Source(
        origin="chat",
        name=tree.title,
        group=f"chat:{tree.conversation}",
        conversation=tree.conversation,
        messages=tuple(one.id for one in answers),
        how=how,
        persona=newest.persona,
        route=newest.route.value if newest.route else "",
        model=newest.model,
        untrusted=cast.strangers(path or answers),
        created_at=newest.created_at.isoformat(timespec="seconds"),
    )


def described(only: ChatFilter, shape: Shape) -> dict[str, Any]:
    """For a recipe: what was chosen, without what was not."""
    return {**only.model_dump(mode="json", exclude_defaults=True), **shape.model_dump(mode="json")}
