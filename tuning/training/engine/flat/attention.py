"""Attention that ends at the borders of rows, in a form that is compiled once.

On a GPU by the variable-length kernel that torch has (FlashAttention; Dao 2023): bounds in, no mask, nothing computed
between rows. Elsewhere by torch's own attention with a mask of the whole sheet: right, and slow for long ones.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch.nn import functional
from torch.nn.attention import varlen
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from tuning.training.engine.flat.sheets import Sheet

NAME = "afina_flat"  # transformers makes no mask for it: one row at a time needs none
_CAN = inspect.signature(varlen.varlen_attn).parameters  # has grown from release to release
_CAUSAL: dict[str, Any] = {"window_size": (-1, 0)} if "window_size" in _CAN else {"is_causal": True}
_SHARED: dict[str, Any] = {"enable_gqa": True} if "enable_gqa" in _CAN else {}
_LARGEST_HEAD = 256  # of the kernel


def has_kernel(device: str, compute: Any, head: int) -> bool:
    """Whether the GPU's variable-length kernel takes such numbers."""
    if device != "cuda" or compute not in (torch.bfloat16, torch.float16) or head > _LARGEST_HEAD:
        return False
    return bool(torch.cuda.get_device_capability() >= (8, 0))


def borders(one: Sheet, longest: int, kernel: bool) -> dict[str, Any]:
    """What the model is told, beside ids and positions."""
    if kernel:
        return {"cu_seq_lens_q": one.bounds, "max_length_q": longest}
    tokens = one.positions.shape[1]
    row = torch.searchsorted(
        one.bounds[1:], torch.arange(tokens, device=one.bounds.device, dtype=torch.int32), right=True
    )
    same = row[:, None] == row[None]
    return {"attention_mask": same.tril_()[None, None]}


def _attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: Any = None, dropout: float = 0.0,
    cu_seq_lens_q: Any = None, max_length_q: int = 0, **more: Any,
) -> tuple[Any, None]:  # fmt: skip
    """(1, heads, tokens, size) each → (1, tokens, heads, size)."""
    if cu_seq_lens_q is None:
        causal = attention_mask is None and query.shape[2] > 1  # one row: an answer that is being written
        out = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, is_causal=causal, scale=scaling,
            enable_gqa=query.shape[1] != key.shape[1],
        )  # fmt: skip
        return out.transpose(1, 2), None
    if "scale" not in _CAN and scaling is not None:
        query = query * (scaling * query.shape[3] ** 0.5)
    if not _SHARED and query.shape[1] != key.shape[1]:
        key, value = (one.repeat_interleave(query.shape[1] // key.shape[1], 1) for one in (key, value))
    three = (one[0].transpose(0, 1) for one in (query, key, value))  # (tokens, heads, size)
    bounds = (cu_seq_lens_q, cu_seq_lens_q, max_length_q, max_length_q)
    scale = {"scale": scaling} if "scale" in _CAN else {}
    return varlen.varlen_attn(*three, *bounds, **_CAUSAL, **_SHARED, **scale)[None], None


ALL_ATTENTION_FUNCTIONS.register(NAME, _attend)
