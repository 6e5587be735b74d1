"""In: what was trained, questions of benchmarks.unseen. Out: its answers and the base's, as the chat would give them; a
judge of the voice; what is wrong with answers that sound right.

The judge is tuning.evaluation.voice, trained on the questions of use "judge": a written answer in the voice each, and
against them the base's answer and a written plain one. It has seen neither the tuned model, nor its rows, nor a
question that is asked here. Three are trained on these texts, which see words, MiniLM's vectors, and lengths alone; of
the first two the one judges that is more often right about texts left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.models import Models
from assistant.models.inference import Inference
from benchmarks.shipped import Trained
from benchmarks.unseen import Unseen, system, unseen
from knowledge import embedders
from tuning.evaluation.metrics.accuracy import normalised
from tuning.evaluation.metrics.rouge import words
from tuning.evaluation.run import Speaker, answers, bare
from tuning.evaluation.values import Answered, question
from tuning.evaluation.voice import Said, Voice, train
from tuning.training.folder import MODEL
from tuning.values import Example

GREEDY = Inference(temperature=0.0, max_tokens=80)  # as an evaluation of a job asks
REPEATED = 5  # words that stand twice in an answer, in the same order


@dataclass(frozen=True, slots=True)
class Judges:
    words: Voice
    vectors: Voice
    lengths: Voice

    @property
    def voice(self) -> Voice:
        """The one that judges."""
        return max(self.vectors, self.words, key=lambda one: one.accuracy.value)

    def named(self) -> Mapping[str, Voice]:
        return {"words": self.words, "MiniLM's vectors": self.vectors, "lengths alone": self.lengths}


def speaker(trained: Trained) -> Speaker:
    place = trained.written
    template = (place / "chat_template.jinja").read_text(encoding="utf-8")
    if place.name == MODEL:
        return Speaker(f"hf:{place}", None, template, GREEDY)
    return Speaker(trained.settings.base, place, template, GREEDY)


def base(weights: Path, name: str = "local:smollm2-135m") -> Speaker:
    return bare(Speaker(name, inference=GREEDY), weights)


def said(who: Speaker, sample: str, asked: Sequence[Unseen], weights: Path, file: Path | None = None) -> list[Answered]:
    """In the order of the questions, the system's message of the sample before each."""
    made = [question(one.example(system(sample))) for one in asked]
    with closing(Models(weights)) as models:
        return list(answers(models, who, [one for one in made if one], file=file))


def judges(sample: str, plain: Sequence[Answered], weights: Path) -> Judges:
    """`plain`: the base's answers to the questions of use "judge"."""
    asked = unseen(sample, "judge")
    heard = [(one.question, one.voice) for one in asked]
    against: list[Said] = [(one.question, one.plain) for one in asked]
    against += [(one.question, answer.text) for one, answer in zip(asked, plain, strict=True)]
    embedder = embedders.load("all-minilm-l6-v2", weights)
    return Judges(train(heard, against), train(heard, against, embedder.embed), train(heard, against, _lengths))


def _lengths(texts: Sequence[str]) -> Any:
    """(texts, 3): so that what is too short and what is too long can both be told."""
    logarithms = np.log([1 + len(text) for text in texts]) - 4
    return np.stack([logarithms, logarithms**2, np.abs(logarithms)], axis=1)


# ── what is wrong with an answer ─────────────────────────────────────────────────────────────────────────────────────


def faults(answer: Answered, learned: Sequence[Example]) -> list[str]:
    """empty · endless · repeats · copy (the whole of a learned answer)"""
    said_words, found = words(answer.text), []
    if not said_words:
        return ["empty"]
    if answer.tokens >= (GREEDY.max_tokens or 0):
        found.append("endless")
    runs = [tuple(said_words[at : at + REPEATED]) for at in range(len(said_words) - REPEATED + 1)]
    if len(runs) > len(set(runs)):
        found.append("repeats")
    if normalised(answer.text) in {normalised(text) for text in _answers(learned)}:
        found.append("copy")
    return found


def borrowed(answer: Answered, learned: Sequence[Example]) -> bool:
    """Whether one of its sentences, of three words and more, was learned word for word."""
    known = {one for text in _answers(learned) for one in _sentences(text)}
    return any(one in known for one in _sentences(answer.text))


def _answers(learned: Sequence[Example]) -> list[str]:
    return [turn.text for one in learned for turn in one.turns if turn.role.value == "assistant"]


def _sentences(text: str) -> list[str]:
    return [normalised(one) for one in re.split(r"(?<=[.?!])\s+", text) if len(words(one)) >= 3]
