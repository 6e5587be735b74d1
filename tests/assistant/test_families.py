"""Models of other families, from a folder: each answers as its own code says, wears adapters, answers many at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.models import Models, write
from assistant.models.inference import Inference
from assistant.models.local.engine import Sampling
from knowledge import Turn, Usage
from tests.assistant import tiny

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
NEVER = threading.Event()
ASKED = ["Hi", "Twelve sheep went over the hill, one by one, and nobody counted them.", "12 345"]
WINDOW = 8  # tokens: far less than any conversation has
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {"num_key_value_heads": 1, "tie_word_embeddings": True},
    "qwen2": {"num_key_value_heads": 1},
    "qwen3": {"num_key_value_heads": 1, "head_dim": 16},
    "mistral": {"num_key_value_heads": 1, "sliding_window": WINDOW},
    "gemma2": {"num_key_value_heads": 1, "head_dim": 16, "sliding_window": WINDOW, "tie_word_embeddings": False},
    "gemma3_text": {"num_key_value_heads": 1, "head_dim": 16, "sliding_window": WINDOW, "tie_word_embeddings": False},
    "phi3": {"num_key_value_heads": 1, "sliding_window": WINDOW},
}


@pytest.fixture(scope="module", params=FAMILIES)
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    family = str(request.param)
    return tiny.model(tmp_path_factory.mktemp("families") / family, family=family, **FAMILIES[family])


@pytest.fixture(scope="module")
def models(weights: Path) -> Iterator[Models]:
    models = Models(weights)
    yield models
    models.close()


def say(models: Models, name: str, asked: str, adapter: Path | None = None) -> str:
    few = Inference(max_tokens=10, temperature=0)
    *texts, usage = write(models.get(name), [Turn("user", asked)], inference=few, stop=NEVER, adapter=adapter)
    assert isinstance(usage, Usage)
    return "".join(map(str, texts))


def test_it_answers_as_its_own_code_says_bare_and_with_each_kind_of_adapter(
    base: Path, models: Models, tmp_path: Path
) -> None:
    """In float32: one token after the other, each read anew from the first on, without cache, window's cache, batch."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    name = f"hf:{base}"
    engine: Any = models.loading.engine(name, None)
    engine._model.float()
    prompts = [engine.prompt([Turn("user", one)]) for one in ASKED]
    heard = dict[str, str]()
    for kind in ("", "lora", "prompt", "bottleneck"):
        adapter = tiny.worn(base, tmp_path / kind, kind, loud=0.3) if kind else None
        plain: Any = AutoModelForCausalLM.from_pretrained(str(base), dtype=torch.float32, attn_implementation="eager")
        if kind == "bottleneck":
            from assistant.models.local.adapters import bottleneck

            assert adapter
            bottleneck.wear(plain, adapter)
        elif adapter:
            plain = PeftModel.from_pretrained(plain, str(adapter))
        first = engine._tokenizer(prompts[1], add_special_tokens=False).input_ids
        assert len(first) > WINDOW
        ids = list(first)
        with torch.no_grad():
            for _ in range(10):
                ids.append(int(plain.eval()(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
                if ids[-1] in engine._ends:
                    break
        wanted = engine._tokenizer.decode(ids[len(first) :], skip_special_tokens=True)
        assert say(models, name, ASKED[1], adapter) == wanted, kind
        together = engine.together(prompts, Sampling(10), NEVER, adapter)
        assert [one[0] for one in together] == [say(models, name, one, adapter) for one in ASKED]
        heard[kind] = wanted
    assert len({heard[kind] for kind in ("", "lora", "bottleneck")}) == 3, "each is heard"  # a window may hide a prompt
    assert say(models, name, ASKED[1]) == heard[""], "taken off, nothing of it is left"
