"""In: the messages of one exported conversation, as a tree. Out: examples, and what of it could not be read.

The shown branch is the conversation. Messages of one side that follow each other are one turn. What was rated is a
score; a liked answer beside a disliked one under the same message is a preference, and so is one that the person
corrected beside what it was; with `siblings`, so is the shown answer beside those it replaced.

A message that is only a picture ends the conversation before it. An answer to a message that had one stays as context
but is not learned from: the model would learn to speak of what it cannot see.
Knows nothing of who exported it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from tuning.sources.origin import Origin
from tuning.sources.skipped import Place, Skipped
from tuning.values import Answer, Example, Kind, Role, Source, Turn, conversation, preference


@dataclass(frozen=True, slots=True)
class Said:
    """One message. `role` None: nothing to read (hidden, a tool's traffic), though it is a knot of the tree."""

    id: str
    parent: str
    role: Role | None = None
    text: str = ""
    media: int = 0  # pictures, sounds and files that are not in the export
    tools: int = 0  # calls and results that are left out
    untrusted: tuple[str, ...] = ()
    finished: bool = True
    liked: bool | None = None
    instead_of: str = ""  # the answer whose words the person corrected to these
    model: str = ""
    persona: str = ""
    route: str = ""
    at: str = ""  # ISO 8601, UTC


@dataclass(frozen=True, slots=True)
class Thread:
    messages: Sequence[Said]  # in the order they were written
    shown: str = ""  # the last message of the shown branch; "": the newest one
    id: str = ""


def examples(thread: Thread, place: Place, origin: Origin) -> Iterator[Example | Skipped]:
    tree = _Tree(thread.messages)
    path, circle = tree.up_to(thread.shown if thread.shown in tree.nodes else tree.newest())
    if circle:
        yield place.skipped("loop", whole=False)
    turns, ended = _turns(path)
    yield from _losses(path, turns, ended, place)
    if not any(turn.learned for turn in turns):
        yield place.skipped(_why_nothing(path, turns))
        return
    source = origin.source(place, thread.id)
    yield _conversation(turns, source)
    for at, turn in enumerate(turns):
        if turn.role is Role.ASSISTANT and not turns[at - 1].media:
            yield from _judged(tree, turns[:at], turn, source, siblings=origin.siblings)


@dataclass
class _Turn:
    role: Role
    said: list[Said] = field(default_factory=list)
    seen: bool = True  # nothing it speaks of is missing

    @cached_property  # once all is said
    def text(self) -> str:
        return "\n\n".join(one.text for one in self.said if one.text)

    @cached_property
    def media(self) -> int:
        return sum(one.media for one in self.said)

    @cached_property
    def finished(self) -> bool:
        return next((one.finished for one in reversed(self.said) if one.role is self.role), True)

    @property
    def learned(self) -> bool:
        return self.role is Role.ASSISTANT and self.finished and self.seen

    @property
    def liked(self) -> bool | None:
        return next((one.liked for one in reversed(self.said) if one.liked is not None), None)

    def turn(self) -> Turn:
        return Turn(self.role, self.text, learn=self.learned if self.role is Role.ASSISTANT else True)


class _Tree:
    def __init__(self, messages: Iterable[Said]) -> None:
        self.nodes = {message.id: message for message in messages}
        self.children: defaultdict[str, list[str]] = defaultdict(list)
        for message in self.nodes.values():
            self.children[message.parent].append(message.id)

    def newest(self) -> str:
        """The leaf that was written last; where everything lies on a circle, the last message."""
        leaves = [one for one in self.nodes.values() if not self.children.get(one.id)] or list(self.nodes.values())
        newest, at = "", ""
        for leaf in leaves:
            if leaf.at >= at:  # one without a time counts as older than any with one
                newest, at = leaf.id, leaf.at
        return newest

    def up_to(self, leaf: str) -> tuple[list[Said], bool]:
        """From the first message to this one, and whether the way up went in a circle."""
        path: dict[str, Said] = {}
        at = leaf
        while at in self.nodes and at not in path:
            path[at] = self.nodes[at]
            at = path[at].parent
        return list(path.values())[::-1], at in path

    def answer(self, start: str) -> list[Said]:
        """What was answered from here on, until a person speaks again; the newest way at each fork."""
        path: dict[str, Said] = {}
        at = start
        while at and at not in path and self.nodes[at].role is not Role.USER:
            path[at] = self.nodes[at]
            at = next(reversed(self.children.get(at, [])), "")
        return list(path.values())


def _turns(path: Sequence[Said]) -> tuple[list[_Turn], bool]:
    """The turns that make sense by themselves, and whether a message that is only a picture ended them."""
    turns: list[_Turn] = []
    waiting: list[Said] = []  # what belongs to the next answer: tools that ran before it
    ended = False
    for one in path:
        if one.role is None:
            waiting.append(one)
            continue
        if not one.text:
            if one.role is Role.USER and one.media:
                ended = True
                break
            if not (one.media or one.tools):
                continue
        if one.role is Role.SYSTEM and turns:
            continue
        if not turns or turns[-1].role is not one.role:
            turns.append(_Turn(one.role))
        if one.role is Role.ASSISTANT:
            turns[-1].said += waiting
        waiting = []
        turns[-1].said.append(one)
    turns = _from_the_question_to_the_answer(_with_text(turns))
    for before, turn in pairwise(turns):
        turn.seen = not (before.role is Role.USER and before.media)
    return turns, ended


def _with_text(turns: list[_Turn]) -> list[_Turn]:
    """An answer that was only a picture is no turn: the messages around it are one, which had a picture."""
    kept: list[_Turn] = []
    lost: list[Said] = []
    for turn in turns:
        if not turn.text:
            lost += turn.said
            continue
        if not kept or kept[-1].role is not turn.role:
            kept.append(_Turn(turn.role))
        kept[-1].said += [*lost, *turn.said]
        lost = []
    return kept


def _from_the_question_to_the_answer(turns: list[_Turn]) -> list[_Turn]:
    system = turns[:1] if turns and turns[0].role is Role.SYSTEM else []
    rest = turns[len(system) :]
    first = next((at for at, turn in enumerate(rest) if turn.role is Role.USER), len(rest))
    last = next((at for at in range(len(rest), 0, -1) if rest[at - 1].role is Role.ASSISTANT), 0)
    return system + rest[first:last] if first < last else []


def _losses(path: Sequence[Said], turns: list[_Turn], ended: bool, place: Place) -> Iterator[Skipped]:
    """What is missing of a conversation that does come in."""
    if not any(turn.learned for turn in turns):
        return
    if media := sum(one.media for one in path):
        yield place.skipped("part", whole=False, count=media)
    if ended:
        yield place.skipped("picture", whole=False)
    if tools := sum(one.tools for one in path):
        yield place.skipped("tool", whole=False, count=tools)
    if any(turn.role is Role.ASSISTANT and not turn.finished for turn in turns):
        yield place.skipped("unfinished", whole=False)
    spoken = [one for one in path if one.text and one.role in (Role.USER, Role.ASSISTANT)]
    if spoken[0].role is Role.ASSISTANT:
        yield place.skipped("opening", whole=False)
    if spoken[-1].role is Role.USER and not ended:
        yield place.skipped("unanswered", whole=False)


def _why_nothing(path: Sequence[Said], turns: list[_Turn]) -> str:
    spoken = [one for one in path if one.role in (Role.USER, Role.ASSISTANT)]
    if any(one.media for one in spoken):
        return "unseen"
    if turns:
        return "unfinished_all"
    if not any(one.text for one in spoken):
        return "silent"
    return "no_answer" if any(one.role is Role.USER for one in spoken) else "no_question"


def _conversation(turns: list[_Turn], source: Source) -> Example:
    votes = [turn.liked for turn in turns if turn.liked is not None]
    how = "" if not votes else "liked" if all(votes) else "disliked"
    return conversation(*(turn.turn() for turn in turns), source=_source(turns, source, how))


def _source(turns: list[_Turn], source: Source, how: str) -> Source:
    said = [one for turn in turns for one in turn.said]
    spoke = next((one for one in reversed(said) if one.role is Role.ASSISTANT), Said("", ""))
    return replace(
        source,
        how=how,
        model=spoke.model or source.model,
        persona=spoke.persona,
        route=spoke.route,
        untrusted=tuple(Counter(name for one in said for name in one.untrusted)),
        created_at=max((one.at for one in said), default="") or source.created_at,
    )


def _judged(
    tree: _Tree, before: list[_Turn], shown: _Turn, source: Source, *, siblings: bool
) -> Iterator[Example | Skipped]:
    """What the person's thumbs, and their asking again, say of the answers to one message."""
    answers = [shown, *_others(tree, before[-1], shown)]
    if len(answers) == 1 and shown.liked is None:
        return
    prompt = tuple(turn.turn() for turn in before)
    for one in answers:
        if one.liked is not None:
            how = "liked" if one.liked else "disliked"
            answer = Answer(_answer(one).turns, scores={"like": 1.0 if one.liked else 0.0})
            yield Example(Kind.SCORE, prompt, (answer,), source=_source([*before, one], source, how))
    for other in answers[1:]:
        if any(one.instead_of in {old.id for old in other.said} for one in shown.said):
            better, worse, how = shown, other, "edited"
        elif {shown.liked, other.liked} == {True, False}:
            better, worse, how = (shown, other, "liked") if shown.liked else (other, shown, "liked")
        elif siblings and shown.liked is not False and not other.liked and shown.finished:
            better, worse, how = shown, other, "regenerated"
        else:
            continue
        of = _source([*before, worse, better], source, how)
        yield preference(prompt, _answer(better), _answer(worse), source=of)


def _answer(turn: _Turn) -> Answer:
    return Answer((Turn(Role.ASSISTANT, turn.text),))


def _others(tree: _Tree, asked: _Turn, shown: _Turn) -> Iterator[_Turn]:
    """The answers to the same message that are not shown, each once, oldest first."""
    known = {shown.text}
    ours = {one.id for one in shown.said}
    for child in tree.children.get(asked.said[-1].id, []):
        if child in ours:
            continue
        said = tree.answer(child)
        other = _Turn(Role.ASSISTANT, [one for one in said if one.role in (None, Role.ASSISTANT)])
        if ours.isdisjoint(one.id for one in said) and other.text and other.text not in known:
            known.add(other.text)
            yield other
