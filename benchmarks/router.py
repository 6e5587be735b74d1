"""The router on messages it was not made with: right routes by route and language, arguments, confidence, time.

    python -m benchmarks.router [FILE.jsonl]

FILE (default: tests/data/routes-held-out.jsonl) has a row per message: {text, language, route, tool, arguments,
persona}. The library holds five small documents of its own (tests/topics.py), the personas are Marv, Nerea and
Professor Oak. An argument is right when the tool gives the same result as for the row's own. Time is of `choose`
alone, the embedder and the library warm, in this process.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from assistant.events import Route, to_row
from benchmarks.machine import describe
from knowledge import embedders
from tests.topics import HELD_OUT, Routed, read, routed, router


def table(rows: list[Routed]) -> None:
    print("| route | language | messages | right | % |\n|---|---|---|---|---|")
    for route in (*Route, None):
        for language in ("en", "es"):
            some = [one for one in rows if one.language == language and route in (None, one.wanted)]
            right = sum(one.right for one in some)
            print(f"| {route or 'all'} | {language} | {len(some)} | {right} | {100 * right / max(1, len(some)):.1f} |")


def reliability(rows: list[Routed]) -> None:
    print("\n| confidence | messages | mean confidence | right % |\n|---|---|---|---|")
    for low, high in ((0.0, 0.6), (0.6, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 1.01)):
        some = [one for one in rows if low <= one.chosen.confidence < high]
        if some:
            mean, right = np.mean([one.chosen.confidence for one in some]), 100 * np.mean([one.right for one in some])
            print(f"| {low:.2f}–{min(high, 1):.2f} | {len(some)} | {mean:.2f} | {right:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description="The router's accuracy and time.")
    parser.add_argument("file", nargs="?", type=Path, default=HELD_OUT)
    parser.add_argument("--weights", type=Path, default=None)
    parser.add_argument("--wrong", action="store_true", help="list what went wrong")
    parser.add_argument("--empty", action="store_true", help="without documents")
    arguments = parser.parse_args()
    from assistant.service.settings import Settings

    embedder = embedders.load(embedders.DEFAULT, arguments.weights or Settings().weights)
    print(describe(), end="\n\n")
    with tempfile.TemporaryDirectory() as folder, router(Path(folder), embedder, empty=arguments.empty) as made:
        wanted = read(arguments.file)
        for row in wanted[:20]:
            made.choose(row["text"], language=row["language"])
        seconds, rows = [], []
        for row in wanted:
            started = time.perf_counter()
            chosen = made.choose(row["text"], language=row["language"])
            seconds.append(time.perf_counter() - started)
            rows.append(routed(row, chosen))
    table(rows)
    called = [one for one in rows if one.wanted is Route.TOOL and one.chosen.route is Route.TOOL]
    good = sum(one.arguments_right for one in called)
    print(f"\nArguments right: {good} of {len(called)} routed to a tool ({100 * good / max(1, len(called)):.1f} %)")
    reliability(rows)
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    print(f"\nTime per message: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    if arguments.wrong:
        print(Counter((one.wanted.value, one.chosen.route.value) for one in rows if not one.right))
        for one in rows:
            if not one.right or (one in called and not one.arguments_right):
                print(one.wanted, "←", json.dumps(to_row(one.chosen) | {"text": one.text}, ensure_ascii=False))


if __name__ == "__main__":
    main()
