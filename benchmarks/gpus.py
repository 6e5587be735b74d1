"""What a step must compute, and what a chip could: for the share of its rate that is reached.

Operations are those of learning itself, counted from the model's sizes; what is done twice (recomputed activations) or
for padding counts for nothing. With the base frozen: each weight of a linear layer once forward, once back to what it
read; LoRA's matrices a third time for themselves; attention over the row's own past, forward once and back twice; the
head at learned places alone, forward and back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Dense bf16, 10¹² operations a second, as the makers' data sheets have them (without sparsity). The longest name wins.
PEAKS = {
    "NVIDIA H200": 989.4,
    "NVIDIA H100": 989.4,
    "NVIDIA H100 PCIe": 756.0,
    "NVIDIA A100": 312.0,
    "NVIDIA L40S": 362.0,
    "NVIDIA L4": 121.0,
    "NVIDIA GeForce RTX 4090": 165.2,
}


def peak(name: str) -> float | None:
    """Operations a second; None of a chip that is not in the table."""
    known = [one for one in PEAKS if name == one or name.startswith((f"{one} ", f"{one}-"))]
    return PEAKS[max(known, key=len)] * 1e12 if known else None


def operations(config: Any, rank: int, rows: Iterable[tuple[int, int]]) -> float:
    """Of learning once from rows (tokens, learned tokens), LoRA of this rank on all linear layers."""
    wide, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    size = getattr(config, "head_dim", None) or wide // config.num_attention_heads
    query, key = config.num_attention_heads * size, config.num_key_value_heads * size
    shapes = [(wide, query), (wide, key), (wide, key), (query, wide), (wide, inner), (wide, inner), (inner, wide)]
    frozen = 4 * sum(a * b for a, b in shapes)
    narrow = 6 * rank * sum(a + b for a, b in shapes)
    total = 0.0
    for tokens, learned in rows:
        total += tokens * layers * (frozen + narrow) + layers * 6 * tokens**2 * query
        total += learned * 4 * wide * config.vocab_size
    return total
