"""In: how much one turn may take. Out: a meter that counts it, and one sentence when it is too much.

Counted across threads: a model may call many tools at once. The seconds a person takes to say yes or no are theirs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from assistant.sentences import speaker

say = speaker(
    {
        "model_calls": (
            "The model was asked {limit} times without coming to an end, which is the limit for one message. What it "
            "did so far is kept: ask for a smaller step, or raise AFINA_MODEL_CALLS.",
            "Se preguntó al modelo {limit} veces sin llegar a un final, que es el límite por mensaje. Lo hecho se "
            "conserva: pide un paso más pequeño o sube AFINA_MODEL_CALLS.",
        ),
        "tool_calls": (
            "{limit} tools were called for one message, which is the limit. What they found so far is kept: ask for a "
            "smaller step, or raise AFINA_TOOL_CALLS.",
            "Se usaron herramientas {limit} veces por un mensaje, que es el límite. Lo que encontraron se conserva: "
            "pide un paso más pequeño o sube AFINA_TOOL_CALLS.",
        ),
        "seconds": (
            "This took longer than {limit:g} seconds, which is the limit for one message. What was done so far is "
            "kept: ask for a smaller step, or raise AFINA_TURN_SECONDS.",
            "Esto tardó más de {limit:g} segundos, que es el límite por mensaje. Lo hecho se conserva: pide un paso "
            "más pequeño o sube AFINA_TURN_SECONDS.",
        ),
        "dollars": (
            "This message has cost about {limit:g} US dollars, which is the limit for one. What was done so far is "
            "kept: ask for a smaller step, or raise AFINA_TURN_DOLLARS.",
            "Este mensaje ha costado unos {limit:g} dólares, que es el límite por mensaje. Lo hecho se conserva: pide "
            "un paso más pequeño o sube AFINA_TURN_DOLLARS.",
        ),
        "no_more": (
            "Not done: this message has used up its {limit} tool calls. Answer now with what you have.",
            "No se hizo: este mensaje ya usó sus {limit} llamadas a herramientas. Responde con lo que tienes.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one turn."""

    model_calls: int = 15
    tool_calls: int = 25
    seconds: float = 120.0  # without what a person takes to approve
    dollars: float = 0.50  # by the prices that are known; a model without one costs nothing here

    @property
    def steps(self) -> int:
        """For a graph whose every round is one step of the model and one of its tools. Ours hold first."""
        return 2 * self.model_calls + 3


class LimitReached(Exception):  # noqa: N818 - no error: an end
    """`str` is the sentence for the person."""


class Meter:
    """What one turn took so far. Safe from any thread."""

    def __init__(self, limits: Limits, language: str = "en") -> None:
        self.limits, self.language = limits, language
        self.model_calls = self.tool_calls = 0
        self.dollars = 0.0
        self._refused = False  # a tool call; the model was told to answer with what it has
        self._waited = 0.0
        self._waiting: dict[int, float] = {}  # thread → since when
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def model_call(self) -> None:
        """Before each. Raises LimitReached instead of the one too many."""
        with self._lock:
            if self.model_calls >= self.limits.model_calls:
                raise self._reached("model_calls", self.limits.model_calls)
            if self.dollars >= self.limits.dollars:
                raise self._reached("dollars", self.limits.dollars)
            self.model_calls += 1
        self.check_time()

    def tool_call(self) -> str:
        """Before each: "" where it may be done, else what the model is told."""
        with self._lock:
            if self.tool_calls < self.limits.tool_calls:
                self.tool_calls += 1
                return ""
            self._refused = True
            return say("no_more", self.language, limit=self.limits.tool_calls)

    def called(self, tools: int) -> None:
        """The model wants so many tools. Whoever was told to answer and calls again has come to its end."""
        if tools and self._refused:
            raise self._reached("tool_calls", self.limits.tool_calls)

    def paid(self, dollars: float) -> None:
        with self._lock:
            self.dollars += dollars

    @property
    def seconds(self) -> float:
        with self._lock:
            now = time.monotonic()
            waiting = now - min(self._waiting.values()) if self._waiting else 0.0
            return now - self._began - self._waited - waiting

    def check_time(self) -> None:
        if self.seconds >= self.limits.seconds:
            raise self._reached("seconds", self.limits.seconds)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A person is asked. Two questions at once are one wait."""
        own = threading.get_ident()
        with self._lock:
            self._waiting[own] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                first = min(self._waiting.values())
                since = self._waiting.pop(own)
                if not self._waiting:
                    self._waited += time.monotonic() - first
                elif since == first:  # the others' wait goes on from where it is longer
                    self._waited += min(self._waiting.values()) - first

    def _reached(self, key: str, limit: float) -> LimitReached:
        return LimitReached(say(key, self.language, limit=limit))


class Clock:
    """For a turn that no model drives: how long its models may write. It starts with their first word, since a model
    may have to be fetched and loaded before; how long the first word takes is limited elsewhere."""

    def __init__(self, limits: Limits, language: str = "en") -> None:
        self._limits, self._language = limits, language
        self._began = 0.0

    def word(self) -> None:
        """With each. Raises LimitReached when the time is up."""
        now = time.monotonic()
        self._began = self._began or now
        if now - self._began >= self._limits.seconds:
            raise LimitReached(say("seconds", self._language, limit=self._limits.seconds))
