"""Tiny language models, made on the fly: two layers of Llama or another family, a tokenizer of bytes and some marks.
Adapters of every kind, upon these or any other base."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
SPECIAL = ("<pad>", "<s>", "<end>")


def model(
    folder: Path, *, template: str | None = TEMPLATE, seed: int = 1, special: Sequence[str] = SPECIAL,
    family: str = "llama", **said: Any,
) -> Path:  # fmt: skip
    """`family`: a model type of transformers; `said`: settings of its own, sliding_window=8."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    words.add_special_tokens(list(special))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", bos_token="<s>", eos_token="<end>", chat_template=template
    )
    torch.manual_seed(seed)
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 512, "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "initializer_range": 0.5,
    }  # fmt: skip
    config = AutoConfig.for_model(family, **(sizes | said))
    AutoModelForCausalLM.from_config(config).to(torch.bfloat16).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def adapter(base: Path, folder: Path, *, named: str = "", seed: int = 1, loud: float = 0.5) -> Path:
    """A LoRA with random, large weights: it must be heard. `named`: what it says its base is."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    whole = AutoModelForCausalLM.from_pretrained(str(base))
    worn = get_peft_model(whole, LoraConfig(r=4, target_modules=["q_proj", "v_proj", "up_proj"], task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, weight in worn.named_parameters():
            if "lora_" in name:
                weight.normal_(0, loud)
    worn.save_pretrained(str(folder))
    settings = folder / "adapter_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"base_model_name_or_path": named or str(base)}))
    return folder


def worn(
    base: Path, folder: Path, kind: str, *, loud: float = 0.5, seed: int = 1, named: str = "", **said: Any
) -> Path:  # fmt: skip
    """`kind`: lora | ia3 | prompt | prefix | bottleneck, with random weights."""
    if kind == "bottleneck":
        return _bottleneck(base, folder, loud, seed, named)
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "lora": (peft.LoraConfig, {"r": 4, "target_modules": "all-linear"}),
        "ia3": (peft.IA3Config, {"target_modules": ["k_proj", "down_proj"], "feedforward_modules": ["down_proj"]}),
        "prompt": (peft.PromptTuningConfig, {"num_virtual_tokens": 5}),
        "prefix": (peft.PrefixTuningConfig, {"num_virtual_tokens": 5}),
    }
    made, more = kinds[kind]
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(str(base), dtype="auto")
    dressed = peft.get_peft_model(model, made(task_type="CAUSAL_LM", **(more | said)))
    with torch.no_grad():
        for weight in (one for one in dressed.parameters() if one.requires_grad):
            weight.normal_(float(kind == "ia3"), loud)
    dressed.peft_config["default"].base_model_name_or_path = named or str(base)
    dressed.save_pretrained(str(folder), save_embedding_layers=False)
    return folder


def _bottleneck(base: Path, folder: Path, loud: float, seed: int, named: str) -> Path:
    import torch
    from transformers import AutoModelForCausalLM

    from assistant.models.local.adapters import bottleneck

    torch.manual_seed(seed)
    put = bottleneck.put(AutoModelForCausalLM.from_pretrained(str(base), dtype="auto"), 8, ("o_proj", "down_proj"))
    weights = bottleneck.weights(put)
    with torch.no_grad():
        for weight in weights.values():
            weight.normal_(0, loud)
    said = bottleneck.Settings(base_model_name_or_path=named or str(base), size=8, after=("o_proj", "down_proj"))
    folder.mkdir(parents=True, exist_ok=True)
    bottleneck.write(folder, said, weights)
    return folder
