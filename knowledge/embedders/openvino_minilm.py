"""In: all-MiniLM-L6-v2 as its authors publish it (safetensors, tokenizer.json). Out: an Embedder run by OpenVINO.

The graph (six BERT layers, mean over the tokens, unit length) is written here op by op and filled from the
safetensors, so nothing is converted or cached on disk and torch is never imported. Building takes 0.3 s and compiling
0.4 s.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.openvino_silenced import silence
from knowledge.values import FloatMatrix

BATCH_TOKENS = 2048  # padding counted; bounds the memory of one batch and keeps both cores busy
BATCH_ROWS = 64


class OpenVinoMiniLM:
    def __init__(self, name: str, folder: Path) -> None:
        silence()
        import openvino
        from tokenizers import Tokenizer

        self.name = name
        self.max_tokens = int(json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"])
        self._whole = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._whole.no_padding()
        self._whole.no_truncation()
        self._cut = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._cut.no_padding()
        self._cut.enable_truncation(self.max_tokens)
        core = openvino.Core()
        model, self.dimensions = _bert(folder)
        self._compiled = core.compile_model(model, "CPU", _settings(core))
        self._here = threading.local()  # one infer request per thread for a question or two
        self._many: Any = openvino.AsyncInferQueue(self._compiled, 0)  # as many as there are streams
        self._many_lock = threading.Lock()

    def tokens(self, text: str) -> list[tuple[int, int]]:
        return list(self._whole.encode(text, add_special_tokens=False).offsets)

    def embed(self, texts: Sequence[str]) -> FloatMatrix:
        ids = [encoding.ids for encoding in self._cut.encode_batch_fast(list(texts))]
        vectors = np.empty((len(ids), self.dimensions), np.float32)
        batches = list(_batches(ids))
        if len(batches) == 1:  # a question does not queue behind a whole document
            vectors[batches[0]] = self._one(*_padded(ids, batches[0]))
        elif batches:
            self._all(ids, batches, vectors)
        return vectors

    def _one(self, ids: NDArray[np.int32], mask: FloatMatrix) -> FloatMatrix:
        if not hasattr(self._here, "request"):
            self._here.request = self._compiled.create_infer_request()
        self._here.request.infer({0: ids, 1: mask})
        return np.array(self._here.request.get_output_tensor(0).data)

    def _all(self, ids: list[list[int]], batches: list[list[int]], vectors: FloatMatrix) -> None:
        def keep(request: Any, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        with self._many_lock:
            self._many.set_callback(keep)
            for rows in batches:
                self._many.start_async(dict(enumerate(_padded(ids, rows))), rows)
            self._many.wait_all()


def _batches(ids: list[list[int]]) -> Iterator[list[int]]:
    """Row numbers, texts of like length together: little padding, bounded memory. Longest first, so that the last
    batches, where one core may idle, are the short ones."""
    rows: list[int] = []
    for row in sorted(range(len(ids)), key=lambda row: -len(ids[row])):
        if rows and ((len(rows) + 1) * len(ids[rows[0]]) > BATCH_TOKENS or len(rows) == BATCH_ROWS):
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _padded(ids: list[list[int]], rows: list[int]) -> tuple[NDArray[np.int32], FloatMatrix]:
    width = max(len(ids[row]) for row in rows)
    tokens = np.zeros((len(rows), width), np.int32)
    mask = np.zeros((len(rows), width), np.float32)
    for place, row in enumerate(rows):
        tokens[place, : len(ids[row])] = ids[row]
        mask[place, : len(ids[row])] = 1.0
    return tokens, mask


def _settings(core: Any) -> dict[str, Any]:
    """One stream per core; bf16 where the processor computes it (cosine to fp32 0.99997, twice as quick)."""
    bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32"}


def _bert(folder: Path) -> tuple[Any, int]:
    """(ids, mask) of (rows, width) → (rows, 384) of unit length, and 384.

    BERT as in Devlin et al. 2018: embeddings, then per layer attention and feed-forward, each added and normalised."""
    import openvino
    from openvino import opset13 as op
    from safetensors import safe_open

    config = json.loads((folder / "config.json").read_text())
    width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    with safe_open(folder / "model.safetensors", "numpy") as file:

        def weight(name: str) -> Any:
            return op.constant(file.get_tensor(name))

        def whole(*numbers: int) -> Any:
            return op.constant(np.array(numbers, np.int64))

        def linear(x: Any, name: str) -> Any:
            return op.add(op.matmul(x, weight(name + ".weight"), False, True), weight(name + ".bias"))

        def norm(x: Any, name: str) -> Any:
            x = op.mvn(x, whole(-1), True, config["layer_norm_eps"], "inside_sqrt")
            return op.add(op.multiply(x, weight(name + ".weight")), weight(name + ".bias"))

        def split(x: Any) -> Any:  # (rows, width, 384) → (rows, heads, width, 32)
            x = op.reshape(x, whole(0, 0, heads, width // heads), True)
            return op.transpose(x, whole(0, 2, 1, 3))

        ids = op.parameter([-1, -1], np.int32, name="ids")
        mask = op.parameter([-1, -1], np.float32, name="mask")
        places = file.get_tensor("embeddings.position_embeddings.weight")
        places = op.constant(places + file.get_tensor("embeddings.token_type_embeddings.weight")[0])
        length = op.gather(op.shape_of(ids), whole(1), whole(0))
        places = op.unsqueeze(op.slice(places, whole(0), length, whole(1), whole(0)), whole(0))
        words = op.gather(weight("embeddings.word_embeddings.weight"), ids, op.constant(np.int64(0)))
        x = norm(op.add(words, places), "embeddings.LayerNorm")
        hide = op.multiply(op.subtract(mask, op.constant(np.float32(1))), op.constant(np.float32(1e4)))
        hide = op.unsqueeze(hide, whole(1, 2))  # 0 for tokens, -10,000 for padding
        for layer in range(int(config["num_hidden_layers"])):
            at = f"encoder.layer.{layer}."
            query, key, value = (split(linear(x, f"{at}attention.self.{n}")) for n in ("query", "key", "value"))
            seen = op.transpose(op.scaled_dot_product_attention(query, key, value, hide), whole(0, 2, 1, 3))
            seen = linear(op.reshape(seen, whole(0, 0, width), True), at + "attention.output.dense")
            x = norm(op.add(x, seen), at + "attention.output.LayerNorm")
            thought = linear(op.gelu(linear(x, at + "intermediate.dense"), "erf"), at + "output.dense")
            x = norm(op.add(x, thought), at + "output.LayerNorm")
        kept = op.unsqueeze(mask, whole(2))
        mean = op.divide(op.reduce_sum(op.multiply(x, kept), whole(1)), op.reduce_sum(kept, whole(1)))
        unit = op.normalize_l2(mean, whole(1), 1e-12, "max")
        return openvino.Model([unit], [ids, mask], "all-minilm-l6-v2"), width
