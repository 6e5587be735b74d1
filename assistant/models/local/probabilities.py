"""In: a text or a conversation, inference settings. Out: what a local model would write next, each setting's effect.

    scores ─softmax→ before ─temperature→ tempered ─top-k, then top-p→ what is kept ─renormalised→ after

The order and the rules are those of transformers' warpers: temperature first, then the k likeliest, then of those the
smallest set that holds at least top_p. Temperature 0 is greedy: the likeliest alone. Knows nothing of engines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ForPerson
from assistant.models.inference import Inference
from knowledge import Turn

if TYPE_CHECKING:
    from assistant.models import Models

Cut = Literal["", "greedy", "top_k", "top_p"]
MOST = 100  # candidates that are shown at most


@dataclass(frozen=True, slots=True)
class Candidate:
    token: int
    piece: str  # its text
    before: float  # probability as the model has it
    tempered: float  # … after temperature
    after: float  # … that it is drawn with; 0 where it was cut
    kept: bool
    cut: Cut  # which filter cut it; "": none


@dataclass(frozen=True, slots=True)
class NextTokens:
    """`candidates`: the likeliest, best first. The other numbers speak of the whole vocabulary."""

    candidates: tuple[Candidate, ...]
    vocabulary: int
    kept: int  # tokens that can still be drawn
    others_before: float  # probability of all that are not shown
    others_after: float
    seconds: float = 0.0  # of asking the model
    model: str = ""


@dataclass(frozen=True, slots=True)
class Warped:
    """All (vocabulary,) float64."""

    before: NDArray[np.float64]
    tempered: NDArray[np.float64]
    after: NDArray[np.float64]
    cuts: tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]  # by greedy, top-k, top-p


def warp(scores: NDArray[Any], inference: Inference) -> Warped:
    """What the settings do to a model's scores. Unsaid temperature is 1, as the model has it."""
    raw = scores.astype(np.float64)
    before = _softmax(raw)
    none = np.zeros(raw.shape, dtype=bool)
    if inference.temperature == 0:
        greedy = np.ones(raw.shape, dtype=bool)
        greedy[int(raw.argmax())] = False
        return Warped(before, before, np.where(greedy, 0.0, 1.0), (greedy, none, none))
    tempered_scores = raw / (inference.temperature or 1.0)
    tempered = _softmax(tempered_scores)
    beyond_k = none
    if inference.top_k and inference.top_k < raw.size:
        kth = np.partition(tempered_scores, -inference.top_k)[-inference.top_k]
        beyond_k = tempered_scores < kth  # ties with the last one stay, as in transformers
    left = _softmax(np.where(beyond_k, -np.inf, tempered_scores))
    beyond_p = _outside_nucleus(left, inference.top_p) & ~beyond_k if inference.top_p and inference.top_p < 1 else none
    after = _softmax(np.where(beyond_k | beyond_p, -np.inf, tempered_scores))
    return Warped(before, tempered, after, (none, beyond_k, beyond_p))


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    grown: NDArray[np.float64] = np.exp(scores - scores.max())
    shares: NDArray[np.float64] = grown / grown.sum()
    return shares


def _outside_nucleus(probabilities: NDArray[np.float64], top_p: float) -> NDArray[np.bool_]:
    """True for every token outside the smallest set of the likeliest that holds at least `top_p`."""
    order = np.argsort(-probabilities, kind="stable")
    held_before = np.cumsum(probabilities[order]) - probabilities[order]
    outside = np.empty(probabilities.shape, dtype=bool)
    outside[order] = held_before >= top_p
    outside[order[0]] = False
    return outside


def next_tokens(
    models: Models,
    said: str | Sequence[Turn],
    inference: Inference,
    *,
    top: int = 12,
    name: str = "",
    stop: threading.Event | None = None,
) -> NextTokens:
    """`said`: a text that is to go on as it stands, or a conversation whose answer is to begin. `name`: a model that
    runs on this machine; "": the app's where it does, else the default one."""
    from assistant.models.local.loading import DEFAULT

    name = name or (models.default if models.loading.knows(models.default) else DEFAULT)
    if not models.loading.knows(name):
        raise ForPerson(
            f"{name} does not run on this machine, so it does not show its probabilities. Choose a local model.",
            spanish=f"{name} no funciona en esta máquina, así que no enseña sus probabilidades. Elige un modelo local.",
        )
    if not (said if isinstance(said, str) else "".join(turn.text for turn in said)).strip():
        raise ForPerson(
            "There is nothing to go on from. Write some words first.",
            spanish="No hay nada que continuar. Escribe antes algunas palabras.",
        )
    engine: Any = models.loading.engine(name, None)
    began = time.perf_counter()
    scores = engine.scores(said if isinstance(said, str) else engine.prompt(said), stop or threading.Event())
    seconds = time.perf_counter() - began
    return _shown(warp(scores, inference), engine, min(max(top, 1), MOST), seconds, name)


def _shown(warped: Warped, engine: Any, top: int, seconds: float, name: str) -> NextTokens:
    tokens = [int(token) for token in np.argsort(-warped.before, kind="stable")[:top]]
    found = tuple(_candidate(warped, token, engine.piece(token)) for token in tokens)
    return NextTokens(
        candidates=found,
        vocabulary=int(warped.before.size),
        kept=int((warped.after > 0).sum()),
        others_before=max(0.0, 1.0 - sum(one.before for one in found)),
        others_after=max(0.0, 1.0 - sum(one.after for one in found)),
        seconds=seconds,
        model=name,
    )


def _candidate(warped: Warped, token: int, piece: str) -> Candidate:
    names: tuple[Cut, ...] = ("greedy", "top_k", "top_p")
    cut: Cut = next((name for name, cuts in zip(names, warped.cuts, strict=True) if cuts[token]), "")
    before, tempered, after = (float(one[token]) for one in (warped.before, warped.tempered, warped.after))
    return Candidate(token, piece, before, tempered, after, not cut, cut)
