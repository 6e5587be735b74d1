"""In: nothing. Out: an example of training data, frozen: what sources make, curation changes, formats write.

conversation   turns: system?, user, assistant, user, assistant …       instruction following, dialogue, safety, tools
preference     turns: the prompt; answers: two, one better              DPO, reward models
ranking        turns: the prompt; answers: N, each with a rank          N·(N−1)/2 preferences
score          turns: the prompt; answers: one, with scores             KTO, reward models
text           text: as it stands                                       continued pre-training

Knows nothing of SQL, files, tokenizers or providers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import combinations
from typing import Any


class Kind(StrEnum):
    CONVERSATION = "conversation"
    PREFERENCE = "preference"
    RANKING = "ranking"
    SCORE = "score"
    TEXT = "text"


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool the assistant asked for. `arguments` is JSON as the model wrote it: it may be wrong, and is kept."""

    name: str
    arguments: str = "{}"
    id: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    role: Role
    text: str = ""
    calls: tuple[Call, ...] = ()  # of an assistant's turn; then `text` may be empty
    call_id: str = ""  # of a tool's turn: the call it answers
    name: str = ""  # of a tool's turn: the tool; else a participant's name
    learn: bool = True  # whether an assistant's turn carries loss; of no meaning on other roles


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to go on from the prompt: one assistant's turn, or several where tools were called on the way."""

    turns: tuple[Turn, ...]
    rank: int = 0  # 1 is best; equal ranks are a tie; 0: not ranked
    scores: Mapping[str, float] = field(default_factory=dict, hash=False)  # dimension → value: {"like": 1.0}

    @property
    def text(self) -> str:
        return "\n".join(turn.text for turn in self.turns if turn.role is Role.ASSISTANT and turn.text)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an example comes from: shown with it, kept with it, and what a split must not tear apart."""

    origin: str = "hand"  # "chat" | "import" | "document" | "teacher" | "hand" | "sample"
    name: str = ""  # the chat's title, the file, the document, the teacher
    group: str = ""  # examples of one group never part between train and validation: "chat:12", "import:ab12:7"
    conversation: int | None = None  # of the chat history
    messages: tuple[int, ...] = ()  # of the chat history, in order
    line: int | None = None  # of the file it was read from, from 1
    how: str = ""  # "liked" | "edited" | "regenerated" | "ranked" | "marked" | … : why it is data
    persona: str = ""
    route: str = ""
    model: str = ""  # that wrote the answer
    untrusted: tuple[str, ...] = ()  # what of strangers stands in it: "web_page", "mcp:notes", a document's title
    created_at: str = ""  # ISO 8601, UTC, of the newest message in it


@dataclass(frozen=True, slots=True)
class Example:
    kind: Kind
    turns: tuple[Turn, ...] = ()  # the whole conversation, or the prompt before the answers
    answers: tuple[Answer, ...] = ()
    text: str = ""  # of Kind.TEXT
    tools: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)  # {"type": "function", "function": {…}} each
    tags: tuple[str, ...] = ()
    source: Source = Source()

    @property
    def prompt(self) -> str:
        """The last thing a person said before the answer: what two examples with the same question share."""
        asked = [turn.text for turn in self.turns if turn.role is Role.USER]
        return asked[-1] if asked else ""

    @property
    def system(self) -> str:
        return next((turn.text for turn in self.turns if turn.role is Role.SYSTEM), "")

    @property
    def texts(self) -> tuple[str, ...]:
        """All that anyone wrote in it, in order."""
        said = [turn.text for turn in self.turns]
        said += [turn.text for answer in self.answers for turn in answer.turns]
        return tuple(text for text in [*said, self.text] if text)

    @property
    def chosen(self) -> Answer | None:
        """The best answer of a preference or ranking, the only one of a score; the first while none is ranked."""
        ranked = [answer for answer in self.answers if answer.rank > 0]
        return min(ranked or self.answers[:1], key=lambda answer: answer.rank, default=None)


def conversation(*turns: Turn, **more: Any) -> Example:
    return Example(Kind.CONVERSATION, turns=turns, **more)


def preference(prompt: tuple[Turn, ...], chosen: Answer, rejected: Answer, **more: Any) -> Example:
    """The preferred one first, as everywhere: rewards [1, 0]."""
    return Example(Kind.PREFERENCE, turns=prompt, answers=(replace(chosen, rank=1), replace(rejected, rank=2)), **more)


def pairs(ranking: Example) -> Iterator[Example]:
    """N ranked answers → N·(N−1)/2 preferences, in the order of the answers, the preferred one first; a tie is none,
    and an answer without a rank is in none.

    Three answers ranked 2, 1, 3 → (2, 1), (1, 3), (2, 3), as answers are counted from 1. All of a ranking share its
    group, so that a split keeps them on one side.
    """
    for first, second in combinations(ranking.answers, 2):
        if first.rank == second.rank or not (first.rank and second.rank):
            continue
        better, worse = (first, second) if first.rank < second.rank else (second, first)
        yield preference(ranking.turns, better, worse, tools=ranking.tools, tags=ranking.tags, source=ranking.source)
