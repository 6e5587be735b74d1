"""In: config.json. Out: what a GGUF says of such a model and calls its tensors (the GGUF specification, llama.cpp).

Llama and Mistral: rows of queries and keys lie by halves in transformers and by pairs in llama.cpp, so they change
places. Qwen 2 and 3 lie alike in both. Other families, and positions that are scaled, are not written here: llama.cpp's
own converter reads the merged folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuning.errors import ForPerson
from tuning.exporting.engine.tensors import Floats

FAMILIES = {"llama": "LLAMA", "mistral": "LLAMA", "qwen2": "QWEN2", "qwen3": "QWEN3"}  # model_type → gguf's name


@dataclass(frozen=True, slots=True)
class Layers:
    family: str  # gguf.MODEL_ARCH
    layers: int
    heads: int
    key_heads: int
    head: int  # values of one head
    config: Mapping[str, Any]

    def placed(self, name: str, values: Floats) -> Floats:
        """As llama.cpp wants them to lie."""
        if self.family != "LLAMA" or not any(f".{part}_proj." in name for part in "qk"):
            return values
        heads = self.heads if ".q_proj." in name else self.key_heads
        halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
        return halves.swapaxes(1, 2).reshape(values.shape)

    def describe(self, writer: Any, context: int) -> None:
        """`writer`: gguf.GGUFWriter."""
        said = self.config
        writer.add_block_count(self.layers)
        writer.add_context_length(context)
        writer.add_embedding_length(said["hidden_size"])
        writer.add_feed_forward_length(said["intermediate_size"])
        writer.add_head_count(self.heads)
        writer.add_head_count_kv(self.key_heads)
        writer.add_layer_norm_rms_eps(said["rms_norm_eps"])
        writer.add_rope_freq_base(_theta(said))
        writer.add_rope_dimension_count(self.head)
        writer.add_vocab_size(said["vocab_size"])
        if self.head * self.heads != said["hidden_size"]:
            writer.add_key_length(self.head)
            writer.add_value_length(self.head)


def layers(config: Mapping[str, Any]) -> Layers:
    """ForPerson of a model that is not written here."""
    kind = str(config.get("model_type", ""))
    if kind not in FAMILIES:
        raise _not_written(f"models of the kind {kind!r} are", f"los modelos del tipo {kind!r}")
    scaled = _rope(config).get("rope_type", _rope(config).get("type", "default"))
    if scaled != "default":
        raise _not_written(f"positions scaled by {scaled!r} are", f"las posiciones escaladas con {scaled!r}")
    if config.get("mlp_bias"):
        raise _not_written("biases in the feed-forward blocks are", "los sesgos en los bloques intermedios")
    heads = int(config["num_attention_heads"])
    return Layers(
        FAMILIES[kind],
        int(config["num_hidden_layers"]),
        heads,
        int(config.get("num_key_value_heads") or heads),
        int(config.get("head_dim") or config["hidden_size"] // heads),
        config,
    )


def _rope(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return config.get("rope_parameters") or config.get("rope_scaling") or {}


def _theta(config: Mapping[str, Any]) -> float:
    return float(_rope(config).get("rope_theta") or config.get("rope_theta") or 10_000.0)


def _not_written(what: str, spanish: str) -> ForPerson:
    return ForPerson(
        f"No GGUF is written of this model: {what} not known here. Export it as merged; llama.cpp's own converter "
        "reads that folder.",
        spanish=f"No se puede escribir un GGUF de este modelo: aquí no se conocen {spanish}. Expórtalo fusionado; el "
        "conversor de llama.cpp lee esa carpeta.",
    )
