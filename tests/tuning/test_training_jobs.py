"""A job in its folder: killed and gone on with, stopped, damaged, out of numbers; its state is always true."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.training_jobs import Nursery, here, job, last, losses, marv, process, until
from tuning.training import bases, checkpoints
from tuning.training.folder import Folder, State, Status

pytestmark = [
    pytest.mark.model,
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


SAID: dict[str, Any] = {
    "max_steps": 60, "batch": 4, "save_every": 5, "eval_every": 10, "keep": 3, "threads": 1, "learning_rate": 0.005,
    "lora": {"dropout": 0.1},
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(model: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A run that nothing befell."""
    folder = job(tmp_path_factory.mktemp("jobs") / "whole", weights, f"hf:{model}", marv(12), marv(4, 12), **SAID)
    assert here(folder) == 0
    return folder


def same(folder: Folder, whole: Folder) -> None:
    found, expected = losses(folder), losses(whole)
    assert found.keys() == expected.keys()
    assert max(abs(found[step] - expected[step]) for step in expected) < 1e-3
    assert folder.state().best_step == whole.state().best_step
    assert folder.state().tokens == whole.state().tokens
    steps = [row["step"] for row in folder.metrics() if "loss" in row]
    assert steps == sorted(set(steps))


def test_killed_at_any_moment_it_goes_on_as_if_nothing_had_been(
    whole: Folder, model: Path, weights: Path, tmp_path: Path, nursery: Nursery
) -> None:
    """Dropout draws from the generator, so its state is part of what must come back."""
    folder = job(tmp_path / "job", weights, f"hf:{model}", marv(12), marv(4, 12), **SAID)
    drawn = random.Random(5)
    for first in (3, 25):
        child, wanted = (process if first == 3 else nursery.begin)(folder), first + drawn.randrange(15)
        until(lambda wanted=wanted: last(folder) >= wanted)  # type: ignore[misc]
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert not folder.state().status.over
        assert not folder.file("adapter").exists()
    assert here(folder) == 0
    assert [row for row in folder.metrics() if row.get("resumed")]
    same(folder, whole)


def test_it_stops_within_seconds_keeps_the_best_and_can_go_on(
    whole: Folder, model: Path, weights: Path, tmp_path: Path, nursery: Nursery
) -> None:
    folder = job(tmp_path / "job", weights, f"hf:{model}", marv(12), marv(4, 12), **SAID)
    child = nursery.begin(folder)
    until(lambda: last(folder) >= 12)
    folder.file("stop").touch()
    assert child.wait(10) == 3
    state = folder.state()
    assert state.status is Status.STOPPED
    assert "asked" in state.said("en")
    assert state.best_step == 10
    assert json.loads((folder.file("adapter") / "afina_run.json").read_text())["step"] == 10
    assert here(folder) == 3  # still asked to
    folder.file("stop").unlink()
    assert here(folder) == 0
    same(folder, whole)


def test_a_signal_is_as_good_as_the_file_and_two_do_not_run_one_job(
    model: Path, weights: Path, tmp_path: Path, nursery: Nursery
) -> None:
    folder = job(tmp_path / "job", weights, f"hf:{model}", **{**SAID, "max_steps": 100_000})
    child = nursery.begin(folder)
    until(lambda: last(folder) >= 2)
    assert folder.state().pid == child.pid
    before = folder.state().step
    assert here(folder) == 1
    until(lambda: folder.state().step > before)
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 3
    assert folder.state().status is Status.STOPPED


def test_its_time_is_kept(model: Path, weights: Path, tmp_path: Path) -> None:
    folder = job(tmp_path / "job", weights, f"hf:{model}", **{**SAID, "max_steps": 100_000, "time_cap": 1.0})
    assert here(folder) == 3
    assert "1 seconds" in folder.state().said("en")
    assert 1.0 < folder.state().seconds < 5
    assert folder.file("adapter").is_dir()


# ── damaged checkpoints ──────────────────────────────────────────────────────────────────────────────────────────────


def _cut(place: Path) -> None:
    file = place / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def _flip(place: Path) -> None:
    file = place / "optimizer.safetensors"
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.write_bytes(content)


def _manifest(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def damage(place: Path) -> None:
        said = json.loads((place / "manifest.json").read_text())
        change(said)
        (place / "manifest.json").write_text(json.dumps(said))

    return damage


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "no manifest": lambda place: (place / "manifest.json").unlink(),
    "an empty manifest": lambda place: (place / "manifest.json").write_text(""),
    "half a manifest": lambda place: (place / "manifest.json").write_text('{"weights.safe'),
    "a manifest of nothing": lambda place: (place / "manifest.json").write_text("{}"),
    "a manifest that leads elsewhere": _manifest(lambda said: said.update({"../../config.json": {"bytes": 1}})),
    "another sum": _manifest(lambda said: said["weights.safetensors"].update(sha256="0" * 64)),
    "no weights": lambda place: (place / "weights.safetensors").unlink(),
    "weights cut off": _cut,
    "empty weights": lambda place: (place / "weights.safetensors").write_bytes(b""),
    "a bit of the optimizer": _flip,
    "no progress": lambda place: (place / "progress.json").unlink(),
    "progress of another step": lambda place: shutil.copy(place.with_name("step-55") / "progress.json", place),
    "a link in place of weights": lambda place: (
        (place / "weights.safetensors").rename(place.parent / "elsewhere"),
        (place / "weights.safetensors").symlink_to(place.parent / "elsewhere"),
    ),
    "a whole other step": lambda place: (
        shutil.rmtree(place),
        shutil.copytree(place.with_name("step-55"), place),
    ),
    "an empty folder": lambda place: (shutil.rmtree(place), place.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_newest_valid_checkpoint_is_taken_and_damage_is_said(damage: str, whole: Folder, tmp_path: Path) -> None:
    place = Path(shutil.copytree(whole.file("checkpoints"), tmp_path / "checkpoints"))
    named = json.loads((place / "step-60" / "progress.json").read_text())["settings"]
    found, damaged = checkpoints.newest(place, named)
    assert found
    assert (found.step, damaged) == (60, [])
    DAMAGES[damage](place / "step-60")
    found, damaged = checkpoints.newest(place, named)
    assert found
    assert found.step == 55
    (line,) = damaged
    assert line.startswith("step-60: ")
    assert checkpoints.newest(place, "other settings")[0] is None


def test_it_goes_on_from_the_valid_one_and_says_so(whole: Folder, tmp_path: Path) -> None:
    folder = Folder(Path(shutil.copytree(whole.place, tmp_path / "job")))
    folder.say(status=Status.RUNNING)
    _flip(folder.file("checkpoints") / "step-60")
    assert here(folder) == 0
    (row,) = [row for row in folder.metrics() if "resumed" in row]
    assert row["step"] == 55
    assert "step-60: optimizer.safetensors has changed" in row["damaged"][0]
    assert "step-60" in folder.file("log").read_text()
    same(folder, whole)


def test_a_full_disk_leaves_what_was_saved(tmp_path: Path) -> None:
    def full(stage: Path) -> None:
        (stage / "weights.safetensors").write_bytes(b"half")
        raise OSError(28, os.strerror(28))

    checkpoints.write(
        tmp_path, 1, {"settings": "s"}, lambda stage: (stage / "w.safetensors").write_bytes(b"w") and None
    )
    with pytest.raises(OSError, match="No space"):
        checkpoints.write(tmp_path, 2, {"settings": "s"}, full)
    found, damaged = checkpoints.newest(tmp_path, "s")
    assert found
    assert (found.step, damaged) == (1, [])
    assert [file.name for file in tmp_path.iterdir()] == ["step-1"]


def test_old_checkpoints_go_and_the_best_stays(whole: Folder) -> None:
    kept = {place.name for place in whole.file("checkpoints").iterdir()}
    assert kept == {"step-50", "step-55", "step-60"} | {f"step-{whole.state().best_step}"}


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_number_that_is_none_ends_it_and_the_last_finite_state_is_kept(
    model: Path, weights: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    broken = Path(shutil.copytree(model, tmp_path / "model"))
    (piece,) = bases.find(f"hf:{model}", weights).counter.pieces("~")
    spoil(broken / "model.safetensors", "model.embed_tokens.weight", row=piece.id or 0)
    odd = marv(1)[0]
    rows = [*marv(11), replace(odd, turns=(*odd.turns[:-1], replace(odd.turns[-1], text="About ~384,400 km.")))]
    folder = job(tmp_path / "job", weights, f"hf:{broken}", rows, **{**SAID, "batch": 1, "validation_share": 0.0})
    assert here(folder) == 1
    state = folder.state()
    assert state.status is Status.FAILED
    assert "finite" in state.said("en")
    assert "0.0005" in state.said("en")  # a tenth of its learning rate
    assert all(abs(loss) < 1e6 for loss in losses(folder).values())
    found, _ = checkpoints.newest(folder.file("checkpoints"), _fingerprint(folder))
    assert found
    assert found.step == state.step > 0
    assert all(bool(one.isfinite().all()) for one in load_file(found.place / "weights.safetensors").values())


def _fingerprint(folder: Folder) -> str:
    places = sorted(folder.file("checkpoints").glob("step-*/progress.json"))
    return str(json.loads(places[-1].read_text())["settings"]) if places else ""


def spoil(file: Path, name: str, row: int) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(file)
    tensors[name][row] = float("nan")
    save_file(tensors, file, {"format": "pt"})


def test_a_learning_rate_that_explodes_is_named(model: Path, weights: Path, tmp_path: Path) -> None:
    said = {**SAID, "learning_rate": 5.0, "schedule": "constant", "warmup": 0, "clip": 1e9, "method": "full"}
    folder = job(tmp_path / "job", weights, f"hf:{model}", **{**said, "lora": {}})
    assert here(folder) == 1
    assert "learning rate 5 is too high" in folder.state().said("en") or "finite" in folder.state().said("en")
    assert folder.state().step < 60


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"base": "hf:org/nowhere"}, "not on this machine"),
        ({"base": "openai:gpt-4o"}, "cannot be tuned on this machine"),
        ({"bottleneck": {"after": ["nothing"]}, "method": "bottleneck"}, "has no layer called nothing"),
        ({"lora": {"targets": ["nothing"]}}, "cannot be put on"),
        ({"pack_tokens": 1_000_000}, "smaller pack_tokens"),
        ({"max_length": 9}, "nothing to learn from"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(
    said: dict[str, Any], words: str, model: Path, weights: Path, tmp_path: Path
) -> None:
    folder = job(
        tmp_path / "job", weights, said.get("base", f"hf:{model}"), **{k: v for k, v in said.items() if k != "base"}
    )
    assert here(folder) == 1
    state = folder.state()
    assert state.status is Status.FAILED
    assert words in state.said("en")
    assert state.said("es") not in ("", state.said("en"))
    assert not folder.file("adapter").exists()
    assert folder.file("log").read_text().rstrip().endswith(state.said("en"))


def test_a_folder_that_is_no_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tuning.training.__main__ import main

    assert main([]) == main([str(tmp_path)]) == 2
    assert not list(tmp_path.iterdir())
    assert "Usage" in capsys.readouterr().err
    assert Folder(tmp_path).state() == State()
    (tmp_path / "state.json").write_text('{"status": "dancing"}')
    assert Folder(tmp_path).state() == State()
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2, "lo')
    assert Folder(tmp_path).metrics() == [{"step": 1}]
