"""In: a chat template (Jinja), the tokenizer's marks. Out: the same in Go's words, a Modelfile for Ollama. Pure.

What stands around each role's words is read off the template as it writes a few conversations; the result is then held
against it on others. Where the two differ (a template that counts, or that speaks of tools) no TEMPLATE is written:
Ollama then reads the one that lies in the GGUF.

    FROM ./marv-q8_0.gguf
    TEMPLATE \"\"\"{{ range .Messages }}{{ if eq .Role "system" }}<|im_start|>system
    {{ .Content }}<|im_end|>
    {{ else if … }}{{ end }}{{ end }}<|im_start|>assistant
    \"\"\"
    SYSTEM \"\"\"Marv is a factual chatbot that is also sarcastic.\"\"\"
    PARAMETER stop "<|im_end|>"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assistant.models.local.templates import render

Turns = Sequence[tuple[str, str]]  # (role, text)
Write = Callable[[Turns, bool], str]  # a conversation; whether an answer is to follow
ROLES = ("system", "user", "assistant")
_WORDS = {"system": "§S§", "user": "§U§", "assistant": "§A§"}  # no template writes such


@dataclass(frozen=True, slots=True)
class Around:
    """What stands before and after each role's words, before an answer, and where no system speaks."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    asking: str
    silent: str  # instead of a system's turn

    def written(self, turns: Turns) -> str:
        """As the template writes it, an answer to follow."""
        spoken = any(role == "system" for role, _ in turns)
        told = "".join(f"{self.before[role]}{text}{self.after[role]}" for role, text in turns)
        return ("" if spoken else self.silent) + told + self.asking


def modelfile(gguf: str, template: str, marks: Mapping[str, str], system: str, *, begins: str = "") -> str:
    """`marks`: {"bos_token": "<s>", …}; `begins`: what the tokenizer puts before a text by itself, so that it is not
    written twice."""
    found = around(template, marks) if template else None
    lines = [f"FROM ./{gguf}"]
    if found is not None:
        lines.append(f'TEMPLATE """{go(_without(found, begins))}"""')
    else:
        lines.append("# The chat template lies in the GGUF; in Ollama's own words it cannot be said.")
    if system:
        safe = system.replace('"""', "'''")
        lines.append(f'SYSTEM """{safe}"""')
    lines.append("PARAMETER temperature 0")
    ends = dict.fromkeys([found.after["assistant"].strip() if found else "", marks.get("eos_token", "")])
    lines += [f"PARAMETER stop {_quoted(end)}" for end in ends if end]
    return "\n".join(lines) + "\n"


def around(template: str, marks: Mapping[str, str]) -> Around | None:
    """None where the template is not of this kind."""

    def write(turns: Turns, asking: bool) -> str:
        return render([{"role": role, "content": text} for role, text in turns], template, marks, asking=asking)

    try:
        found = _read(write)
        return found if found is not None and _holds(found, write) else None
    except Exception:  # whatever a template raises: without a role for the system, with turns that must alternate
        return None


def go(found: Around) -> str:
    """The same as a template of Go's, over Ollama's .Messages."""
    branches = "".join(
        f'{{{{ {"if" if at == 0 else "else if"} eq .Role "{role}" }}}}{_plain(found.before[role])}{{{{ .Content }}}}'
        f"{_plain(found.after[role])}"
        for at, role in enumerate(ROLES)
    )
    silent = f"{{{{ if not .System }}}}{_plain(found.silent)}{{{{ end }}}}" if found.silent else ""
    return f"{silent}{{{{ range .Messages }}}}{branches}{{{{ end }}}}{{{{ end }}}}{_plain(found.asking)}"


def _read(write: Write) -> Around | None:
    """Turn by turn: what a further one adds stands around its words."""
    before, after, told, turns = dict[str, str](), dict[str, str](), "", list[tuple[str, str]]()
    for role in ROLES:
        turns.append((role, _WORDS[role]))
        longer = write(turns, False)
        if not longer.startswith(told):
            return None
        first, word, last = longer[len(told) :].partition(_WORDS[role])
        if not word:
            return None
        before[role], after[role], told = first, last, longer
    asked = write(turns[:2], True)
    without = write(turns[:2], False)
    alone = write(turns[1:2], True)
    told = f"{before['user']}{_WORDS['user']}{after['user']}{asked[len(without) :]}"
    if not asked.startswith(without) or not alone.endswith(told):
        return None
    return Around(before, after, asked[len(without) :], alone[: len(alone) - len(told)])


def _holds(found: Around, write: Write) -> bool:
    tries: list[Turns] = [
        [("user", "a")],
        [("system", "s"), ("user", "a")],
        [("user", "a"), ("assistant", "b"), ("user", "c\n\nd")],
        [("system", "Be brief."), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e")],
    ]
    return all(found.written(turns) == write(turns, True) for turns in tries)


def _without(found: Around, begins: str) -> Around:
    """Without the mark that the tokenizer sets itself."""
    if not begins:
        return found
    before = {**found.before, "system": found.before["system"].removeprefix(begins)}
    return Around(before, found.after, found.asking, found.silent.removeprefix(begins))


def _plain(text: str) -> str:
    """Go takes braces for its own; three quotes would end the Modelfile's text."""
    safe = text.replace("{{", "\0").replace('"""', "\1")
    return safe.replace("\0", '{{ "{{" }}').replace("\1", '{{ "\\"\\"\\"" }}')


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
