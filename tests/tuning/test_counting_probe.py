"""A probe really learns a few steps, keeps what it measured, stops when told, and says in a sentence why it cannot."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest

from assistant.errors import AssistantError, ForOperator, ForPerson, TryAgain
from tests.assistant import tiny
from tuning.counting.probe import SMALL, STEP, TOKENS, Probe, probe

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model(tmp_path_factory.mktemp("probe") / "model")


@pytest.fixture(scope="module")
def measured(model: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Probe, Path]:
    folder = tmp_path_factory.mktemp("probe") / "home"
    return probe(f"hf:{model}", batch=2, length=70, weights=weights, folder=folder), folder


def children() -> set[str]:
    """Processes that measure, started by this one and still there; a browser and an app of other tests are none."""
    started = Path(f"/proc/self/task/{threading.main_thread().native_id}/children").read_text().split()
    return {one for one in started if b"tuning" in Path(f"/proc/{one}/cmdline").read_bytes()}


def test_steps_are_measured_in_a_child_that_is_gone_afterwards(measured: tuple[Probe, Path]) -> None:
    found, _ = measured
    assert (found.batch, found.length, found.tokens) == (2, 128, 256)
    assert found.seconds > 0
    assert found.small_seconds > 0
    assert found.peak >= found.small_peak > 10**8  # a process with torch in it
    assert found.steps >= 1
    assert found.precision in ("bfloat16", "float32")
    assert not children()


def test_what_was_measured_is_kept_and_not_measured_again(measured: tuple[Probe, Path], model: Path) -> None:
    found, folder = measured
    nowhere = folder / "no weights, so nothing could be loaded"
    assert probe(f"hf:{model}", batch=2, length=128, weights=nowhere, folder=folder) == found
    content = json.loads((folder / "probes.json").read_text())
    assert [Probe.model_validate(row) for row in content["rows"]] == [found]
    assert [file.name for file in folder.iterdir()] == ["probes.json"]


def test_a_kept_file_that_is_damaged_is_measured_anew(model: Path, weights: Path, tmp_path: Path) -> None:
    for content in ("{", "[]", '{"format": "other", "rows": []}', '{"format": "afina-probes/2", "rows": [{"a": 1}]}'):
        (tmp_path / "probes.json").write_text(content)
        stop = threading.Event()
        stop.set()
        with pytest.raises(TryAgain):  # it goes to measure, and is told to stop
            probe(f"hf:{model}", batch=1, length=1, weights=weights, folder=tmp_path, stop=stop)


def test_it_stops_before_it_has_measured_and_leaves_no_process(model: Path, weights: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.7, stop.set)
    timer.start()
    with pytest.raises(TryAgain, match="stopped"):
        probe(f"hf:{model}", batch=1, length=64, weights=weights, folder=tmp_path, stop=stop)
    assert not children()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("batch", "length"), [(1, 1), (8, 300), (1, 10_000), (1_000, 7), (3, 65)])
def test_a_probe_is_never_larger_than_its_limit(batch: int, length: int, tmp_path: Path, model: Path) -> None:
    """Asked of the shape alone: each is measured or found, here it is written as if it had been measured."""
    from tuning.counting.probe import _shape, machine

    shape = _shape(batch, length)
    assert shape.batch * shape.length <= TOKENS
    assert shape.length % STEP == 0
    assert shape.batch <= batch
    row = Probe(
        model="hf:x", batch=shape.batch, length=shape.length, machine=machine(), steps=1, seconds=1, peak=2,
        small_seconds=1, small_peak=1, load=0, precision="float32", device="cpu",
    )  # fmt: skip
    (tmp_path / "probes.json").write_text(json.dumps({"format": "afina-probes/2", "rows": [row.model_dump()]}))
    assert probe("hf:x", batch=batch, length=length, weights=tmp_path, folder=tmp_path) == row
    assert shape.length > SMALL


def refused(name: str, weights: Path, folder: Path) -> AssistantError:
    with pytest.raises(AssistantError) as found:
        probe(name, batch=1, length=64, weights=weights, folder=folder)
    assert found.value.said("en") != found.value.said("es")
    assert "\n" not in str(found.value)
    return found.value


def test_what_cannot_be_measured_is_a_sentence(model: Path, weights: Path, tmp_path: Path) -> None:
    assert isinstance(refused("openai:gpt-4o", weights, tmp_path), ForPerson)
    assert isinstance(refused("hf:org/not-here", weights, tmp_path), ForOperator)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text('{"model_type": "nobody_knows"}')
    (broken / "model.safetensors").write_bytes(b"no weights")
    assert "could not be measured" in str(refused(f"hf:{broken}", weights, tmp_path))
    assert not (tmp_path / "probes.json").exists()


def test_a_machine_without_torch_says_so(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    assert "no torch or no peft" in str(refused("local:smollm2-135m", weights, tmp_path))


@pytest.mark.model
@pytest.mark.slow
def test_the_default_model_is_measured(weights: Path, tmp_path: Path) -> None:
    found = probe(batch=1, length=64, weights=weights, folder=tmp_path)
    seconds, memory = found.cost(10_000, 100, 512)
    assert seconds > found.load
    assert 5 * 10**8 < found.small_peak <= memory < 32 * 10**9
