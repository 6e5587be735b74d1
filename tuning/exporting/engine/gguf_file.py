"""In: a model's folder (config.json, safetensors, tokenizer). Out: one GGUF, a tensor at a time; memory for one alone.

f16     matrices in 16 bits, vectors in 32; a value too large for 16 bits keeps its tensor at 32
q8_0    matrices in blocks of 32 values of 8 bits with one scale each
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np

from tuning.exporting.engine.layers import Layers, layers
from tuning.exporting.engine.tensors import Floats, Tensor, tensors
from tuning.exporting.engine.words import tokens

Type = Literal["f16", "q8_0"]
F32, F16, Q8_0 = gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16, gguf.GGMLQuantizationType.Q8_0
_FILE_TYPES = {"f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
BLOCK, BLOCK_BYTES = gguf.GGML_QUANT_SIZES[Q8_0]
LARGEST_F16 = 65_504.0


def write(folder: Path, file: Path, kind: Type, about: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Yields (tensors written, of how many). `about`: name, licence. ForPerson where no GGUF is written of its kind."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model, found = layers(config), dict(tensors(folder))
    if config.get("tie_word_embeddings"):
        found.pop("lm_head.weight", None)  # the embeddings are the head
    named = _named(model, found)
    writer: Any = gguf.GGUFWriter(str(file), gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH[model.family]])
    try:
        _describe(writer, model, folder, kind, about, int(next(iter(_embeddings(found))).shape[0]))
        kinds = {name: _kind(one, kind) for name, one in named.items()}
        for name, one in named.items():
            writer.add_tensor_info(name, one.shape, np.dtype(np.float32), _bytes(one, kinds[name]), kinds[name])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for done, (name, one) in enumerate(named.items(), 1):
            writer.write_tensor_data(_packed(model.placed(one.name, one.read()), kinds[name]))
            yield done, len(named)
    finally:
        writer.close()


def _describe(
    writer: Any, model: Layers, folder: Path, kind: Type, about: Mapping[str, str], vocabulary: int
) -> None:  # fmt: skip
    template = folder / "chat_template.jinja"
    writer.add_type("model")
    writer.add_name(about["name"])
    if about.get("licence"):
        writer.add_license(about["licence"])
    model.describe(writer, int(model.config.get("max_position_embeddings", 2048)))
    writer.add_file_type(_FILE_TYPES[kind])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    written = template.read_text(encoding="utf-8") if template.is_file() else ""
    tokens(folder, vocabulary).describe(writer, written)


def _named(model: Layers, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """GGUF's name → the tensor; what has no name there (a buffer) is left out where it can be made again."""
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[model.family], model.layers)
    named = {}
    for name, one in found.items():
        if name.endswith("rotary_emb.inv_freq"):
            continue
        told = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if told is None:
            raise ValueError(f"{name} has no name in a GGUF of {model.family}")
        named[told] = one
    return named


def _embeddings(found: Mapping[str, Tensor]) -> Iterator[Tensor]:
    return (one for name, one in found.items() if name.endswith("embed_tokens.weight"))


def _kind(one: Tensor, kind: Type) -> gguf.GGMLQuantizationType:
    if len(one.shape) < 2:
        return F32
    if kind == "q8_0" and one.shape[-1] % BLOCK == 0:
        return Q8_0
    return F32 if one.kind != "F16" and float(np.abs(one.read()).max()) > LARGEST_F16 else F16


def _bytes(one: Tensor, kind: gguf.GGMLQuantizationType) -> int:
    many = int(np.prod(one.shape, dtype=np.int64))
    return many // BLOCK * BLOCK_BYTES if kind == Q8_0 else many * (2 if kind == F16 else 4)


def _packed(values: Floats, kind: gguf.GGMLQuantizationType) -> Any:
    if kind == Q8_0:
        return gguf.quants.quantize(values, Q8_0)
    return np.ascontiguousarray(values, np.float16 if kind == F16 else np.float32)
