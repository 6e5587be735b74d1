"""Question → first token and → last, through the agent, on the default model with a thirty-page PDF in the library.

    python -m benchmarks.turn [--rounds 10]

The same questions are asked `rounds` times after one warm-up; times are wall seconds from `Agent.run` to the first
`TextDelta` and to `Answered`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path

from assistant.agent import Agent
from assistant.choice import Choice
from assistant.events import Answered, TextDelta
from assistant.models import Models
from assistant.service.settings import Settings
from benchmarks.machine import describe, resident
from knowledge import embedders
from knowledge.library import Library
from knowledge.store.database import connect
from tests.pdfs import FACTS_EN, handbook


def ask(agent: Agent, question: str) -> tuple[float, float, int]:
    """(seconds to the first token, to the end, completion tokens)."""
    started = time.perf_counter()
    first = end = 0.0
    tokens = 0
    for event in agent.run(question, choice=Choice(route="documents"), stop=threading.Event()):
        if isinstance(event, TextDelta) and not first:
            first = time.perf_counter() - started
        if isinstance(event, Answered):
            end, tokens = time.perf_counter() - started, event.usage.completion_tokens
    return first or end, end, tokens


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Question to first and last token on the default model.")
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    settings = Settings()
    embedder = embedders.load("all-minilm-l6-v2", settings.weights)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        library = Library.open(home, connect(f"sqlite:///{home / 'afina.sqlite3'}"), lambda: embedder)
        for _ in library.add(handbook(home / "handbook.pdf")):
            pass
        agent = Agent(library, Models(settings.weights))
        ask(agent, FACTS_EN[0][0])
        runs = [ask(agent, question) for _ in range(rounds) for question, _, _ in FACTS_EN]
        library.close()
    print(describe(), end="\n\n")
    print("| | median s | p95 s |\n|---|---|---|")
    for name, values in (("first token", [run[0] for run in runs]), ("last token", [run[1] for run in runs])):
        print(
            f"| question → {name} | {statistics.median(values):.2f} | {sorted(values)[int(len(values) * 0.95)]:.2f} |"
        )
    tokens = statistics.mean(run[2] for run in runs)
    print(f"\n{len(runs)} questions, {tokens:.0f} tokens each; {resident() / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
