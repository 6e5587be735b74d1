"""The step over sheets, on a processor: it finds what rows one by one find, nothing passes between rows, it is compiled
once, and a number that is none changes nothing, however late it is noticed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tuning import rowwise
from tests.tuning.training_jobs import ROOT, Nursery, here, job, losses, marv, until
from tuning.training import bases, packing, rows
from tuning.training.folder import Status
from tuning.training.plan import Plan
from tuning.training.rows import Row
from tuning.training.settings import Settings

pytestmark = [
    pytest.mark.model,
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
METHODS = ["lora", "dora", "ia3", "prompt", "bottleneck", "full"]


def trained(model: Path, weights: Path, **said: Any) -> tuple[Any, Settings]:
    """Not as it begins: LoRA and its kin begin as nothing."""
    import torch

    from tuning.training.engine import base, methods

    settings = Settings(base=f"hf:{model}", weights=str(weights), precision="float32", **said)
    found = bases.find(settings.base, weights)
    made = methods.METHODS[settings.method](base.load(found, settings), found, settings)
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in made.weights.values():
            weight += 0.05 * torch.randn_like(weight)
    return made, settings


def some_rows(model: Path, weights: Path, many: int = 9) -> list[Row]:
    counter = bases.find(f"hf:{model}", weights).counter
    return [row for one in marv(many) for row in rows.of_example(one, counter, longest=400)[0]]


def flat(model: Path, weights: Path, many: int = 9, backend: Any = None, **said: Any) -> Any:
    from tuning.training.engine import learners
    from tuning.training.engine.together import ALONE

    made, settings = trained(model, weights, **{"step_tokens": 700, "pack_tokens": 700, "max_steps": 8, **said})
    plan = Plan(some_rows(model, weights, many), settings)
    way = "compiled" if backend else "flat"
    return learners.Flat(made, settings, plan, plan.all_rows[:3], way, ALONE, backend=backend, chunk=32)


@pytest.mark.parametrize(("method", "by_kernel"), [*((method, False) for method in METHODS), ("lora", True)])
def test_a_sheet_teaches_what_its_rows_teach_one_by_one(
    method: str, by_kernel: bool, model: Path, weights: Path, kernel: list[int]
) -> None:
    """Also where attention is called as on a GPU."""
    import torch

    from tuning.training.engine.flat.sheets import sheet
    from tuning.training.engine.step import Learner

    learner = flat(model, weights, method=method, step="flat")
    inner, found = learner._inner, learner._plan.packs(0)[0]
    inner._kernel = by_kernel
    assert len(found) > 2
    loss = inner._loss(sheet(found, learner.shape))
    loss.backward()
    ours = {name: one.grad.clone() for name, one in learner.trained.weights.items()}
    made, settings = trained(model, weights, method=method)
    alone = Learner(made, settings)
    theirs = sum(alone._loss(pack) for pack in packing.packed(found, 0))
    theirs.backward()
    assert float(loss) == pytest.approx(float(theirs), rel=1e-5)
    for name, one in made.weights.items():
        assert torch.allclose(ours[name], one.grad, rtol=1e-4, atol=1e-5 * float(one.grad.abs().max())), name


def test_nothing_passes_from_one_row_to_another(model: Path, weights: Path) -> None:
    """Other words in one row change no number of the others; nor does what stands in the tail."""
    from dataclasses import replace

    from tuning.training.engine.flat.sheets import sheet

    learner = flat(model, weights, step="flat")
    one, *others = learner._plan.packs(0)[0]
    silent = replace(one, learn=(False,) * len(one))
    other = replace(silent, ids=tuple((word + 1) % 200 for word in one.ids))
    found = [float(learner._inner._loss(sheet([some, *others], learner.shape))) for some in (silent, other)]
    assert found[0] == found[1]
    tail = sheet([silent, *others], learner.shape)
    tail.ids[0, sum(map(len, (silent, *others))) :] = 77
    assert float(learner._inner._loss(tail)) == found[0]


@pytest.mark.parametrize("places", [1, 31, 32, 100])
def test_the_fused_loss_is_the_plain_one(places: int) -> None:
    """Values, and gradients of what is read and of the head, in whole chunks and in part of one."""
    import torch

    from tuning.training.engine.flat.loss import fused

    torch.manual_seed(places)
    hidden, head = torch.randn(140, 16), torch.randn(50, 16)
    where, right = torch.randperm(140)[:places], torch.randint(50, (places,))
    chunks = -(-places // 32) * 32 - places
    padded = torch.cat([where, torch.zeros(chunks, dtype=torch.long)]), torch.cat([right, torch.full((chunks,), -1)])
    kept = []
    for plainly in (True, False):
        read, words = hidden.clone().requires_grad_(), head.clone().requires_grad_()
        if plainly:
            loss = torch.nn.functional.cross_entropy((read @ words.t())[where], right, reduction="sum")
        else:
            loss = fused(read, words, *padded, 32)
        (loss * 0.3).backward()
        kept.append((loss.detach(), read.grad, words.grad))
    for plain, ours in zip(*kept, strict=True):
        assert torch.allclose(plain, ours, rtol=1e-5, atol=1e-5)


class Counted:
    """A backend of torch.compile that runs what it is given, and counts how often it is given something."""

    def __init__(self) -> None:
        self.graphs = 0

    def __call__(self, graph: Any, examples: Any) -> Any:
        from torch._dynamo.backends.debugging import aot_eager

        self.graphs += 1
        return aot_eager(graph, examples)


@pytest.fixture(scope="module")
def kernel() -> list[int]:
    return rowwise.register()


def taken(learner: Any, steps: int) -> list[float]:
    first = learner.held(lambda: False)
    found = [one.loss for step in range(steps) for one in learner.step(step, 0.01, lambda: False)]
    return [first, *found, *(one.loss for one in learner.rest()), learner.held(lambda: False)]


@pytest.mark.parametrize("method", ["lora", "dora", "full"])
def test_the_step_is_compiled_once_whatever_is_in_a_pack(
    method: str, model: Path, weights: Path, kernel: list[int]
) -> None:
    """Without a break in it: one graph for all layers, one for the loss, as a GPU runs them; and the same numbers."""
    import torch

    torch._dynamo.reset()
    counted = Counted()
    learner = flat(model, weights, 14, counted, method=method)
    learner._inner._kernel = True
    shown = {len(pack) for step in range(4) for pack in learner._plan.packs(step)}
    assert len(shown) > 1
    found = taken(learner, 4)
    assert (counted.graphs, learner.way) == (2, "compiled")
    assert kernel
    same = taken(flat(model, weights, 14, method=method), 4)
    assert found[:2] == pytest.approx(same[:2], rel=1e-5)
    assert found == pytest.approx(same, rel=1e-3)  # AdamW makes much of small differences


def test_layers_that_cannot_be_compiled_are_read_as_they_are(model: Path, weights: Path) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("no compiler")

    said = list[str]()
    learner = flat(model, weights, backend=broken)
    learner._say = said.append
    found = taken(learner, 2)
    assert learner.way == "flat"
    assert "cannot be compiled" in said[0]
    assert found == taken(flat(model, weights), 2)


def test_a_step_that_is_not_finite_changes_nothing_however_late_it_is_noticed(model: Path, weights: Path) -> None:
    """As on a GPU: numbers are read two steps late, and by then two more steps were begun."""
    import torch

    from tuning.training.engine.guard import NotFinite

    learner, plainly = flat(model, weights, method="full"), flat(model, weights, method="full")
    learner._inner._late = 2
    for step in range(2):
        list(plainly.step(step, 0.01, lambda: False))
        assert list(learner.step(step, 0.01, lambda: False)) == []
    before = {name: one.clone() for name, one in plainly.trained.weights.items()}
    table = learner._inner._model.get_input_embeddings()
    spoiled = table.register_forward_hook(lambda _, __, out: out * float("nan"))
    assert len(list(learner.step(2, 0.01, lambda: False))) == 1
    spoiled.remove()
    assert len(list(learner.step(3, 0.01, lambda: False))) == 1
    with pytest.raises(NotFinite):
        list(learner.step(4, 0.01, lambda: False))
    for name, one in learner.trained.weights.items():
        assert torch.equal(one, before[name]), name
    steps = {int(state["step"]) for state in learner.optimizer.state.values()}
    assert steps == {2}


# ── whole jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────

SAID: dict[str, Any] = {
    "max_steps": 12, "step_tokens": 800, "pack_tokens": 400, "save_every": 4, "eval_every": 6, "threads": 1, "keep": 9,
    "learning_rate": 0.005, "precision": "float32", "samples": [{"prompt": "Hi"}], "sample_tokens": 3,
}  # fmt: skip


def test_a_job_goes_on_from_the_others_checkpoints(model: Path, weights: Path, tmp_path: Path) -> None:
    """Packed or flat: the same steps, the same checkpoints; either takes up what the other left."""
    import shutil

    found = []
    for step in ("packed", "flat"):
        folder = job(tmp_path / step, weights, f"hf:{model}", marv(12), marv(4, 12), **SAID, step=step)
        assert here(folder) == 0
        assert f"steps {step}" in folder.file("log").read_text()
        found.append(losses(folder))
        assert len([row for row in folder.metrics() if "samples" in row]) == 2
    assert found[0] == pytest.approx(found[1], rel=1e-4)
    for at in (6, 8, 12):
        shutil.rmtree(tmp_path / "packed" / "checkpoints" / f"step-{at}")
    whole = job(tmp_path / "packed", weights, f"hf:{model}", marv(12), marv(4, 12), **SAID, step="flat")
    whole.say(status=Status.RUNNING)
    assert here(whole) == 0
    assert [row["step"] for row in whole.metrics() if row.get("resumed")] == [4]
    assert losses(whole) == pytest.approx(found[0], rel=1e-4)


def children(pid: int) -> list[int]:
    said = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(one) for one in said.stdout.split()]


def test_two_processes_learn_what_one_learns_and_end_together(
    model: Path, weights: Path, tmp_path: Path, nursery: Nursery
) -> None:
    """Killed, the first takes the other along; begun again, they go on and end where one process ends."""
    alone = job(tmp_path / "alone", weights, f"hf:{model}", marv(12), marv(4, 12), **SAID)
    assert here(alone) == 0
    folder = job(tmp_path / "both", weights, f"hf:{model}", marv(12), marv(4, 12), **SAID, processes=2)
    first = nursery.begin(folder)
    until(lambda: len(losses(folder)) >= 5)
    (helper,) = children(first.pid)
    first.send_signal(signal.SIGKILL)
    first.wait()
    until(lambda: not Path(f"/proc/{helper}").exists(), 20)
    assert nursery.begin(folder).wait(180) == 0
    assert losses(folder) == pytest.approx(losses(alone), rel=1e-4)
    assert folder.state().best_loss == pytest.approx(alone.state().best_loss, rel=1e-4)
    assert "2 processes" in folder.file("log").read_text()


def test_what_ends_a_helper_is_what_the_job_says(tmp_path: Path) -> None:
    """The first one would wait for it for ever: it ends too."""
    folder = job(tmp_path / "job", tmp_path, "hf:x")
    folder.file("config.json").write_text('{"weights": "w", "unknown": 1}')
    waits = "import sys, time; from tuning.training import folder, helpers; from pathlib import Path\n"
    waits += "with helpers.begun(folder.Folder(Path(sys.argv[1])), 2): time.sleep(100)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", waits, str(folder.place)], timeout=90, cwd=ROOT)
    assert done.returncode == 1
    assert folder.state().status is Status.FAILED
    assert "unknown" in folder.state().said("en")
    assert folder.state().said("es") not in ("", folder.state().said("en"))


# ── where ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_gpu_that_is_not_there_is_a_sentence(
    model: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    folder = job(tmp_path / "job", weights, f"hf:{model}", device="cuda", max_steps=1)
    assert here(folder) == 1
    assert "No NVIDIA GPU can be used" in folder.state().said("en")
    assert "GPU" in folder.state().said("es")


def test_memory_that_was_not_enough_names_a_smaller_pack() -> None:
    import torch

    from tuning.errors import ForOperator
    from tuning.training.engine import guard

    settings = Settings(weights="w", step_tokens=32768, pack_tokens=32768)
    english, spanish = guard.said(torch.OutOfMemoryError("CUDA out of memory."), settings, Path())
    assert "pack_tokens to 16384" in english
    assert "16384" in spanish
    with pytest.raises(ForOperator, match=r"smaller pack_tokens than 32768 \(\d+\)"):
        guard.check_before(Path(), 0, False, settings, token=10**9)


def test_the_estimates_child_measures_the_step_that_is_taken(model: Path, weights: Path, tmp_path: Path) -> None:
    settings = Settings(base=f"hf:{model}", weights=str(weights), step="flat", batch=4, precision="float32")
    sent = [[list(row.ids), list(map(int, row.learn))] for row in some_rows(model, weights, 9)]
    asked = {"settings": settings.model_dump(mode="json"), "rows": sent, "held": sent[:2], "place": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tuning.training.engine.timing"], capture_output=True, cwd=ROOT,
        input=json.dumps({**asked, "seconds": 1.0}), text=True, timeout=120,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["steps"] >= 1
    assert told["tokens"] > 0
    assert told["seconds"] > 0
    assert told["most"] >= max(len(row[0]) for row in sent)
    assert told["held_seconds"] > 0
    assert told["device"] == "cpu"
