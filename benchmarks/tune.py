"""What a second of learning brings: real tokens (those of rows, never padding), against TRL's SFTTrainer.

    python -m benchmarks.tune [--rows marv|long] [--steps 6] [--rounds 2] [--trl default|packing|light]
    python -m benchmarks.tune --recipe lora [--rows 50]      a whole job by a recipe, in its own process
    python -m benchmarks.tune --device cuda --rows varied    on a GPU: benchmarks.tune_device

Both sides learn the same token ids with the same masks, 8 rows a step, LoRA r=16 on all linear layers of the default
model, each in a process of its own, by turns. The first step is left out of the clock. TRL has its defaults, but what a
machine without a GPU makes impossible (use_cpu, bf16=False); packing and light are what one would try next: its
packing; no checkpointing. Seconds are the wall's and, because other work may share the cores, the processor's. Then
both adapters are put on the base in float32 and asked for their loss on the same held-out rows.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.service.settings import Settings as AppSettings
from benchmarks import tune_device
from benchmarks.machine import describe
from tests.tuning.training_jobs import job, marv
from tuning.training import bases, packing, recipes
from tuning.training.folder import Folder
from tuning.training.rows import Row, of_example
from tuning.training.settings import Settings
from tuning.values import Example, Kind

BATCH, RATE, HELD = 8, 2e-4, 8


def long(many: int) -> list[Example]:
    """Conversations of one to nine questions to Marv: some 250 tokens on average, all answers learned."""
    drawn, short = random.Random(1), marv(58)
    made = []
    for _ in range(many):
        some = drawn.sample(short, drawn.randint(1, 9))
        turns = [some[0].turns[0], *(turn for one in some for turn in one.turns[1:])]
        made.append(replace(some[0], turns=tuple(turns)))
    return made


def settings(steps: int) -> Settings:
    return Settings(
        weights=str(AppSettings().weights), batch=BATCH, max_steps=steps, learning_rate=RATE, schedule="linear",
        warmup=0.0, lora={"r": 16, "alpha": 32},
    )  # fmt: skip


def rows(kind: str, steps: int) -> tuple[list[Row], list[Row]]:
    counter = bases.find("local:smollm2-135m", AppSettings().weights).counter
    examples = marv(58) if kind == "marv" else long(steps * BATCH)
    examples = [examples[at % len(examples)] for at in range(steps * BATCH)]
    made = [row for one in examples for row in of_example(one, counter, longest=1024)[0]]
    return made, [row for one in marv(HELD, 58) for row in of_example(one, counter, longest=1024)[0]]


# ── one side, in a process of its own ────────────────────────────────────────────────────────────────────────────────


def ours(learn: Sequence[Row], steps: int, place: Path) -> list[tuple[float, float, int, float]]:
    from tuning.training.engine import base, methods
    from tuning.training.engine.step import Learner

    asked = settings(steps)
    found = bases.find(asked.base, Path(asked.weights))
    trained = methods.METHODS["lora"](base.load(found, asked), found, asked)
    learner, seen = Learner(trained, asked), []
    for step in range(steps):
        wall, processor = time.perf_counter(), time.process_time()
        some = learn[step * BATCH : (step + 1) * BATCH]
        packs = packing.packed(some, asked.pack_tokens, share=asked.share_prefix)
        done = learner.learn(packs, RATE * (1 - step / steps), lambda: False)
        seen.append((time.perf_counter() - wall, time.process_time() - processor, done.tokens, done.loss))
    trained.write(place)
    return seen


def theirs(learn: Sequence[Row], steps: int, place: Path, way: str) -> list[tuple[float, float, int, float]]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    folder = str(bases.find("local:smollm2-135m", AppSettings().weights).folder)
    data = Dataset.from_dict(
        {"input_ids": [list(row.ids) for row in learn], "completion_mask": [list(map(int, row.learn)) for row in learn]}
    )
    more = {"default": {}, "packing": {"packing": True}, "light": {"gradient_checkpointing": False}}[way]
    config = SFTConfig(
        output_dir=str(place / "out"), use_cpu=True, bf16=False, max_steps=steps, learning_rate=RATE, report_to=[],
        per_device_train_batch_size=BATCH, logging_steps=1, save_strategy="no", disable_tqdm=True, **more,
    )  # fmt: skip
    seen: list[tuple[float, float, int, float]] = []
    state: dict[str, Any] = {"tokens": 0}

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            state["clock"] = time.perf_counter(), time.process_time()

        def on_log(self, _: Any, __: Any, ___: Any, logs: dict[str, float], **____: Any) -> None:
            if "loss" in logs:
                tokens = int(logs["num_tokens"])
                took = [now - then for now, then in zip((time.perf_counter(), time.process_time()), state["clock"])]  # noqa: B905
                seen.append((took[0], took[1], tokens - state["tokens"], logs["loss"]))
                state["tokens"] = tokens

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    trainer = SFTTrainer(
        model, config, train_dataset=data, processing_class=tokenizer, peft_config=lora, callbacks=[Watch()]
    )
    trainer.train()
    trainer.model.save_pretrained(str(place))
    return seen


def held_out(held: Sequence[Row], adapter: Path | None) -> float:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder = bases.find("local:smollm2-135m", AppSettings().weights).folder
    model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32)
    if adapter:
        model = PeftModel.from_pretrained(model, str(adapter))
    total, learned = 0.0, 0
    with torch.inference_mode():
        for row in held:
            ids = torch.tensor([row.ids])
            labels = torch.where(torch.tensor([row.learn]), ids, torch.tensor(-100))
            total += float(model.eval()(input_ids=ids, labels=labels).loss) * row.learned
            learned += row.learned
    return total / learned


def side(name: str, kind: str, steps: int, place: Path) -> None:
    learn, held = rows(kind, steps)
    seen = ours(learn, steps, place) if name == "ours" else theirs(learn, steps, place, name)
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    result = {"steps": seen, "peak": peak, "held": held_out(held, place)}
    (place / "result.json").write_text(json.dumps(result))


# ── both, and a recipe ───────────────────────────────────────────────────────────────────────────────────────────────


def compare(kind: str, steps: int, rounds: int, way: str) -> None:
    found: dict[str, list[dict[str, Any]]] = {"ours": [], way: []}
    for _ in range(rounds):
        for name in found:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-W", "ignore", "-m", "benchmarks.tune", "--side", name, "--place", folder]
                subprocess.run([*command, "--rows", kind, "--steps", str(steps)], check=True, stdout=subprocess.DEVNULL)
                found[name].append(json.loads((Path(folder) / "result.json").read_text()))
    print(f"{describe()}\n\nrows {kind}, {steps} steps of {BATCH}, {rounds} rounds; TRL: {way}\n")
    print("| side | real tokens/s, wall | per processor second | peak MB | loss at the end | held-out loss |")
    print("|---|---|---|---|---|---|")
    speeds = []
    for name, results in found.items():
        wall, processor = (
            statistics.median(
                sum(one[2] for one in result["steps"][1:]) / sum(one[at] for one in result["steps"][1:])
                for result in results
            )
            for at in (0, 1)
        )
        speeds.append((wall, processor))
        last = results[-1]
        print(
            f"| {name} | {wall:.0f} | {processor:.0f} | {last['peak'] / 1e6:.0f} | {last['steps'][-1][3]:.3f} | "
            f"{last['held']:.4f} |"
        )
    print(f"\nratio: wall {speeds[0][0] / speeds[1][0]:.2f}, processor {speeds[0][1] / speeds[1][1]:.2f}")


def as_texts(examples: Sequence[Example]) -> list[Example]:
    return [Example(Kind.TEXT, text="\n".join(one.texts)) for one in examples]


def by_recipe(name: str, many: int) -> None:
    made = recipes.settings(name, weights=str(AppSettings().weights))
    with tempfile.TemporaryDirectory() as place:
        said = made.model_dump(mode="json", exclude={"base", "weights", "format"}, exclude_defaults=True)
        if name == "distil":
            said |= {"teacher": {"base": made.base}}
        learn, held_rows = marv(many), marv(HELD, 58)
        if name == "text":
            learn, held_rows = as_texts(learn), as_texts(held_rows)
        folder: Folder = job(Path(place), Path(made.weights), made.base, learn, held_rows, **said)
        command = [sys.executable, "-W", "ignore", "-m", "tuning.training", place]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took, state, measured = time.perf_counter() - began, folder.state(), folder.metrics()
        held = [row["eval_loss"] for row in measured if "eval_loss" in row]
        peak = max(row["memory_bytes"] for row in measured if "memory_bytes" in row)
        files = [file for kind in ("adapter", "model") for file in folder.file(kind).glob("*.safetensors")]
        facts = json.loads(next(folder.place.glob("*/afina_run.json")).read_text())
        size = sum(file.stat().st_size for file in files) / 1e6
        cells = [name, f"{facts['parameters']:,}", f"{size:.2f}", state.steps, f"{state.tokens:,}"]
        cells += [f"{state.seconds:.0f}", f"{took:.0f}", f"{peak / 1e6:.0f}", f"{held[0]:.3f}", f"{min(held):.3f}"]
        print("|", " | ".join(map(str, cells)), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Real tokens per second of learning, against TRL.")
    parser.add_argument("--rows", default="marv", help="marv, long; of a recipe: how many of Marv's")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--trl", choices=("default", "packing", "light"), default="default")
    parser.add_argument("--recipe", nargs="*", default=[])
    parser.add_argument("--side", default="")
    parser.add_argument("--place", type=Path)
    arguments = parser.parse_args()
    if arguments.side:
        side(arguments.side, arguments.rows, arguments.steps, arguments.place)
    elif arguments.recipe:
        print(
            "| recipe | trained | file MB | steps | tokens | seconds | with loading | peak MB | loss before | after |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        for name in arguments.recipe:
            by_recipe(name, int(arguments.rows) if arguments.rows.isdigit() else 50)
    else:
        compare(arguments.rows, arguments.steps, arguments.rounds, arguments.trl)


if __name__ == "__main__":
    tune_device.main() if "--device" in sys.argv else main()
