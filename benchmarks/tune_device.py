"""Learning on a GPU (or, to try it, on a processor) against TRL's SFTTrainer, all in one run.

    python -m benchmarks.tune --device cuda --rows varied [--random] [--steps 8] [--more 40] [--sides ours default …]
    python -m benchmarks.tune --device cpu --way flat --random --shape tiny --step-tokens 1024 --steps 3       to try it

ours      packs of --step-tokens tokens, as a job with step_tokens takes them, the layers compiled
default   SFTTrainer as it comes: 8 rows at once, checkpointing, bf16
light     32 rows at once, without checkpointing
packing   as it comes, with packing=True

All learn from the same rows once, LoRA r=16 on all linear layers, about as many rows a step (TRL by accumulation: as
ours has in a pack), each in a process of its own, one after the other. `--random`: the model has the default one's
shape and random weights, made on the spot, and rows are made-up ids of 16 to 1,024 tokens, 250 on average; without it,
the default model and conversations with Marv (benchmarks.tune). Tokens are real: those of rows, never padding. The
clock of the first step begins with the process: imports, loading, compiling are in it. It is left out of the speed;
ours is timed over --more further steps, because so few would last a second. Held-out loss: each adapter put on the base
by PEFT. Share: operations that learning takes (benchmarks.gpus), by the chip's dense bf16 rate. With --random, nothing
but torch, transformers, peft, pydantic and SQLAlchemy (TRL's sides: trl, datasets) must be installed.
"""

from __future__ import annotations

import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import gpus
from tuning.training.rows import Row
from tuning.training.settings import Settings

RANK, RATE, HELD = 16, 2e-4, 32
SIDES = ("ours", "default", "light", "packing")
SHAPES: dict[str, dict[str, int]] = {
    "default": {
        "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
        "num_attention_heads": 9, "num_key_value_heads": 3,
    },
    "tiny": {
        "vocab_size": 1024, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2,
    },
}  # fmt: skip


def main() -> None:
    parser = ArgumentParser(description="Learning on a device, against TRL.")
    parser.add_argument("--device", choices=("cpu", "cuda"), required=True)
    parser.add_argument("--rows", choices=("varied",), default="varied")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--random", action="store_true", help="random weights of the model's shape, made-up rows")
    parser.add_argument("--shape", choices=tuple(SHAPES), default="default")
    parser.add_argument("--step-tokens", type=int, default=32768)
    parser.add_argument("--more", type=int, default=40, help="steps of ours that are timed")
    parser.add_argument(
        "--way", choices=("auto", "packed", "flat", "compiled"), default="auto", help="ours: settings.step"
    )
    parser.add_argument("--sides", nargs="*", choices=SIDES, default=["ours", "default", "packing"])
    parser.add_argument("--side", choices=SIDES, help="one side alone, as the others are begun")
    parser.add_argument("--place", type=Path)
    parser.add_argument("--began", type=float, default=0.0)
    asked = parser.parse_args()
    side(asked) if asked.side else compare(asked)


# ── what is learned from, and by what ────────────────────────────────────────────────────────────────────────────────


def made_up(many: int, words: int, seed: int) -> list[Row]:
    """Rows whose words follow each other by a rule, half of the time; the first third asks, the rest is learned."""
    drawn, rows = random.Random(seed), []
    few = min(words, 4096) - 8
    for _ in range(many):
        length = min(1024, max(16, round(drawn.lognormvariate(5.3, 0.68))))
        ids = [8]
        for _ in range(length - 1):
            by_rule = drawn.random() < 0.5
            ids.append(8 + ((ids[-1] * 7 + 11) % few if by_rule else int(few * drawn.random() ** 3)))
        rows.append(Row(tuple(ids), tuple(at >= length // 3 for at in range(length))))
    return rows


def rows(asked: Namespace) -> tuple[list[Row], list[Row]]:
    """(to learn from, held out): so many tokens that --steps packs are full."""
    if asked.random:
        words = SHAPES[asked.shape]["vocab_size"]
        made, held = iter(made_up(asked.steps * asked.step_tokens // 100, words, 1)), made_up(HELD, words, 2)
    else:
        from assistant.service.settings import Settings as AppSettings
        from benchmarks.tune import long
        from tests.tuning.training_jobs import marv
        from tuning.training import bases
        from tuning.training.rows import of_example

        counter = bases.find("local:smollm2-135m", AppSettings().weights).counter
        some = long(asked.steps * asked.step_tokens // 100)
        made = (row for one in some for row in of_example(one, counter, longest=1024)[0])
        held = [row for one in marv(8, 58) for row in of_example(one, counter, longest=1024)[0]]
    found, tokens = list[Row](), 0
    for row in made:
        tokens += len(row)
        if tokens > asked.steps * asked.step_tokens * 0.995:
            break
        found.append(row)
    return found, held


def base(asked: Namespace, place: Path) -> Path:
    """A folder with config.json and safetensors."""
    if not asked.random:
        from assistant.service.settings import Settings as AppSettings
        from tuning.training import bases

        return bases.find("local:smollm2-135m", AppSettings().weights).folder
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = place / "base"
    torch.manual_seed(0)
    config = LlamaConfig(
        **SHAPES[asked.shape], tie_word_embeddings=True, max_position_embeddings=8192, pad_token_id=0, bos_token_id=1,
        eos_token_id=2, rms_norm_eps=1e-5, initializer_range=0.04,
    )  # fmt: skip
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(str(folder))
    _tokenizer().save_pretrained(str(folder))
    return folder


def _tokenizer() -> Any:
    """Of single bytes: rows are ids already, a trainer only wants to know how padding is called."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<pad>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    words = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", bos_token="<s>", eos_token="</s>")


# ── one side, in a process of its own ────────────────────────────────────────────────────────────────────────────────


class Clock:
    """Seconds since the process was asked for; on a GPU, of what is done, not of what was begun."""

    def __init__(self, asked: Namespace) -> None:
        self._began, self._gpu = asked.began or time.time(), asked.device == "cuda"

    def __call__(self) -> float:
        if self._gpu:
            import torch

            torch.cuda.synchronize()
        return time.time() - self._began


def ours(asked: Namespace, learn: Sequence[Row], held: Sequence[Row], folder: Path, place: Path) -> dict[str, Any]:
    from tuning.counting.tokens import Rule, RuleCounter
    from tuning.training import packing
    from tuning.training.bases import Base
    from tuning.training.engine import base as models
    from tuning.training.engine import learners
    from tuning.training.engine.methods import METHODS
    from tuning.training.plan import Plan

    clock = Clock(asked)
    said = Settings(
        weights="", step_tokens=asked.step_tokens, pack_tokens=asked.step_tokens, max_steps=asked.steps,
        learning_rate=RATE, schedule="linear", warmup=0.0, lora={"r": RANK, "alpha": 32}, device=asked.device,
        step=asked.way,
    )  # fmt: skip
    found = Base("probe", folder, RuleCounter("probe", Rule.OWN), str(folder))
    plan = Plan(learn, said)
    learner = learners.make(METHODS["lora"](models.load(found, said), found, said), said, plan, held)
    losses, first = list[float](), 0.0
    for step in range(asked.steps):
        rate = packing.rate(step, asked.steps, RATE, "linear", 0.0)
        losses += [one.loss for one in learner.step(step, rate, lambda: False)]
        first = first or clock()
    losses += [one.loss for one in learner.rest()]
    learner.trained.write(place)
    began, done = clock(), []
    for step in range(asked.steps, asked.steps + asked.more):
        done += list(learner.step(step, 1e-5, lambda: False))
    done += list(learner.rest())
    seconds, tokens = clock() - began, sum(one.tokens for one in done)
    learner.close()
    waste = 1 - sum(map(len, learn)) / (
        plan.tokens * len({id(pack) for at in range(plan.steps) for pack in plan.packs(at)})
    )
    return {"first": first, "speed": tokens / seconds, "losses": losses, "way": f"{learner.way}, {waste:.1%} padding"}


def theirs(asked: Namespace, learn: Sequence[Row], folder: Path, place: Path) -> dict[str, Any]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    clock = Clock(asked)
    data = Dataset.from_dict(
        {"input_ids": [list(row.ids) for row in learn], "completion_mask": [list(map(int, row.learn)) for row in learn]}
    )
    at_once = {"default": 8, "light": 32, "packing": 8}[asked.side]
    a_step = asked.step_tokens / 1024 if asked.side == "packing" else len(learn) / asked.steps
    more = {"default": {}, "light": {"gradient_checkpointing": False}, "packing": {"packing": True}}[asked.side]
    if asked.device == "cpu":
        more |= {"use_cpu": True, "bf16": False}
    config = SFTConfig(
        output_dir=str(place / "out"), num_train_epochs=1, learning_rate=RATE, report_to=[], logging_steps=1,
        per_device_train_batch_size=at_once, gradient_accumulation_steps=max(1, round(a_step / at_once)),
        save_strategy="no", disable_tqdm=True, **more,
    )  # fmt: skip
    seen = list[tuple[float, float, float]]()  # seconds, tokens so far, loss

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_log(self, _: Any, __: Any, ___: Any, logs: dict[str, float], **____: Any) -> None:
            if "loss" in logs:
                seen.append((clock(), logs["num_tokens"], logs["loss"]))

    kind = torch.bfloat16 if asked.device == "cuda" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=kind)
    lora = LoraConfig(r=RANK, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    trainer = SFTTrainer(
        model, config, train_dataset=data, processing_class=AutoTokenizer.from_pretrained(str(folder)),
        peft_config=lora, callbacks=[Watch()],
    )  # fmt: skip
    trainer.train()
    trainer.model.save_pretrained(str(place))
    speed = (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0]) if len(seen) > 1 else float("nan")
    way = f"{at_once} × {config.gradient_accumulation_steps} at once"
    return {"first": seen[0][0], "speed": speed, "losses": [one[2] for one in seen], "way": way}


def held_out(asked: Namespace, held: Sequence[Row], folder: Path, adapter: Path | None) -> float:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32).to(asked.device)
    if adapter:
        model = PeftModel.from_pretrained(model, str(adapter)).to(asked.device)
    total, learned = 0.0, 0
    with torch.inference_mode():
        for row in held:
            ids = torch.tensor([row.ids], device=asked.device)
            labels = torch.where(torch.tensor([row.learn], device=asked.device), ids, torch.tensor(-100))
            total += float(model.eval()(input_ids=ids, labels=labels).loss) * row.learned
            learned += row.learned
    return total / learned


def side(asked: Namespace) -> None:
    import torch
    from transformers import AutoConfig

    from tuning.training.engine import guard

    place, folder = asked.place / asked.side, Path((asked.place / "base.txt").read_text())
    place.mkdir(exist_ok=True)
    learn, held = rows(asked)
    mine = asked.side == "ours"
    result = ours(asked, learn, held, folder, place) if mine else theirs(asked, learn, folder, place)
    result["peak"] = guard.used_memory(asked.device)
    each = gpus.operations(AutoConfig.from_pretrained(str(folder)), RANK, [(len(row), row.learned) for row in learn])
    name = torch.cuda.get_device_name() if asked.device == "cuda" else ""
    most = gpus.peak(name)
    rate = each / sum(map(len, learn)) * result["speed"]
    result |= {"name": name, "rate": rate, "share": rate / most if most else None}
    result["held"] = held_out(asked, held, folder, place)
    result["before"] = held_out(asked, held, folder, None)
    (place / "result.json").write_text(json.dumps(result))


# ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────────────


def compare(asked: Namespace) -> None:
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        (place / "base.txt").write_text(str(base(asked, place)))
        learn, _ = rows(asked)
        print(
            f"{len(learn)} rows of {statistics.mean(map(len, learn)):.0f} tokens on average, {sum(map(len, learn)):,}"
        )
        print(
            "| side | real tokens/s | peak MB | 10¹² operations/s | share of the chip | first step, s | held-out loss |"
        )
        print("|---|---|---|---|---|---|---|", flush=True)
        name, before = "", math.nan
        for one in asked.sides:
            found = _run(asked, one, place)
            if found is None:
                continue
            share = "not stated" if found["share"] is None else f"{found['share']:.1%}"
            cells = [f"{one} ({found['way']})", f"{found['speed']:,.0f}", f"{found['peak'] / 1e6:,.0f}"]
            cells += [f"{found['rate'] / 1e12:.2f}", share, f"{found['first']:.1f}", f"{found['held']:.4f}"]
            print("|", " | ".join(cells), "|", flush=True)
            name, before = found["name"], found["before"]
        print(f"\nheld-out loss before: {before:.4f}. {name or 'on the processor'}\n{_versions()}")


def _run(asked: Namespace, one: str, place: Path) -> dict[str, Any] | None:
    names = ("device", "rows", "steps", "shape", "step_tokens", "more", "way")
    said = [part for name in names for part in (f"--{name.replace('_', '-')}", str(getattr(asked, name)))]
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.tune_device", "--side", one, "--place", str(place)]
    command += [*said, *(["--random"] if asked.random else []), "--began", str(time.time())]
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, env={**os.environ, **quiet}, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{one} failed:\n{done.stderr[-3000:]}", flush=True)
        return None
    found: dict[str, Any] = json.loads((place / one / "result.json").read_text())
    return found


def _versions() -> str:
    from importlib import metadata

    names = ("torch", "triton", "transformers", "peft", "trl")
    there = {one.metadata["Name"].lower(): one.version for one in metadata.distributions() if one.metadata["Name"]}
    return f"Python {sys.version.split()[0]}, " + ", ".join(f"{name} {there[name]}" for name in names if name in there)


if __name__ == "__main__":
    main()
