"""A stranger's adapter is looked at before anything of it is loaded; each thing that is wrong is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.assistant import tiny
from tuning.errors import ForPerson
from tuning.training.foreign import Checked, check_adapter

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model(tmp_path_factory.mktemp("foreign") / "model")


@pytest.fixture(scope="module")
def good(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.adapter(base, tmp_path_factory.mktemp("foreign") / "adapter")


def test_a_good_one_is_said_to_be_one(good: Path, base: Path) -> None:
    found = check_adapter(good, base)
    # two layers; q and v: 32 → 32, up: 32 → 64, rank 4
    assert found == Checked("lora", 2 * 4 * (64 + 64 + 96), 4, str(base), "")
    template = good / "chat_template.jinja"
    template.write_text(tiny.TEMPLATE)
    assert check_adapter(good, base).template == tiny.TEMPLATE
    template.unlink()


@pytest.mark.parametrize("kind", ["IA3Config", "PromptTuningConfig", "LoraConfig"])
def test_those_that_peft_writes_are_known(kind: str, base: Path, tmp_path: Path) -> None:
    import peft
    from transformers import AutoModelForCausalLM

    more: dict[str, Any] = {
        "PromptTuningConfig": {"num_virtual_tokens": 5},
        "LoraConfig": {"use_dora": True, "target_modules": "all-linear", "rank_pattern": {"q_proj": 2}},
    }.get(kind, {})
    model = AutoModelForCausalLM.from_pretrained(str(base))
    peft.get_peft_model(model, getattr(peft, kind)(task_type="CAUSAL_LM", **more)).save_pretrained(str(tmp_path / "a"))
    assert check_adapter(tmp_path / "a", base).parameters > 0


def _tensors(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(place: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = load_file(place / "adapter_model.safetensors")
        change(tensors)
        save_file(tensors, place / "adapter_model.safetensors")

    return spoil


def _config(**said: Any) -> Callable[[Path], None]:
    def spoil(place: Path) -> None:
        file = place / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | said))

    return spoil


def _set(value: float) -> Callable[[dict[str, Any]], None]:
    return lambda tensors: next(iter(tensors.values())).view(-1)[3:4].fill_(value)


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def spoil(place: Path) -> None:
        file = place / "adapter_model.safetensors"
        file.write_bytes(change(file.read_bytes()))

    return spoil


def _widen(tensors: dict[str, Any]) -> None:
    import torch

    name = next(name for name in tensors if "lora_A" in name)
    tensors[name] = torch.zeros(4, 33)


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a pickle beside it": (lambda place: (place / "adapter_model.bin").write_bytes(b""), "can run code"),
    "code beside it": (lambda place: (place / "modeling.py").write_text(""), "can run code"),
    "no weights": (lambda place: (place / "adapter_model.safetensors").unlink(), "no adapter_model.safetensors"),
    "no settings": (lambda place: (place / "adapter_config.json").unlink(), "no adapter_config.json"),
    "settings that are no JSON": (lambda place: (place / "adapter_config.json").write_text("{"), "no JSON object"),
    "another kind": (_config(peft_type="XLORA"), "XLORA is not known"),
    "classes of its own": (_config(auto_mapping={"parent_library": "os"}), "classes"),
    "whole modules": (_config(modules_to_save=["lm_head"]), "whole modules"),
    "another base": (_config(base_model_name_or_path="org/another"), "trained on org/another"),
    "another rank": (_config(r=8), "does not fit"),
    "a layer that is not there": (
        _tensors(lambda tensors: tensors.update({"base_model.model.nowhere.lora_A.weight": tensors.popitem()[1]})),
        "does not fit",
    ),
    "a weight of the base": (
        _tensors(lambda tensors: tensors.update({"base_model.model.lm_head.weight": tensors.popitem()[1]})),
        "does not fit",
    ),
    "another shape": (_tensors(_widen), "does not fit"),
    "not a number": (_tensors(_set(float("nan"))), "no numbers"),
    "infinite": (_tensors(_set(float("-inf"))), "no numbers"),
    "cut off": (_bytes(lambda content: content[:-7]), "damaged"),
    "longer than it says": (_bytes(lambda content: content + b"\0" * 8), "damaged"),
    "a head without end": (_bytes(lambda content: (2**62).to_bytes(8, "little") + content[8:]), "damaged"),
    "no safetensors at all": (_bytes(lambda content: b"PK\3\4"), "damaged"),
    "a template that fails": (
        lambda place: (place / "chat_template.jinja").write_text("{{ raise_exception('no') }}"),
        "template",
    ),
    "a template that reaches out": (
        lambda place: (place / "chat_template.jinja").write_text("{{ messages.__class__.__mro__ }}"),
        "template",
    ),
    "a template without end": (
        lambda place: (place / "chat_template.jinja").write_text("{# " + "x" * 300_000 + " #}"),
        "too long",
    ),
    "a link": (lambda place: (place / "more.json").symlink_to("/etc/hostname"), "points elsewhere"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_named(wrong: str, good: Path, base: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(good, tmp_path / "adapter"))
    spoil, words = WRONG[wrong]
    spoil(place)
    with pytest.raises(ForPerson, match=words) as found:
        check_adapter(place, base)
    assert found.value.said("es") != found.value.said("en")
    assert "\n" not in str(found.value)


def test_the_default_model_goes_by_several_names(good: Path, base: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(good, tmp_path / "adapter"))
    ours = Path(shutil.copytree(base, tmp_path / "smollm2-135m" / "transformers-bf16-0"))
    for name in ("HuggingFaceTB/SmolLM2-135M-Instruct", "/elsewhere/smollm2-135m/x", ""):
        _config(base_model_name_or_path=name)(place)
        assert check_adapter(place, ours).base == name
    _config(base_model_name_or_path="org/another")(place)
    with pytest.raises(ForPerson, match="trained on"):
        check_adapter(place, ours)
