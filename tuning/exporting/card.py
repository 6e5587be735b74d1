"""In: a source, what was exported. Out: README.md: a model card with YAML front matter, in English as cards are. Pure.

What is not known is not said; numbers carry their intervals where an evaluation gave them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.models.local.hf import DEFAULT_MODEL
from assistant.models.local.loading import DEFAULT
from tuning.exporting.source import Source

LICENCES = {DEFAULT: "apache-2.0"}  # of bases that are known here
_LIBRARY = {"adapter": "peft", "merged": "transformers", "gguf": "gguf"}
_RELATION = {"adapter": "adapter", "merged": "finetune", "gguf": "quantized"}
_DOUBTS = {
    "loss": "its loss on rows it has not seen did not fall",
    "answers": "its answers to unseen questions got worse",
    "forgot": "it forgot what it knew before",
}


@dataclass(frozen=True, slots=True)
class Exported:
    kind: str  # "adapter" | "merged" | "gguf"
    type: str = ""  # of a GGUF: "f16" | "q8_0"
    file: str = ""  # of a GGUF
    own: bool = False  # an adapter that PEFT does not know


def licence(base: str) -> str:
    """ "" where it is not known here."""
    return LICENCES.get(base, "")


def card(source: Source, made: Exported) -> str:
    parts = [
        _front(source, made),
        f"# {source.name}",
        _what(source, made),
        f"## How to load it\n\n{load(source, made)}",
        _learned(source.facts),
        _measured(source.facts),
        _limits(source, made),
        _terms(source),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def named(base: str) -> str:
    """As transformers knows a base: a repository, or a folder."""
    return DEFAULT_MODEL if base == DEFAULT else base.removeprefix("hf:")


def load(source: Source, made: Exported) -> str:
    """Markdown with code that runs in the folder."""
    if made.kind == "gguf":
        return _gguf(source, made)
    talk = [("system", source.system)] if source.system else []
    messages = json.dumps(
        [{"role": role, "content": text} for role, text in (*talk, ("user", "Hello! Who are you?"))], ensure_ascii=False
    )
    base = json.dumps(named(source.base))
    put = {
        "merged": "model = AutoModelForCausalLM.from_pretrained(folder)",
        "adapter": f"model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained({base}), folder)",
    }[made.kind]
    more = "from peft import PeftModel\n" if made.kind == "adapter" else ""
    about = ""
    if made.own:  # not PEFT's
        put = f"model = AutoModelForCausalLM.from_pretrained({base})\nwear(model, Path(folder))"
        more = "from pathlib import Path\n\nfrom assistant.models.local.adapters.bottleneck import wear\n"
        about = "PEFT does not know this kind of adapter: the code stands in afina, where this was trained.\n\n"
    return f"""{about}```python
{more}from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # this one
tokenizer = AutoTokenizer.from_pretrained(folder)
{put}
messages = {messages}
asked = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
told = model.generate(**asked, max_new_tokens=60, do_sample=False)
print(tokenizer.decode(told[0, asked["input_ids"].shape[1] :], skip_special_tokens=True))
```"""


def _gguf(source: Source, made: Exported) -> str:
    full = ', INFERENCE_PRECISION_HINT="f32"' if made.type == "f16" else ""
    why = "  # OpenVINO 2026.4 answers wrongly in bf16 over weights of 16 bits" if full else ""
    return f"""With Ollama, in this folder: `ollama create {source.slug} -f Modelfile`, then `ollama run {source.slug}`.
With llama.cpp: `llama-cli -m {made.file}`. With OpenVINO GenAI:

```python
import openvino_genai

pipeline = openvino_genai.LLMPipeline("{made.file}", "CPU", ATTENTION_BACKEND="SDPA"{full}){why}
print(pipeline.generate("Hello! Who are you?", max_new_tokens=60))
```"""


def _front(source: Source, made: Exported) -> str:
    base = named(source.base)
    tags = ["afina", str(source.facts.get("method", ""))]
    lines = [
        "---",
        *([f"base_model: {json.dumps(base)}", f"base_model_relation: {_RELATION[made.kind]}"] if _hub(base) else []),
        f"library_name: {_LIBRARY[made.kind]}",
        "pipeline_tag: text-generation",
        f"license: {licence(source.base) or 'unknown'}",
        f"tags: {json.dumps([tag for tag in tags if tag])}",
        "---",
    ]
    return "\n".join(lines)


def _what(source: Source, made: Exported) -> str:
    facts = source.facts
    how = {
        "adapter": f"An adapter ({source.kind}) for",
        "merged": "A whole model, made of",
        "gguf": f"A GGUF ({made.type}) of a model made of",
    }[made.kind]
    alone = source.whole and Path(named(source.base)) == source.place  # what it was made of is not known
    told = f"{how.partition(' made of')[0].rstrip(',')}." if alone else f"{how} `{named(source.base)}`."
    if facts.get("dataset"):
        told += f" It learned from the dataset version `{facts['dataset']}`."
    elif facts.get("source"):
        told += f" It was imported from a folder called `{facts['source']}`; how it was trained is not known here."
    told += f" Written {datetime.now(UTC):%Y-%m-%d}."
    if doubts := [_DOUBTS[one] for one in facts.get("although", ()) if one in _DOUBTS]:
        told += f"\n\n**Note:** {', and '.join(doubts)}."
    return told


def _learned(facts: Mapping[str, Any]) -> str:
    if not facts.get("dataset"):
        return ""
    rows = facts.get("rows", {})
    listed = [
        ("dataset", f"`{facts['dataset']}`"),
        ("fingerprint (SHA-256)", f"`{facts.get('fingerprint', '')}`"),
        ("rows", f"{rows.get('train', 0)} to learn from, {rows.get('validation', 0)} held out"),
        ("recipe", f"`{facts.get('recipe') or facts.get('method')}`"),
        ("best step", facts.get("steps", "")),
        ("tokens learned from", f"{facts.get('tokens', 0):,}"),
        ("time", f"{facts.get('seconds', 0):g} s"),
        ("trained", facts.get("trained_at", "")),
    ]
    settings = json.dumps(facts.get("settings", {}), indent=1, ensure_ascii=False)
    told = "\n".join(f"| {name} | {value} |" for name, value in listed if value not in ("", "``", None))
    return f"""## How it was made

| | |
|---|---|
{told}

<details><summary>Settings</summary>

```json
{settings}
```

</details>"""


def _measured(facts: Mapping[str, Any]) -> str:
    measured, held = facts.get("measured", {}), facts.get("evaluation", {})
    rows = []
    if "loss_after" in measured:
        rows.append(f"| loss on rows held out | {measured['loss_before']:.4g} | {measured['loss_after']:.4g} | |")
    for name, told in held.items():
        change = told["change"]
        within = (
            f"{_signed(change['value'])} ({_signed(change['low'])} to {_signed(change['high'])}), n = {change['n']}"
        )
        shown = within if change["n"] else "nothing to compare"
        rows.append(f"| {name} | {_number(told['before']['value'])} | {_number(told['after']['value'])} | {shown} |")
    if not rows:
        return "## What was measured\n\nNothing, on rows it has not seen." if facts.get("dataset") else ""
    table = "\n".join(rows)
    return f"""## What was measured

| | base | tuned | change (95 % interval) |
|---|---|---|---|
{table}

`unseen`: rows it did not learn from; `trained`: rows it did; `general`: questions that have nothing to do with them."""


def _limits(source: Source, made: Exported) -> str:
    told = [
        "It says what its examples taught it to say, facts included that are not true; check what matters.",
        "It was tuned with its chat template and with a system message; without them it answers otherwise.",
    ]
    if source.base == DEFAULT:
        told.append(
            f"Its base was read from a GGUF of {DEFAULT_MODEL} in four bits (Q4_1): the official weights differ a "
            "little, and so do answers over them."
        )
    if made.type == "q8_0":
        told.append("Its weights are rounded to eight bits: now and then another token is the likeliest.")
    return "## Limits\n\n" + "\n".join(f"- {one}" for one in told)


def _terms(source: Source) -> str:
    known = licence(source.base)
    base = f"The base is under {known}" if known else "The base's own licence applies; it is not known here"
    return f"## Licence\n\n{base}. What it learned from has terms of its own: see the dataset's card."


def _hub(base: str) -> bool:
    return not Path(base).is_absolute() and base.count("/") == 1


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.3f}"


def _signed(value: Any) -> str:
    return "–" if value is None else f"{value:+.3f}"
