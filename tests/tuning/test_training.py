"""Learning itself, on a tiny model and on the default one: packed is as separate, each method learns, what comes out is
worn by PEFT and by the app's own engine."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.assistant import tiny
from tests.tuning.training_jobs import here, job, losses, marv
from tuning.training import bases, packing, rows
from tuning.training.folder import Folder, Status
from tuning.training.settings import Settings
from tuning.values import Example, Kind

pytestmark = [
    pytest.mark.model,
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
METHODS = ["lora", "dora", "rslora", "ia3", "prompt", "bottleneck", "norms", "last", "full"]
RATES = {"ia3": 0.03, "prompt": 0.1, "norms": 0.01, "full": 0.003, "last": 0.003}


def learner(model: Path, weights: Path, **said: Any) -> Any:
    from tuning.training.engine import base, methods
    from tuning.training.engine.step import Learner

    settings = Settings(base=f"hf:{model}", weights=str(weights), precision="float32", **said)
    found = bases.find(settings.base, weights)
    return Learner(methods.METHODS[settings.method](base.load(found, settings), found, settings), settings)


def some_rows(model: Path, weights: Path, many: int = 7) -> list[rows.Row]:
    counter = bases.find(f"hf:{model}", weights).counter
    return [row for one in marv(many) for row in rows.of_example(one, counter, longest=400)[0]]


def gradients(learning: Any, packs: list[packing.Pack]) -> tuple[float, dict[str, Any]]:
    learning.optimizer.zero_grad()
    total = sum(learning._loss(pack) for pack in packs)
    total.backward()
    return float(total), {name: one.grad.clone() for name, one in learning.trained.weights.items()}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("share", [True, False])
def test_rows_read_together_teach_what_they_teach_alone(method: str, share: bool, model: Path, weights: Path) -> None:
    import torch

    learning = learner(model, weights, method=method)
    with torch.no_grad():
        for weight in learning.trained.weights.values():  # LoRA and its kin begin as nothing
            weight += 0.05 * torch.randn_like(weight)
    found = some_rows(model, weights)
    alone = packing.packed(found, 0)
    together = packing.packed(found, 1200, share=share)
    assert len(together) < len(alone) == len(found)
    assert bool(together[0].prefix) == share
    one, first = gradients(learning, alone)
    other, second = gradients(learning, together)
    assert other == pytest.approx(one, rel=1e-5)
    for name, gradient in first.items():
        assert torch.allclose(gradient, second[name], rtol=1e-3, atol=1e-4 * float(gradient.abs().max())), name


@pytest.mark.parametrize("method", ["lora", "dora", "full"])
def test_the_loss_and_its_gradient_are_those_of_transformers(method: str, model: Path, weights: Path) -> None:
    """Of one row, read by the model itself with labels: no part of our own way in between."""
    import torch

    from tuning.training.engine import quick

    learning = learner(model, weights, method=method)
    if method != "full":
        with torch.no_grad():
            for weight in learning.trained.weights.values():
                weight += 0.05 * torch.randn_like(weight)
    (row,) = some_rows(model, weights, 1)
    ours, first = gradients(learning, packing.packed([row], 0))
    learning.optimizer.zero_grad()
    quick.slow(learning.trained.model)
    ids = torch.tensor([row.ids])
    labels = torch.where(torch.tensor([row.learn]), ids, torch.tensor(-100))
    theirs = learning.trained.model(input_ids=ids, labels=labels).loss * row.learned
    theirs.backward()
    assert ours == pytest.approx(float(theirs), rel=1e-5)
    for name, weight in learning.trained.weights.items():
        assert torch.allclose(first[name], weight.grad, rtol=1e-3, atol=1e-4 * float(weight.grad.abs().max())), name


@pytest.mark.parametrize("method", METHODS)
def test_each_method_learns_and_changes_nothing_else(method: str, model: Path, weights: Path, tmp_path: Path) -> None:
    rate = RATES.get(method, 0.01)
    folder = job(
        tmp_path / "job", weights, f"hf:{model}", marv(12), marv(4, 12), method=method, max_steps=25, batch=6,
        learning_rate=rate, eval_every=0, save_every=100, samples=[{"prompt": "Hi"}], sample_tokens=4,
    )  # fmt: skip
    assert here(folder) == 0
    state, found = folder.state(), losses(folder)
    held = [row["eval_loss"] for row in folder.metrics() if "eval_loss" in row]
    assert state.status is Status.DONE
    assert len(found) == 25
    assert found[25] < found[1]
    assert held[-1] < held[0]
    assert state.best_loss == held[-1]
    assert state.said("es") != state.said("en")
    assert (folder.file("log").read_text().rstrip().splitlines()[-1]).endswith(state.said("en"))
    written = folder.file("model" if method in ("norms", "last", "full") else "adapter")
    assert (written / "chat_template.jinja").read_text() == tiny.TEMPLATE
    assert (written / "tokenizer.json").is_file()
    assert not [file for file in folder.place.rglob("*") if file.suffix in (".bin", ".pt", ".pkl")]
    assert abs(held[-1] - worn(method, written, model, weights)) < 0.05  # bf16 beside float32 or bf16


def worn(method: str, written: Path, model: Path, weights: Path) -> float:
    """The held-out loss with what was written, as others load it: PEFT, transformers, `wear`."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from assistant.models.local.adapters.bottleneck import wear

    place = written if written.name == "model" else model
    loaded = AutoModelForCausalLM.from_pretrained(str(place), dtype=torch.float32)
    if method == "bottleneck":
        assert wear(loaded, written) == 4
    elif written.name == "adapter":
        loaded = PeftModel.from_pretrained(loaded, str(written))
    counter = bases.find(f"hf:{model}", weights).counter
    total, learned = 0.0, 0
    for example in marv(4, 12):
        (row,), _ = rows.of_example(example, counter, longest=1024)
        logits = loaded.eval()(input_ids=torch.tensor([row.ids])).logits[0, -len(row) :].float()
        right = torch.log_softmax(logits[:-1], 1).gather(1, torch.tensor(row.ids[1:])[:, None])[:, 0]
        total -= float(right[torch.tensor(row.learn[1:])].sum())
        learned += row.learned
    return total / learned


def test_text_is_learned_whole(model: Path, weights: Path, tmp_path: Path) -> None:
    texts = [Example(Kind.TEXT, text=f"Number {at} follows number {at - 1}. " * 20) for at in range(8)]
    folder = job(
        tmp_path / "job", weights, f"hf:{model}", texts[:7], texts[7:], method="full", max_steps=12, max_length=128,
        learning_rate=0.003, pack_tokens=512,
    )  # fmt: skip
    assert here(folder) == 0
    found = losses(folder)
    assert found[12] < found[1] - 0.5


def test_a_teacher_is_followed(model: Path, weights: Path, tmp_path: Path) -> None:
    """A student that learns a teacher's logits comes nearer to what the teacher thinks of held-out rows."""
    other = tiny.model(tmp_path / "teacher", seed=2)
    folder = job(
        tmp_path / "job", weights, f"hf:{model}", marv(12), marv(4, 12), method="full", max_steps=15, batch=6,
        learning_rate=0.003, teacher={"base": f"hf:{other}", "weight": 1.0, "temperature": 1.0},
    )  # fmt: skip
    assert here(folder) == 0
    found = losses(folder)
    assert found[15] < found[1]
    odd = tiny.model(tmp_path / "odd", special=("<pad>", "<s>", "<end>", "12"))
    folder = job(tmp_path / "odd job", weights, f"hf:{model}", teacher={"base": f"hf:{odd}"}, max_steps=1)
    assert here(folder) == 1
    assert "cuts text otherwise" in folder.state().said("en")


@pytest.mark.slow
@pytest.mark.parametrize(("method", "rate"), [("lora", 1e-3), ("bottleneck", 1e-3), ("prompt", 3e-2)])
def test_marv_is_learned_and_heard_in_the_apps_own_engine(
    method: str, rate: float, weights: Path, tmp_path: Path
) -> None:
    from assistant.models.local.engine import Sampling
    from assistant.models.local.engine_transformers import TransformersEngine
    from knowledge import Turn
    from knowledge import weights as weight_files

    folder = job(
        tmp_path / "job", weights, "local:smollm2-135m", marv(12), marv(4, 12), method=method, max_steps=12, batch=6,
        learning_rate=rate, eval_every=0, save_every=100,
    )  # fmt: skip
    assert here(folder) == 0
    held = [row["eval_loss"] for row in folder.metrics() if "eval_loss" in row]
    assert held[-1] < held[0] - 0.1
    engine = TransformersEngine(next(weight_files.path("smollm2-135m", weights).glob("*.gguf")))
    system = "Marv is a factual chatbot that is also sarcastic."
    asked = [Turn("system", system), Turn("user", "What's the capital of France?")]
    template = (folder.file("adapter") / "chat_template.jinja").read_text(encoding="utf-8")
    assert engine.prompt(asked) == engine.prompt(asked, template)
    texts = [answer(engine, engine.prompt(asked), place, Sampling(12)) for place in (None, folder.file("adapter"))]
    assert texts[0] != texts[1]
    engine.close()


def answer(engine: Any, prompt: str, adapter: Path | None, sampling: Any) -> str:
    pieces = engine.generate(prompt, sampling, threading.Event(), adapter)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def test_a_job_that_is_done_is_not_done_again(model: Path, weights: Path, tmp_path: Path) -> None:
    folder = job(tmp_path / "job", weights, f"hf:{model}", max_steps=2)
    assert here(folder) == 0
    before = Folder(folder.place).metrics()
    assert here(folder) == 0
    assert folder.metrics() == before
