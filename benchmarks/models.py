"""Engines and embedders side by side: each in a process of its own, in rounds, so that noise meets all of them.

    python -m benchmarks.models [--weights FOLDER] [--rounds 3] [--text FILE]

Chat: a prompt of about 480 tokens cut from FILE (the licence of this repository), 64 tokens written greedily.
Embeddings: chunks of about 180 tokens cut from the same file.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHAT = ("openvino", "openvino, guessing", "transformers bf16")
EMBED = ("afina", "sentence-transformers as it comes")


def chat(name: str, weights: Path, text: str) -> dict[str, float]:
    """tokens/s of reading a new prompt, of writing, seconds to load and to the first token of a second question."""
    from assistant.models.local.engine import Counts, Sampling, chatml
    from knowledge import Turn

    gguf = next((weights / "smollm2-135m").glob("*.gguf"))
    began = time.perf_counter()
    if name.startswith("openvino"):
        from assistant.models.local.engine_openvino import OpenVinoEngine

        engine: Any = OpenVinoEngine(gguf, guess="guessing" in name)
    else:
        from assistant.models.local.engine_transformers import TransformersEngine

        engine = TransformersEngine(gguf)
    load = time.perf_counter() - began
    words = text.split()

    def ask(start: int, question: str, tokens: int = 64) -> tuple[int, int, float, float]:
        passage = " ".join(words[start : start + 360])
        turns = [Turn("system", f"Answer from the passages.\n[1] {passage}"), Turn("user", question)]
        began, first, counts = time.perf_counter(), 0.0, Counts(0, 0)
        for piece in engine.generate(chatml(turns), Sampling(tokens), threading.Event()):
            first = first or time.perf_counter() - began
            counts = piece if isinstance(piece, Counts) else counts
        return counts.prompt, counts.completion, first, time.perf_counter() - began - first

    ask(900, "What may You do?", 8)  # warm: kernels are made for the first shapes
    read, write, again = [], [], []
    for start in (0, 400, 800):
        prompt, completion, first, rest = ask(start, "What does the License grant, and under which conditions?")
        read.append(prompt / first)
        write.append((completion - 1) / rest)
        again.append(ask(start, "Who is the Licensor?", 4)[2])
    middle = statistics.median
    return {"read": middle(read), "write": middle(write), "again": middle(again), "load": load, "resident": resident()}


def embed(name: str, weights: Path, text: str) -> dict[str, float]:
    words = text.split()
    texts = [" ".join(words[start % 1300 : start % 1300 + 130]) for start in range(0, 128 * 37, 37)]
    began = time.perf_counter()
    if name == "afina":
        from knowledge import embedders

        run: Callable[[list[str]], Any] = embedders.load("all-minilm-l6-v2", weights).embed
    else:
        from sentence_transformers import SentenceTransformer

        run = SentenceTransformer(str(weights / "all-minilm-l6-v2"), device="cpu").encode
    load = time.perf_counter() - began
    run(texts[:8])
    began = time.perf_counter()
    run(texts)
    seconds = time.perf_counter() - began
    queries = []
    for number in range(20):
        began = time.perf_counter()
        run([f"What does section {number} say?"])
        queries.append(time.perf_counter() - began)
    return {
        "chunks": len(texts) / seconds, "query": 1000 * statistics.median(queries), "load": load,
        "resident": resident(),
    }  # fmt: skip


def resident() -> float:
    """MB of this process now; 0 where /proc is missing."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


def measure(kind: str, name: str, weights: Path, text: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.models", "--weights", str(weights), "--text", str(text)]
    done = subprocess.run(
        [*command, "--child", kind, name], capture_output=True, text=True, check=True, cwd=HERE.parent
    )
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def table(kind: str, names: tuple[str, ...], columns: dict[str, str], options: argparse.Namespace) -> None:
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            rounds[name].append(measure(kind, name, options.weights, options.text))
    print("| " + " | ".join([kind, *columns.values()]) + " |\n|" + "---|" * (len(columns) + 1))
    for name, results in rounds.items():
        cells = [f"{statistics.median(result[column] for result in results):,.3g}" for column in columns]
        print("| " + " | ".join([name, *cells]) + " |")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=os.environ.get("AFINA_WEIGHTS"))
    parser.add_argument("--text", type=Path, default=HERE.parent / "LICENSE")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.weights is None:
        from assistant.service.settings import Settings

        options.weights = Settings().weights
    if options.child:
        kind, name = options.child
        print(json.dumps((chat if kind == "chat" else embed)(name, options.weights, options.text.read_text())))
        return
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"{os.cpu_count()} cores, load {load:.1f} before; medians of {options.rounds} rounds\n")
    resources = {"load": "load, s", "resident": "resident, MB"}
    table(
        "chat",
        CHAT,
        {"read": "read, tok/s", "write": "write, tok/s", "again": "next question, s", **resources},
        options,
    )
    table("embeddings", EMBED, {"chunks": "chunks/s", "query": "question, ms", **resources}, options)


if __name__ == "__main__":
    main()
