"""One step of learning, one evaluation: packs in, numbers out.

Gradients are made for what is trained and for nothing else. Autocast stands around the forward pass alone: around more
than one step it would keep bf16 copies of weights that have changed since.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from tuning.training.engine import attention, quick
from tuning.training.engine.base import Loaded
from tuning.training.engine.guard import NotFinite, Stopped
from tuning.training.engine.methods.trained import Trained
from tuning.training.engine.together import ALONE, Together
from tuning.training.packing import Pack
from tuning.training.settings import Settings

Asked = Callable[[], bool]  # whether someone wants it to end


@dataclass(frozen=True, slots=True)
class Learned:
    loss: float  # of a learned token
    gradient: float  # its norm, before it is clipped
    tokens: int  # of the rows


def optimizer(trained: Trained, settings: Settings) -> Any:
    return torch.optim.AdamW(
        list(trained.weights.values()), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )


class Learner:
    def __init__(self, trained: Trained, settings: Settings, teacher: Loaded | None = None) -> None:
        self.trained, self._settings, self._teacher = trained, settings, teacher
        self._casts = trained.whole and trained.loaded.compute != torch.float32
        self.optimizer = optimizer(trained, settings)

    def learn(
        self, packs: Sequence[Pack], rate: float, asked: Asked, together: Together = ALONE, learned: int = 0
    ) -> Learned:
        """NotFinite before anything is changed; Stopped between two packs.

        `packs`: those of this process. `learned`: learned tokens of the step, where other processes read packs of it.
        """
        self.trained.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        learned = max(1, learned or sum(pack.learned for pack in packs))
        total = 0.0
        for pack in packs:
            if asked():
                raise Stopped
            loss = self._loss(pack) / learned
            total += loss.item()
            if together is ALONE and not torch.isfinite(loss):
                raise NotFinite("loss", total)
            loss.backward()
        total = float(together.add(self.trained.weights.values(), total))
        if not math.isfinite(total):
            raise NotFinite("loss", total)
        norm = float(torch.nn.utils.clip_grad_norm_(self.trained.weights.values(), self._settings.clip))
        if not norm < float("inf"):
            raise NotFinite("gradient", norm)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        return Learned(total, norm, sum(pack.tokens for pack in packs))

    def evaluate(self, packs: Sequence[Pack], asked: Asked) -> float:
        """The mean loss of a learned token, without any teacher."""
        total, learned = self.losses(packs, asked)
        return float(total / max(1, learned))

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def losses(self, packs: Sequence[Pack], asked: Asked) -> tuple[float, int]:
        """(their sum, learned tokens)"""
        self.trained.model.eval()
        total, learned = 0.0, 0
        for pack in packs:
            if asked():
                raise Stopped
            targets = self._targets(pack)
            total += float(quick.loss(self._logits(self.trained.loaded, pack, self.trained.vectors), targets))
            learned += pack.learned
        return total, learned

    def _loss(self, pack: Pack) -> Any:
        logits, targets = self._logits(self.trained.loaded, pack, self.trained.vectors), self._targets(pack)
        if self._teacher is None or self._settings.teacher is None:
            return quick.loss(logits, targets)
        with torch.no_grad():
            taught = self._logits(self._teacher, pack, None)
        warm, weight = self._settings.teacher.temperature, self._settings.teacher.weight
        ours = functional.log_softmax(logits.float() / warm, 1)
        theirs = functional.log_softmax(taught.float() / warm, 1)
        alike = functional.kl_div(ours, theirs, log_target=True, reduction="sum") * warm**2
        return weight * alike + (1 - weight) * functional.cross_entropy(logits.float(), targets, reduction="sum")

    def _targets(self, pack: Pack) -> Any:
        return torch.tensor(pack.targets()[1], device=self.trained.loaded.device)

    def _logits(self, loaded: Loaded, pack: Pack, vectors: Any) -> Any:
        """(learned places, vocabulary)"""
        before, device = 0 if vectors is None else len(vectors), loaded.device
        ids = torch.tensor([pack.ids()], device=device)
        positions = [*range(before), *(before + place for place in pack.positions())]
        places = torch.tensor([before + place for place in pack.targets()[0]], device=device)
        read: dict[str, Any] = {"input_ids": ids}
        if vectors is not None:
            embedded = loaded.model.get_input_embeddings()(ids)
            read = {"inputs_embeds": torch.cat([vectors.to(embedded.dtype)[None], embedded], 1)}
        lengths = [len(row) - pack.prefix for row in pack.rows]
        laid = attention.layout(lengths, pack.groups(), before + pack.prefix, device)
        cast = torch.autocast(device, dtype=loaded.compute) if self._casts else nullcontext()
        with attention.reading(laid), cast:
            out = loaded.model(
                **read, position_ids=torch.tensor([positions], device=device), logits_to_keep=places, use_cache=False
            )
        return out.logits[0]
