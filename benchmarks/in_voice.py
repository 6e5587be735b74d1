"""Some dozens of short examples, a voice: how often do answers to unseen prompts have it, and are they any good?

    python -m benchmarks.in_voice [--sample marv marv-es] [--recipe voice] [--set FIELD=VALUE ...] [--seeds 7 8 9]
                                  [--keep FOLDER] [--samples 40]

A job by the recipe, in a process of its own, on the sample's first rows; then 40 questions that stand in no sample, to
the base and to what was tuned, greedily, 80 tokens at most, with the sample's system message and the adapter's
template. Who is in the voice is said by a classifier (benchmarks.hearing), whose own accuracy is printed: of texts it
was not trained on, and of the written answers to the 40 questions. `--keep` keeps jobs and answers, to go on with.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from assistant.service.settings import Settings as AppSettings
from benchmarks import hearing
from benchmarks.hearing import Judges
from benchmarks.machine import describe
from benchmarks.shipped import LEARN, Trained, given, parts, train
from benchmarks.unseen import Unseen, unseen
from tuning.evaluation.intervals import Interval, wilson
from tuning.evaluation.values import Answered
from tuning.evaluation.voice import Voice

HEAD = (
    "| sample | seed | steps | seconds | peak MB | loss | in the voice, base | in the voice, tuned | … and good "
    "| a learned sentence in it | facts, base | facts, tuned | words, base | words, tuned |\n" + "|---" * 14 + "|"
)


def accuracy(judge: Voice, asked: Sequence[Unseen]) -> str:
    """Of texts left out in training; of the written answers to the questions that models are asked."""
    heard = sum(one > 0.5 for one in judge.probabilities([one.voice for one in asked]))
    plain = sum(one <= 0.5 for one in judge.probabilities([one.plain for one in asked]))
    left = f"{judge.accuracy.value:.1%} of {judge.accuracy.n} left out"
    return f"{left}; {heard} of {len(asked)} in the voice and {plain} of {len(asked)} plain ones, written"


def described(sample: str, judges: Judges, asked: Sequence[Unseen]) -> str:
    lines = [f"\n{sample}. Judges, and how often they are right:\n"]
    lines += [
        f"* by {name}{' (it judges)' if judge is judges.voice else ''}: {accuracy(judge, asked)}"
        for name, judge in judges.named().items()
    ]
    return "\n".join(lines)


def share(judge: Voice, answers: Sequence[Answered]) -> Interval:
    found = judge.probabilities([answer.text for answer in answers])
    return wilson(sum(one > 0.5 for one in found), len(found))


def _told(found: Interval) -> str:
    return f"{found.value:.1%} ({found.low:.0%}–{found.high:.0%})"


def _facts(answers: Sequence[Answered], asked: Sequence[Unseen]) -> str:
    known = [one.knows(answer.text) for one, answer in zip(asked, answers, strict=True)]
    return f"{sum(one is True for one in known)} of {sum(one is not None for one in known)}"


def _length(answers: Sequence[Answered]) -> str:
    return f"{sum(len(answer.text.split()) for answer in answers) / len(answers):.0f}"


def row(
    sample: str, made: Trained, judges: Judges, asked: Sequence[Unseen], before: list[Answered], after: list[Answered]
) -> str:  # fmt: skip
    learn, _ = parts(sample)
    heard = judges.voice.probabilities([answer.text for answer in after])
    wrong = [hearing.faults(answer, learn) for answer in after]
    good = sum(one > 0.5 and not faults for one, faults in zip(heard, wrong, strict=True))
    borrowed = sum(hearing.borrowed(answer, learn) for answer in after)
    losses = dict(made.losses)
    cells = [sample, made.settings.seed, made.steps, f"{made.whole:.0f}", f"{made.peak / 1e6:.0f}"]
    cells += [f"{losses[0]:.3f} → {losses[made.best]:.3f}", _told(share(judges.voice, before))]
    cells += [_told(share(judges.voice, after)), _told(wilson(good, len(after))), f"{borrowed} of {len(after)}"]
    cells += [_facts(before, asked), _facts(after, asked), _length(before), _length(after)]
    return "| " + " | ".join(map(str, cells)) + " |"


def others(judges: Judges, before: list[Answered], after: list[Answered]) -> str:
    pairs = zip(*(judges.voice.probabilities([one.text for one in side]) for side in (before, after)), strict=True)
    nearer = sum(second > first for first, second in pairs)
    by = [
        f"{name} " + " and ".join(_told(share(judge, side)) for side in (before, after))
        for name, judge in judges.named().items()
    ]
    return (
        f"Nearer to the voice than the base's answer: {nearer} of {len(after)}. In the voice, base and tuned, by "
        + ("; by ".join(by) + ".")
    )


def table(
    asked: Sequence[Unseen], before: list[Answered], after: list[Answered], judge: Voice, sample: str, most: int
) -> str:  # fmt: skip
    lines = ["| question | base | tuned | in the voice | wrong with it |", "|---|---|---|---|---|"]
    learn, _ = parts(sample)
    for one, first, second in list(zip(asked, before, after, strict=True))[:most]:
        wrong = hearing.faults(second, learn) + (["fact"] if one.knows(second.text) is False else [])
        cells = [
            one.question,
            first.text,
            second.text,
            f"{judge.probabilities([second.text])[0]:.2f}",
            ", ".join(wrong),
        ]
        lines.append("| " + " | ".join(re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def measure(sample: str, recipe: str, said: Sequence[str], seeds: Sequence[int], place: Path, most: int) -> None:
    weights = AppSettings().weights
    asked = unseen(sample, "ask")
    plain, before = (
        hearing.said(hearing.base(weights), sample, some, weights, place / f"{sample}-base-{use}.jsonl")
        for use, some in (("judge", unseen(sample, "judge")), ("ask", asked))
    )
    judges = hearing.judges(sample, plain, weights)
    print(f"{described(sample, judges, asked)}\n\n{HEAD}", flush=True)
    notes, last = [], list[Answered]()
    for seed in seeds:
        made = train(place / f"{sample}-{recipe}-{seed}", recipe, sample, {**given(said), "seed": seed})
        file = place / f"{sample}-{recipe}-{seed}.jsonl"
        last = hearing.said(hearing.speaker(made), sample, asked, weights, file)
        print(row(sample, made, judges, asked, before, last), flush=True)
        learn, _ = parts(sample)
        faults = Counter(fault for answer in last for fault in hearing.faults(answer, learn))
        notes.append(f"Seed {seed}: {others(judges, before, last)} Faults: {dict(faults) or 'none'}.")
    print("\n" + "\n".join(notes) + "\n\n" + table(asked, before, last, judges.voice, sample, most), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="How often are answers to unseen prompts in the voice?")
    parser.add_argument("--sample", nargs="+", default=sorted(LEARN), choices=sorted(LEARN))
    parser.add_argument("--recipe", default="voice")
    parser.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE", dest="said")
    parser.add_argument("--seeds", nargs="+", type=int, default=[7])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--samples", type=int, default=40, help="answers shown, of the last seed")
    arguments = parser.parse_args()
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.keep or Path(folder)
        for sample in arguments.sample:
            measure(sample, arguments.recipe, arguments.said, arguments.seeds, place, arguments.samples)


if __name__ == "__main__":
    main()
