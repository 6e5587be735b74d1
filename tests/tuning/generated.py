"""Made-up examples of every kind, the same for the same seed: what a generator of cases would give.

Texts in English and Spanish with emoji, quotes, line ends, JSON inside text; several turns, masks, names, tools with
parallel calls, ids that are missing, arguments spelled oddly.
"""

from __future__ import annotations

import json
import random
from typing import Any

from tuning.values import Answer, Call, Example, Kind, Role, Source, Turn

TEXTS = (
    "What's the capital of France?",
    "¿Cuál es la capital de Francia? ¡Dímelo ya!",
    "París, como si nadie lo supiera. 🙄",
    "👩‍👩‍👧‍👦 🇪🇸 zero\u200bwidth, line\u2028separator",
    'He said "no",\nthen left.\t\\o/',
    '{"output": "as JSON"}',
    '{"output": "as JSON", "more": [1, 2.5, null, true]}',
    '{"spaced" :  1}',
    "[1, 2]",
    "0",
    " ",
    "Ω" * 300,
    "null",
    "-- <|not a token|> & <b>bold</b>",
)
WORDS = "the capital of France is a city that nobody at this table seems to have heard about before today"
ARGUMENTS = ("{}", '{"zone": "Europe/Madrid"}', '{"a":1,"b":[1,2]}', '{"t": "\\u00f1"}', '{"ñ": {"deep": null}}')
TOOLS: tuple[dict[str, Any], ...] = (
    {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}},
    {
        "type": "function",
        "function": {
            "name": "convert",
            "description": "Convierte unidades.",
            "parameters": {
                "type": "object",
                "properties": {"value": {"type": "number"}, "unit": {"type": "string", "enum": ["m", "km"]}},
                "required": ["value"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "search",
            "strict": True,
            "parameters": {"type": "object", "oneOf": [{"required": ["q"]}]},
        },
    },
    {"type": "function", "function": {"name": "nothing"}},
)


def example(seed: int, *kinds: Kind) -> Example:
    chance = random.Random(seed)
    kind = chance.choice(kinds or tuple(Kind))
    more: dict[str, Any] = {"tags": ("marv",), "source": Source("sample", line=seed)} if chance.random() < 0.2 else {}
    if kind is Kind.TEXT:
        return Example(kind, text="\n".join(chance.choices(TEXTS, k=3)), **more)
    with_tools = chance.random() < 0.4
    if with_tools:
        more["tools"] = TOOLS
    if kind is Kind.CONVERSATION:
        return Example(kind, turns=_conversation(chance, with_tools, rounds=chance.randint(1, 4)), **more)
    prompt = (*_conversation(chance, with_tools, rounds=chance.randint(0, 2)), _user(chance))
    return Example(kind, turns=prompt, answers=_answers(chance, kind), **more)


def _answers(chance: random.Random, kind: Kind) -> tuple[Answer, ...]:
    if kind is Kind.SCORE:
        scores = chance.choice(({"like": 1.0}, {"like": 0.0}, {"voice": 0.8, "facts": 0.9}, {"voice": 0.5}))
        return (Answer((_assistant(chance, learn=True),), scores=scores),)
    count = 2 if kind is Kind.PREFERENCE else chance.randint(2, 5)
    texts = chance.sample(TEXTS, k=count)
    ranks = [1, 2] if kind is Kind.PREFERENCE else chance.choices(range(1, count + 1), k=count)
    return tuple(Answer((Turn(Role.ASSISTANT, text),), rank) for text, rank in zip(texts, ranks, strict=True))


def _conversation(chance: random.Random, with_tools: bool, rounds: int) -> tuple[Turn, ...]:
    turns = [Turn(Role.SYSTEM, chance.choice(TEXTS)) for _ in range(chance.choice((0, 1, 1, 2)))]
    for _ in range(rounds):
        turns += [_user(chance) for _ in range(1 if chance.random() < 0.9 else 2)]
        if with_tools and chance.random() < 0.7:
            turns += _calls(chance)
        turns += [_assistant(chance) for _ in range(1 if chance.random() < 0.9 else 2)]
    return tuple(turns)


def _user(chance: random.Random) -> Turn:
    return Turn(Role.USER, chance.choice(TEXTS), name=chance.choice(("", "", "", "Ana", "José Luis")))


def _assistant(chance: random.Random, learn: bool | None = None) -> Turn:
    return Turn(Role.ASSISTANT, chance.choice(TEXTS), learn=chance.random() < 0.7 if learn is None else learn)


def _calls(chance: random.Random) -> list[Turn]:
    """An assistant's turn that calls once or twice, and what the tools answer, in order or not."""
    named = chance.random() < 0.7
    calls = tuple(
        Call(name, chance.choice(ARGUMENTS), f"c{chance.randrange(10**9)}" if named else "")
        for name in chance.choices(("clock", "convert"), k=chance.choice((1, 1, 2)))
    )
    text = chance.choice(("", "Let me look."))
    answers = [Turn(Role.TOOL, chance.choice(("", *TEXTS)), call_id=call.id, name=call.name) for call in calls]
    if named:
        chance.shuffle(answers)
    return [Turn(Role.ASSISTANT, text, calls, learn=chance.random() < 0.7), *answers]


def plain_rows(count: int, seed: int = 0) -> list[bytes]:
    """Lines of ordinary chats with three messages, some 430 bytes each, none twice."""
    chance = random.Random(seed)
    words = WORDS.split()

    def text(length: int) -> str:
        return " ".join(chance.choices(words, k=length))

    return [
        json.dumps(
            {
                "messages": [
                    {"role": "system", "content": f"{at} {text(12)}"},
                    {"role": "user", "content": text(20)},
                    {"role": "assistant", "content": text(36)},
                ]
            }
        ).encode()
        + b"\n"
        for at in range(count)
    ]
