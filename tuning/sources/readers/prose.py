"""In: plain text in which people and an assistant speak. Out: examples.

    Q: …            P: …            User: …             ## You            Who wrote Hamlet?
    A: …            R: …            Assistant: …        ## Afina          William Shakespeare.

One way of marking is chosen for the whole text: that of its first lines which marks most. Answers go on over several
lines until the next mark. Each Q or P begins an example. What is marked by who speaks (User, Usuario, You, Afina …) is
a conversation until a line of dashes, a title, the next System, or a blank line where questions and answers have none
between them. Without marks, blocks between blank lines are pairs: the first line asks, the others answer.

`afina chats export --format markdown` writes the fourth way; the citations it lists under an answer are no part of it,
nor are their marks in it. A persona that spoke stands in brackets there: ## Afina (Marv).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TextIO

from assistant.history import cited
from tuning.sources.origin import Origin
from tuning.sources.skipped import Place, Skipped
from tuning.values import Example, Role, Turn, conversation

LONGEST = 1 << 24  # characters of one turn


@dataclass(frozen=True, slots=True)
class Style:
    name: str
    mark: re.Pattern[str]  # at the beginning of a line; its groups "user", "assistant", "system" say who, then "rest"
    pairs: bool = False  # each question begins an example


def fits(head: str) -> bool:
    return _style(head) is not None or _blocks(head)


def read(text: TextIO, origin: Origin, file: str = "") -> Iterator[Example | Skipped]:
    head = text.read(_HEAD) + text.readline(LONGEST)
    style = _style(head)
    lines = chain(_lines(head), iter(lambda: text.readline(LONGEST), ""))
    found = _marked(lines, style, tight=_tight(_lines(head), style)) if style else _unmarked(lines)
    index = 0
    for one in found:
        index += not isinstance(one, str)
        yield from _example(one, index or 1, origin, file)


@dataclass
class _Spoken:
    line: int = 0
    turns: list[tuple[Role, list[str]]] = field(default_factory=list)
    title: str = ""
    length: int = 0  # characters of its last turn
    over: bool = False  # a turn was longer than LONGEST

    def say(self, role: Role, words: str) -> None:
        if self.turns and self.turns[-1][0] is role:
            self.turns[-1][1].append("\n" + words)
        else:
            self.turns.append((role, [words]))
            self.length = 0

    def go_on(self, words: str) -> None:
        self.length += len(words)
        self.over = self.over or self.length > LONGEST
        if self.turns and not self.over:
            self.turns[-1][1].append(words)

    @property
    def last(self) -> Role | None:
        return self.turns[-1][0] if self.turns else None


_HEAD = 1 << 16
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_PEOPLE = "user|human|you|me|prompt|customer|usuario|usuaria|humano|humana|tú|tu|yo|cliente"
_MODELS = "assistant|afina|chatgpt|gpt-?[\\w.]*|claude|gemini|llama|ai|bot|chatbot|model|asistente|ia|modelo"
_SYSTEMS = "system|sistema"


def _who_of(user: str, assistant: str, system: str) -> str:
    return f"(?P<user>{user})|(?P<assistant>{assistant})|(?P<system>{system})"


def _mark(user: str, assistant: str, system: str = "(?!)", flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """`Q: …`, `**User:** …`, `> Q1. …`, `1) Pregunta: …`"""
    who = _who_of(user, assistant, system)
    before, after = r"[ \t>]{0,8}(?:[-*] |\d{1,6}[.)] )?\**", r" ?\d{0,6}\** ?[:：]\** ?"
    return re.compile(f"{before}(?:{who}){after}(?P<rest>.*)", flags | re.DOTALL)


_STYLES = (
    Style("letters", _mark("Q", "A", flags=0), pairs=True),
    Style("letras", _mark("P", "R", flags=0), pairs=True),
    Style("questions", _mark("question|pregunta", "answer|respuesta"), pairs=True),
    Style("people", _mark(_PEOPLE, _MODELS, _SYSTEMS)),
    Style(
        "headings",
        re.compile(
            rf"#{{1,6}} +\**(?:{_who_of(_PEOPLE, _MODELS, _SYSTEMS)})\**(?: \([^)\n]{{1,64}}\))?:?[ \t]*(?P<rest>)\n?$",
            re.IGNORECASE,
        ),
    ),
)
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|={3,}|_{3,})\s*")
_TITLE = re.compile(r"# +(?P<title>\S.*)")
_LINE = 2000  # characters of a line that may be a citation
_WAITING = 50  # lines of titles and dashes that are looked at before they are text
_CITED = re.compile(r"\s*- \[\d+\] .+, p\. \d+: “[^\n]*”\s*")


def _style(head: str) -> Style | None:
    """The way by which most lines are marked, if questions and answers are."""
    counted = [(_count(_lines(head), style), style) for style in _STYLES]
    most, style = max(counted, key=lambda one: one[0])
    return style if most else None


def _count(lines: Iterable[str], style: Style) -> int:
    """Questions that an answer follows."""
    asked = answered = 0
    for line in lines:
        who = _who(line, style)
        answered += who is Role.ASSISTANT and asked
        if who is not None:
            asked = int(who is Role.USER)
    return answered


def _lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="\n")


def _who(line: str, style: Style) -> Role | None:
    found = style.mark.match(line)
    return next((_ROLES[who] for who in _ROLES if found[who]), None) if found else None


def _marked(lines: Iterable[str], style: Style, *, tight: bool) -> Iterator[_Spoken | str]:
    """Whole conversations, and "outside" where text stands before the first mark.

    `tight`: answers follow their questions without a blank line, so that a blank line parts conversations.
    """
    spoken, before, outside = _Spoken(), "", False
    waiting: list[str] = []  # a title or a line of dashes, which may begin the next conversation
    for number, line in enumerate(lines, 1):
        role = _who(line, style)
        if role is None:
            before = line
            may_part = _TITLE.match(line) or _RULE.fullmatch(line) or (waiting and not line.strip())
            if may_part and len(waiting) < _WAITING:
                waiting.append(line)
                continue
            spoken.go_on("".join(waiting) + line)
            outside = outside or (not spoken.turns and bool(line.strip()))
            waiting = []
            continue
        if _begins(role, spoken, style, bool(waiting) or (tight and not before.strip())):
            yield spoken
            spoken = _Spoken()
        else:
            spoken.go_on("".join(waiting))
        if outside:
            yield "outside"
        if not spoken.turns:
            spoken.line = number
            spoken.title = next((found["title"] for found in map(_TITLE.match, waiting) if found), "").strip()
        spoken.say(role, style.mark.sub(r"\g<rest>", line, count=1))
        before, outside, waiting = line, False, []
    spoken.go_on("".join(waiting))
    if outside:
        yield "outside"
    if spoken.turns:
        yield spoken


def _begins(role: Role, spoken: _Spoken, style: Style, parted: bool) -> bool:
    """Whether what comes is of another conversation than what was said."""
    if role is Role.ASSISTANT or not spoken.turns:
        return False
    if role is Role.SYSTEM or style.pairs:
        return spoken.last is not Role.SYSTEM
    return spoken.last is Role.ASSISTANT and parted


def _tight(lines: Iterable[str], style: Style) -> bool:
    before = "-"
    for line in lines:
        if _who(line, style) is Role.ASSISTANT and not before.strip():
            return False
        before = line
    return True


def _blocks(head: str) -> bool:
    """Whether blocks between blank lines are questions and answers: half of the first lines ask."""
    blocks: list[list[str]] = [block.strip().splitlines() for block in re.split(r"\n\s*\n", head) if block.strip()]
    asks = sum(len(block) > 1 and block[0].rstrip().endswith("?") for block in blocks)
    return 0 < len(blocks) <= 2 * asks


def _unmarked(lines: Iterable[str]) -> Iterator[_Spoken | str]:
    spoken = _Spoken()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            if spoken.turns:
                yield spoken
            spoken = _Spoken()
        elif not spoken.turns:
            spoken.line = number
            spoken.say(Role.USER, line)
        elif spoken.last is Role.USER:
            spoken.say(Role.ASSISTANT, line)
        else:
            spoken.go_on(line)
    if spoken.turns:
        yield spoken


def _example(found: _Spoken | str, index: int, origin: Origin, file: str) -> Iterator[Example | Skipped]:
    if isinstance(found, str):
        yield Skipped(1, Place(index, 1, file).where, found, whole=False)
        return
    place = Place(index, found.line, file, found.title)
    if found.over:
        yield place.skipped("too_long", limit=LONGEST >> 20)
        return
    turns = [Turn(role, _words(parts, role)) for role, parts in found.turns]
    turns = [turn for turn in turns if turn.text]
    while turns and turns[-1].role is not Role.ASSISTANT:
        turns.pop()
    if not turns or not any(turn.role is Role.USER for turn in turns):
        asked = any(role is Role.USER for role, _ in found.turns)
        yield place.skipped("no_answer" if asked else "no_question")
        return
    if found.last is Role.USER:
        yield place.skipped("unanswered", whole=False)
    if any("\ufffd" in turn.text for turn in turns):
        yield place.skipped("replaced", whole=False)
    yield conversation(*turns, source=origin.source(place))


def _words(parts: list[str], role: Role) -> str:
    """What was said, without the list of citations under it."""
    words = "".join(parts).strip()
    lines = words.split("\n")
    if role is not Role.ASSISTANT or not _CITED.fullmatch(lines[-1][:_LINE]):
        return words
    while lines and (not lines[-1].strip() or _CITED.fullmatch(lines[-1][:_LINE])):
        lines.pop()
    return cited("\n".join(lines), ()).strip()
