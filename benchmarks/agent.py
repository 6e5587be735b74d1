"""What the agent adds to a bare model call: first event, first token and whole turn, on the same loopback model.

    python -m benchmarks.agent [--turns 60] [--words 60] [--pause 0.01] [--long 200]

A server on loopback answers every request with the same words at the same pace. The ways ask it one after the other in
each round so that the machine's moods meet them all: the model itself (`stream`), a plain `create_agent` with the same
tools, our agent (`Agent.run`), and a whole turn as the page starts it (`Turns.start` to the followed event, with its
writes to disk) in a conversation of its own; then the model itself and a whole turn below a thread of `--long`
messages. Milliseconds, p50 and p95; "added" is the median of the differences to the direct call of the same round with
the same conversation. The first event of a direct call is its first token: it has no other.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import StructuredTool

from assistant.agent import Agent
from assistant.events import TextDelta
from assistant.history import History
from assistant.models import Models
from assistant.models.catalogue import Capabilities
from assistant.personas import Personas
from assistant.service.settings import Settings
from assistant.tools import Toolbox
from assistant.turns import Turns
from benchmarks.machine import describe
from knowledge import embedders
from knowledge.library import Library
from knowledge.store.database import connect
from tests.completions import Completions

QUESTION = "Which city is the capital of France, and since when?"
Times = tuple[float, float, float]  # seconds to the first event, the first token, the end
DIRECT, BELOW = "direct", " below "
PARTS = ("first event", "first token", "whole turn")


class _CallsTools:
    """The loopback model, known to call tools."""

    def __init__(self, models: Models, name: str) -> None:
        self._model = models.get(name)
        self.default = name

    def get(self, name: str = "") -> Any:
        return self._model

    def capabilities(self, name: str = "", language: str = "en") -> Capabilities:
        return Capabilities(tools=True, context=128_000)


def timed(events: Iterator[Any], is_text: Callable[[Any], bool], began: float) -> Times:
    first = token = 0.0
    for event in events:
        first = first or time.perf_counter() - began
        if not token and is_text(event):
            token = time.perf_counter() - began
    return first, token, time.perf_counter() - began


def thread(history: History, messages: int) -> tuple[int, int | None]:
    """A conversation of so many messages, and the last one of them."""
    conversation, last = history.create().id, None
    for n in range(messages // 2):
        opened = history.open(conversation, f"{QUESTION} ({n})", last)
        history.finish(last := opened.answer, text="Paris, since the tenth century, with gaps. " * 8)
    return conversation, last


def ways(home: Path, server: Completions, settings: Settings, long: int) -> dict[str, Callable[[], Times]]:
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    embedder = embedders.load(settings.embedder, settings.weights)
    library = Library.open(home, engine, lambda: embedder)
    models = _CallsTools(Models(settings.weights), f"{server.url}/v1#some-model")
    toolbox = Toolbox(engine)
    agent = Agent(library, models, toolbox=toolbox, personas=Personas(engine))
    history = History(engine)
    turns = Turns(history, agent)
    made = [
        StructuredTool(name=tool.name, description=tool.description, args_schema=tool.schema(), func=lambda **_: "")
        for tool in toolbox.tools()
    ]
    plain: Any = create_agent(models.get(), made, system_prompt="You are a helpful assistant.")
    system, question = ("system", "You are a helpful assistant."), ("user", QUESTION)
    below = thread(history, long)  # every turn is another branch of it: it does not grow longer
    said = [(message.role, message.text) for message in history.thread(below[0])]

    def direct(earlier: list[tuple[str, str]]) -> Times:
        asked = [system, *earlier, question]
        return timed(models.get().stream(asked), lambda chunk: bool(chunk.text), time.perf_counter())

    def stock() -> Times:
        events = plain.stream({"messages": [question]}, stream_mode="messages")
        return timed(events, lambda item: bool(item[0].text), time.perf_counter())

    def ours() -> Times:
        return timed(agent.run(QUESTION), lambda event: isinstance(event, TextDelta), time.perf_counter())

    def whole(conversation: int, last: int | None) -> Times:
        began = time.perf_counter()
        events = turns.follow(turns.start(conversation, QUESTION, last))
        return timed(events, lambda event: isinstance(event, TextDelta), began)

    return {
        DIRECT: lambda: direct([]),
        "create_agent": stock,
        "Agent.run": ours,
        "Turns.start": lambda: whole(history.create().id, None),
        f"{DIRECT}{BELOW}{long}": lambda: direct(said),
        f"Turns.start{BELOW}{long}": lambda: whole(*below),
    }


def table(runs: dict[str, list[Times]]) -> None:
    print("| | way | p50 ms | p95 ms | added p50 ms | added p50 % |\n|---|---|---|---|---|---|")
    for place, part in enumerate(PARTS):
        for way, times in runs.items():
            values = sorted(one[place] * 1000 for one in times)
            bare = runs[DIRECT + "".join(way.partition(BELOW)[1:])]
            added = statistics.median((a[place] - b[place]) * 1000 for a, b in zip(times, bare, strict=True))
            base = statistics.median(one[place] * 1000 for one in bare)
            p95 = values[int(len(values) * 0.95)]
            print(
                f"| {part} | {way} | {statistics.median(values):.1f} | {p95:.1f} | {added:+.1f} | {added / base:+.1%} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="What the agent adds to a bare model call.")
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--pause", type=float, default=0.01, help="seconds after each word")
    parser.add_argument("--long", type=int, default=200, help="messages in the long conversation")
    given = parser.parse_args()
    server = Completions()
    server.words, server.pause, server.chunked = [f"word{n} " for n in range(given.words)], given.pause, True
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        asked = ways(Path(folder), server, Settings(), given.long)
        for _ in range(3):
            for way in asked.values():
                way()
        runs: dict[str, list[Times]] = {name: [] for name in asked}
        names = list(asked)
        for turn in range(given.turns):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                runs[name].append(asked[name]())
    print(describe(), end="\n\n")
    print(f"{given.turns} turns each way, {given.words} words, {given.pause * 1000:g} ms after each\n")
    table(runs)
    server.shutdown()


if __name__ == "__main__":
    main()
