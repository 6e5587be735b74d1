"""In: who speaks. Out: text as their model writes it, and what that took. Knows nothing of routes.

The model is asked for when it has to write, not before: what was found is shown while it loads.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from assistant.agent.request import ModelSource, Request
from assistant.history import cited
from assistant.models.inference import Inference
from knowledge import Turn, Usage


class Writing:
    """A model as answering wants it: turns in, text out; usage and settings are kept aside."""

    def __init__(self, models: ModelSource, request: Request, *, plain: bool = False) -> None:
        """`plain`: without the persona's adapter and template, for what it does not say itself."""
        self.usage: Usage | None = None
        self.settings: dict[str, Any] = {}  # what the model was asked with
        self._models, self._request, self._plain = models, request, plain
        self._name = ""

    def counted(self, whole: Usage) -> Usage:
        """The whole answer's seconds with the model's tokens; none are known when it was cut short."""
        own = self.usage or Usage()
        name = own.model or self._name or whole.model
        return replace(whole, model=name, prompt_tokens=own.prompt_tokens, completion_tokens=own.completion_tokens)

    def write(self, turns: Sequence[Turn], max_tokens: int) -> Generator[str, None, None]:
        from assistant.models import write

        who = self._request.who
        model = self._models.get(who.model) if who.model else self._models.get()
        self._name = str(getattr(model, "model", None) or getattr(model, "model_name", None) or "")
        inference = asked(self._request, max_tokens)
        self.settings = inference.model_dump(mode="json", exclude_defaults=True)
        pieces = write(
            model,
            turns,
            inference=inference,
            stop=self._request.stop,
            adapter=None if self._plain else who.adapter,
            template="" if self._plain else who.template,
        )
        with closing(pieces):  # type: ignore[type-var]  # a generator
            for piece in pieces:
                if isinstance(piece, Usage):
                    self.usage = added(self.usage, piece)
                elif piece:
                    yield piece
                    if self._request.clock is not None:
                        self._request.clock.word()


def asked(request: Request, max_tokens: int | None) -> Inference:
    """Greedy for the first answer, which is the likeliest one; at the same temperature another try would be the same
    answer again. What a person or a persona said wins, but never over the room there is for this kind of answer."""
    ours = Inference(max_tokens=max_tokens, temperature=0.0 if request.attempt == 0 else 0.7, seed=request.attempt)
    wanted = request.who.settings.over(ours)
    limit = request.choice.settings.max_tokens or request.who.settings.max_tokens
    return wanted.model_copy(update={"max_tokens": limit or max_tokens})


def added(before: Usage | None, usage: Usage) -> Usage:
    if before is None:
        return usage
    return replace(
        usage,
        prompt_tokens=before.prompt_tokens + usage.prompt_tokens,
        completion_tokens=before.completion_tokens + usage.completion_tokens,
        seconds_to_first=before.seconds_to_first,
        seconds=before.seconds + usage.seconds,
    )


def trimmed(history: Sequence[Turn], characters: int) -> list[Turn]:
    """The newest messages that fit, beginning with a question; marks of citations that are not at hand are left out."""
    kept: list[Turn] = []
    left = characters
    for turn in reversed(history):
        text = cited(turn.text, ()) if turn.role == "assistant" else turn.text
        left -= len(text)
        if left < 0:
            break
        kept.append(replace(turn, text=text))
    while kept and kept[-1].role != "user":
        kept.pop()
    return kept[::-1]
