"""Attention within each row of a pack, and to what the rows share: rows never see each other.

    with reading(layout): model(input_ids=…, position_ids=…)      (1, tokens)

Neighbours of like length are attended to in one call, padded to the longest: the padding stands behind what is real, so
a causal mask hides it, and its results are thrown away. Outside of `reading`, transformers' own way is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch.nn import functional
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

NAME = "afina_packed"
# Tokens up to which attention is written out on a CPU. torch 2.13's own takes up to ten times as long backwards in bf16
# (5 rows of 39 tokens: 8.3 ms against 0.8; 3 of 330: 40 against 14); beyond, what is kept of it fills the memory.
_WRITTEN_OUT = {torch.bfloat16: 512, torch.float16: 512, torch.float32: 256}
_reading: list[Layout] = []


@dataclass(frozen=True, slots=True)
class Group:
    rows: int
    longest: int
    mask: Any  # (longest, prefix + longest) bool; None: causal, nothing is shared


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tokens of a pack stand once rows are padded to their group's longest."""

    prefix: int
    groups: tuple[Group, ...]
    spread: Any  # (padded,) for each padded place, the token; of padding, a row's last
    back: Any  # (tokens - prefix,) for each token after the prefix, its padded place
    alone: bool  # one row, nothing shared: nothing to spread


def layout(lengths: Sequence[int], groups: Sequence[tuple[int, int]], prefix: int, device: str) -> Layout:
    """`lengths`: of the rows, without the prefix. `groups`: (rows, longest)."""
    spread, back, at, row, made = list[int](), list[int](), 0, 0, list[Group]()
    for many, longest in groups:
        for length in lengths[row : row + many]:
            back += range(len(spread), len(spread) + length)
            spread += [at + min(place, length - 1) for place in range(longest)]
            at += length
        row += many
        made.append(Group(many, longest, _mask(prefix, longest, device) if prefix else None))
    index = {"dtype": torch.long, "device": device}
    alone = len(lengths) == 1 and not prefix
    return Layout(prefix, tuple(made), torch.tensor(spread, **index), torch.tensor(back, **index), alone)


def _mask(prefix: int, longest: int, device: str) -> Any:
    own = torch.ones(longest, longest, dtype=torch.bool, device=device).tril_()
    return torch.cat([torch.ones(longest, prefix, dtype=torch.bool, device=device), own], 1)


@contextmanager
def reading(pack: Layout) -> Iterator[None]:
    _reading.append(pack)
    try:
        yield
    finally:
        _reading.pop()


def _attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: Any = None, dropout: float = 0.0,
    **more: Any,
) -> tuple[Any, None]:  # fmt: skip
    """(1, heads, tokens, size) each → (1, tokens, heads, size)."""
    if not _reading:
        attended: tuple[Any, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **more
        )
        return attended
    pack = _reading[-1]
    if pack.alone:
        return _once(query, key, value, None, scaling, True).transpose(1, 2).contiguous(), None
    parts = [one[0].transpose(0, 1) for one in (query, key, value)]  # (tokens, heads, size)
    shared, own = zip(*(one.split([pack.prefix, one.shape[0] - pack.prefix]) for one in parts), strict=True)
    padded = [_Spread.apply(one, pack.spread, pack.back) for one in own]
    sizes = [group.rows * group.longest for group in pack.groups]
    out = [
        _group(group, three, shared, scaling)
        for group, three in zip(pack.groups, zip(*(one.split(sizes) for one in padded), strict=True), strict=True)
    ]
    found = [_Gather.apply(torch.cat(out), pack.back)]
    if pack.prefix:
        query, key, value = (one.transpose(0, 1)[None] for one in shared)
        found.insert(0, _once(query, key, value, None, scaling, True)[0].transpose(0, 1))
    return torch.cat(found)[None], None


def _group(group: Group, three: Sequence[Any], shared: Sequence[Any], scaling: Any) -> Any:
    """(rows × longest, heads, size) each → the same."""
    shape = (group.rows, group.longest)
    query, key, value = (one.view(*shape, *one.shape[1:]).transpose(1, 2) for one in three)
    if group.mask is None:
        out = _once(query, key, value, None, scaling, True)
    else:
        before = [one.transpose(0, 1)[None].expand(group.rows, -1, -1, -1) for one in shared[1:]]
        key, value = (torch.cat([old, new], 2) for old, new in zip(before, (key, value), strict=True))
        out = _once(query, key, value, group.mask, scaling, False)
    return out.transpose(1, 2).flatten(0, 1)


def _once(query: Any, key: Any, value: Any, mask: Any, scaling: Any, causal: bool) -> Any:
    if query.device.type == "cpu" and query.shape[2] <= _WRITTEN_OUT[query.dtype]:
        return _written_out(query, key, value, scaling)
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=causal, scale=scaling, enable_gqa=query.shape[1] != key.shape[1]
    )


def _written_out(query: Any, key: Any, value: Any, scaling: Any) -> Any:
    """Attention as it is written in the paper. Heads that share keys are read as one, longer query."""
    rows, heads, longest, size = query.shape
    groups, seen = key.shape[1], key.shape[2]
    wide = (query * (scaling or size**-0.5)).reshape(rows, groups, -1, size)
    scores = (wide @ key.transpose(2, 3)).view(rows, groups, heads // groups, longest, seen)
    shares = torch.softmax(scores + _hidden(longest, seen, query.dtype), -1)
    return (shares.view(rows, groups, -1, seen) @ value).view(rows, heads, longest, value.shape[3])


@lru_cache(maxsize=64)
def _hidden(longest: int, seen: int, dtype: Any) -> Any:
    """(longest, seen) to be added: nothing where it may look, minus infinity where it may not."""
    return torch.full((longest, seen), float("-inf"), dtype=dtype).triu_(1 + seen - longest)


class _Spread(torch.autograd.Function):  # type: ignore[misc]
    """Tokens to padded places. What flows back to padding is nothing, so a gather is enough (no adding up)."""

    @staticmethod
    def forward(context: Any, tokens: Any, spread: Any, back: Any) -> Any:
        context.save_for_backward(back)
        return tokens.index_select(0, spread)

    @staticmethod
    def backward(context: Any, *flows: Any) -> Any:
        (back,) = context.saved_tensors
        return flows[0].index_select(0, back), None, None


class _Gather(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, padded: Any, back: Any) -> Any:
        context.save_for_backward(back)
        context.many = padded.shape[0]
        return padded.index_select(0, back)

    @staticmethod
    def backward(context: Any, *flows: Any) -> Any:
        (back,) = context.saved_tensors
        made = flows[0].new_zeros((context.many, *flows[0].shape[1:]))
        return made.index_copy_(0, back, flows[0]), None


def _masked(*sizes: Any, **more: Any) -> Any:
    return None if _reading else sdpa_mask(*sizes, **more)


ALL_ATTENTION_FUNCTIONS.register(NAME, _attend)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, _masked)
