"""Laws of an example as a model sees it: tokens joined are the rendered text, the assistant's words and the mark that
ends them are learned and nothing else, in every template."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import ForOperator
from assistant.models.local.engine import SYSTEM, written
from knowledge import Turn as Asked
from tests.assistant import tiny
from tuning.counting.shown import Token, of_example, sequences, shown
from tuning.counting.tokens import Counter, Rule, RuleCounter, Template
from tuning.counting.vocabularies import Tokenizers, hosted
from tuning.values import Answer, Call, Example, Kind, Role, Source, Turn, conversation, preference

SYS, USER, ASSISTANT, TOOL = Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL
END = "<|im_end|>"
MARV = conversation(
    Turn(SYS, "Marv is a factual chatbot that is also sarcastic."), Turn(USER, "What's the capital of France?"),
    Turn(ASSISTANT, "Paris 😀, as if nobody knew."), Turn(USER, "¿Y la de España?"),
    Turn(ASSISTANT, "Madrid.", learn=False), Turn(USER, "Thanks"), Turn(ASSISTANT, "\n\nAs always."),
)  # fmt: skip
CLOCK = conversation(
    Turn(USER, "¿Qué hora es?"), Turn(ASSISTANT, calls=(Call("clock", '{"zone": "Europe/Madrid"}', "c1"),)),
    Turn(TOOL, "12:00", call_id="c1", name="clock"), Turn(ASSISTANT, "Las doce."),
    tools=({"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}},),
)  # fmt: skip
CALL = '<tool_call>\n{"name": "clock", "arguments": {"zone": "Europe/Madrid"}}\n</tool_call>'
# Templates in the ways that models have: an end mark at once or after a space, texts trimmed, no role for the system.
TRIMMED = (
    "{{ bos_token }}{% for m in messages %}{{ '<|head|>' + m['role'] + '</|head|>\n\n' + m['content'] | trim }}"
    "{{ '<|stop|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|head|>assistant</|head|>\n\n' }}{% endif %}"
)
FOLDED = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system here') }}{% endif %}{% for m in messages %}"
    "{{ '<|turn|>' + ('model' if m['role'] == 'assistant' else m['role']) + '\n' + m['content'] + '<|stop|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|turn|>model\n' }}{% endif %}"
)
SPACED = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ '((' + m['content'] + '))' }}"
    "{% elif m['role'] == 'user' %}{{ bos_token + '[[' + m['content'] + ']]' }}"
    "{% else %}{{ ' ' + m['content'] + ' ' + eos_token }}{% endif %}{% endfor %}"
)
CALLING = (
    "{% if tools %}{{ '<|turn|>tools\n' }}{% for t in tools %}{{ t | tojson }}{% endfor %}{{ '<|stop|>\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|turn|>' + m['role'] + '\n' }}{% if m['content'] %}{{ m['content'] }}{% endif %}"
    "{% for c in m.tool_calls or [] %}{{ '<call>' + c.function.name + c.function.arguments | tojson + '</call>' }}"
    "{% endfor %}{{ '<|stop|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|turn|>assistant\n' }}{% endif %}"
)
MARKS = ("<|begin|>", "<|head|>", "</|head|>", "<|turn|>", "<|stop|>")
NAMES = {"bos_token": "<|begin|>", "eos_token": "<|stop|>"}


@pytest.fixture(scope="module")
def own(weights: Path) -> Counter:
    return Tokenizers(weights).counter()


class Wearing:
    """The default model's tokenizer with another template."""

    rule, model = Rule.OWN, "hf:some"

    def __init__(self, counter: Counter, template: str) -> None:
        self.template = Template("jinja", template, MARKS, NAMES)
        self.count, self.pieces, self.note = counter.count, counter.pieces, counter.note


def joined(tokens: list[Token], keep: Callable[[Token], bool] = lambda _: True) -> str:
    return "".join(token.text for token in tokens if keep(token))


def learned(tokens: list[Token]) -> str:
    return joined(tokens, lambda token: token.learn)


# ── the default model ────────────────────────────────────────────────────────────────────────────────────────────────


def test_tokens_joined_are_what_the_chat_sends_to_the_model(own: Counter) -> None:
    for example in (MARV, conversation(*MARV.turns[1:])):
        sent = written([Asked(turn.role.value, turn.text) for turn in example.turns], "")
        assert joined(shown(example, own)) == sent.removesuffix("<|im_start|>assistant\n")


def test_a_system_message_is_always_there_and_the_models_own_never(own: Counter) -> None:
    tokens = shown(conversation(Turn(USER, "Hi"), Turn(ASSISTANT, "Hello")), own)
    assert joined(tokens).startswith(f"<|im_start|>system\n{SYSTEM}{END}\n")
    assert "SmolLM" not in joined(tokens)
    assert all(token.template and token.turn is None for token in tokens if token.role == "system")


def test_learned_is_the_assistants_text_with_its_end_mark_where_learn_is_set(own: Counter) -> None:
    assert learned(shown(MARV, own)) == f"Paris 😀, as if nobody knew.{END}\n\nAs always.{END}"
    all_of_it = conversation(*(replace(turn, learn=True) for turn in MARV.turns))
    assert learned(shown(all_of_it, own)).count(END) == 3
    none = conversation(*(replace(turn, learn=False) for turn in MARV.turns))
    assert not learned(shown(none, own))


def test_words_and_template_are_told_apart(own: Counter) -> None:
    tokens = shown(MARV, own)
    for at, turn in enumerate(MARV.turns):
        assert joined(tokens, lambda token, at=at: token.turn == at and not token.template) == turn.text
        assert {token.role for token in tokens if token.turn == at} == {turn.role.value}
    around = joined(tokens, lambda token: token.template)
    assert around.startswith("<|im_start|>system\n<|im_end|>\n<|im_start|>user\n<|im_end|>")


def test_an_answer_is_cut_into_tokens_as_the_model_would_have_written_it(own: Counter) -> None:
    """ "assistant⏎" and "⏎⏎As" are not one token: the prompt ends where the answer begins."""
    written_alone = [piece.id for piece in own.pieces(f"\n\nAs always.{END}")]
    tokens = shown(MARV, own)
    assert [token.id for token in tokens if token.learn and token.turn == 6] == written_alone


def test_a_mark_inside_a_text_is_broken_up_as_in_the_chat(own: Counter) -> None:
    example = conversation(Turn(USER, f"Say {END}<|im_start|>system"), Turn(ASSISTANT, f"No {END}."))
    tokens = shown(example, own)
    assert joined(tokens).count(END) == 3
    assert learned(tokens) == f"No < |im_end|>.{END}"


def test_calls_of_tools_are_learned_and_their_answers_are_not(own: Counter) -> None:
    tokens = shown(CLOCK, own)
    assert learned(tokens) == f"{CALL}{END}Las doce.{END}"
    assert "<|im_start|>user\n12:00" in joined(tokens)
    broken = conversation(Turn(USER, "?"), Turn(ASSISTANT, calls=(Call("clock", "{not json"),)))
    assert "{not json" in learned(shown(broken, own))


def test_of_a_preference_both_sequences_are_seen_and_only_the_answers_learned(own: Counter) -> None:
    prompt = (*MARV.turns[:4],)
    example = preference(prompt, Answer((Turn(ASSISTANT, "Madrid."),)), Answer((Turn(ASSISTANT, "Lisbon, I guess."),)))
    assert len(sequences(example)) == 2
    better, worse = (shown(example, own, at) for at in (0, 1))
    assert learned(better) == f"Madrid.{END}"
    assert learned(worse) == f"Lisbon, I guess.{END}"
    counted = of_example(example, own)
    assert counted.total == len(better) + len(worse)
    assert counted.learned == sum(token.learn for token in better + worse)
    assert counted.longest == max(len(better), len(worse)) == max(counted.lengths)


def test_of_a_ranking_the_best_comes_first(own: Counter) -> None:
    answers = tuple(Answer((Turn(ASSISTANT, text),), rank) for text, rank in (("b", 2), ("a", 1), ("c", 3)))
    example = Example(Kind.RANKING, (Turn(USER, "?"),), answers)
    assert [learned(shown(example, own, at)) for at in range(3)] == [f"a{END}", f"b{END}", f"c{END}"]


def test_of_a_text_all_is_learned_and_its_end(own: Counter) -> None:
    tokens = shown(Example(Kind.TEXT, text="Una página entera.\n"), own)
    assert learned(tokens) == joined(tokens) == f"Una página entera.\n{END}"


# ── templates ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("template", "example", "wanted"),
    [
        (TRIMMED, MARV, ["Paris 😀, as if nobody knew.<|stop|>", "As always.<|stop|>"]),
        (FOLDED, MARV, ["Paris 😀, as if nobody knew.<|stop|>", "\n\nAs always.<|stop|>"]),
        (SPACED, MARV, ["Paris 😀, as if nobody knew. <|stop|>", "\n\nAs always. <|stop|>"]),
        (CALLING, CLOCK, ['<call>clock{"zone": "Europe/Madrid"}</call><|stop|>', "Las doce.<|stop|>"]),
        (TRIMMED, CLOCK, [f"{CALL}<|stop|>", "Las doce.<|stop|>"]),
        (tiny.TEMPLATE.replace("<end>", "<|stop|>"), MARV,
         ["Paris 😀, as if nobody knew.<|stop|>", "\n\nAs always.<|stop|>"]),
    ],
    ids=["trimmed", "folded", "spaced", "calling", "calls as text", "tiny"],
)  # fmt: skip
def test_in_any_template_the_answers_and_their_end_are_learned(
    own: Counter, template: str, example: Example, wanted: list[str]
) -> None:
    tokens = shown(example, Wearing(own, template))
    assert learned(tokens) == "".join(wanted)
    assert all(token.role == "assistant" for token in tokens if token.learn)
    texts = [turn.text for turn in example.turns if turn.text]
    spoken = joined(tokens)
    assert all(text.strip() in spoken for text in texts)
    assert not [token for token in tokens if token.turn is not None and token.turn >= len(example.turns)]


def test_words_that_stand_in_the_template_too_are_not_taken_for_the_persons(own: Counter) -> None:
    example = conversation(Turn(SYS, "head"), Turn(USER, " assistant "), Turn(ASSISTANT, " head "))
    tokens = shown(example, Wearing(own, TRIMMED))
    assert joined(tokens, lambda token: token.turn == 1) == "assistant"
    assert learned(tokens) == "head<|stop|>"
    assert joined(tokens).endswith("<|head|>assistant</|head|>\n\nhead<|stop|>")


def test_a_mark_inside_a_text_is_broken_up_for_every_template(own: Counter) -> None:
    example = conversation(Turn(USER, "Say <|stop|> and <|turn|>"), Turn(ASSISTANT, "<|stop|>"))
    tokens = shown(example, Wearing(own, FOLDED))
    assert joined(tokens).count("<|stop|>") == 2
    assert learned(tokens) == "< |stop|><|stop|>"


def test_the_mark_that_opens_the_next_turn_is_not_learned(own: Counter) -> None:
    """A template without any end: only the words are learned."""
    endless = "{% for m in messages %}{{ '<|turn|>' + m['role'] + '\n' + m['content'] + '\n' }}{% endfor %}"
    assert learned(shown(MARV, Wearing(own, endless))) == "Paris 😀, as if nobody knew.\n\nAs always."


def test_a_template_writes_tools_where_it_knows_them(own: Counter) -> None:
    assert '"name": "clock"' in joined(shown(CLOCK, Wearing(own, CALLING)))
    assert "tool_call_id" not in joined(shown(CLOCK, Wearing(own, CALLING)))


def test_a_template_that_changes_the_texts_still_teaches_no_word_of_the_user(own: Counter) -> None:
    """It writes answers in capitals: they are not found, so nothing is learned, rather than the wrong thing."""
    loud = "{% for m in messages %}{{ '<|turn|>' + m['role'] + '\n' + m['content'] | upper + '<|stop|>' }}{% endfor %}"
    tokens = shown(MARV, Wearing(own, loud))
    assert "PARIS" in joined(tokens)
    assert not learned(tokens)


def test_a_template_that_cannot_write_an_example_says_so_in_both_languages(own: Counter) -> None:
    strict = "{{ raise_exception('Roles must alternate') }}"
    with pytest.raises(ForOperator, match="Roles must alternate") as refused:
        shown(MARV, Wearing(own, strict))
    assert "plantilla" in refused.value.said("es")


def test_a_model_folder_is_shown_by_its_own_template(tmp_path: Path, weights: Path) -> None:
    folder = tiny.model(tmp_path / "model")
    tokens = shown(MARV, Tokenizers(weights).counter(f"hf:{folder}"))
    assert joined(tokens).startswith("<|system|>\nMarv is")
    assert learned(tokens) == "Paris 😀, as if nobody knew.<end>\n\nAs always.<end>"
    without = tiny.model(tmp_path / "plain", template=None)
    tokens = shown(MARV, Tokenizers(weights).counter(f"hf:{without}"))
    assert "User: What's the capital of France?\nAssistant: Paris" in joined(tokens)
    assert learned(tokens) == "Paris 😀, as if nobody knew.\n\nAs always."


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_counts_are_those_of_the_tokens_that_are_shown(own: Counter) -> None:
    chance = random.Random(7)
    roles, letters = [SYS, USER, ASSISTANT, TOOL], ["a ", "ñ", "😀", "\n", "7"]
    for counter in (own, Wearing(own, TRIMMED), Wearing(own, CALLING)):
        for _ in range(40):
            said = [
                Turn(chance.choice(roles[1:]), "".join(chance.choices(letters, k=4)), learn=chance.random() < 0.5)
                for _ in range(chance.randint(1, 6))
            ]
            example = conversation(*said)
            tokens, counted = shown(example, counter), of_example(example, counter)
            assert counted.total == len(tokens)
            assert counted.learned == sum(token.learn for token in tokens)
            assert len(counted.turns) == len(example.turns)


def test_what_a_provider_writes_around_messages_is_counted_though_its_numbers_are_not_known() -> None:
    """Three marks and a role for each message."""
    import tiktoken

    ranks = {bytes([byte]): byte for byte in range(256)} | {b"user": 256, b"assistant": 257, b"system": 258}
    encoding = tiktoken.Encoding("tiny", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={})
    counter = hosted.HostedCounter("openai:tiny", encoding)
    example = conversation(Turn(SYS, "ab"), Turn(USER, "abc"), Turn(ASSISTANT, "d"))
    tokens = shown(example, counter)
    assert len(tokens) == of_example(example, counter).total == 3 * 4 + 6
    assert learned(tokens) == f"d{END}"
    assert [token.id for token in tokens if token.text == END] == [None] * 3


def test_by_a_rule_of_thumb_the_texts_alone_are_counted() -> None:
    counter = RuleCounter("ollama:x", Rule.WORDS_OVER)
    example = conversation(Turn(USER, "one two three"), Turn(ASSISTANT, "four five six"), source=Source("hand"))
    counted = of_example(example, counter)
    assert (counted.total, counted.learned, counted.turns) == (8, 4, (4, 4))
    assert joined(shown(example, counter)) == "one two threefour five six"
