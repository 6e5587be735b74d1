"""What switching costs: one base, several LoRA adapters, another one (or none) for each message.

    python -m benchmarks.adapters [--weights FOLDER] [--adapters 4] [--messages 40]

The switch is the time from asking the engine until the model wears the adapter; the first text is timed beside it, for
the same short prompt with and without a change of adapter. Adapters are rank 16 on all linear layers, random weights.
Loading an adapter for the first time is a row of its own.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path

from assistant.models import Models
from assistant.models.local.engine import Sampling
from assistant.models.local.engine_transformers import TransformersEngine
from assistant.models.local.loading import DEFAULT
from assistant.service.settings import Settings
from knowledge import Turn


def adapters(engine: TransformersEngine, folder: Path, count: int) -> list[Path]:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    settings = LoraConfig(r=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    made = []
    for number in range(count):
        base = AutoModelForCausalLM.from_config(engine._model.config)
        made.append(folder / f"adapter-{number}")
        get_peft_model(base, settings).save_pretrained(str(made[-1]))
    return made


def switch(engine: TransformersEngine, adapter: Path | None) -> float:
    began = time.perf_counter()
    engine._wardrobe.wear(adapter)
    return time.perf_counter() - began


def first_text(engine: TransformersEngine, prompt: str, adapter: Path | None) -> float:
    began = time.perf_counter()
    for _ in engine.generate(prompt, Sampling(1), threading.Event(), adapter):
        break
    return time.perf_counter() - began


def row(name: str, seconds: list[float]) -> str:
    milliseconds = sorted(1000 * one for one in seconds)
    at_95 = milliseconds[int(0.95 * (len(milliseconds) - 1))]
    return f"| {name} | {statistics.median(milliseconds):.1f} | {at_95:.1f} | {milliseconds[-1]:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Milliseconds to switch adapters between messages.")
    parser.add_argument("--weights", type=Path, default=Settings().weights)
    parser.add_argument("--adapters", type=int, default=4)
    parser.add_argument("--messages", type=int, default=40)
    arguments = parser.parse_args()
    models = Models(arguments.weights)
    with tempfile.TemporaryDirectory() as folder:
        engine = models.loading.engine(DEFAULT, Path(folder))
        assert isinstance(engine, TransformersEngine)
        prompt = engine.prompt([Turn("user", "What is the capital of France?")])
        first_text(engine, prompt, None)
        worn: list[Path | None] = [*adapters(engine, Path(folder), arguments.adapters)]
        loads = [switch(engine, adapter) for adapter in worn]
        order = [*worn, None]
        same, changed, switches = [], [], []
        for number in range(arguments.messages):
            adapter = order[number % len(order)]
            changed.append(first_text(engine, prompt, adapter))
            same.append(first_text(engine, prompt, adapter))
        for number in range(arguments.messages):
            switches.append(switch(engine, order[number % len(order)]))
    models.close()
    print(f"{arguments.adapters} adapters and none, {arguments.messages} messages, {engine._device}\n")
    print("| milliseconds | p50 | p95 | most |\n|---|---|---|---|")
    print(row("switch", switches))
    print(row("first token, another adapter than before", changed))
    print(row("first token, the same one", same))
    print(row("an adapter's first load", loads))


if __name__ == "__main__":
    main()
