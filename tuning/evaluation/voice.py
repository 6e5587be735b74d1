"""In: texts in a voice, plain texts. Out: a classifier that says whether another text is in the voice, and how often it
is right itself.

    learned from   held-out answers of the voice, and plain answers to the same questions (the base's, or a person's)
    asked about    a tuned model's answers to prompts it has not seen

Logistic regression over n-grams: words one and two together, characters two to four within words, so that "as if",
"¿Te", "…" or an ironic "Oh," count. Or over vectors of an embedder that is handed in. Its accuracy is told from texts
it was not trained on, in five parts; both answers to one question lie in one part, else it would learn topics. Plain
answers all from one base teach it that base's ways, too: mix in others where a voice is to be told from more than that.
"""

from __future__ import annotations

import math
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuning.errors import ForPerson
from tuning.evaluation.intervals import Interval, wilson
from tuning.evaluation.metrics import Metric
from tuning.evaluation.metrics.accuracy import normalised
from tuning.evaluation.sentences import percent, say
from tuning.evaluation.values import Answered

Said = tuple[str, str]  # the question, what was said
Matrix = NDArray[np.float64]  # (texts, features)
Vectors = Callable[[Sequence[str]], Any]  # texts → (texts, dimensions), unit length

FEWEST = 8  # texts of each kind
MOST = 500  # of each kind: the first ones; more teach it little and take long
PARTS = 5
FEATURES = 10_000  # n-grams, the most frequent ones
_TOGETHER = 200  # texts looked at at a time
_STRENGTH = 0.1  # of the penalty on weights, beside a sum over texts
_STEPS = 50  # of Newton's method, which is done after about ten
_WORD = re.compile(r"\w+|[^\w\s]+")


@dataclass(frozen=True, slots=True)
class Voice:
    """`accuracy`, `heard`, `plain`: of texts it had not seen."""

    accuracy: Interval
    heard: Interval  # of texts in the voice, told as such
    plain: Interval  # of plain texts, told as such
    features: _Features
    weights: Matrix  # (features,)
    bias: float

    def probabilities(self, texts: Sequence[str]) -> list[float]:
        """That each is in the voice. An empty text is not."""
        found: list[float] = []
        for start in range(0, len(texts), _TOGETHER):
            some = texts[start : start + _TOGETHER]
            scores = _sigmoid(self.features.of(some) @ self.weights + self.bias)
            found += [float(score) if text.strip() else 0.0 for text, score in zip(some, scores, strict=True)]
        return found

    def reasons(self, text: str, most: int = 5) -> list[tuple[str, float]]:
        """Words that speak for the voice (above 0) or against it, the strongest first; none of an embedder's."""
        values = self.features.of([text])[0] * self.weights
        named = [
            (name, float(values[at])) for name, at in self.features.names.items() if name[:1] == "w" and values[at]
        ]
        return [(name[2:], weight) for name, weight in sorted(named, key=lambda one: -abs(one[1]))[:most]]

    def metric(self) -> Metric:
        """For `compare`: of each answer, whether it is in the voice."""
        return Metric("voice", lambda answer: float(self.probabilities([answer.text])[0] > 0.5), True, "voice")


@dataclass(frozen=True, slots=True)
class Share:
    """Of a model's answers."""

    in_voice: Interval
    probabilities: tuple[float, ...]  # in the order of the answers
    right: Interval  # how often the classifier is

    def said(self, language: str) -> str:
        found = self.in_voice
        told = {"share": found.value, "low": found.low, "high": found.high, "right": self.right.value}
        shown = {name: percent(value, language) for name, value in told.items()}
        return say("in_voice", language, n=found.n, **shown)


def train(voice: Sequence[Said], plain: Sequence[Said], vectors: Vectors | None = None, *, seed: int = 0) -> Voice:
    """ForPerson where there are fewer than FEWEST of a kind. A few hundred texts take a second or two."""
    said = [(*one, 1.0) for one in voice if one[1].strip()][:MOST] + [(*one, 0.0) for one in plain if one[1].strip()][
        :MOST
    ]
    truth = np.array([kind for *_, kind in said])
    heard = int(truth.sum())
    if min(heard, len(said) - heard) < FEWEST:
        raise ForPerson(
            f"To tell a voice, {FEWEST} texts in it and {FEWEST} plain ones are needed; there are {heard} and "
            f"{len(said) - heard}. Add more.",
            spanish=f"Para reconocer una voz hacen falta {FEWEST} textos con ella y {FEWEST} sin ella; hay {heard} y "
            f"{len(said) - heard}. Añade más.",
        )
    texts = [text for _, text, _ in said]
    given = np.asarray(vectors(texts), float) if vectors else None
    groups = [normalised(question) or f"\n{at}" for at, (question, *_) in enumerate(said)]
    right = _unseen(groups, texts, truth, given, seed)
    features = _Features({}, np.zeros(0), vectors) if vectors else _Features.found(_grouped(groups, texts))
    weights, bias = _fitted(features.of(texts) if given is None else given, truth)
    shares = [wilson(int(right[which].sum()), int(which.sum())) for which in (truth >= 0, truth == 1, truth == 0)]
    return Voice(shares[0], shares[1], shares[2], features, weights, bias)


def share(voice: Voice, answers: Iterable[Answered]) -> Share:
    found = voice.probabilities([answer.text for answer in answers])
    return Share(wilson(sum(one > 0.5 for one in found), len(found)), tuple(found), voice.accuracy)


def said_of(answers: Iterable[Answered], *, reference: bool = False) -> list[Said]:
    """What a model answered, or what it should have, as `train` takes it."""
    return [(answer.prompt, answer.reference if reference else answer.text) for answer in answers]


# ── features ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Features:
    names: Mapping[str, int]  # "w as if", "c s if" → its place
    rarity: Matrix  # (features,): the logarithm of how few texts hold it
    vectors: Vectors | None = None

    @classmethod
    def found(cls, groups: Mapping[str, Sequence[str]]) -> _Features:
        """N-grams said in answer to at least two questions: what both answers to one share is its topic."""
        holding = Counter(gram for texts in groups.values() for gram in {one for text in texts for one in _grams(text)})
        kept = sorted((-count, gram) for gram, count in holding.items() if count > 1)[:FEATURES]
        rarity = [math.log((1 + len(groups)) / (1 - less)) + 1 for less, _ in kept]
        return cls({gram: at for at, (_, gram) in enumerate(kept)}, np.array(rarity))

    def of(self, texts: Sequence[str]) -> Matrix:
        """Rows of unit length; zeros where a text holds nothing that is known."""
        if self.vectors:
            return np.asarray(self.vectors(texts), float)
        rows = np.zeros((len(texts), len(self.names)))
        for row, text in zip(rows, texts, strict=True):
            for gram, count in Counter(_grams(text)).items():
                if (at := self.names.get(gram)) is not None:
                    row[at] = 1 + math.log(count)
        rows *= self.rarity
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(lengths > 0, lengths, 1.0)


def _grams(text: str) -> list[str]:
    plain = unicodedata.normalize("NFC", text)
    words = _WORD.findall(plain)
    found = [f"w {word.lower()}" for word in words]
    found += [f"w {first.lower()} {second.lower()}" for first, second in pairwise(words)]
    for word in plain.split():
        held = f" {word} "
        found += [f"c {held[at : at + size]}" for size in (2, 3, 4) for at in range(len(held) - size + 1)]
    return found


# ── learning ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _unseen(groups: Sequence[str], texts: Sequence[str], truth: Matrix, given: Matrix | None, seed: int) -> Matrix:
    """Of each text 1 where it is told rightly by what learned from the other parts, else 0."""
    part = _parts(groups, truth, seed)
    right = np.zeros(len(texts))
    for number in range(PARTS):
        test, learn = np.flatnonzero(part == number), np.flatnonzero(part != number)
        if not len(test):
            continue
        if given is None:
            features = _Features.found(_grouped([groups[int(at)] for at in learn], [texts[int(at)] for at in learn]))
            known, new = (features.of([texts[int(at)] for at in places]) for places in (learn, test))
        else:
            known, new = given[learn], given[test]
        weights, bias = _fitted(known, truth[learn])
        right[test] = (new @ weights + bias > 0) == (truth[test] == 1)
    return right


def _parts(groups: Sequence[str], truth: Matrix, seed: int) -> NDArray[np.int64]:
    """The same question, the same part; those asked of both kinds, of one, of the other, spread evenly."""
    places: dict[str, list[int]] = {}
    for at, group in enumerate(groups):
        places.setdefault(group, []).append(at)
    mixed = list(places.values())
    random.Random(seed).shuffle(mixed)
    mixed.sort(key=lambda one: sum({float(truth[at]) + 1 for at in one}))
    part = np.zeros(len(groups), np.int64)
    for number, one in enumerate(mixed):
        part[one] = number % PARTS
    return part


def _grouped(groups: Sequence[str], texts: Sequence[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group, text in zip(groups, texts, strict=True):
        found.setdefault(group, []).append(text)
    return found


def _fitted(rows: Matrix, truth: Matrix) -> tuple[Matrix, float]:
    """Weights and bias of a logistic regression, both kinds of equal weight, by Newton's method in the space of texts:
    with fewer texts than features it is the small one."""
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    kernel = rows @ rows.T
    share = np.array([(truth == 0).mean(), (truth == 1).mean()])
    count = 0.5 / share[truth.astype(int)]  # of each text
    dual = np.zeros(len(rows))
    for _ in range(_STEPS):
        scores = kernel @ dual
        p = np.clip(_sigmoid(scores), 1e-9, 1 - 1e-9)
        spread = np.maximum(count * p * (1 - p), 1e-9)
        aim = scores + count * (truth - p) / spread
        step = np.linalg.solve(kernel + _STRENGTH * np.diag(1 / spread), aim)
        if np.max(np.abs(kernel @ (step - dual))) < 1e-6:
            break
        dual = step
    weights = rows.T @ dual
    return weights[:-1], float(weights[-1])


def _sigmoid(score: Any) -> Any:
    return 1 / (1 + np.exp(-np.clip(score, -500, 500)))
