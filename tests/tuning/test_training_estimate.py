"""What a job takes is measured on its own first steps, counted as the run counts, and told at once when it is known."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.assistant.tiny import model
from tests.tuning.training_jobs import job, marv
from tuning.errors import ForPerson, TryAgain
from tuning.jobs.estimating import FILE, Given, Takes, estimate
from tuning.training import rows as training_rows
from tuning.training.bases import find
from tuning.training.settings import Settings
from tuning.values import Example, Kind, Role, Turn

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
TRAIN, HELD = marv(10), marv(3, 20)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"hf:{model(tmp_path_factory.mktemp('estimate') / 'base')}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("estimate")


def given(train: list[Example] = TRAIN, held: list[Example] = HELD, name: str = "rows") -> Given:
    return Given(name, lambda: iter(train), lambda: iter(held))


def told(
    of: Given, home: Path, stop: threading.Event | None = None, seconds: float = 2.0, **said: Any
) -> tuple[list[str], Takes]:
    """What it did, and what came of it."""
    asked = {"weights": str(home), "batch": 4, "epochs": 2, "samples": [{"prompt": "Hm?"}], **said}
    going: Iterator[dict[str, Any]] = estimate(
        of, Settings.model_validate(asked), home, stop or threading.Event(), seconds=seconds
    )
    did = list[str]()
    while True:
        try:
            did.append(str(next(going)["what"]))
        except StopIteration as end:
            return did, end.value


def test_it_counts_what_the_run_will_read_and_measures_its_steps(base: str, home: Path, tmp_path: Path) -> None:
    did, takes = told(given(), home, base=base)
    assert did == ["measure"]
    folder = job(tmp_path / "job", home, base, TRAIN, HELD)
    read = training_rows.read(folder.file("train.jsonl"), find(base, home).counter, longest=1024)
    assert takes.counted.rows == len(read.rows) == 10
    assert takes.counted.tokens == sum(map(len, read.rows))
    assert takes.counted.learned == sum(row.learned for row in read.rows)
    assert (takes.steps, takes.counted.held, takes.counted.cut) == (5, 3, 0)
    assert (takes.measured.rows, takes.measured.trained > 0) == (4, True)
    assert takes.seconds is not None
    assert takes.seconds > takes.measured.load
    assert takes.memory is not None
    assert takes.memory > 10**8
    row = takes.row("en")
    assert (row["price"], row["enough_memory"], row["enough_disk"]) == (0.0, True, True)


def test_what_is_known_is_told_at_once(base: str, home: Path) -> None:
    told(given(), home, base=base)
    did, takes = told(given(), home, base=base, epochs=20, learning_rate=1e-5, samples=[{"prompt": "Another?"}])
    assert did == []
    assert takes.steps == 50
    more = told(given(), home, base=base, epochs=40)[1]
    assert more.seconds is not None
    assert takes.seconds is not None
    assert more.seconds > takes.seconds
    capped = told(given(), home, base=base, epochs=10_000, time_cap=5.0)[1]
    assert capped.capped
    assert capped.seconds == pytest.approx(capped.measured.load + 5.0)
    (home / FILE).write_text("{")  # of what is damaged, nothing is known
    stop = threading.Event()
    stop.set()
    with pytest.raises(TryAgain):
        told(given(), home, stop, base=base)


def test_another_method_batch_or_dataset_is_measured_anew(base: str, home: Path) -> None:
    told(given(), home, base=base)
    stop = threading.Event()
    stop.set()
    for other in ({"method": "ia3"}, {"batch": 2}, {"max_length": 32}, {"lora": {"r": 4, "alpha": 8}}):
        with pytest.raises(TryAgain):
            told(given(), home, stop, base=base, **other)
    with pytest.raises(TryAgain):
        told(given(name="other rows"), home, stop, base=base)
    assert told(given(), home, stop, base=base)[0] == []


def test_a_step_longer_than_there_is_time_for_is_measured_in_part(base: str, home: Path) -> None:
    long = [
        Example(Kind.CONVERSATION, turns=(Turn(Role.USER, "a b " * 40), Turn(Role.ASSISTANT, "c d " * 100)))
        for _ in range(200)
    ]
    takes = told(given(long, name="long"), home, seconds=0.02, base=base, batch=200)[1]
    assert takes.counted.longest > 300
    assert 1 <= takes.measured.rows < 200
    assert takes.measured.steps >= 1


def test_rows_that_are_cut_and_too_little_memory_are_said_before_it_starts(base: str, home: Path) -> None:
    takes = told(given(), home, base=base, max_length=150, pack_tokens=1_000_000)[1]
    assert takes.counted.cut >= 5
    assert takes.counted.longest == 150
    row = takes.row("es")
    assert not row["enough_memory"]
    assert "memoria" in row["problem"]
    assert row["seconds"] is None
    assert row["steps"] == 5
    kept = json.loads((home / FILE).read_text())["rows"]
    assert all(one.get("refused") is None for one in kept.values())  # memory comes and goes


def test_where_nothing_would_be_learned_that_is_said(base: str, home: Path) -> None:
    silent = [Example(Kind.CONVERSATION, turns=(Turn(Role.USER, "Is anybody there?"),))]
    for rows in ([], silent):
        with pytest.raises(ForPerson, match="nothing to learn"):
            told(given(rows, [], name=f"{len(rows)} silent"), home, base=base)
