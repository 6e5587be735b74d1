"""The laws of next-token probabilities: they sum to one, settings cut as transformers' own warpers do."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ForPerson
from assistant.models import Models
from assistant.models.inference import Inference
from assistant.models.local.probabilities import next_tokens, warp

SCORES = np.random.default_rng(3).normal(0, 2, 5_000).astype(np.float32)
SETTINGS = [
    Inference(temperature=temperature, top_k=top_k, top_p=top_p)
    for temperature in (None, 0.3, 1.0, 1.7)
    for top_k in (None, 1, 7, 400)
    for top_p in (None, 0.05, 0.5, 0.95, 1.0)
]


@pytest.mark.parametrize("inference", [*SETTINGS, Inference(temperature=0)], ids=str)
def test_probabilities_sum_to_one_and_what_is_cut_has_none(inference: Inference) -> None:
    warped = warp(SCORES, inference)
    for one in (warped.before, warped.tempered, warped.after):
        assert abs(one.sum() - 1) < 1e-9
    cut = np.logical_or.reduce(warped.cuts)
    assert (warped.after[cut] == 0).all()
    assert (warped.after[~cut] > 0).all()
    assert not cut[SCORES.argmax()], "the likeliest is never cut"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("inference", SETTINGS, ids=str)
def test_settings_do_what_the_warpers_of_transformers_do(inference: Inference) -> None:
    import torch
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    scores = torch.tensor(SCORES, dtype=torch.float64)[None]
    if inference.temperature:
        scores = TemperatureLogitsWarper(inference.temperature)(None, scores)
    if inference.top_k:
        scores = TopKLogitsWarper(inference.top_k)(None, scores)
    if inference.top_p and inference.top_p < 1:
        scores = TopPLogitsWarper(inference.top_p)(None, scores)
    assert np.allclose(warp(SCORES, inference).after, scores.softmax(-1)[0].numpy(), atol=1e-12)


def test_greedy_gives_the_likeliest_everything_and_top_k_1_is_greedy() -> None:
    greedy = warp(SCORES, Inference(temperature=0)).after
    assert greedy[SCORES.argmax()] == 1.0
    assert np.array_equal(greedy, warp(SCORES, Inference(top_k=1)).after)


@pytest.mark.parametrize("top_p", [0.1, 0.5, 0.9, 0.999])
def test_top_p_keeps_the_smallest_set_that_holds_it(top_p: float) -> None:
    warped = warp(SCORES, Inference(top_p=top_p))
    kept = warped.before[warped.after > 0]
    assert kept.sum() >= top_p
    assert kept.sum() - kept.min() < top_p
    assert kept.min() > warped.before[warped.after == 0].max()


@pytest.mark.model
def test_the_default_model_goes_on_as_it_writes(weights: Path) -> None:
    """The panel's likeliest token is the one that greedy writing begins with."""
    models = Models(weights)
    found = next_tokens(models, "The capital of France is", Inference(temperature=0.7, top_k=5), top=12)
    assert found.candidates[0].piece == " Paris"
    fifth = found.candidates[4].before
    kept = sum(one.before >= fifth for one in found.candidates)  # in bfloat16 two may be the fifth likeliest
    assert [one.cut for one in found.candidates] == [""] * kept + ["top_k"] * (12 - kept)
    assert found.kept == kept >= 5
    assert abs(sum(one.before for one in found.candidates) + found.others_before - 1) < 1e-6
    engine = models.loading.engine("local:smollm2-135m", None)
    from assistant.models.local.engine import Sampling

    first = next(iter(engine.generate("The capital of France is", Sampling(1), threading.Event())))
    assert str(first).strip() == "Paris"
    with pytest.raises(ForPerson, match="nothing to go on"):
        next_tokens(models, " ", Inference())
    with pytest.raises(ForPerson, match="does not run on this machine"):
        next_tokens(models, "x", Inference(), name="openai:gpt-5")
    models.close()
