"""In: what is trained, the plan. Out: whoever takes a step by its number: two ways of reading, one door.

packed     rows of like length side by side, what they share read once: the quick way of a processor
flat       sheets of one fixed shape
compiled   the same, compiled by torch: the quick way of a GPU
auto       compiled on a GPU that has the kernel and a compiler; packed elsewhere

Both learn from the same rows in the same steps, and write the same checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar

from tuning.training import packing
from tuning.training.engine.base import Loaded
from tuning.training.engine.flat import attention
from tuning.training.engine.flat.learner import FlatLearner, fits, head_size, not_compiled, plain
from tuning.training.engine.flat.sheets import Feed, Sheet, shape, sheet
from tuning.training.engine.methods.trained import Trained
from tuning.training.engine.step import Asked, Learned, Learner
from tuning.training.engine.together import ALONE, Together
from tuning.training.plan import Plan
from tuning.training.rows import Row
from tuning.training.settings import Settings

T = TypeVar("T")
Say = Callable[[str], None]


class Learns(Protocol):
    way: str
    trained: Trained
    optimizer: Any

    def step(self, step: int, rate: float, asked: Asked) -> Iterator[Learned]:
        """Step `step` (from 0) is taken or begun; out: steps that are known to be done, in order."""

    def rest(self) -> Iterator[Learned]:
        """Those that are not known yet."""

    def held(self, asked: Asked) -> float:
        """The mean loss of a learned token of the rows held out."""

    def answering(self) -> AbstractContextManager[None]:
        """While an answer is written, a token at a time."""

    def close(self) -> None: ...


class Packed:
    way = "packed"

    def __init__(
        self, trained: Trained, settings: Settings, plan: Plan, held: Sequence[Row], teacher: Loaded | None,
        together: Together,
    ) -> None:  # fmt: skip
        self._inner = Learner(trained, settings, teacher)
        self.trained, self.optimizer = trained, self._inner.optimizer
        self._plan, self._together = plan, together
        packs = trained.loaded.packs
        self._most, self._share = settings.pack_tokens if packs else 0, settings.share_prefix and packs
        self._held = together.share(packing.packed(held, self._most, share=self._share))

    def step(self, step: int, rate: float, asked: Asked) -> Iterator[Learned]:
        rows = self._plan.rows(step)
        packs = self._together.share(packing.packed(rows, self._most, share=self._share))
        learned = sum(row.learned for row in rows)
        found = self._inner.learn(packs, rate, asked, self._together, learned)
        yield Learned(found.loss, found.gradient, sum(map(len, rows)))

    def rest(self) -> Iterator[Learned]:
        return iter(())

    def held(self, asked: Asked) -> float:
        total, learned = self._together.total(*self._inner.losses(self._held, asked))
        return total / max(1, learned)

    def answering(self) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self) -> None: ...


class Flat:
    def __init__(
        self, trained: Trained, settings: Settings, plan: Plan, held: Sequence[Row], way: str, together: Together,
        say: Say = print, backend: Any = "inductor", chunk: int | None = None,
    ) -> None:  # fmt: skip
        self.way, self.trained, self._say = way, trained, say
        before = 0 if trained.vectors is None else len(trained.vectors)
        longest = max(map(len, [*plan.all_rows, *held]))
        held_packs = [pack.rows for pack in packing.packed(held, max(plan.tokens, longest), share=False)]
        rows = max([plan.most_rows, *map(len, held_packs)])
        more = {} if chunk is None else {"chunk": chunk}
        made = shape(max(plan.tokens, longest), rows, longest, before, **more)
        compiles = backend if way == "compiled" else None
        self._inner = FlatLearner(trained, settings, made, together, backend=compiles)
        self.optimizer, self.shape = self._inner.optimizer, made
        self._plan, self._together = plan, together
        self._feed = Feed(self._sheets, plan.steps)
        self._held = [sheet(some, made) for some in together.share(held_packs)]

    def _sheets(self, step: int) -> list[Sheet]:
        return [sheet(some, self.shape) for some in self._together.share(self._plan.packs(step))]

    def step(self, step: int, rate: float, asked: Asked) -> Iterator[Learned]:
        rows = self._plan.rows(step)
        learned, tokens = sum(row.learned for row in rows), sum(map(len, rows))
        sheets = self._feed.take(step)
        return self._compiled(lambda: self._inner.learn(sheets, rate, learned, tokens))

    def rest(self) -> Iterator[Learned]:
        return self._inner.rest()

    def held(self, asked: Asked) -> float:
        found = self._compiled(lambda: self._inner.evaluate(self._held, asked))
        total, learned = self._together.total(*found)
        return total / max(1, learned)

    def _compiled(self, do: Callable[[], T]) -> T:
        """What cannot be compiled is said, and done without: nothing has been changed by then."""
        try:
            return do()
        except Exception as error:
            if self.way != "compiled" or not not_compiled(error):
                raise
            self._say(f"The layers cannot be compiled and are read as they are: {str(error)[:500]}")
            self.way = "flat"
            self._inner.uncompile()
            return do()

    def answering(self) -> AbstractContextManager[None]:
        return self._inner.plainly()

    def close(self) -> None:
        self._feed.close()


def way(trained: Trained, settings: Settings) -> str:
    """packed | flat | compiled: what was asked for, where it can be done."""
    loaded = trained.loaded
    if not loaded.packs or settings.teacher is not None or not fits(trained.model) or settings.step == "packed":
        return "packed"
    if settings.step != "auto":
        return settings.step
    kernel = attention.has_kernel(loaded.device, loaded.compute, head_size(plain(trained.model).config))
    if not kernel:
        return "packed"
    return "compiled" if find_spec("triton") else "flat"


def make(
    trained: Trained, settings: Settings, plan: Plan, held: Sequence[Row], teacher: Loaded | None = None,
    together: Together = ALONE, say: Say = print,
) -> Learns:  # fmt: skip
    """`say`: for the log."""
    chosen = way(trained, settings)
    if chosen == "packed":
        return Packed(trained, settings, plan, held, teacher, together)
    return Flat(trained, settings, plan, held, chosen, together, say)
