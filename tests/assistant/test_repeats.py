"""Laws of the loop guard: it ends a loop, says it once, and leaves everything else alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant.repeats import until_repeating, without_loop

LINE = "Hola! ¿qué puedes hacer?\n\n"


def words(text: str) -> Iterator[str]:
    for word in text.split(" "):
        yield word + " "


def test_a_loop_ends_the_stream_and_is_said_once() -> None:
    written = "".join(until_repeating(words("Bien. " + LINE * 40)))
    assert len(written) < len(LINE) * 6
    assert without_loop("Bien. " + LINE * 3) == "Bien. Hola! ¿qué puedes hacer?"


@pytest.mark.parametrize(
    "text",
    ["ha ha ha ha ha ha ha", "-" * 200, "one two three four " * 2, "| a | b |\n| 1 | 2 |\n| 3 | 4 |\n", ""],
)
def test_what_is_no_loop_passes_unchanged(text: str) -> None:
    assert "".join(until_repeating(iter([text]))) == text
