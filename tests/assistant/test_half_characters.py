"""Laws of half a character (a lone surrogate, an emoji that was cut): who is told, and that the key is not blamed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from assistant.errors import ForOperator, ForPerson
from assistant.models.asking import write
from assistant.models.remote import ollama, openai
from assistant.openai_api.asked import read
from assistant.openai_api.faults import Fault
from knowledge import Turn
from tests.completions import Completions

HALF = "a lighthouse \ud83d"


@pytest.fixture
def server() -> Iterator[Completions]:
    made = Completions()
    yield made
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("kind", ["openai", "ollama"])
def test_half_a_character_in_a_message_is_not_the_keys_fault(server: Completions, kind: str) -> None:
    model = openai.served(f"{server.url}/v1#m", None) if kind == "openai" else ollama.chat("m", server.url)
    with pytest.raises(ForPerson, match="half of a character") as caught:
        list(write(model, [Turn("user", HALF)], stop=threading.Event()))
    assert "medio carácter" in caught.value.said("es")
    assert all(not asked for _, asked in server.requests)  # at most what is loaded there was looked up


@pytest.mark.parametrize("kind", ["openai", "ollama"])
def test_a_key_with_letters_that_no_header_takes_is_the_keys_fault(server: Completions, kind: str) -> None:
    key = "contraseña→"
    model = openai.served(f"{server.url}/v1#m", key) if kind == "openai" else ollama.chat("m", server.url, key=key)
    with pytest.raises(ForOperator, match="refused the key") as caught:
        list(write(model, [Turn("user", "hello")], stop=threading.Event()))
    assert "Check its key" in str(caught.value)
    assert "Revisa su clave" in caught.value.said("es")


def body(**more: Any) -> bytes:
    return json.dumps({"model": "afina", "messages": [{"role": "user", "content": "hello"}], **more}).encode()


@pytest.mark.parametrize(
    "more",
    [{"model": HALF}, {HALF: 1}, {"messages": [{"role": "user", "content": HALF}]}, {"messages": [{"role": HALF}]}],
)
def test_a_request_with_half_a_character_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(Fault, match="half of a character") as caught:
        read(body(**more))
    assert caught.value.status == 400
    (str(caught.value) + caught.value.said("es")).encode()


def test_a_whole_emoji_written_as_two_halves_is_read() -> None:
    assert read(body(messages=[{"role": "user", "content": "a lighthouse \ud83d\ude00"}])).question.endswith(
        "\U0001f600"
    )


@pytest.mark.parametrize(
    ("name", "value", "english", "spanish"),
    [
        ("temperature", True, "temperature: a number is needed.", "temperature: hace falta un número."),
        ("max_tokens", True, "max_tokens: a whole number is needed.", "max_tokens: hace falta un número entero."),
        ("temperature", 3, "temperature: 2 at most.", "temperature: 2 como máximo."),
        ("max_tokens", 0, "max_tokens: 1 at least.", "max_tokens: 1 como mínimo."),
        ("top_p", 0, "top_p: more than 0.", "top_p: más de 0."),
        ("seed", 1.5, "seed: a whole number is needed.", "seed: hace falta un número entero."),
        ("stop", ["a"] * 5, "stop: 4 at most.", "stop: 4 como máximo."),
        ("stream", "yes", "stream: true or false.", "stream: true o false."),
        ("n", True, "Only one answer", "Solo se da una"),
    ],
)
def test_a_wrong_value_is_told_in_the_callers_language(name: str, value: Any, english: str, spanish: str) -> None:
    with pytest.raises(Fault) as caught:
        read(body(**{name: value}))
    assert str(caught.value).startswith(english)
    assert caught.value.said("es").startswith(spanish)
