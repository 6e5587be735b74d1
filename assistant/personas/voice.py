"""In: a persona, a conversation, a question. Out: the turns its model is asked with; a checked answer in its voice.

    system     Marv is a factual chatbot that is also sarcastic.
    user       What's the capital of France?                                  (its examples, of the answer's language)
    assistant  Paris, as if everyone doesn't know that already.
    user       How tall is Everest?\n\n[Afina answered: 8,849 metres.]\n\nAnd K2?
    assistant  …                                                              (what it said itself)

What somebody else said in the same chat stands inside the person's turns, named and in brackets: as a turn of the
assistant the model would take it for its own words and go on in that voice. Questions and answers keep alternating, as
some chat templates demand. Knows nothing of stores, routes or a model's vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from threading import Event
from zlib import crc32

from assistant.history.partial import cited
from assistant.personas.card import Example, Persona
from assistant.repeats import until_repeating
from assistant.sentences import speaker
from knowledge import Answer, Basis, Turn, Wrote
from knowledge.answers.evidence import Reader
from knowledge.answers.prompt import CHARACTERS_PER_TOKEN
from knowledge.answers.rewording import reword, told
from knowledge.language import detect

PROMPT_TOKENS = 2_000  # of everything but the voice and the question
EXAMPLES_SHARE = 0.5  # of those, at most; the rest is the conversation's
FACTS_TOKENS = 160  # of a checked answer said again

Writer = Callable[[Sequence[Turn], int], Iterator[str]]  # turns, max_tokens → pieces of text; closing it cancels

say = speaker(
    {
        "who": ("You are {name}. Answer briefly.", "Eres {name}. Responde con brevedad."),
        "language": ("Always answer in English.", "Responde siempre en español."),
        "said": ("[{name} answered: {text}]", "[{name} respondió: {text}]"),
        "facts": (
            "You are given a question and its answer from the person's documents. Say that answer in your own voice. "
            "Keep every fact, name and number as it is, each in a plain sentence that ends with its mark, like [1]. "
            "Add no facts. A remark of your own stands in a short sentence of its own.",
            "Se te da una pregunta y su respuesta, sacada de los documentos. Di esa respuesta con tu voz. Deja cada "
            "dato, nombre y cifra como está, cada uno en una frase sencilla que acaba con su marca, como [1]. "
            "No añadas datos. Un comentario tuyo va en una frase corta aparte.",
        ),
        "answer": (
            "{question}\n\nAnswer from the documents: {facts}",
            "{question}\n\nRespuesta de los documentos: {facts}",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Said(Turn):
    """A turn of the assistant and who it was: a persona's name, "" for Afina. A plain Turn is the persona's own."""

    speaker: str = ""


def spoken(persona: Persona, language: str) -> str:
    """The language it answers in: its own, else the person's."""
    return persona.language or language


def greeting(persona: Persona, language: str) -> str:
    """What it says in an empty chat; of lines in several languages, those in the person's."""
    lines = persona.greeting.splitlines()
    wanted = [line for line in lines if detect(line) == spoken(persona, language)]
    others = [line for line in lines if detect(line) not in ("", spoken(persona, language))]
    return "\n".join(wanted) if wanted and others else persona.greeting


def turns(
    persona: Persona, history: Sequence[Turn], question: str, language: str, budget: int = PROMPT_TOKENS
) -> list[Turn]:
    """The whole prompt. The voice and the question are always whole; examples, then the newest of `history`, fill
    `budget` tokens. `language` is the answer's, where the persona has none of its own."""
    language = spoken(persona, language)
    room = int(budget * CHARACTERS_PER_TOKEN)
    shown = _examples(persona, language, int(room * EXAMPLES_SHARE))
    room -= sum(len(turn.text) for turn in shown)
    system = [Turn("system", text)] if (text := _system(persona, language)) else []
    return [*system, *shown, *_conversation(persona, history, question, language, room)]


def own(persona: Persona, history: Sequence[Turn]) -> list[Turn]:
    """Of a conversation, the exchanges in which this persona answered, and nobody else."""
    kept: list[Turn] = []
    for before, turn in pairwise(history):
        if (
            before.role == "user"
            and turn.role == "assistant"
            and getattr(turn, "speaker", persona.name) == persona.name
        ):
            kept += [before, turn]
    return kept


def speak_over(
    facts: Answer,
    persona: Persona,
    write: Writer,
    question: str,
    language: str,
    stop: Event,
    library: Reader,
) -> Iterator[Wrote | Answer]:
    """A checked answer in the persona's voice: `Wrote`, …, then one `Answer`, none when `stop` was set.

    What the persona's model writes is held against the facts' own citations (`knowledge.answers.rewording`). Where it
    lost any, they follow as they were; where it said none at all, after one of the card's remarks. Of 48 English XQuAD
    questions the default model says all the facts of 6 and some of 6 (benchmarks.voice): the card's remark is the voice
    that is left, and a larger model is what a persona over facts wants.
    Where the documents hold no answer nothing is asked of the model: it would invent one.
    """
    if facts.basis is Basis.NOTHING or not facts.citations:
        yield Wrote(facts.text, facts.citations)
        yield facts
        return
    prompt = facts_turns(persona, facts, question, language)
    limit = min(FACTS_TOKENS, persona.settings.max_tokens or FACTS_TOKENS)
    with closing(_written(write, prompt, limit)) as pieces:
        yield from reword(
            facts, pieces, question=question, library=library, stop=stop, remark=remark(persona, question, language)
        )


def remark(persona: Persona, question: str, language: str) -> str:
    """One of the card's remarks, of the answer's language: the same one for the same question. "" where none fits."""
    language = spoken(persona, language)
    fitting = [text for text in persona.remarks if detect(text) in ("", language)]
    return fitting[crc32(question.encode()) % len(fitting)] if fitting else ""


def facts_turns(persona: Persona, facts: Answer, question: str, language: str) -> list[Turn]:
    """The prompt for saying a checked answer again."""
    language = spoken(persona, language)
    rules = say("facts", language)
    voice = _system(persona, language)
    shown = _examples(persona, language, int(PROMPT_TOKENS * CHARACTERS_PER_TOKEN * EXAMPLES_SHARE))
    asked = say("answer", language, question=question, facts=told(facts))
    return [Turn("system", f"{voice}\n\n{rules}" if voice else rules), *shown, Turn("user", asked)]


def _written(write: Writer, prompt: Sequence[Turn], limit: int) -> Generator[str, None, None]:
    stream = write(prompt, limit)
    try:
        yield from until_repeating(stream)
    finally:
        if close := getattr(stream, "close", None):
            close()


def _system(persona: Persona, language: str) -> str:
    """The voice as it was written; the language is added where the voice alone would not bring it about.

    A tuned persona hears exactly what it was tuned with, nothing where that was nothing.
    """
    tuned = bool(persona.adapter or persona.template or persona.lineage)
    voice = persona.voice or ("" if tuned else say("who", language, name=persona.name))
    if not language or (detect(voice) == language and not persona.language) or (tuned and not voice):
        return voice
    return f"{voice}\n\n{say('language', language)}"


def _examples(persona: Persona, language: str, room: int) -> list[Turn]:
    """Those of the answer's language, or all where there are none, in their order, while there is room."""
    tongues = {example: detect(f"{example.user} {example.assistant}") for example in persona.examples}
    own = [example for example, tongue in tongues.items() if tongue == language]
    fitting: list[Example] = [e for e, tongue in tongues.items() if tongue in ("", language)] if own else [*tongues]
    shown: list[Turn] = []
    for example in fitting:
        room -= len(example.user) + len(example.assistant)
        if room < 0:
            break
        shown += [Turn("user", example.user), Turn("assistant", example.assistant)]
    return shown


def _conversation(persona: Persona, history: Sequence[Turn], question: str, language: str, room: int) -> list[Turn]:
    """The newest messages that fit, the question last: user and assistant by turns, others' words within the user's."""
    made = [Turn("user", question)]
    for turn in reversed(_newest(history, room)):
        role, text = turn.role, turn.text
        if isinstance(turn, Said) and turn.speaker != persona.name:
            role, text = "user", say("said", language, name=turn.speaker or "Afina", text=text)
        if role == made[0].role:
            made[0] = replace(made[0], text=f"{text}\n\n{made[0].text}")
        else:
            made.insert(0, Turn(role, text))
    return made


def _newest(history: Sequence[Turn], room: int) -> list[Turn]:
    """Beginning with a question; marks of citations that are not at hand are left out."""
    kept: list[Turn] = []
    for turn in reversed(history):
        text = cited(turn.text, ()) if turn.role == "assistant" else turn.text
        room -= len(text)
        if room < 0:
            break
        kept.append(replace(turn, text=text))
    while kept and kept[-1].role != "user":
        kept.pop()
    return kept[::-1]
