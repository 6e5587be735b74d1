"""The step over sheets. Nothing in it waits for the GPU: what it found is read two steps later.

The layers are compiled, one by one: all are alike, so one is compiled and all run it (fixed shapes, no break, never
again for another pack). Gradients flow to what is trained and nowhere else; the masters are float32.

A loss or a gradient that is not finite sets a mark on the device. AdamW looks at it there and changes nothing, in that
step and in all that were begun after it, so that the weights are those of the last finite step when it is noticed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from tuning.training.engine.flat import attention
from tuning.training.engine.flat.loss import chunk, fused
from tuning.training.engine.flat.sheets import Shape, Sheet, sent
from tuning.training.engine.guard import NotFinite, Stopped
from tuning.training.engine.methods.trained import Trained
from tuning.training.engine.step import Asked, Learned, optimizer
from tuning.training.engine.together import Together
from tuning.training.settings import Settings

LATE = 2  # steps: the GPU always has work while the numbers of an older step are read


class FlatLearner:
    def __init__(
        self, trained: Trained, settings: Settings, made: Shape, together: Together, *, backend: Any = None
    ) -> None:
        """`backend`: of torch.compile; None: nothing is compiled."""
        self.trained, self.shape, self._settings, self._together = trained, made, settings, together
        loaded = trained.loaded
        self._model = plain(trained.model)
        self._head = self._model.get_output_embeddings()
        self._device, self._late = loaded.device, LATE if loaded.device == "cuda" else 0
        self._casts = trained.whole and loaded.compute != torch.float32
        self._kernel = attention.has_kernel(loaded.device, loaded.compute, head_size(self._model.config))
        self._chunk, self._backend = chunk, backend
        loaded.model.config._attn_implementation = attention.NAME
        self._model.config._attn_implementation = attention.NAME
        if backend:
            self._compile(backend)
        self._drops = any(getattr(one, "p", 0) > 0 for one in trained.model.modules() if _is_dropout(one))
        self._all_layers = _learns_below(self._model, trained)
        self.optimizer = optimizer(trained, settings)
        self._bad = torch.zeros((), dtype=torch.float32, device=self._device)
        self._waiting = deque[_Late]()

    def _compile(self, backend: Any) -> None:
        said = {"backend": backend, "fullgraph": True, "dynamic": False}
        for layer in layers(self._model):
            layer.compile(**said)
        self._chunk = torch.compile(chunk, **said)

    def uncompile(self) -> None:
        for layer in layers(self._model):
            layer._compiled_call_impl = None
        self._chunk, self._backend = chunk, None

    # ── a step ───────────────────────────────────────────────────────────────────────────────────────────────────

    def learn(self, sheets: Sequence[Sheet], rate: float, learned: int, tokens: int) -> Iterator[Learned]:
        """One step, of which this process reads `sheets`; `learned`, `tokens`: of the step, of all processes.

        Out: what earlier steps found, as it comes (on a processor, this one's). NotFinite in place of a step that was.
        """
        numbers, there = _back(self._begun(sheets, rate, learned))
        self._waiting.append(_Late(numbers, there, tokens))
        return self._read(self._late)

    def rest(self) -> Iterator[Learned]:
        """What is still under way."""
        return self._read(0)

    def _read(self, left: int) -> Iterator[Learned]:
        while len(self._waiting) > left:
            yield self._waiting.popleft().learned()

    def _begun(self, sheets: Sequence[Sheet], rate: float, learned: int) -> Any:
        """(3,) on the device: loss, gradient, mark."""
        self.trained.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), dtype=torch.float32, device=self._device)
        for one in sheets:
            loss = self._loss(sent(one, self._device)) / max(1, learned)
            loss.backward()
            total += loss.detach()
        weights = list(self.trained.weights.values())
        total = self._together.add(weights, total)
        norm = torch.nn.utils.clip_grad_norm_(weights, self._settings.clip)
        odd = torch.stack([~torch.isfinite(total), ~torch.isfinite(norm)]).any()
        self._bad = torch.maximum(self._bad, odd.float())
        self.optimizer.found_inf = self._bad  # read on the device: a step that is marked is not made
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        return torch.stack([total, norm, self._bad])

    def evaluate(self, sheets: Iterable[Sheet], asked: Asked) -> tuple[float, int]:
        """(the sum of the losses, learned tokens) of these.

        Read as learning reads them, where that is the same: another way would have to be compiled.
        """
        self.trained.model.train(not self._drops)
        total, learned = torch.zeros((), dtype=torch.float32, device=self._device), 0
        for one in sheets:
            if asked():
                raise Stopped
            with nullcontext() if self._backend and not self._drops else torch.no_grad():
                total += self._loss(sent(one, self._device)).detach()
            learned += one.learned
        return float(total), learned

    def plainly(self) -> AbstractContextManager[None]:
        """A context in which the layers are not the compiled ones: for other shapes."""
        if not self._backend:
            return nullcontext()
        aside: AbstractContextManager[None] = torch.compiler.set_stance("force_eager")
        return aside

    def _loss(self, one: Sheet) -> Any:
        model = self._model
        with self._cast():
            read = model.get_input_embeddings()(one.ids)
            if one.vectors is not None:
                before = self.trained.vectors[one.vectors.clamp(min=0)].to(read.dtype)
                read = torch.where((one.vectors >= 0)[None, :, None], before[None], read)
            if self._all_layers and not read.requires_grad:
                read.requires_grad_()  # so that the first layer is compiled as the others are
            found = model.base_model(
                inputs_embeds=read, position_ids=one.positions, use_cache=False,
                **attention.borders(one, self.shape.longest, self._kernel),
            )  # fmt: skip
        hidden = found.last_hidden_state[0]
        kind = self.trained.loaded.compute if self._casts else hidden.dtype
        return fused(hidden.to(kind), self._head.weight, one.places, one.right, self.shape.chunk, self._chunk)

    def _cast(self) -> Any:
        kind = self.trained.loaded.compute
        return torch.autocast(self._device, dtype=kind, cache_enabled=False) if self._casts else nullcontext()


@dataclass(frozen=True, slots=True)
class _Late:
    """What a step found, on its way from the device."""

    numbers: Any  # (3,) loss, gradient, mark
    there: Any  # the event after which they can be read; None: now
    tokens: int

    def learned(self) -> Learned:
        if self.there is not None:
            self.there.synchronize()
        loss, norm, mark = self.numbers.tolist()
        if mark:
            raise NotFinite("gradient" if math.isfinite(loss) else "loss", loss if math.isfinite(norm) else norm)
        return Learned(loss, norm, self.tokens)


def _back(numbers: Any) -> Any:
    """To the processor, without waiting: (where they will be, when)."""
    if numbers.device.type == "cpu":
        return numbers.clone(), None
    place = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True)
    place.copy_(numbers, non_blocking=True)
    there = torch.cuda.Event()
    there.record()
    return place, there


# ── what a model must be ─────────────────────────────────────────────────────────────────────────────────────────────


def plain(model: Any) -> Any:
    """The causal language model of transformers, out of PEFT's wrapping."""
    inner = getattr(model, "get_base_model", None)
    return inner() if inner else model


def layers(model: Any) -> list[Any]:
    """Its blocks, all alike."""
    lists = [one for one in model.base_model.children() if isinstance(one, torch.nn.ModuleList)]
    return list(max(lists, key=len, default=[]))


def head_size(config: Any) -> int:
    said = config.get_text_config()
    return int(getattr(said, "head_dim", None) or said.hidden_size // said.num_attention_heads)


def fits(model: Any) -> bool:
    """Whether the hidden states times the head are the logits, and its blocks can be found."""
    inner = plain(model)
    said, head = inner.config.get_text_config(), inner.get_output_embeddings()
    odd = ("final_logit_softcapping", "logit_scale", "logits_scaling", "attention_multiplier", "embedding_multiplier")
    return (
        type(head) is torch.nn.Linear
        and head.bias is None
        and not any(getattr(said, name, None) not in (None, 1, 1.0) for name in odd)
        and bool(layers(inner))
    )


def not_compiled(error: Exception) -> bool:
    """Whether it is the compiler that failed."""
    from torch._dynamo.exc import TorchDynamoException

    return isinstance(error, TorchDynamoException)


def _is_dropout(module: Any) -> bool:
    return isinstance(module, torch.nn.Dropout)


def _learns_below(model: Any, trained: Trained) -> bool:
    """Whether gradients flow through all layers anyhow: the first one, or what stands before it, is trained."""
    first = next(iter(layers(model)), None)
    learned = {id(one) for one in trained.weights.values()}
    return first is not None and any(id(one) in learned for one in first.parameters())
