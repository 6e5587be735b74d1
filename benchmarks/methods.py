"""Each method by its recipe, on one task and the same rows, in one table.

    python -m benchmarks.methods [NAME ...] [--sample marv] [--set FIELD=VALUE ...] [--keep FOLDER] [--no-answers]

Learned: the sample's first rows; the checkpoint is chosen by its other rows; the table's loss is that of 40 questions
that stand in no sample, with answers in the voice, asked of what was written as PEFT and transformers load it, in
float32. Quality is of the answers to these 40, greedy, 80 tokens at most: ROUGE-L (F1) and chrF against the written
answers, facts, and who is in the voice by the judge of benchmarks.hearing. Base: nothing worn, nothing written.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.service.settings import Settings as AppSettings
from benchmarks import hearing
from benchmarks.hearing import Judges
from benchmarks.machine import describe
from benchmarks.shipped import LEARN, Trained, given, parts, train
from benchmarks.unseen import Unseen, system, unseen
from tuning.evaluation.metrics import metric
from tuning.evaluation.values import Answered
from tuning.training import bases
from tuning.training.folder import MODEL
from tuning.training.rows import of_example

NAMES = ("prompt", "ia3", "bottleneck", "lora", "voice", "rslora", "dora", "norms", "last", "full")
HEAD = (
    "| method | trained | file MB | rate | steps | seconds | with loading | peak MB | held-out loss | ROUGE-L | chrF "
    "| in the voice | … and good | facts |\n" + "|---" * 14 + "|"
)


def held_out(sample: str, made: Trained | None, weights: Path) -> float:
    """Of a learned token, over the 40 written answers."""
    import torch

    model: Any = _worn(made, weights).eval()
    counter = bases.find("local:smollm2-135m", weights).counter
    total, learned = 0.0, 0
    with torch.inference_mode():
        for one in unseen(sample, "ask"):
            (row,), _ = of_example(one.example(system(sample)), counter, longest=1024)
            logits = model(input_ids=torch.tensor([row.ids])).logits[0, -len(row) :]
            right = torch.log_softmax(logits[:-1], 1).gather(1, torch.tensor(row.ids[1:])[:, None])[:, 0]
            total -= float(right[torch.tensor(row.learn[1:])].sum())
            learned += row.learned
    return total / learned


def _worn(made: Trained | None, weights: Path) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    from assistant.models.local.adapters.bottleneck import wear

    logging.disable_progress_bar()
    whole = made is not None and made.written.name == MODEL
    place = made.written if made and whole else bases.find("local:smollm2-135m", weights).folder
    model = AutoModelForCausalLM.from_pretrained(str(place), dtype=torch.float32)
    if made is None or whole:
        return model
    if made.settings.method == "bottleneck":
        wear(model, made.written)
        return model
    return PeftModel.from_pretrained(model, str(made.written))


def quality(sample: str, judges: Judges, asked: Sequence[Unseen], answers: Sequence[Answered]) -> list[str]:
    learn, _ = parts(sample)
    scores = [sum(metric(name).of(one) or 0.0 for one in answers) / len(answers) for name in ("rougeL", "chrf")]
    heard = [one > 0.5 for one in judges.voice.probabilities([one.text for one in answers])]
    good = [yes and not hearing.faults(one, learn) for yes, one in zip(heard, answers, strict=True)]
    known = [one.knows(answer.text) for one, answer in zip(asked, answers, strict=True)]
    facts = f"{sum(one is True for one in known)} of {sum(one is not None for one in known)}"
    return [*(f"{score:.3f}" for score in scores), f"{sum(heard)} of {len(answers)}", f"{sum(good)}", facts]


def trained(made: Trained) -> list[str]:
    return [
        f"{made.parameters:,}", f"{made.bytes / 1e6:.2f}", f"{made.settings.learning_rate:g}", str(made.steps),
        f"{made.seconds:.0f}", f"{made.whole:.0f}", f"{made.peak / 1e6:.0f}",
    ]  # fmt: skip


def line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def measure(names: Sequence[str], sample: str, said: Mapping[str, Any], place: Path, answering: bool) -> None:
    weights, asked = AppSettings().weights, unseen(sample, "ask")
    before = held_out(sample, None, weights)
    told = [""] * 5
    if answering:
        plain, first = (
            hearing.said(hearing.base(weights), sample, some, weights, place / f"{sample}-base-{use}.jsonl")
            for use, some in (("judge", unseen(sample, "judge")), ("ask", asked))
        )
        judges = hearing.judges(sample, plain, weights)
        told = quality(sample, judges, asked, first)
    print(HEAD + "\n" + line("base", *[""] * 7, f"{before:.3f}", *told), flush=True)
    for name in names:
        made = train(place / f"{sample}-{name}", name, sample, said)
        cells = [name, *trained(made), f"{held_out(sample, made, weights):.3f}"]
        if answering:
            file = place / f"{sample}-{name}.jsonl"
            answers = hearing.said(hearing.speaker(made), sample, asked, weights, file)
            told = quality(sample, judges, asked, answers)
        print(line(*cells, *told), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Each method by its recipe, on the same rows.")
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--sample", default="marv", choices=sorted(LEARN))
    parser.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE", dest="said")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--no-answers", action="store_true")
    arguments = parser.parse_args()
    learn, choose = parts(arguments.sample)
    print(f"{describe()}\n\n{arguments.sample}: {len(learn)} rows learned, {len(choose)} to choose by\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.keep or Path(folder)
        measure(arguments.names, arguments.sample, given(arguments.said), place, not arguments.no_answers)


if __name__ == "__main__":
    main()
