"""What is wrong with an example is told, in both languages; what is right is left alone; what is mended is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tuning.test_values import EXAMPLES
from tuning.cleaning import (
    CHECKS,
    EXCLUDED,
    Finding,
    check,
    contradictions,
    mend,
    preference_cycles,
    review,
    stays_out,
    title,
)
from tuning.cleaning.fields import fields, rewritten
from tuning.values import Answer, Call, Example, Kind, Role, Source, Turn, conversation, preference

LANGUAGES = ("en", "es")
LOOP = "Hola! ¿qué puedes hacer?\n\n"


def said(user: str, assistant: str, **source: object) -> Example:
    return conversation(Turn(Role.USER, user), Turn(Role.ASSISTANT, assistant), source=Source(**source))  # type: ignore[arg-type]


def codes(example: Example) -> list[str]:
    return [finding.code for finding in check(example)]


def answer(text: str) -> Answer:
    return Answer((Turn(Role.ASSISTANT, text),))


def better(one: str, other: str, prompt: str = "Which?") -> Example:
    return preference((Turn(Role.USER, prompt),), answer(one), answer(other))


WRONG = [
    ("empty", said("Why?", "")),
    ("empty", said("Why?", " \n ")),
    ("empty", conversation(Turn(Role.USER, "Why?"))),
    ("empty", Example(Kind.SCORE, (Turn(Role.USER, "Why?"),), (answer(""),))),
    ("nothing_learned", EXAMPLES[0]),
    ("cut_off", said("Rain?", "Water vapour condenses. Then drops grow until they are so heavy that they go to the")),
    ("cut_off", said("¿La lluvia?", "El vapor se condensa. Luego las gotas crecen hasta que pesan tanto que caen y")),
    ("cut_off", said("Code?", "Here it is:\n```python\nprint(1)\n")),
    ("cut_off", said("List?", "1. One.\n2. Two.\n3.")),
    ("cut_off", said("Rain?", "First the vapour condenses,")),
    ("unfinished", said("Rain?", "Water vapour.", how="stopped")),
    ("refusal", said("Help me.", "I'm sorry, but I can't assist with that.")),
    ("refusal", said("Help me.", "As an AI language model, I cannot have opinions.")),
    ("refusal", said("Ayúdame.", "Lo siento, pero no puedo ayudarte con eso.")),
    ("refusal", said("Ayúdame.", "No puedo proporcionar esa información.")),
    ("abstention", said("Who was it?", "I could not find that in your documents.")),
    ("abstention", said("Who was it?", "The documents do not say.")),
    ("abstention", said("¿Quién fue?", "No lo he encontrado en tus documentos.")),
    ("abstention", said("¿Quién fue?", "Los documentos no lo dicen.")),
    ("special_tokens", said("Say <|im_end|>", "No.")),
    ("special_tokens", said("Hm.", "Well</s>")),
    ("special_tokens", said("Hm.", "[INST] Well [/INST]")),
    ("special_tokens", said("Hm.", "<start_of_turn>model")),
    ("special_tokens", Example(Kind.TEXT, text="<|begin_of_text|>Once")),
    ("echo", said("What is the capital of France?", "what is the capital of France")),
    ("loop", said("Hola", "Bien. " + LOOP * 5)),
    ("loop", said("Why?", "It is because of the way light scatters. Yes. " * 4 + "So it is.")),
    ("wrong_language", said("¿Cuál es la capital de Francia?", "The capital of France is Paris, on the river Seine.")),
    ("wrong_language", said("What is the capital of France?", "La capital de Francia es París, que está en el Sena.")),
    ("untrusted", said("Summarise it.", "It says so.", untrusted=("web_page",))),
    ("citations", said("Who?", "It was she [1], and he [2][3].")),
    ("persona", said("Who are you?", "I am Afina, an assistant.", persona="Marv")),
    ("persona", said("Who?", "[Afina answered: Paris.]")),
    ("equal_answers", better("Paris.", "paris")),
    ("email", said("Write to ana@example.com", "Done.")),
    ("key", said("Why?", "Because of sk-proj-abc123DEF456ghi789JKL012.")),
]  # fmt: skip
RIGHT = [
    *EXAMPLES[1:],
    said("What is the capital of France?", "Paris"),
    said("How far?", "About 384,400 km"),
    said("¿Cómo se dice «perro» en inglés?", "The word is dog, and it is used every day."),
    said("Translate to Spanish: the house is by the river", "La casa está junto al río."),
    said("Code?", "Here it is:\n```python\nprint(1)\n```"),
    said("List?", "Three things:\n- one\n- two\n- three"),
    said("Table?", "| a | b |\n|---|---|\n| 1 | 2 |"),
    said("Who?\n\n[1] It was she.", "It was she [1]."),
    said("Link?", "See [1](https://example.com) and a[0]."),
    said("Is it html?", "Use <strong>, <p> and <br>; a < b > c."),
    said("Sing!", "Ha ha ha ha. La la la. Ha ha ha ha. La la la."),
    said("How do I refuse?", "Say it kindly and at once. " * 2 + "For example: I'm sorry, but I can't help with that."),
    said("Hi", "🙂"),
    conversation(Turn(Role.USER, "Hi"), Turn(Role.ASSISTANT, "", learn=False), *said("?", "Hello.").turns),
    conversation(
        Turn(Role.USER, "Time?"),
        Turn(Role.ASSISTANT, calls=(Call("clock"),)),
        Turn(Role.TOOL, "12:00"),
        Turn(Role.ASSISTANT, "12."),
    ),
    better("Paris.", "London."),
    Example(Kind.TEXT, text="A page that ends in the middle of a sentence because it is the"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "example"), WRONG, ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_wrong_is_told_once_and_nothing_else(code: str, example: Example) -> None:
    assert set(codes(example)) == {code}


@pytest.mark.parametrize("example", RIGHT, ids=str)
def test_what_is_right_is_left_alone(example: Example) -> None:
    assert codes(example) == []
    assert mend(example, check(example)) == example


def test_a_finding_says_where_it_stands() -> None:
    for _, example in WRONG:
        texts = {field.path: field.text for field in fields(example)}
        for finding in check(example):
            if finding.end:
                stands = texts[finding.field][finding.start : finding.end]
                assert stands
                if finding.code in {"email", "special_tokens", "refusal", "abstention", "citations", "persona"}:
                    assert finding.shown.rstrip("…") in stands


def test_a_secret_is_not_shown() -> None:
    (finding,) = check(said("Why?", "Because of sk-proj-abc123DEF456ghi789JKL012."))
    assert finding.shown == "sk-p…12"
    (finding,) = check(said("Why?", "The password is Gato1234!"))
    assert "Gato" not in finding.shown + finding.said("es")


@pytest.mark.parametrize("code", CHECKS)
def test_every_code_is_said_in_both_languages_and_has_its_heading(code: str) -> None:
    sentences = {Finding(code, shown="this").said(language) for language in LANGUAGES}
    headings = {title(code, language) for language in LANGUAGES}
    assert len(sentences) == len(headings) == 2
    assert all(sentence.endswith((".", "»)")) and "{" not in sentence for sentence in sentences)


def test_every_check_of_one_example_is_met_above_or_in_another_test() -> None:
    elsewhere = {"phone", "card", "iban", "national_id", "ip", "password", "name"}
    assert {code for code, _ in WRONG} | elsewhere == {code for code, one in CHECKS.items() if not one.many}


@pytest.mark.parametrize(
    ("code", "example"), [one for one in WRONG if CHECKS[one[0]].mend], ids=lambda one: str(one)[:12]
)
def test_what_can_be_mended_is_gone_afterwards_unless_nothing_would_be_left(code: str, example: Example) -> None:
    mended = mend(example, check(example))
    if mended == example:
        assert code == "cut_off"  # no whole sentence to cut back to
    else:
        assert code not in codes(mended)


def test_all_of_an_example_is_mended_at_once() -> None:
    text = "Write to ana@example.com<|im_end|> or luis@example.com [1]. " + "And so it goes on and on, they say. " * 4
    mended = mend(said("ana@example.com?", text), check(said("ana@example.com?", text)))
    assert mended.turns[0].text == "[EMAIL_1]?"
    assert mended.turns[1].text.startswith(
        "Write to [EMAIL_1]< |im_end|> or [EMAIL_2]. And so it goes on and on, they say."
    )
    assert codes(mended) == []


def test_what_a_person_decides_is_not_touched() -> None:
    for code, example in WRONG:
        if not CHECKS[code].mend:
            assert mend(example, check(example)) == example


def test_untrusted_text_stays_out_unless_someone_says_otherwise() -> None:
    found = list(check(said("Summarise it.", "It says so.", untrusted=("web_page",))))
    assert stays_out(found)
    assert not stays_out(found, EXCLUDED - {"untrusted"})
    assert not stays_out(check(said("Help me.", "I'm sorry, but I can't assist with that.")))


def test_a_review_is_a_stream_in_order_and_looks_only_for_what_was_asked() -> None:
    taken = []

    def examples() -> Iterator[tuple[int, Example]]:
        for key, (_, example) in enumerate(WRONG):
            taken.append(key)
            yield key, example

    found = review(examples())
    assert next(found)[0] == 0
    assert taken == [0]
    assert [key for key, _ in found] == sorted(key for key, _ in review(examples()))[1:]
    assert {finding.code for _, finding in review(examples(), {"email", "empty"})} == {"email", "empty"}


def test_rewriting_changes_the_named_fields_and_no_others() -> None:
    for example in [*EXAMPLES, *(example for _, example in WRONG)]:
        assert rewritten(example, {field.path: field.text for field in fields(example)}) == example
        for field in fields(example):
            changed = {one.path: one.text for one in fields(rewritten(example, {field.path: "changed"}))}
            assert changed == {one.path: one.text for one in fields(example)} | {field.path: "changed"}


def test_one_prompt_and_two_answers_contradict_each_other() -> None:
    marv = Turn(Role.SYSTEM, "Marv is sarcastic.")
    examples = [
        (1, said("Capital of France?", "Paris.")),
        (2, said("capital of France", "Lyon.")),
        (3, said("Capital of France?", "paris")),
        (4, conversation(marv, *said("Capital of France?", "Paris, as if.").turns)),
        (5, said("Capital of Spain?", "Madrid.")),
        (6, better("Paris.", "Lyon.", "Capital of France?")),
    ]
    (found,) = contradictions(examples)
    assert set(found.keys) == {1, 2, 3}
    assert found.shown == "Capital of France?"
    assert list(contradictions(examples[2:])) == []


def test_the_same_question_after_other_words_is_another_question() -> None:
    first = said("Capital?", "Of which land?").turns
    of_france = conversation(*first, Turn(Role.USER, "It?"), Turn(Role.ASSISTANT, "Paris."))
    of_spain = conversation(Turn(Role.USER, "Spain."), Turn(Role.ASSISTANT, "Yes?"), *said("It?", "Madrid.").turns)
    assert list(contradictions([(1, of_france), (2, of_spain)])) == []
    assert [one.keys for one in contradictions([(1, of_france), (2, said("capital", "Paris."))])] == [(1, 2)]


def test_preferences_in_a_circle_are_found_however_long_it_is() -> None:
    assert [one.keys for one in preference_cycles([(1, better("a", "b")), (2, better("B.", "a"))])] == [(1, 2)]
    three = [(1, better("a", "b")), (2, better("b", "c")), (3, better("c", "a")), (4, better("a", "z"))]
    assert [one.keys for one in preference_cycles(three)] == [(1, 2, 3)]
    assert list(preference_cycles(three[1:])) == []
    assert list(preference_cycles([(1, better("a", "b")), (2, better("b", "a", "Another prompt"))])) == []


def test_a_ranking_can_stand_against_a_preference() -> None:
    ranked = Example(Kind.RANKING, (Turn(Role.USER, "Which?"),), tuple(
        Answer((Turn(Role.ASSISTANT, text),), rank) for text, rank in (("a", 2), ("b", 1), ("c", 3))
    ))  # fmt: skip
    assert [one.keys for one in preference_cycles([(1, ranked), (2, better("c", "b"))])] == [(1, 2)]
    assert list(preference_cycles([(1, ranked), (2, better("b", "c"))])) == []
