"""The two places where learning with a frozen base spends what it need not, done with the least of arithmetic.

LoRA      y = x·Wᵀ + (x·Aᵀ)·Bᵀ·s in the base's precision. PEFT turns x into float32 for A and B, and autograd keeps
          what is not needed; here x and x·Aᵀ are kept, A and B stay float32 where they are learned.
DoRA      the same, times each row's length over what it has become (Liu et al. 2024). That is found from W·Aᵀ and A·Aᵀ;
          PEFT makes the whole of B·A for it, twice.
the loss  cross-entropy from the logits at learned places; its gradient is made on the way, in their precision.
"""

from __future__ import annotations

import types
from typing import Any

import torch

CHUNK = 256  # rows of logits that are float32 at once


class _Lora(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, x: Any, weight: Any, bias: Any, down: Any, up: Any, scale: float) -> Any:
        flat = x.reshape(-1, x.shape[-1])
        down, up = down.to(x.dtype), (up * scale).to(x.dtype)
        narrow = flat @ down.t()
        out = flat @ weight.t() if bias is None else torch.addmm(bias, flat, weight.t())
        out.addmm_(narrow, up.t())
        context.save_for_backward(flat, narrow, weight, down, up)
        context.scale, context.shape = scale, x.shape
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(context: Any, *flows: Any) -> Any:
        flat, narrow, weight, down, up = context.saved_tensors
        flow = flows[0].reshape(-1, flows[0].shape[-1])
        through = flow @ up
        d_up = (flow.t() @ narrow).float().mul_(context.scale)
        d_down = (through.t() @ flat).float()
        d_x = None
        if context.needs_input_grad[0]:
            d_x = (flow @ weight).addmm_(through, down).view(context.shape)
        return d_x, None, None, d_down, d_up, None


def lora(model: Any) -> int:
    """Every plain LoRA layer of a PEFT model takes this way while it learns. Out: how many do."""
    from peft.tuners.lora import Linear

    many = 0
    for layer in model.modules():
        if isinstance(layer, Linear) and _is_plain(layer):
            if layer.use_dora.get("default"):
                layer.afina_squares = layer.base_layer.weight.detach().float().square().sum(1)
            layer.forward = types.MethodType(_forward, layer)
            many += 1
    return many


def slow(model: Any) -> None:
    """PEFT's own way again."""
    for layer in model.modules():
        vars(layer).pop("forward", None)


def _is_plain(layer: Any) -> bool:
    dropped = any(getattr(one, "p", 0) > 0 for one in layer.lora_dropout.values())
    return type(layer.base_layer) is torch.nn.Linear and not dropped


def _forward(self: Any, x: Any, *_: Any, **__: Any) -> Any:
    base, name = self.base_layer, "default"
    down, up = self.lora_A[name].weight, self.lora_B[name].weight
    if not self.use_dora.get(name):
        return _Lora.apply(x, base.weight, base.bias, down, up, self.scaling[name])
    out = _Lora.apply(x, base.weight, None, down, up, self.scaling[name])
    became = _lengths(self.afina_squares, base.weight, down, up, self.scaling[name])
    more = (self.lora_magnitude_vector[name].weight / became - 1).to(out.dtype)  # less 1: bf16 would lose it otherwise
    out = torch.addcmul(out, out, more)
    return out if base.bias is None else out + base.bias


@torch.no_grad()  # type: ignore[untyped-decorator]
def _lengths(squares: Any, weight: Any, down: Any, up: Any, scale: float) -> Any:
    """Of the rows of W + s·B·A, rounded as W is: at first they are those that are learned, and so rounded."""
    cross = ((weight @ down.t().to(weight.dtype)).float() * up).sum(1)
    own = ((up @ (down @ down.t())) * up).sum(1)
    return (squares + 2 * scale * cross + scale**2 * own).clamp(min=0).sqrt().to(weight.dtype).float()


class _Loss(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, logits: Any, targets: Any) -> Any:
        """(places, vocabulary), (places,) → the sum, float32."""
        total = torch.zeros((), dtype=torch.float32, device=logits.device)
        shares = torch.empty_like(logits) if context.needs_input_grad[0] else None
        for at in range(0, len(targets), CHUNK):
            wide, right = logits[at : at + CHUNK].float(), targets[at : at + CHUNK, None]
            log_sum = wide.logsumexp(1, keepdim=True)
            total += (log_sum - wide.gather(1, right)).sum()
            if shares is not None:
                wide = wide.sub_(log_sum).exp_()
                shares[at : at + CHUNK] = wide.scatter_add_(1, right, wide.new_full(right.shape, -1.0))
        if shares is not None:
            context.save_for_backward(shares)
        return total

    @staticmethod
    def backward(context: Any, *flows: Any) -> Any:
        (shares,) = context.saved_tensors
        return shares.mul_(flows[0].to(shares.dtype)), None


def loss(logits: Any, targets: Any) -> Any:
    """The sum of the cross-entropies, float32. To be learned from once: its gradient is scaled in place."""
    return _Loss.apply(logits, targets)
