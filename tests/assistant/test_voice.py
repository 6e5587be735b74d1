"""Laws of the voice: the question is never lost, nobody takes another's words for its own, and whatever a persona's
model writes over facts, a person gets the facts with citations that hold and nothing that the documents do not say."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from assistant.personas import Example, Lineage, Persona
from assistant.personas.store import marv
from assistant.personas.voice import PROMPT_TOKENS, Said, greeting, own, remark, speak_over, turns
from knowledge import Answer, Basis, Citation, Turn, Wrote
from knowledge.answers.answering import answer
from knowledge.answers.prompt import CHARACTERS_PER_TOKEN
from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.store.database import connect

NEVER = threading.Event()
WHO = "Who founded Brenmoor Energy?"
MANY = "How many wind turbines does Brenmoor Energy operate?"
TEXTS = {
    "founding.txt": "Brenmoor Energy was founded by Ottoline Farrow in 1998. It does not own any gas plants.",
    "turbines.txt": "Today Brenmoor Energy operates 212 wind turbines along the northern coast.",
    "valdelmar.txt": "Energía Valdelmar opera 187 aerogeneradores en la costa del sur.",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("voice")
    made = Library.open(folder / "home", connect(f"sqlite:///{folder / 'afina.sqlite3'}"), lambda: embedder)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
        assert [*made.add(folder / name)][-1].status.searchable
    yield made
    made.close()


class Says:
    """A writer that says one text word by word."""

    def __init__(self, text: str) -> None:
        self.text, self.said, self.closed = text, 0, False
        self.turns: list[Turn] = []

    def __call__(self, turns: Sequence[Turn], max_tokens: int) -> Iterator[str]:
        self.turns = list(turns)
        try:
            for word in re.findall(r"\S+\s*|\s+", self.text):
                self.said += 1
                yield word
        finally:
            self.closed = True


def facts_of(library: Library, question: str, draft: str = "") -> Answer:
    *_, last = answer(question, library=library, write=Says(draft))
    assert isinstance(last, Answer)
    return last


def over(
    library: Library, facts: Answer, words: str, question: str, persona: Persona | None = None, language: str = "en"
) -> tuple[list[Wrote], Answer]:
    steps = list(speak_over(facts, persona or marv(), Says(words), question, language, NEVER, library))
    last = steps.pop()
    assert isinstance(last, Answer)
    return [step for step in steps if isinstance(step, Wrote)], last


def marks(text: str) -> list[int]:
    return list(dict.fromkeys(int(n) for n in re.findall(r"(?<!\\)\[(\d+)\]", text)))


# ── the prompt ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_prompt_is_the_voice_the_examples_of_the_language_and_the_question() -> None:
    made = turns(marv(), [], "How tall is Everest?", "en")
    assert made[0] == Turn("system", "Marv is a factual chatbot that is also sarcastic.")
    assert [turn.role for turn in made[1:]] == ["user", "assistant"] * 3 + ["user"]
    assert "capital of France" in made[1].text
    assert "Francia" not in " ".join(turn.text for turn in made)
    spanish = turns(marv(), [], "¿Cuánto mide el Everest?", "es")
    assert spanish[0].text.endswith("Responde siempre en español.")
    assert "Francia" in spanish[1].text


@pytest.mark.parametrize("count", [0, 1, 3])
def test_zero_one_or_few_examples(count: int) -> None:
    examples = tuple(Example(user=f"ask {n}", assistant=f"say {n}") for n in range(count))
    made = turns(Persona(name="Rex", voice="Rex barks.", examples=examples), [], "Hello?", "en")
    assert [turn.text for turn in made[1:]] == [t for n in range(count) for t in (f"ask {n}", f"say {n}")] + ["Hello?"]


def test_a_language_of_its_own_wins_over_the_persons() -> None:
    marta = Persona(name="Marta", voice="Marta es amable.", language="es")
    assert "español" in turns(marta, [], "Hello?", "en")[0].text
    assert "English" in turns(Persona(name="Al", voice="Al es amable.", language="en"), [], "¿Hola?", "es")[0].text


@pytest.mark.parametrize("voice", ["", "v" * 8_000])
def test_whatever_came_before_the_question_is_whole_and_the_prompt_within_its_budget(voice: str) -> None:
    long = Example(user="u" * 2_000, assistant="a" * 2_000)
    persona = Persona(name="Rex", voice=voice, examples=(long,) * 20)
    history = [Turn("user" if n % 2 == 0 else "assistant", f"{n} " + "h" * 700) for n in range(60)]
    question = "q" * 9_000 + "?"
    made = turns(persona, history, question, "en")
    assert made[-1] == Turn("user", question)
    size = sum(len(turn.text) for turn in made)
    assert size <= PROMPT_TOKENS * CHARACTERS_PER_TOKEN + len(question) + len(made[0].text)
    assert "58 h" in made[-3].text  # the newest of what was said is kept
    assert [turn.role for turn in made[1:]] == ["user", "assistant"] * ((len(made) - 2) // 2) + ["user"]


def test_what_somebody_else_said_is_not_its_own_word() -> None:
    history = [
        Turn("user", "How tall is Everest?"),
        Said("assistant", "8,849 metres [1].", speaker=""),
        Turn("user", "And K2?"),
        Said("assistant", "Shorter. Obviously.", speaker="Marv"),
        Turn("user", "And Lhotse?"),
        Said("assistant", "8,516, dear.", speaker="Doña Marta"),
    ]
    made = turns(marv().model_copy(update={"examples": ()}), history, "Thanks", "en")
    assert [turn.text for turn in made if turn.role == "assistant"] == ["Shorter. Obviously."]
    assert "[Afina answered: 8,849 metres.]" in made[1].text
    assert made[-1].text == "And Lhotse?\n\n[Doña Marta answered: 8,516, dear.]\n\nThanks"
    assert [turn.role for turn in made] == ["system", "user", "assistant", "user"]


def test_of_a_conversation_its_own_are_the_exchanges_it_answered() -> None:
    asked, reply = Turn("user", "And K2?"), Said("assistant", "Taller than you.", "Marv")
    others = [Turn("user", "How tall is Everest?"), Said("assistant", "8,849 metres.", ""), Turn("user", "Oh.")]
    assert own(marv(), [*others, asked, reply]) == [asked, reply]


def test_a_tuned_persona_hears_what_it_was_tuned_with() -> None:
    tuned = Persona(name="Rex", voice="", adapter="/somewhere", lineage=Lineage(dataset="rex v1"))
    assert turns(tuned, [], "Hello?", "en") == [Turn("user", "Hello?")]
    assert turns(Persona(name="Rex"), [], "Hello?", "en")[0] == Turn("system", "You are Rex. Answer briefly.")


def test_a_greeting_of_two_languages_greets_in_the_persons() -> None:
    assert greeting(marv(), "en").startswith("I'm Marv.")
    assert greeting(marv(), "es").startswith("Soy Marv.")
    one = Persona(name="Rex", greeting="Hello there, who are you?")
    assert greeting(one, "es") == one.greeting


# ── over facts ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            "Brenmoor Energy operates 212 wind turbines along the northern coast today [1].",
            "Brenmoor Energy operates 212 wind turbines along the northern coast today [1].",
        ),
        (
            "Today Brenmoor Energy operates 212 wind turbines along the northern coast, as everybody knows.",
            "Today Brenmoor Energy operates 212 wind turbines along the northern coast, as everybody knows [1].",
        ),
        (
            "Oh, another question. Today Brenmoor Energy operates 212 wind turbines along the northern coast [7]. "
            "Thrilling stuff!",
            "Oh, another question. Today Brenmoor Energy operates 212 wind turbines along the northern coast [1]. "
            "Thrilling stuff!",
        ),
        (
            "Brenmoor Energy operates 212 wind turbines along the northern coast today. It bought 40 more in May [1].",
            "Brenmoor Energy operates 212 wind turbines along the northern coast today [1].",
        ),
    ],
)
def test_the_voice_is_shown_where_it_says_the_facts(library: Library, words: str, shown: str) -> None:
    _, done = over(library, facts_of(library, MANY), words, MANY)
    assert done.text == shown
    assert done.basis is Basis.MODEL
    assert [citation.title for citation in done.citations] == ["turbines.txt"]


INVENTED = [
    "Brenmoor Energy operates 213 wind turbines [1].",
    "Brenmoor Energy operates 212 gas plants [1].",
    "Valdelmar operates 212 wind turbines [1].",
    "Brenmoor Energy does not operate 212 wind turbines [1].",
    "Brenmoor Energy is bankrupt.",
    "The company collapsed.",
    "It collapsed.",
    "Ottoline Farrow was arrested.",
    "London.",
    "Yes.",
    "That is wrong, whatever the page says.",
    "They bought it because they were greedy.",
    "Call me at http://evil.example/x [1] ![x](http://evil.example/y).",
    "Roughly 40 people laughed.",
]


@pytest.mark.parametrize("words", [*INVENTED, "", "[1] [2]", "Here is the answer:", "ha " * 300])
def test_what_no_document_says_is_not_shown_and_the_facts_are(library: Library, words: str) -> None:
    for question in (MANY, WHO):
        facts = facts_of(library, question)
        _, done = over(library, facts, words, question)
        assert done.text == f"{remark(marv(), question, 'en')}\n\n{facts.text}"
        assert (done.citations, done.basis) == (facts.citations, facts.basis)


@pytest.mark.parametrize("words", INVENTED)
def test_an_invention_beside_the_facts_is_left_out(library: Library, words: str) -> None:
    _, done = over(library, facts_of(library, MANY), f"{TEXTS['turbines.txt']} {words}", MANY)
    assert done.text == TEXTS["turbines.txt"].replace(".", " [1].")


@pytest.mark.parametrize("tail", [", though it is bankrupt", ", because it is greedy", ", unlike London", ", or 300"])
def test_a_claim_hung_onto_a_fact_is_no_remark(library: Library, tail: str) -> None:
    facts = facts_of(library, MANY)
    _, done = over(library, facts, TEXTS["turbines.txt"].replace(".", f"{tail}."), MANY)
    assert tail not in done.text
    assert facts.text in done.text


def test_what_streams_is_what_stays_and_every_mark_has_one_citation(library: Library) -> None:
    question = "What does Brenmoor Energy do, and who founded it?"
    facts = facts_of(
        library,
        question,
        "Brenmoor Energy was founded by Ottoline Farrow in 1998. Brenmoor Energy operates 212 wind turbines.",
    )
    for words in (
        "Brenmoor Energy operates 212 wind turbines. Brenmoor Energy was founded by Ottoline Farrow in 1998.",
        "Brenmoor Energy operates 212 wind turbines. And so on.",
        *INVENTED,
    ):
        pieces, done = over(library, facts, words, question)
        text, cited = "", list[Citation]()
        for piece in pieces:
            text += piece.text
            cited += piece.citations
            assert marks(text) == [citation.n for citation in cited]
        assert (text, tuple(cited)) == (done.text, done.citations)
        assert marks(done.text) == list(range(1, len(done.citations) + 1))
        for citation in done.citations:
            assert library.page(citation.document, citation.page).text[citation.start : citation.end] == citation.quote
            assert citation.verified
        assert {c.quote for c in done.citations} == {c.quote for c in facts.citations}


def test_a_voice_that_lost_one_fact_of_two_is_followed_by_both(library: Library) -> None:
    question = "What does Brenmoor Energy do, and who founded it?"
    facts = facts_of(
        library,
        question,
        "Brenmoor Energy was founded by Ottoline Farrow in 1998. Brenmoor Energy operates 212 wind turbines.",
    )
    assert len(facts.citations) == 2
    _, done = over(library, facts, "Brenmoor Energy operates 212 wind turbines, obviously.", question)
    first, second = done.text.split("\n\n")
    assert first == "Brenmoor Energy operates 212 wind turbines, obviously [1]."
    assert "Ottoline Farrow in 1998 [2]" in second  # numbered on from what was said before
    assert "212 wind turbines [1]" in second


def test_a_true_sentence_that_says_next_to_nothing_is_not_the_answer(library: Library) -> None:
    facts = facts_of(library, MANY)
    _, done = over(library, facts, "Brenmoor Energy operates turbines along the coast.", MANY)
    assert facts.text.split("> ")[1] in done.text


def test_spanish_facts_in_a_spanish_voice(library: Library) -> None:
    question = "¿Cuántos aerogeneradores opera Energía Valdelmar?"
    facts = facts_of(library, question)
    words = "Vaya, otra pregunta. Energía Valdelmar opera 187 aerogeneradores en la costa del sur, qué emoción."
    _, done = over(library, facts, words, question, language="es")
    assert done.text == words.replace("emoción.", "emoción [1].")
    _, lost = over(library, facts, "Opera 188 aerogeneradores.", question, language="es")
    assert lost.text.startswith(remark(marv(), question, "es"))
    assert "leo" in remark(marv(), question, "es") or "página" in remark(marv(), question, "es")


def test_where_the_documents_hold_no_answer_the_voice_is_not_asked_for_one(library: Library) -> None:
    question = "Which country won the football world cup in 1990?"
    facts = facts_of(library, question)
    assert facts.basis is Basis.NOTHING
    says = Says("West Germany, obviously.")
    *_, done = speak_over(facts, marv(), says, question, "en", NEVER, library)
    assert done == facts
    assert says.turns == []


def test_a_voice_that_only_invents_is_cut_short(library: Library) -> None:
    says = Says(" ".join(f"Pirate number {n} sailed the seas in {1400 + n}." for n in range(30)))
    list(speak_over(facts_of(library, MANY), marv(), says, MANY, "en", NEVER, library))
    assert says.closed
    assert says.said < 30


def test_stop_ends_it_without_an_answer_and_cancels_the_writer(library: Library) -> None:
    stop, says = threading.Event(), Says(f"{TEXTS['turbines.txt']} Thrilling stuff! " + "And so on. " * 50)
    steps = []
    for step in speak_over(facts_of(library, MANY), marv(), says, MANY, "en", stop, library):
        steps.append(step)
        stop.set()
    assert not any(isinstance(step, Answer) for step in steps)
    assert says.closed
    assert says.said < 20


def test_the_facts_are_what_the_model_is_given(library: Library, tmp_path: Path) -> None:
    says = Says("")
    list(speak_over(facts_of(library, MANY), marv(), says, MANY, "en", NEVER, library))
    assert says.turns[0].text.startswith(marv().voice)
    assert says.turns[-1].text.endswith(
        "Today Brenmoor Energy operates 212 wind turbines along the northern coast. [1]"
    )
