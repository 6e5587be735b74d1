"""The whole of a job: its folder is read, the model is loaded, steps are taken, the best is written.

Everything that decides a step is a function of the settings, the rows and the step's number, so a run that was killed
goes on as if nothing had been: weights, moments and the generator's state come from the newest valid checkpoint.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tuning.errors import ForPerson
from tuning.training import bases, checkpoints, packing, rows
from tuning.training.engine import base as models
from tuning.training.engine import closing, device, guard, learners, samples, saving, together
from tuning.training.engine.guard import Stopped
from tuning.training.engine.methods import METHODS
from tuning.training.engine.step import Learned
from tuning.training.folder import CHECKPOINTS, TRAIN, VALIDATION, Folder, Status
from tuning.training.plan import Plan
from tuning.training.rows import Row
from tuning.training.sentences import both
from tuning.training.settings import Settings
from tuning.training.split import divided, fingerprint


@dataclass(slots=True)
class Progress:
    """What a checkpoint carries beside the weights."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best_step: int | None = None
    best_loss: float | None = None


class Run:
    def __init__(self, folder: Folder, settings: Settings) -> None:
        self._folder, self._settings = folder, settings
        self._together, self._device = together.ALONE, "cpu"
        self._progress = Progress()
        self._began = time.monotonic()
        self._before = 0.0  # seconds of learning before this process
        self._told = False  # a signal asked for the end
        self._timed_out = False

    def whole(self) -> Status:
        """Status.DONE or STOPPED; whatever else happens is raised."""
        with _signals(self._tell):
            try:
                self._prepare()
                self._learn()
            except Stopped:
                return self._stopped()
            finally:
                self._close()
            return self._done()

    def _close(self) -> None:
        if hasattr(self, "_learner"):
            self._learner.close()
        self._together.close()

    # ── before ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _prepare(self) -> None:
        settings, folder = self._settings, self._folder
        folder.say(status=Status.PREPARING)
        self._device = device.choose(settings)
        self._together = together.joined(self._device)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self._base = bases.find(settings.base, Path(settings.weights))
        self._rows, self._held = self._read()
        self._fingerprint = fingerprint(settings, self._rows, self._held)
        self._room(settings.method in models.WHOLE)
        self._check()
        loaded = models.load(self._base, settings)
        trained = METHODS[settings.method](loaded, self._base, settings)
        whole, many = trained.whole, trained.parameters
        self._room(whole, many)
        self._plan = Plan(self._rows, settings)
        self._steps = self._plan.steps
        held = self._held[: settings.eval_rows]
        self._learner = learners.make(trained, settings, self._plan, held, self._teacher(), self._together, folder.log)
        precision = str(loaded.compute).removeprefix("torch.")
        some = f"{settings.batch} rows" if settings.step_tokens is None else f"{self._plan.step_tokens} tokens"
        folder.log(
            f"{settings.method} on {self._base.name}, {precision}, {device.name(loaded.device)}, "
            f"{torch.get_num_threads()} threads, {self._together.size} processes, steps {self._learner.way}; "
            f"{many:,} of {sum(one.numel() for one in trained.model.parameters()):,} parameters are trained; "
            f"{len(self._rows)} rows to learn from, {len(held)} held out; {self._steps} steps of {some}"
        )
        self._resume()

    def _room(self, whole: bool, trained: int | None = None) -> None:
        """In memory and on the disk; ForOperator where there is not enough."""
        base, chosen = self._base, self._device
        token = device.token_bytes(base.folder) if chosen == "cuda" else None
        guard.check_before(self._folder.place, base.bytes, whole, self._settings, trained, chosen, token)

    def _read(self) -> tuple[list[Row], list[Row]]:
        found = []
        settings, counter = self._settings, self._base.counter
        for name in (TRAIN, VALIDATION):
            file = self._folder.file(name)
            if name == VALIDATION and not file.exists():
                found.append(list[Row]())
                continue
            read = rows.read(file, counter, longest=settings.max_length, everything=settings.learn == "all")
            found.append(list(read.rows))
            self._folder.log(
                f"{name}: {read.examples} examples, {len(read.rows)} rows, {read.cut} cut, {read.empty} empty"
            )
        train, held = found if found[1] else divided(found[0], settings.validation_share, settings.seed)
        if not train:
            raise ForPerson(
                "There is nothing to learn from: no example has an answer that is learned. Add examples, then make the "
                "job anew.",
                spanish="No hay nada que aprender: ningún ejemplo tiene una respuesta que se aprenda. Añade ejemplos y "
                "crea el trabajo de nuevo.",
            )
        return train, held

    def _teacher(self) -> Any:
        if self._settings.teacher is None:
            return None
        found = bases.find(self._settings.teacher.base, Path(self._settings.weights))
        probe = "The same words, é, 12 345 and\n\ttabs: el mismo texto."
        if [one.id for one in found.counter.pieces(probe)] != [one.id for one in self._base.counter.pieces(probe)]:
            raise ForPerson(
                f"{found.name} cuts text otherwise than {self._base.name}, so its logits cannot be learned. Let it "
                "write answers instead.",
                spanish=f"{found.name} divide el texto de otra forma que {self._base.name}, así que no se pueden "
                "aprender sus probabilidades. Haz que escriba respuestas.",
            )
        taught = models.load(found, self._settings.model_copy(update={"method": "lora"}))
        taught.model.eval()
        return taught

    def _resume(self) -> None:
        place = self._folder.file(CHECKPOINTS)
        found, damaged = checkpoints.newest(place, self._fingerprint)
        for line in damaged:
            self._folder.log(f"A checkpoint cannot be used: {line}")
        if found:
            saving.load(self._learner, found.place)
            said = found.progress
            self._progress = Progress(**{name: said[name] for name in Progress.__slots__})
            self._before = self._progress.seconds
            self._folder.log(f"Goes on from step {found.step}.")
        self._folder.forget(self._progress.step)
        if found or damaged:
            self._folder.measured(step=self._progress.step, resumed=bool(found), damaged=damaged)
        self._began = time.monotonic()

    # ── learning ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _learn(self) -> None:
        settings, progress = self._settings, self._progress
        self._rising = guard.Rising()
        self._tell_state(Status.RUNNING)
        if progress.step == 0:
            self._look(first=True)
        begun, self._step_began = progress.step, time.monotonic()
        while begun < self._steps:
            self._check()
            guard.check_during()
            self._count(self._learner.step(begun, self._rate(begun), self._asked))
            begun += 1
            last = begun == self._steps
            looks = last or (settings.eval_every and begun % settings.eval_every == 0)
            if looks or begun % settings.save_every == 0:
                self._count(self._learner.rest())
            if looks:
                self._look(last=last)
            if last or begun % settings.save_every == 0 or progress.best_step == progress.step == begun:
                self._save()
            self._tell_state(Status.RUNNING)

    def _count(self, found: Iterator[Learned]) -> None:
        """Steps that are known to be done. A loss that is none: the state before it is kept, and the run ends."""
        progress = self._progress
        try:
            for learned in found:
                now = time.monotonic()
                progress.step += 1
                progress.tokens += learned.tokens
                self._measure(learned, self._rate(progress.step - 1), now - self._step_began)
                self._step_began = now
                self._rising.see(learned.loss)
        except guard.NotFinite:
            self._keep_finite()
            raise

    def _rate(self, step: int) -> float:
        return packing.rate(
            step, self._steps, self._settings.learning_rate, self._settings.schedule, self._settings.warmup
        )

    def _look(self, first: bool = False, last: bool = False) -> None:
        """The loss on held-out rows; samples where it is their time."""
        settings, progress = self._settings, self._progress
        self._tell_state(Status.EVALUATING)
        if self._held:
            loss = self._learner.held(self._asked)
            self._folder.measured(step=progress.step, eval_loss=loss, seconds=round(self._seconds(), 3))
            if not first and (progress.best_loss is None or loss < progress.best_loss):
                progress.best_step, progress.best_loss = progress.step, loss
        every = settings.sample_every
        if self._together.first and settings.samples and (first or last or (every and progress.step % every == 0)):
            with self._learner.answering():
                found = samples.answers(self._learner.trained, self._base, settings, self._asked)
            self._folder.measured(step=progress.step, samples=found)
        self._step_began = time.monotonic()

    def _measure(self, learned: Learned, rate: float, took: float) -> None:
        progress = self._progress
        self._folder.measured(
            step=progress.step, epoch=round(self._epoch(), 4), loss=learned.loss, learning_rate=rate,
            tokens=progress.tokens, tokens_per_second=round(learned.tokens / took, 1), gradient=learned.gradient,
            memory_bytes=guard.used_memory(self._device), seconds=round(self._seconds(), 3),
        )  # fmt: skip

    def _save(self) -> None:
        if not self._together.first:
            return
        progress, place = self._progress, self._folder.file(CHECKPOINTS)
        progress.seconds = self._seconds()
        said = {name: getattr(progress, name) for name in Progress.__slots__} | {"settings": self._fingerprint}
        checkpoints.write(place, progress.step, said, lambda stage: saving.save(self._learner, stage))
        checkpoints.prune(place, self._settings.keep, progress.best_step)

    def _keep_finite(self) -> None:
        if self._progress.step and saving.finite(self._learner):
            self._save()  # nothing, of a process that is not the first

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _stopped(self) -> Status:
        why = both("time_up", cap=self._settings.time_cap) if self._timed_out else both("asked")
        if hasattr(self, "_learner"):
            self._count(self._learner.rest())
        if not self._together.first:
            return Status.STOPPED
        if self._progress.step:
            self._save()
            self._write()
        else:
            why = both("nothing_yet")
        self._tell_state(Status.STOPPED, reason=why)
        self._folder.log(why["en"])
        return Status.STOPPED

    def _done(self) -> Status:
        if not self._together.first:
            return Status.DONE
        place = self._write()
        progress = self._progress
        held = {"loss": progress.best_loss, "best": progress.best_step}
        why = both("done_held" if progress.best_loss is not None else "done", steps=progress.step, place=place, **held)
        self._tell_state(Status.DONE, reason=why, seconds_left=0.0)
        self._folder.log(why["en"])
        return Status.DONE

    def _write(self) -> str:
        """The best weights, where they can still be read; else those of now."""
        progress, trained = self._progress, self._learner.trained
        step = progress.best_step if progress.best_step is not None else progress.step
        if step != progress.step:
            try:
                saving.load_weights(
                    self._learner, checkpoints.read(self._folder.file(CHECKPOINTS) / f"step-{step}").place
                )
            except (OSError, ValueError) as error:
                self._folder.log(f"The best checkpoint, step {step}, cannot be used ({error}); the last one is taken.")
                step = progress.step
        facts = {"step": step, "loss": progress.best_loss, "tokens": progress.tokens, "parameters": trained.parameters}
        return closing.write(self._folder, trained, self._base, self._settings, facts).name

    # ── being asked ──────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, *_: Any) -> None:
        self._told = True

    def _over(self) -> bool:
        cap = self._settings.time_cap
        self._timed_out = self._timed_out or (cap is not None and self._seconds() > cap)
        return self._told or self._timed_out or self._folder.asked_to_stop

    def _asked(self) -> bool:
        """Within a step: where several processes learn, they end between two steps, all at once."""
        return self._together.size == 1 and self._over()

    def _check(self) -> None:
        if self._together.told(self._over()):
            raise Stopped

    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _epoch(self) -> float:
        return self._plan.epoch(self._progress.step)

    def _tell_state(self, status: Status, **more: Any) -> None:
        progress, seconds = self._progress, self._seconds()
        left = seconds / progress.step * (self._steps - progress.step) if progress.step else None
        said = {"seconds_left": left, "steps": getattr(self, "_steps", 0), **more}
        rows_known = hasattr(self, "_plan")
        self._folder.say(
            status=status, step=progress.step, epoch=round(self._epoch(), 4) if rows_known else 0.0,
            tokens=progress.tokens, seconds=round(seconds, 3), best_step=progress.best_step,
            best_loss=progress.best_loss, **said,
        )  # fmt: skip


@contextmanager
def _signals(told: Callable[..., None]) -> Iterator[None]:
    """SIGTERM and Ctrl-C ask for the end, as the file does."""
    before = {}
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError):  # not in the main thread
            before[number] = signal.signal(number, told)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
