"""How well answers are foreseen: as the loss that training reports, of base and tuned, stoppable."""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.models import Models
from tests.assistant import tiny
from tests.tuning.training_jobs import here, job, marv
from tuning.counting.vocabularies import Tokenizers
from tuning.evaluation.foreseeing import Foreseen, foreseen, told
from tuning.evaluation.metrics.likelihood import Likelihood
from tuning.evaluation.run import Speaker
from tuning.rows import fingerprint
from tuning.values import Example, Kind

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
NEVER = threading.Event()
HELD = marv(6, 12)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model(tmp_path_factory.mktemp("foreseeing") / "base")


@pytest.fixture(scope="module")
def models(weights: Path) -> Iterator[Models]:
    models = Models(weights)
    yield models
    models.close()


def whole(steps: Generator[int, None, dict[str, Foreseen]]) -> dict[str, Foreseen]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return dict(end.value)


@pytest.mark.parametrize("method", ["lora", "bottleneck", "full"])
def test_perplexity_is_what_training_says_of_the_held_out_rows(
    method: str, base: Path, models: Models, weights: Path, tmp_path: Path
) -> None:
    """Before and after, in bf16 both times; and what was learned is foreseen better, token by token."""
    folder = job(
        tmp_path / "job", weights, f"hf:{base}", marv(12), HELD, method=method, max_steps=20, batch=6,
        learning_rate=0.003 if method == "full" else 0.01, eval_every=0, save_every=100, precision="bfloat16",
    )  # fmt: skip
    assert here(folder) == 0
    losses = [row["eval_loss"] for row in folder.metrics() if "eval_loss" in row]
    tuned = f"hf:{folder.file('model')}" if method == "full" else f"hf:{base}"
    worn = None if method == "full" else folder.file("adapter")
    counter = Tokenizers(weights).counter(f"hf:{base}")
    before = whole(foreseen(models, Speaker(f"hf:{base}"), counter, HELD, NEVER))
    after = whole(foreseen(models, Speaker(tuned, worn), counter, HELD, NEVER))
    perplexity, accuracy = told(before, after)
    assert math.log(perplexity.before.value) == pytest.approx(losses[0], abs=0.03)
    assert math.log(perplexity.after.value) == pytest.approx(losses[-1], abs=0.03)
    assert perplexity.verdict == "better"
    assert accuracy.after.value > accuracy.before.value
    assert set(before) == {fingerprint(example) for example in HELD}


def test_by_hand() -> None:
    """Tokens of probability 1/4 become 1/2: perplexity 4 becomes 2; of four tokens one was right, then three."""
    before = {key: Foreseen(Likelihood(2 * math.log(4), 2), hits) for key, hits in (("a", 1), ("b", 0))}
    after = {key: Foreseen(Likelihood(2 * math.log(2), 2), hits) for key, hits in (("a", 2), ("b", 1), ("c", 2))}
    perplexity, accuracy = told(before, after)
    row = perplexity.row()
    assert (row["before"]["value"], row["after"]["value"]) == (pytest.approx(4), pytest.approx(2))
    assert row["change"] == {"value": pytest.approx(-2), "low": pytest.approx(-2), "high": pytest.approx(-2), "n": 2}
    assert (row["better"], row["worse"], row["verdict"], row["share"]) == (2, 0, "better", False)
    row = accuracy.row()
    assert (row["before"]["value"], row["after"]["value"], row["change"]["value"]) == (0.25, 0.75, 0.5)
    assert (row["verdict"], row["share"]) == ("better", True)
    for one in (perplexity, accuracy):
        assert one.said("en") != one.said("es")
        assert one.title("en") != one.title("es")
    assert "25%" in accuracy.said("en")
    assert told({}, after) == ()
    same = told(before, before)
    assert [one.verdict for one in same] == ["same", "same"]


def test_what_is_long_is_cut_as_training_cuts_it(base: Path, models: Models, weights: Path) -> None:
    counter = Tokenizers(weights).counter(f"hf:{base}")
    text = Example(Kind.TEXT, text="a word or two, " * 40)
    found = whole(foreseen(models, Speaker(f"hf:{base}"), counter, [text, HELD[0]], NEVER, longest=50))
    assert found[fingerprint(text)].tokens == 49
    assert 0 <= found[fingerprint(HELD[0])].tokens < 50


def test_stopped_it_ends_and_what_runs_elsewhere_is_not_asked(base: Path, models: Models, weights: Path) -> None:
    counter, stop = Tokenizers(weights).counter(f"hf:{base}"), threading.Event()
    many = [Example(Kind.TEXT, text=f"{at} words and more") for at in range(100)]
    steps: Any = foreseen(models, Speaker(f"hf:{base}"), counter, many, stop)
    assert next(steps) == 32
    stop.set()
    assert len(whole(steps)) == 32
    assert whole(foreseen(models, Speaker("scripted:."), counter, many, NEVER)) == {}
