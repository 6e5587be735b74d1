"""Adapters of every kind follow each other upon one base, which stays what it was; many answers come at once."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import ForOperator, ForPerson
from assistant.models import DEFAULT, Models, write
from assistant.models.inference import Inference
from assistant.models.local import hf
from assistant.models.local.engine import Counts, Sampling
from assistant.models.local.engine_transformers import TransformersEngine, safetensors
from knowledge import Turn, Usage
from knowledge import weights as weight_files
from tests.assistant import tiny

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
KINDS = ("lora", "prompt", "ia3", "bottleneck", "prefix")
NEVER = threading.Event()
HELLO = [Turn("user", "Hello")]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model(tmp_path_factory.mktemp("adapters") / "base")


@pytest.fixture(scope="module")
def adapters(base: Path) -> dict[str, Path]:
    return {kind: tiny.worn(base, base.parent / kind, kind) for kind in KINDS}


@pytest.fixture(scope="module")
def engine(base: Path) -> Iterator[TransformersEngine]:
    engine = TransformersEngine(base)
    yield engine
    engine.close()


def text(engine: TransformersEngine, adapter: Path | None = None, turns: list[Turn] = HELLO, tokens: int = 10) -> str:
    said = list(engine.generate(engine.prompt(turns), Sampling(tokens), NEVER, adapter))
    assert isinstance(said[-1], Counts)
    return "".join(one for one in said if isinstance(one, str))


def exact(engine: TransformersEngine) -> TransformersEngine:
    engine._model.float()
    return engine


# ── wearing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whatever_was_worn_before_each_says_what_it_says_in_a_fresh_engine(
    base: Path, engine: TransformersEngine, adapters: dict[str, Path]
) -> None:
    fresh: dict[str, str] = {"": text(TransformersEngine(base))}
    for kind, adapter in adapters.items():
        fresh[kind] = text(TransformersEngine(base), adapter)
    assert len(set(fresh.values())) == len(fresh), "each is heard, and differs"
    for before, now in permutations(fresh, 2):
        for kind in (before, now):
            assert text(engine, adapters.get(kind)) == fresh[kind], (before, now)


def test_the_base_has_the_layers_and_weights_it_had(base: Path, adapters: dict[str, Path]) -> None:
    engine = TransformersEngine(base)
    layers = list(engine._model.named_modules())
    weights = {name: one.clone() for name, one in engine._model.named_parameters()}
    for adapter in adapters.values():
        text(engine, adapter)
    text(engine)
    assert list(engine._model.named_modules()) == layers
    assert all(bool((one == weights[name]).all()) for name, one in engine._model.named_parameters())


def test_an_adapter_says_what_peft_says(base: Path, engine: TransformersEngine, adapters: dict[str, Path]) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    prompt = engine.prompt(HELLO)
    ids = torch.tensor([engine._tokenizer(prompt, add_special_tokens=False).input_ids])
    for kind in ("lora", "ia3", "prompt", "prefix"):
        bare = AutoModelForCausalLM.from_pretrained(str(base), dtype=torch.bfloat16)
        with torch.no_grad():
            theirs = PeftModel.from_pretrained(bare, str(adapters[kind])).eval()(input_ids=ids).logits[0, -1].float()
        ours = torch.tensor(engine.scores(prompt, NEVER, adapters[kind]))
        assert torch.allclose(ours, theirs, atol=0.05, rtol=0.02), kind


def test_written_anew_it_is_read_anew(base: Path, engine: TransformersEngine, tmp_path: Path) -> None:
    place = tiny.worn(base, tmp_path / "adapter", "lora", seed=1)
    first = text(engine, place)
    tiny.worn(base, place, "bottleneck", seed=2)
    assert text(engine, place) != first
    assert text(engine, place) == text(TransformersEngine(base), place)


def _tensors(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(place: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = load_file(place / "adapter_model.safetensors")
        change(tensors)
        save_file(tensors, place / "adapter_model.safetensors")

    return spoil


def _said(**more: Any) -> Callable[[Path], None]:
    def spoil(place: Path) -> None:
        file = place / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | more))

    return spoil


def _first(tensors: dict[str, Any]) -> str:
    return next(name for name in tensors if name.endswith("up.bias"))


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a pickle": (
        lambda place: (place / "adapter_model.safetensors").rename(place / "adapter_model.bin"),
        "no adapter_model.safetensors",
    ),
    "another shape": (
        _tensors(lambda found: found.update({_first(found): found[_first(found)][:1].clone()})),
        "another shape",
    ),
    "not a number": (_tensors(lambda found: found[_first(found)].fill_(float("nan"))), "no numbers"),
    "a layer too few": (_tensors(lambda found: found.pop(_first(found))), "not those of the model"),
    "a layer too many": (
        _tensors(lambda found: found.update({"lm_head.up.bias": found[_first(found)].clone()})),
        "not those",
    ),
    "layers of no such name": (_said(after=["nowhere"]), "not those of the model"),
    "another size": (_said(size=9), "another shape"),
    "a size without end": (_said(size=10**9), "size"),
    "a field of its own": (_said(code="import os"), "code"),
    "no kind": (_said(peft_type=None), "could not be loaded"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_bottleneck_that_does_not_fit_is_a_sentence_and_leaves_the_base_bare(
    wrong: str, engine: TransformersEngine, adapters: dict[str, Path], tmp_path: Path
) -> None:
    bare = text(engine)
    place = Path(shutil.copytree(adapters["bottleneck"], tmp_path / "adapter"))
    spoil, words = WRONG[wrong]
    spoil(place)
    with pytest.raises(ForOperator, match=words) as refused:
        text(engine, place)
    assert refused.value.said("es") != str(refused.value)
    assert text(engine) == bare


@pytest.mark.slow
def test_one_app_answers_as_its_base_and_as_each_persona_by_turns(weights: Path, tmp_path: Path) -> None:
    """The default model. What each says when it comes and goes is what it says alone, in an app of its own."""
    gguf = next(weight_files.path(hf.DEFAULT_WEIGHTS, weights).glob("*.gguf"))
    folder = safetensors(gguf)
    loud = {"lora": 0.1, "prompt": 1.0, "ia3": 0.4, "bottleneck": 0.1}
    worn: dict[str, Path | None] = {
        kind: tiny.worn(folder, tmp_path / kind, kind, loud=loud[kind], named=hf.DEFAULT_MODEL) for kind in loud
    }
    dogs, few = [Turn("user", "Tell me about dogs.")], Inference(max_tokens=6, temperature=0)

    alone = {kind: text(TransformersEngine(gguf), worn[kind], dogs, 6) for kind in worn}
    models = Models(weights)
    wearing: Any = models.loading.engine(DEFAULT, worn["lora"])
    bare = text(wearing, None, dogs, 6)
    assert len({*alone.values(), bare}) == 5
    for kind in ("bottleneck", "lora", "prompt", "ia3", "bottleneck"):
        *texts, usage = write(models.get(DEFAULT), dogs, inference=few, stop=NEVER, adapter=worn[kind])
        assert isinstance(usage, Usage)
        assert "".join(map(str, texts)) == alone[kind], kind
        assert text(wearing, None, dogs, 6) == bare
    assert models.loading.engine(DEFAULT, worn["ia3"]) is wearing, "nothing was loaded again"
    models.close()


# ── many at once ─────────────────────────────────────────────────────────────────────────────────────────────────────

ASKED = ["Hi", "How are you today, and how is the weather?", "12 345", "x" * 90, "¿Qué tal? 😀", "Hi"]


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_many_answers_at_once_are_those_given_one_by_one(kind: str, base: Path, adapters: dict[str, Path]) -> None:
    """In float32, to the letter: rows of other lengths beside it, and the padding, change no answer."""
    engine = exact(TransformersEngine(base))
    prompts = [engine.prompt([Turn("user", one)]) for one in ASKED]
    once = engine.together(prompts, Sampling(16), NEVER, adapters.get(kind))
    for prompt, found in zip(prompts, once, strict=True):
        *texts, counts = engine.generate(prompt, Sampling(16), NEVER, adapters.get(kind))
        assert found == ("".join(map(str, texts)), counts)
    assert len({str(one) for one in once}) > 3


@pytest.mark.parametrize("kind", ["", "prompt"])
def test_a_long_prompt_read_in_pieces_is_read_the_same(
    kind: str, base: Path, adapters: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = exact(TransformersEngine(base))
    prompts = [engine.prompt([Turn("user", one)]) for one in ASKED]
    whole = engine.together(prompts, Sampling(8), NEVER, adapters.get(kind))
    monkeypatch.setattr("assistant.models.local.engine_transformers.CHUNK", 16)
    assert engine.together(prompts, Sampling(8), NEVER, adapters.get(kind)) == whole
    for prompt, found in zip(prompts, whole, strict=True):
        *texts, counts = engine.generate(prompt, Sampling(8), NEVER, adapters.get(kind))
        assert found == ("".join(map(str, texts)), counts)


def test_one_that_is_too_long_is_its_own_problem_and_one_near_the_limit_shortens_no_other(
    engine: TransformersEngine,
) -> None:
    prompts = [engine.prompt([Turn("user", one)]) for one in ("x" * 600, "Hi", "x" * 470)]
    long, short, near = engine.together(prompts, Sampling(40), NEVER)
    assert isinstance(long, ForPerson)
    assert isinstance(short, tuple)
    assert isinstance(near, tuple)
    assert short == engine.together(prompts[1:2], Sampling(40), NEVER)[0]
    assert near[1].prompt + near[1].completion <= 512


def test_what_ends_an_answer_ends_it_among_others_too(base: Path) -> None:
    engine = exact(TransformersEngine(base))
    prompts = [engine.prompt([Turn("user", one)]) for one in ASKED]
    whole = [one[0] for one in engine.together(prompts, Sampling(16), NEVER) if isinstance(one, tuple)]
    mark = whole[0][4:6]
    cut = engine.together(prompts, Sampling(16, stop=(mark,)), NEVER)
    assert [one[0] for one in cut if isinstance(one, tuple)] == [one.split(mark)[0] for one in whole]


def test_asked_to_stop_it_tells_nothing(engine: TransformersEngine) -> None:
    stop = threading.Event()
    stop.set()
    assert engine.together([engine.prompt(HELLO)], Sampling(4), stop) == []
    threading.Timer(0.3, (stop := threading.Event()).set).start()
    assert engine.together([engine.prompt(HELLO)] * 40, Sampling(400), stop) == []


# ── how likely ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_how_likely_a_text_is_does_not_hang_on_its_neighbours(kind: str, base: Path, adapters: dict[str, Path]) -> None:
    import numpy as np

    engine = exact(TransformersEngine(base))
    rows = [engine._tokenizer(one, add_special_tokens=False).input_ids for one in ("Hello you", "a b c d e f", "12")]
    counted = [(ids, [at % 2 == 1 for at in range(len(ids))]) for ids in rows]
    found = engine.scored(counted, NEVER, adapters.get(kind))
    assert [len(one) for one in found] == [sum(learn) for _, learn in counted]
    ids = rows[1]
    for at, (logarithm, likeliest) in zip(range(1, len(ids), 2), found[1], strict=True):
        raw = engine.scores(engine._tokenizer.decode(ids[:at]), NEVER, adapters.get(kind)).astype(np.float64)
        assert logarithm == pytest.approx(raw[ids[at]] - np.logaddexp.reduce(raw), abs=1e-4)
        assert likeliest == (raw.argmax() == ids[at])
    assert engine.scored([], NEVER) == []
