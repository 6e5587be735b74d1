"""Every recipe, on the samples that ship: the loss on rows it did not learn from is lower in the end, and drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.assistant import tiny
from tests.tuning.training_jobs import here, job
from tuning.evaluation.plots import Series, curves
from tuning.samples import SAMPLES
from tuning.training import recipes
from tuning.training.folder import Status
from tuning.values import Example, Kind, Role, Turn, conversation

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
STEPS = 8
RATES = {"norms": 0.03, "prompt": 0.1, "full": 0.003, "text": 0.003, "last": 0.003, "ia3": 0.03}  # weights are random


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model(tmp_path_factory.mktemp("recipes") / "model")


@pytest.fixture(scope="module", autouse=True)
def threads() -> Iterator[None]:
    """One is quicker for a tiny model, and does not wait for the other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sample(name: str) -> list[Example]:
    rows = [json.loads(line)["messages"] for line in SAMPLES[name].read_text(encoding="utf-8").splitlines()]
    return [conversation(*(Turn(Role(turn["role"]), turn["content"]) for turn in row)) for row in rows]


def parts(recipe: str) -> tuple[list[Example], list[Example]]:
    """Of both samples some rows to learn from, and some to be asked about."""
    both = [sample(name) for name in sorted(SAMPLES)]
    some = [[row for rows in both for row in rows[part]] for part in (slice(0, 10), slice(20, 24))]
    if recipe == "text":
        some = [[Example(Kind.TEXT, text="\n".join(one.texts)) for one in rows] for rows in some]
    return some[0], some[1]


def settings(recipe: str, model: Path, weights: Path) -> dict[str, Any]:
    """The recipe's own, but few steps, and a rate for weights that know nothing yet."""
    made = recipes.settings(recipe, weights=str(weights))
    teacher = {"teacher": {"base": f"hf:{model}"}} if recipe == "distil" else {}
    shorter = {"max_steps": STEPS, "learning_rate": RATES.get(recipe, 0.01), "batch": 6, "eval_every": 4}
    said = made.model_dump(mode="json", exclude={"base", "weights", "format"}, exclude_defaults=True)
    return {**said, **teacher, **shorter, "save_every": 100}


@pytest.mark.parametrize("recipe", recipes.names())
def test_the_loss_on_held_out_rows_of_the_samples_falls_and_is_drawn(
    recipe: str, model: Path, weights: Path, tmp_path: Path
) -> None:
    learn, held = parts(recipe)
    folder = job(tmp_path / "job", weights, f"hf:{model}", learn, held, **settings(recipe, model, weights))
    assert here(folder) == 0
    assert folder.state().status is Status.DONE
    measured = folder.metrics()
    losses = [(row["step"], row["eval_loss"]) for row in measured if "eval_loss" in row]
    assert [step for step, _ in losses] == [0, 4, STEPS]
    assert losses[-1][1] < losses[0][1] - 0.01
    assert folder.state().best_loss == min(loss for _, loss in losses[1:])
    learned = [(row["step"], row["loss"]) for row in measured if "loss" in row]
    drawn = tmp_path / "losses.svg"
    drawn.write_text(curves(recipe, [Series("learned", learned), Series("held out", losses)]), encoding="utf-8")
    lines = [one for one in ElementTree.parse(drawn).iter() if one.tag.endswith("polyline")]
    assert [len(str(one.get("points")).split()) for one in lines] == [STEPS, len(losses)]
