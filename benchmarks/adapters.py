"""What personas cost that are tuned: from one to another, many answers at once, loading, a job's way to its first step.

    python -m benchmarks.adapters [--weights FOLDER] [--messages 40] [--questions 32] [--parts switch,together]

switch     one base, an adapter of each kind (random weights; LoRA of rank 16 on all linear layers) and none: another
           for each message. The switch alone, and the first token of a short prompt with and without it.
together   questions answered one by one and sixteen at once, greedy, at most 64 tokens: wall and processor seconds.
load       a process that loads the base and nothing else: its files read from the disk, or known to the machine.
start      a job's process from its start to the end of its first step (50 of Marv's rows, LoRA, 8 rows a step).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from itertools import islice
from pathlib import Path
from typing import Any

from assistant.models.local import hf
from assistant.models.local.engine import Sampling
from assistant.models.local.engine_transformers import TransformersEngine, safetensors
from assistant.service.settings import Settings
from benchmarks.machine import describe
from knowledge import Turn
from knowledge import weights as weight_files
from tests.assistant import tiny
from tests.tuning.training_jobs import job, losses, marv
from tuning.evaluation import general

NEVER = threading.Event()
KINDS = ("lora", "ia3", "prompt", "bottleneck")
MOST = 64  # tokens of an answer
LOADED = """
import sys, time
began = time.perf_counter()
from pathlib import Path
import torch, transformers
from transformers import AutoModelForCausalLM, AutoTokenizer
imported = time.perf_counter()
from assistant.models.local.engine_transformers import TransformersEngine
TransformersEngine(Path(sys.argv[1]))
print(imported - began, time.perf_counter() - imported, time.process_time())
"""


def row(name: str, seconds: list[float]) -> str:
    milliseconds = sorted(1000 * one for one in seconds)
    at_95 = milliseconds[int(0.95 * (len(milliseconds) - 1))]
    return f"| {name} | {statistics.median(milliseconds):.1f} | {at_95:.1f} | {milliseconds[-1]:.1f} |"


# ── switch ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def worn(engine: TransformersEngine, adapter: Path | None) -> float:
    began = time.perf_counter()
    engine._wardrobe.wear(adapter)
    return time.perf_counter() - began


def first_text(engine: TransformersEngine, prompt: str, adapter: Path | None) -> float:
    began = time.perf_counter()
    for _ in engine.generate(prompt, Sampling(1), NEVER, adapter):
        break
    return time.perf_counter() - began


def switch(engine: TransformersEngine, base: Path, folder: Path, messages: int) -> None:
    """`base`: the folder the engine has its weights from."""
    more: dict[str, dict[str, Any]] = {"lora": {"r": 16}, "prompt": {"num_virtual_tokens": 20}}
    adapters = {kind: tiny.worn(base, folder / kind, kind, loud=0.02, **more.get(kind, {})) for kind in KINDS}
    prompt = engine.prompt([Turn("user", "What is the capital of France?")])
    first_text(engine, prompt, None)
    print("| milliseconds | p50 | p95 | most |\n|---|---|---|---|")
    for kind, adapter in adapters.items():
        print(row(f"{kind}, worn for the first time", [worn(engine, adapter)]))
    order: list[Path | None] = [*adapters.values(), None]
    print(row("switch to another", [worn(engine, order[at % len(order)]) for at in range(messages)]))
    for kind, adapter in {**adapters, "none": None}.items():
        other, same, changed = next(one for one in order if one != adapter), [], []
        for _ in range(messages // len(order)):
            worn(engine, other)
            changed.append(first_text(engine, prompt, adapter))
            same.append(first_text(engine, prompt, adapter))
        print(row(f"{kind}: first token, another before", changed))
        print(row(f"{kind}: first token, the same before", same))


# ── many at once ─────────────────────────────────────────────────────────────────────────────────────────────────────


def together(engine: TransformersEngine, questions: int) -> None:
    asked = list(islice(general.questions(), questions))
    prompts = [engine.prompt([Turn(turn.role.value, turn.text) for turn in one.turns]) for one in asked]
    sampling = Sampling(MOST)
    engine.together(prompts[:2], Sampling(2), NEVER)
    wall, used = time.perf_counter(), time.process_time()
    single = []
    for prompt in prompts:
        *texts, _ = engine.generate(prompt, sampling, NEVER)
        single.append("".join(map(str, texts)))
    alone = time.perf_counter() - wall, time.process_time() - used
    wall, used = time.perf_counter(), time.process_time()
    many = [one[0] for one in engine.together(prompts, sampling, NEVER) if isinstance(one, tuple)]
    batch = time.perf_counter() - wall, time.process_time() - used
    same = sum(one == other for one, other in zip(single, many, strict=True))
    print("| answers | seconds | processor seconds |\n|---|---|---|")
    print(f"| {len(prompts)} one by one | {alone[0]:.1f} | {alone[1]:.1f} |")
    print(f"| the same, at once | {batch[0]:.1f} | {batch[1]:.1f} |")
    print(f"\n{same} of {len(prompts)} texts are the same to the letter (bf16).")


# ── load, start ──────────────────────────────────────────────────────────────────────────────────────────────────────


def load(gguf: Path) -> None:
    print("| the base, in a process of its own | torch and transformers, s | the model, s | processor, s |")
    print("|---|---|---|---|")
    for name, cold in (("files from the disk", True), ("files in memory", False), ("again", False)):
        if cold:
            for file in safetensors(gguf).iterdir():
                _forgotten(file)
        command = [sys.executable, "-W", "ignore", "-c", LOADED, str(gguf)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        print(f"| {name} | {float(said[0]):.1f} | {float(said[1]):.1f} | {float(said[2]):.1f} |")


def _forgotten(file: Path) -> None:
    """Linux no longer holds it in memory."""
    with file.open("rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def start(weights: Path, folder: Path, times: int = 3) -> None:
    print("| a job | to the end of its first step, s | of it the step, s | processor, s |\n|---|---|---|---|")
    for number in range(times):
        place = job(
            folder / f"job-{number}", weights, "local:smollm2-135m", marv(50), method="lora", max_steps=1, eval_every=0,
            validation_share=0.0, save_every=1000,
        )  # fmt: skip
        began, used = time.perf_counter(), 0.0
        with subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tuning.training", str(place.place)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as child:  # fmt: skip
            while not losses(place) and child.poll() is None:
                time.sleep(0.02)
                used = _used(child.pid) or used
            seconds = time.perf_counter() - began
        first = next(entry for entry in place.metrics() if "loss" in entry)
        print(f"| {number + 1} | {seconds:.1f} | {first['seconds']:.1f} | {used:.1f} |")


def _used(process: int) -> float:
    """Processor seconds of a process (Linux; 0 elsewhere)."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def _gguf(weights: Path) -> Path:
    return next(weight_files.path(hf.DEFAULT_WEIGHTS, weights).glob("*.gguf"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--weights", type=Path, default=Settings().weights)
    parser.add_argument("--messages", type=int, default=40)
    parser.add_argument("--questions", type=int, default=32)
    parser.add_argument("--parts", default="switch,together,load,start")
    said = parser.parse_args()
    parts = said.parts.split(",")
    print(f"{describe()}\n")
    with tempfile.TemporaryDirectory() as folder:
        if {"switch", "together"} & {*parts}:
            engine = TransformersEngine(_gguf(said.weights))
            if "switch" in parts:
                switch(engine, safetensors(_gguf(said.weights)), Path(folder), said.messages)
            if "together" in parts:
                together(engine, said.questions)
        if "load" in parts:
            load(_gguf(said.weights))
        if "start" in parts:
            start(said.weights, Path(folder))


if __name__ == "__main__":
    main()
