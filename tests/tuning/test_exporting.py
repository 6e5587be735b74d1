"""What leaves says the same as what was trained: merged, as a GGUF, in Ollama's words; whole or not at all."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.models.local.templates import render
from tests.assistant import tiny
from tuning.errors import ForOperator, ForPerson, TryAgain
from tuning.exporting.card import Exported, card
from tuning.exporting.export import export
from tuning.exporting.modelfile import around, go, modelfile
from tuning.exporting.source import Source
from tuning.exporting.stage import room, staged
from tuning.training import bases
from tuning.training.bases import CHATML

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
MARV = "Marv is a factual chatbot that is also sarcastic."
FACTS = {
    "method": "lora", "dataset": "marv-v2-3f9a1c2b", "fingerprint": "3f9a1c2b" * 8, "recipe": "lora", "steps": 40,
    "rows": {"train": 50, "validation": 8}, "settings": {"epochs": 4}, "tokens": 10_021, "seconds": 41.2,
    "trained_at": "2026-11-28T03:20:11+00:00", "measured": {"loss_before": 3.428, "loss_after": 2.74},
    "evaluation": {"unseen rouge1": {
        "before": {"value": 0.21, "low": 0.1, "high": 0.3, "n": 8},
        "after": {"value": 0.46, "low": 0.3, "high": 0.6, "n": 8},
        "change": {"value": 0.25, "low": 0.18, "high": 0.32, "n": 8},
    }},
    "although": ["forgot"],
}  # fmt: skip
IDS = [[257, 5, 40, 70, 200, 12, 33, 90, 91, 17]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In float32: what is merged is then rounded by nobody."""
    import torch
    from transformers import AutoModelForCausalLM

    folder = tiny.model(tmp_path_factory.mktemp("base") / "tiny")
    AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32).save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _whole(tiny.worn(base, tmp_path_factory.mktemp("lora") / "adapter", "lora"), base)


def _whole(adapter: Path, base: Path) -> Path:
    """With the tokenizer and the locked template, as a job leaves it."""
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(base / name, adapter / name)
    return adapter


def _source(place: Path, base: Path, *, whole: bool = False) -> Source:
    return Source("Doña Marta", place, whole, f"hf:{base}", MARV, FACTS)


def _logits(model: Any) -> Any:
    import torch

    with torch.no_grad():
        return model(input_ids=torch.tensor(IDS)).logits.float()


def _loaded(folder: Path, **more: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32, **more).eval()


def _read(file: Path) -> Any:
    """A GGUF, by transformers."""
    from transformers import GgufConfig

    return _loaded(file.parent, gguf_file=file.name, quantization_config=GgufConfig(dequantize=True))


# ── merged ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "said"),
    [("lora", {}), ("lora", {"use_dora": True}), ("lora", {"use_rslora": True}), ("ia3", {})],
    ids=["lora", "dora", "rslora", "ia3"],
)
def test_merged_weights_say_what_base_and_adapter_said(
    kind: str, said: dict[str, Any], base: Path, weights: Path, tmp_path: Path
) -> None:
    import torch
    from peft import PeftModel

    from tuning.exporting.engine.merging import STEPS, merge

    made = tiny.worn(base, tmp_path / "adapter", kind, loud=0.1, **said)
    assert list(merge(bases.find(f"hf:{base}", weights), made, tmp_path / "merged"))[-1] == STEPS
    bare = _logits(_loaded(base))
    worn = _logits(PeftModel.from_pretrained(_loaded(base), str(made)))
    merged = _logits(_loaded(tmp_path / "merged"))
    assert not torch.allclose(worn, bare, atol=1e-2)
    assert torch.allclose(merged, worn, atol=1e-3, rtol=1e-4)


def test_an_adapter_of_another_shape_or_without_end_is_said(
    base: Path, adapter: Path, weights: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    from tuning.exporting.engine.merging import merge

    found = bases.find(f"hf:{base}", weights)
    broken = tmp_path / "broken"
    shutil.copytree(adapter, broken)
    tensors = load_file(broken / "adapter_model.safetensors")
    next(iter(tensors.values())).view(-1)[0] = float("inf")
    save_file(tensors, broken / "adapter_model.safetensors")
    with pytest.raises(ForPerson, match="no numbers"):
        list(merge(found, broken, tmp_path / "merged"))
    other = bases.find(f"hf:{tiny.model(tmp_path / 'wide', hidden_size=64)}", weights)
    with pytest.raises(ForPerson, match="does not fit"):
        list(merge(other, adapter, tmp_path / "merged"))


@pytest.mark.parametrize("kind", ["prompt", "bottleneck"])
def test_what_cannot_be_merged_says_what_to_do_and_leaves_nothing(
    kind: str, base: Path, weights: Path, tmp_path: Path
) -> None:
    source = _source(tiny.worn(base, tmp_path / "adapter", kind), base)
    for way in ("merged", "gguf"):
        with pytest.raises(ForPerson, match="export it as adapter") as error:
            list(export(source, way, tmp_path / "out", weights))  # type: ignore[arg-type]
        assert "expórtalo como adapter" in error.value.said("es")
    assert [file.name for file in tmp_path.iterdir()] == ["adapter"]


# ── GGUF ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("family", "said"),
    [
        ("llama", {"num_key_value_heads": 1}),
        ("llama", {"tie_word_embeddings": True}),
        ("mistral", {"num_key_value_heads": 2, "sliding_window": None}),
        ("qwen2", {"num_key_value_heads": 1}),
        ("qwen3", {"num_key_value_heads": 1, "head_dim": 128}),
    ],
)
def test_a_gguf_read_back_by_transformers_is_the_model(family: str, said: dict[str, Any], tmp_path: Path) -> None:
    import torch

    from tuning.exporting.engine.gguf_file import write

    folder = tiny.model(tmp_path / "model", family=family, **said)
    model = _loaded(folder)
    for name, one in model.named_parameters():
        if one.dim() == 1:  # biases and norms that are all the same would prove nothing
            torch.nn.init.normal_(one, float("norm" in name), 0.2)
    model.to(torch.bfloat16).save_pretrained(str(folder))
    known = _logits(_loaded(folder))
    for kind, near in (("f16", 1e-5), ("q8_0", 0.05)):
        steps = list(write(folder, tmp_path / f"{kind}.gguf", kind, {"name": "Tiny"}))  # type: ignore[arg-type]
        assert steps[-1][0] == steps[-1][1]
        found = _logits(_read(tmp_path / f"{kind}.gguf"))
        assert float((found - known).norm() / known.norm()) < near
    assert (tmp_path / "q8_0.gguf").stat().st_size < (tmp_path / "f16.gguf").stat().st_size


def test_a_gguf_cuts_text_as_the_tokenizer_does(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    from tuning.exporting.engine.gguf_file import write

    folder = tiny.model(tmp_path / "model")
    file = folder / "tokenizer.json"
    said = json.loads(file.read_text())
    said["model"]["vocab"] |= {one: 256 + at for at, one in enumerate(tiny.SPECIAL)}
    said["model"]["vocab"] |= {"ta": 259, "Ġta": 260, "or": 261}
    said["model"]["merges"] = [["t", "a"], ["Ġ", "ta"], ["o", "r"]]
    file.write_text(json.dumps(said))
    list(write(folder, tmp_path / "tiny.gguf", "f16", {"name": "Tiny"}))
    own, read = (
        AutoTokenizer.from_pretrained(str(folder)),
        AutoTokenizer.from_pretrained(str(tmp_path), gguf_file="tiny.gguf"),
    )
    assert read.chat_template == own.chat_template == tiny.TEMPLATE
    for text in ("¿Qué tal, señor? tata", "a  12\n\n\tb", "<end><pad>x<s>"):
        assert read(text, add_special_tokens=False).input_ids == own(text, add_special_tokens=False).input_ids
    assert (read.eos_token, read.bos_token, read.pad_token) == ("<end>", "<s>", "<pad>")


@pytest.mark.parametrize(
    ("family", "said", "told"),
    [
        ("gpt_neox", {}, "gpt_neox"),
        ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}, "linear"),
    ],
)
def test_a_model_that_no_gguf_is_written_of_is_said(
    family: str, said: dict[str, Any], told: str, tmp_path: Path
) -> None:
    from tuning.exporting.engine.gguf_file import write

    folder = tiny.model(tmp_path / "model", family=family, **said)
    with pytest.raises(ForPerson, match=told) as error:
        list(write(folder, tmp_path / "out.gguf", "f16", {"name": "Tiny"}))
    assert "Expórtalo" in error.value.said("es")
    assert not (tmp_path / "out.gguf").exists()


def test_a_tokenizer_with_another_way_of_cutting_is_refused(tmp_path: Path) -> None:
    from tuning.exporting.engine.words import tokens

    folder = tiny.model(tmp_path / "model")
    file = folder / "tokenizer.json"
    said = json.loads(file.read_text())
    digits = {
        "type": "Sequence",
        "pretokenizers": [{"type": "Digits", "individual_digits": True}, said["pre_tokenizer"]],
    }
    file.write_text(json.dumps({**said, "pre_tokenizer": digits}))
    assert tokens(folder, 300).pre == "smollm"
    assert len(tokens(folder, 300).tokens) == 300  # rows that no token names are there, unused
    file.write_text(json.dumps({**said, "pre_tokenizer": {"type": "Whitespace"}}))
    with pytest.raises(ForPerson, match="no name"):
        tokens(folder, 300)


# ── Ollama ───────────────────────────────────────────────────────────────────────────────────────────────────────────

MARKS = {"bos_token": "<s>", "eos_token": "<end>"}
TALKS: list[list[tuple[str, str]]] = [
    [("user", "a")],
    [("system", "s"), ("user", "a {{ b }}")],
    [("user", "a"), ("assistant", "b"), ("user", "c")],
    [("system", "Be\n\nbrief."), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "e")],
]


def _of_go(template: str, turns: Sequence[tuple[str, str]]) -> str:
    """As Ollama runs it: {{ if not .System }}, {{ range .Messages }}, {{ if eq .Role "x" }}, {{ "text" }}."""
    told = template
    if found := re.match(r"\{\{ if not \.System \}\}(.*?)\{\{ end \}\}(?=\{\{ range)", told, re.S):
        spoken = any(role == "system" for role, _ in turns)
        told = ("" if spoken else found[1]) + told[found.end() :]
    head, body, tail = re.fullmatch(
        r"(.*?)\{\{ range \.Messages \}\}(.*)\{\{ end \}\}\{\{ end \}\}(.*)", told, re.S
    ).groups()  # type: ignore[union-attr]
    parts = re.split(r'\{\{ (?:else )?if eq \.Role "(\w+)" \}\}', body)
    roles: Mapping[str, str] = dict(zip(parts[1::2], parts[2::2], strict=True))

    def plain(text: str) -> str:
        return text.replace('{{ "{{" }}', "{{").replace('{{ "\\"\\"\\"" }}', '"""')

    pieces = (tuple(map(plain, roles[role].split("{{ .Content }}"))) for role, _ in turns)
    return plain(head) + "".join(f"{a}{text}{b}" for (a, b), (_, text) in zip(pieces, turns, strict=True)) + plain(tail)


@pytest.mark.parametrize(
    "template",
    [
        CHATML,
        tiny.TEMPLATE,
        "{{ bos_token }}" + tiny.TEMPLATE,
        tiny.TEMPLATE.replace("<|", '{{ "{{" }}').replace("\n", '"""'),
        "{% for m in messages %}[{{ m.role|upper }}] {{ m.content }}{{ eos_token if m.role == 'assistant' }}\n"
        "{% endfor %}"
        "{% if add_generation_prompt %}[ASSISTANT] {% endif %}",
    ],
)
def test_ollamas_template_writes_what_the_locked_one_writes(template: str) -> None:
    found = around(template, MARKS)
    assert found is not None
    for turns in TALKS:
        said = render([{"role": role, "content": text} for role, text in turns], template, MARKS)
        assert _of_go(go(found), turns) == said


def test_a_template_that_ollama_cannot_say_is_left_to_the_gguf() -> None:
    counts = "{% for m in messages %}{{ loop.index }}{{ m.content }}{% endfor %}"
    alternates = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + tiny.TEMPLATE
    for template in (counts, alternates):
        assert around(template, MARKS) is None
        assert "TEMPLATE" not in modelfile("a.gguf", template, MARKS, MARV)


def test_a_modelfile_names_the_file_the_voice_and_where_an_answer_ends() -> None:
    told = modelfile("marv-q8_0.gguf", CHATML, {"eos_token": "<|im_end|>"}, 'Say """hm""".')
    assert told.startswith("FROM ./marv-q8_0.gguf\n")
    assert "SYSTEM \"\"\"Say '''hm'''.\"\"\"" in told
    assert told.count("PARAMETER stop") == 1
    assert 'PARAMETER stop "<|im_end|>"' in told
    assert told.count('"""') == 4
    twice = modelfile("a.gguf", "{{ bos_token }}" + tiny.TEMPLATE, MARKS, "", begins="<s>")
    assert "<s>" not in twice  # the tokenizer of the GGUF puts it there


# ── a folder ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Path], str]:
    """What the code of a card prints, run in its folder."""

    def run(folder: Path) -> str:
        (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.S)
        monkeypatch.chdir(folder)
        capsys.readouterr()
        exec(compile(code, "README.md", "exec"), {})
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("kind", ["lora", "bottleneck", "prompt"])
def test_an_adapters_folder_holds_all_it_needs_and_its_card_loads_it(
    kind: str, base: Path, weights: Path, tmp_path: Path, runs: Callable[[Path], str]
) -> None:
    made = _whole(tiny.worn(base, tmp_path / "adapter", kind), base)
    *_, row = export(_source(made, base), "adapter", tmp_path / "out", weights)
    assert set(row["files"]) >= {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja", "tokenizer.json",
    }  # fmt: skip
    assert row["bytes"] == sum(file.stat().st_size for file in (tmp_path / "out").iterdir())
    assert runs(tmp_path / "out").strip()


def test_a_card_tells_what_it_is_made_of_and_what_was_measured(base: Path, adapter: Path) -> None:
    told = card(_source(adapter, base), Exported("adapter"))
    front, _, rest = told.removeprefix("---\n").partition("\n---\n")
    assert "library_name: peft" in front
    assert "license: unknown" in front
    for text in ("marv-v2-3f9a1c2b", "3f9a1c2b" * 8, "3.428 | 2.74", "+0.250 (+0.180 to +0.320), n = 8", "it forgot"):
        assert text in rest
    ours = card(replace(_source(adapter, base), base="local:smollm2-135m"), Exported("gguf", "q8_0", "m.gguf"))
    assert "license: apache-2.0" in ours
    assert "base_model_relation: quantized" in ours
    assert "Q4_1" in ours


def test_what_is_there_is_not_written_over_and_what_is_stopped_is_gone(
    base: Path, adapter: Path, weights: Path, tmp_path: Path
) -> None:
    source = _source(adapter, base)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    with pytest.raises(ForPerson, match="there already"):
        list(export(source, "adapter", taken, weights))
    stop = threading.Event()
    rows = export(source, "adapter", tmp_path / "out", weights, stop=stop)
    next(rows)
    stop.set()
    assert list(rows) == []
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]
    with pytest.raises(ForOperator, match="no room"):
        room(tmp_path / "out", 2**60)
    with pytest.raises(ForPerson, match="f16 or q8_0"):
        list(export(source, "gguf", tmp_path / "out", weights, precision="q2"))
    with pytest.raises(ForPerson, match="whole model"):
        list(export(_source(base, base, whole=True), "adapter", tmp_path / "out", weights))


def test_a_folder_is_written_by_one_at_a_time_and_leftovers_go(tmp_path: Path) -> None:
    left = tmp_path / ".out.part"
    left.mkdir()
    (left / "half").write_text("of a killed one")
    with staged(tmp_path / "out") as stage:
        assert not (stage / "half").exists()
        with pytest.raises(TryAgain, match="already"), staged(tmp_path / "out"):
            pass
        (stage / "whole").write_text("whole")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["whole"]
    with pytest.raises(ZeroDivisionError), staged(tmp_path / "other"):
        raise ZeroDivisionError
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


# ── for real ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_default_models_gguf_answers_in_openvino_as_the_merged_model_does(
    weights: Path, tmp_path: Path, runs: Callable[[Path], str]
) -> None:
    """By way of the child process, as people do it: merged, written as one file, read by another runtime."""
    from transformers import AutoTokenizer

    found = bases.find("local:smollm2-135m", weights)
    made = tiny.worn(found.folder, tmp_path / "adapter", "lora", loud=0.012, named=found.known_as, r=2)
    shutil.copyfile(found.folder / "tokenizer_config.json", made / "tokenizer_config.json")
    found.counter.save(made / "tokenizer.json")  # type: ignore[attr-defined]
    (made / "chat_template.jinja").write_text(found.template)
    source = Source("Marv", made, False, found.name, MARV, FACTS)
    *steps, row = export(source, "merged", tmp_path / "merged", weights)
    assert {step["what"] for step in steps} == {"merge", "copy"}
    whole = replace(source, place=tmp_path / "merged", whole=True)
    *_, row = export(whole, "gguf", tmp_path / "gguf", weights)
    assert row["files"] == ["Modelfile", "README.md", "marv-f16.gguf"]
    assert f'SYSTEM """{MARV}"""' in (tmp_path / "gguf" / "Modelfile").read_text()
    said = runs(tmp_path / "gguf").strip()
    model, tokenizer = _loaded(tmp_path / "merged"), AutoTokenizer.from_pretrained(str(tmp_path / "merged"))
    talk = [{"role": "user", "content": "Hello! Who are you?"}]
    asked = tokenizer.apply_chat_template(talk, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    told = model.generate(**asked, max_new_tokens=60, do_sample=False)[0, asked["input_ids"].shape[1] :]
    assert said == tokenizer.decode(told, skip_special_tokens=True).strip()
    assert len(said) > 10
