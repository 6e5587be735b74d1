"""The head and the cross-entropy together: the logits of a whole sheet never exist.

For some thousand learned places at a time, logits are made, their loss, and at once what flows back of it: the softmax
less the right word, times the head. So nothing is made twice, and kept are only (tokens, hidden) numbers. Places where
nothing is learned are not looked at. (After the Liger kernels, Hsu et al. 2024.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Chunk = Callable[[Any, Any, Any], tuple[Any, Any, Any]]


def chunk(read: Any, head: Any, right: Any) -> tuple[Any, Any, Any]:
    """(places, hidden), (words, hidden), (places,) → (the sum of their losses, float32; what flows to `read`; shares).

    `right` below 0: a place that is none.
    """
    logits = read @ head.t()
    wide = logits.float()
    log_sum = wide.logsumexp(1)
    real = right >= 0
    picked = wide.gather(1, right.clamp(min=0)[:, None])[:, 0]
    total = torch.where(real, log_sum - picked, 0.0).sum()
    words = torch.arange(head.shape[0], device=right.device)
    shares = torch.exp(wide - log_sum[:, None]) - (words[None] == right[:, None]).float()
    shares = (shares * real[:, None]).to(logits.dtype)
    return total, shares @ head, shares


class _Fused(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, hidden: Any, head: Any, places: Any, right: Any, size: int, one: Chunk) -> Any:
        narrow = head.to(hidden.dtype)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        back, learns = context.needs_input_grad[:2]
        flow = torch.zeros_like(hidden) if back else None
        d_head = torch.zeros(head.shape, dtype=torch.float32, device=head.device) if learns else None
        for at in range(0, len(places), size):
            where, wanted = places[at : at + size], right[at : at + size]
            read = hidden.index_select(0, where)
            loss, part, shares = one(read, narrow, wanted)
            total += loss
            if flow is not None:
                flow.index_add_(0, where, part)  # a place that is none adds nothing to the first token
            if d_head is not None:
                d_head += (shares.t() @ read).float()
        context.save_for_backward(*(made for made in (flow, d_head) if made is not None))
        context.kind, context.read = head.dtype, hidden.dtype
        return total

    @staticmethod
    def backward(context: Any, *flows: Any) -> Any:
        made, given = list(context.saved_tensors), flows[0]
        back, learns = context.needs_input_grad[:2]
        d_hidden = (made.pop(0).float() * given).to(context.read) if back else None
        d_head = (made.pop(0) * given).to(context.kind) if learns else None
        return d_hidden, d_head, None, None, None, None


def fused(hidden: Any, head: Any, places: Any, right: Any, size: int, one: Chunk = chunk) -> Any:
    """(tokens, hidden), (words, hidden) → the sum of the losses at `places`, float32, to be learned from once."""
    return _Fused.apply(hidden, head, places, right, size, one)
