"""The GPU's variable-length attention answered on a processor, row by row, written out: forward and what flows back.

What it is called with is checked as the kernel would have it: so the calls that only a GPU answers are run in tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any


def register() -> list[int]:
    """Out: filled with the number of rows of each call."""
    import torch
    from torch.nn.attention import varlen

    calls = list[int]()

    def forward(query: Any, key: Any, value: Any, bounds: Any, other: Any, longest: int, *more: Any) -> Any:
        assert bounds.dtype == other.dtype == torch.int32
        assert (int(bounds[0]), int(bounds[-1])) == (0, len(query))
        assert 0 <= int(bounds.diff().min()) <= int(bounds.diff().max()) <= longest
        assert more[1] is True  # causal
        calls.append(len(bounds) - 1)
        out = torch.empty_like(query)
        for at, end, _, _, value_, shares in _rows(query, key, value, bounds, more[2]):
            out[at:end] = (shares @ value_).transpose(0, 1)
        return out, torch.empty(query.shape[1], len(query)), torch.zeros(2, dtype=torch.uint64)

    def backward(flow: Any, query: Any, key: Any, value: Any, _: Any, __: Any, bounds: Any, *more: Any) -> Any:
        scale = more[5]
        found = [torch.zeros_like(one) for one in (query, key, value)]
        for at, end, query_, key_, value_, shares in _rows(query, key, value, bounds, scale):
            down = flow[at:end].transpose(0, 1)
            back = down @ value_.transpose(1, 2)
            back = shares * (back - (back * shares).sum(-1, keepdim=True)) * scale
            parts = (back @ key_, back.transpose(1, 2) @ query_, shares.transpose(1, 2) @ down)
            for whole, part in zip(found, parts, strict=True):
                whole[at:end] = part.view(whole.shape[1], -1, *part.shape[1:]).sum(1).transpose(0, 1)
        return tuple(found)

    varlen._varlen_attn.register_kernel("cpu")(forward)
    varlen._varlen_attn_backward.register_kernel("cpu")(backward)
    return calls


def _rows(query: Any, key: Any, value: Any, bounds: Any, scale: float) -> Iterator[tuple[Any, ...]]:
    """(from, to, query, key, value, shares): of each row, heads first, shared keys repeated."""
    import torch

    shared = query.shape[1] // key.shape[1]
    for at, end in pairwise(bounds.tolist()):
        if at < end:
            one = query[at:end].transpose(0, 1)
            others = [each[at:end].transpose(0, 1).repeat_interleave(shared, 0) for each in (key, value)]
            scores = one @ others[0].transpose(1, 2) * scale
            hidden = torch.ones(end - at, end - at, dtype=torch.bool).triu(1)
            yield at, end, one, *others, torch.softmax(scores.masked_fill(hidden, float("-inf")), -1)
