"""In: an example. Out: Finding, … of what is wrong with its answers: those a model would learn, masked ones left alone.

Each check says one thing and is a function of its own; an answer's question is the person's turn before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from assistant.repeats import SHORTEST, without_loop
from knowledge.language import LANGUAGES, detect
from tuning.cleaning import refusals
from tuning.cleaning.fields import answers, fields
from tuning.cleaning.findings import Finding, short
from tuning.cleaning.wording import plain
from tuning.values import Example, Kind, Role, Turn

SPECIAL = re.compile(
    r"<\|[A-Za-z][\w ]{0,40}\|>|<｜[^｜>\n]{1,40}｜>|</?s>|<</?SYS>>|"
    r"\[/?(?:INST|SYS|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|\[(?:CLS|SEP|PAD|MASK|UNK)\]|"
    r"</?(?:start_of_turn|end_of_turn|bos|eos|pad|unk|mask|tool_call|tool_response)>"
)
_MARKS = re.compile(
    r"[ \u00a0]?(?<![\w)\]`])\[[1-9]\d?\](?:,?[ \u00a0]?\[\d{1,2}\])*(?![(:])"
)  # [1], [2]; no link, no footnote
_STAGED = re.compile(
    r"\[[^\]\n:]{1,40} (?:answered|respondió): |^(?:Answer from the documents|Respuesta de los documentos): ",
    re.MULTILINE,
)
_AFINA = re.compile(r"\b(?:I am|I'm|Soy|Me llamo|My name is) Afina\b", re.IGNORECASE)
_UNFINISHED = {
    "stopped",
    "failed",
    "interrupted",
    "writing",
    "length",
    "cut_off",
}  # statuses of a message, reasons of an end
_TRANSLATE = re.compile(
    r"\b(?:translat\w+|traduc\w+|traducción|(?:in|into|to) (?:english|spanish|french|german|italian|portuguese)|"
    r"(?:en|al) (?:inglés|español|castellano|francés|alemán|italiano|portugués)|how do you say|cómo se dice)\b",
    re.IGNORECASE,
)

_WORDS_OF_A_SENTENCE = 8  # a shorter answer without a full stop is a name or a number
_FINAL = ".!?…:;)]}\"'»”’*_`|>~%€$°+=/\\-–—"
_LISTED = re.compile(r"\s*(?:[-*•·]|\d+[.)]|\||#|>|`{3})")
HANGING = re.compile(r"\n[ \t]*(?:[-*•]|\d{1,2}[.)])\s*$")  # a list's next sign, with nothing after it
_NEVER_LAST = {  # words with which no sentence ends
    "en": {*("a", "an", "the", "and", "or", "but", "of", "to", "in", "for", "with", "from", "by", "at", "as"),
           *("because", "although", "which", "whose", "my", "your", "his", "our")},
    "es": {*("un", "una", "el", "la", "los", "las", "y", "o", "pero", "de", "del", "en", "para", "con", "por", "sin"),
           *("sobre", "porque", "aunque", "cuyo", "mi", "tu", "su", "que", "al")},
}  # fmt: skip
_SAMPLE = 600  # characters by which a language is told
_LOOKED_AT = 1_600  # characters in which the piece of a loop returns
_REPEATED = 3  # times one sentence of some length is said
_SENTENCE = re.compile(r"[^.!?\n]{24,}[.!?]?")


def check(example: Example) -> Iterator[Finding]:
    yield from _provenance(example)
    yield from _special_tokens(example)
    if example.kind is Kind.TEXT:
        return
    if not list(answers(example)):
        masked = any(turn.role is Role.ASSISTANT for turn in example.turns) and not example.answers
        yield Finding("nothing_learned" if masked else "empty")
    for path, turn in answers(example):
        asked = _question(example, path)
        found = list(_of_one(f"{path}.text", turn, asked))
        yield from found
        if not found or found[0].code != "empty":
            yield from _leftovers(example, f"{path}.text", turn)
    yield from _equal_answers(example)


def _of_one(path: str, turn: Turn, asked: str) -> Iterator[Finding]:
    text = turn.text.strip()
    if not text:
        if not turn.calls:
            yield Finding("empty", path)
        return
    if asked and len(text) < 2 * len(asked) + 20 and plain(text) == plain(asked):
        yield Finding("echo", path, 0, len(turn.text), short(text))
    yield from _loop(path, turn.text)
    yield from _cut_off(path, turn.text)
    if abstained := refusals.abstention(text):
        yield _at("abstention", path, turn.text, abstained[0])
    elif refused := refusals.refusal(text):
        yield _at("refusal", path, turn.text, refused[0])
    if _other_language(text, asked):
        yield Finding("wrong_language", path, 0, len(turn.text), short(text))


def _provenance(example: Example) -> Iterator[Finding]:
    source = example.source
    if source.untrusted:
        yield Finding("untrusted", shown=short(", ".join(source.untrusted)))
    if _UNFINISHED & {source.how, *example.tags}:
        yield Finding("unfinished")


def _special_tokens(example: Example) -> Iterator[Finding]:
    for field in fields(example):
        for match in SPECIAL.finditer(field.text) if "<" in field.text or "[" in field.text else ():
            yield Finding("special_tokens", field.path, *match.span(), match[0])


def _loop(path: str, text: str) -> Iterator[Finding]:
    once = without_loop(text) if _may_loop(text) else text
    if once != text:
        yield Finding("loop", path, len(once), len(text), short(text[len(once) :].strip()))
        return
    said: dict[str, int] = {}
    for match in _SENTENCE.finditer(text) if "```" not in text and "|" not in text else ():
        sentence = match[0].strip().casefold()
        said[sentence] = said.get(sentence, 0) + 1
        if said[sentence] == _REPEATED:
            yield Finding("loop", path, match.start(), len(text), short(match[0].strip()))
            return


def _may_loop(text: str) -> bool:
    """Whether the last letters stand there once more: to look for a loop takes ten milliseconds, this takes none."""
    ends = (text, text[:-1]) if text.endswith("\n") else (text,)
    return any(end[-SHORTEST:] in end[-_LOOKED_AT:-SHORTEST] for end in ends)


def _cut_off(path: str, text: str) -> Iterator[Finding]:
    written = text.rstrip()
    last = written.rpartition("\n")[2]
    open_fence = "```" in written and len(re.findall(r"^\s*```", written, re.MULTILINE)) % 2 == 1
    if open_fence or HANGING.search(written) or _breaks_off(written, last):
        yield Finding("cut_off", path, max(0, len(written) - 60), len(text), "…" + written[-40:].lstrip())


def _breaks_off(written: str, last: str) -> bool:
    """No full stop where prose would have one; or the last word is one that no sentence ends with."""
    if written.endswith((",", "(", " -", "¿", "¡")):
        return True
    words = last.split()
    if not words or written[-1] in _FINAL or not (written[-1].isalnum()):
        return False
    little = any(words[-1].lower() in _NEVER_LAST[language] for language in LANGUAGES)
    if _LISTED.match(last) or len(written.split()) < _WORDS_OF_A_SENTENCE:
        return little and len(written.split()) > 2
    prose = any(sign in written[:-1] for sign in ".!?")
    return little or (prose and len(words) >= _WORDS_OF_A_SENTENCE)


def _other_language(text: str, asked: str) -> bool:
    """Both clearly in a language we know, not the same, and the question asks for no other one."""
    if _TRANSLATE.search(asked) or len(text.split()) < 4:
        return False
    prose = re.sub(r"```.*?(?:```|\Z)", " ", text, flags=re.DOTALL) if "```" in text else text
    answered, question = detect(prose[:_SAMPLE]), detect(asked[:_SAMPLE])
    return bool(answered and question and answered != question)


def _leftovers(example: Example, path: str, turn: Turn) -> Iterator[Finding]:
    staged = _STAGED.search(turn.text)
    other = _AFINA.search(turn.text) if example.source.persona else None
    if found := staged or other:
        yield Finding("persona", path, *found.span(), found[0].strip())
    for marks in _MARKS.finditer(turn.text) if "[" in turn.text else ():
        if not any(number in given for number in re.findall(r"\[\d+\]", marks[0]) for given in _given(example)):
            yield Finding("citations", path, *marks.span(), marks[0].strip())


def _given(example: Example) -> Iterator[str]:
    """What a model is given to cite from."""
    for turn in (*example.turns, *(turn for answer in example.answers for turn in answer.turns)):
        if turn.role is not Role.ASSISTANT:
            yield turn.text


def _equal_answers(example: Example) -> Iterator[Finding]:
    for (_, one), (number, other) in combinations(enumerate(example.answers), 2):
        if one.rank != other.rank and plain(one.text) == plain(other.text) and one.text:
            yield Finding("equal_answers", f"answers.{number}.turns.0.text", shown=short(other.text))


def _question(example: Example, path: str) -> str:
    """What the person said last before this answer."""
    before = example.turns if example.answers else example.turns[: int(path.rpartition(".")[2])]
    return next((turn.text for turn in reversed(before) if turn.role is Role.USER), "")


def _at(code: str, path: str, text: str, words: str) -> Finding:
    start = max(0, text.replace("’", "'").find(words))
    return Finding(code, path, start, start + len(words), short(words))
