"""What a run is watched for: numbers that are no longer finite, memory, disk. Sentences in both languages.

Whoever watches raises; `said` turns any of it into (English, Spanish), and names the setting that would help.
"""

from __future__ import annotations

import errno
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import torch

from assistant.errors import AssistantError
from tuning.errors import ForOperator, TuningError
from tuning.training.settings import Settings

LEAST_MEMORY = 200 * 2**20  # bytes that must stay free beside the run
LEAST_DISK = 50 * 2**20
TOKEN = 300_000  # bytes that a token of a pack takes while a step is made, of the default model
_ROSE = 5  # steps in a row on which the loss is far above where it began


class Stopped(Exception):  # noqa: N818
    """Someone asked for it."""


class NotFinite(Exception):  # noqa: N818
    def __init__(self, what: str, value: float) -> None:
        super().__init__(what)
        self.what, self.value = what, value  # "loss" | "gradient"


class Exploding(Exception):  # noqa: N818
    def __init__(self, first: float, now: float) -> None:
        super().__init__(first, now)
        self.first, self.now = first, now


class Rising:
    """Watches the loss: far above where it began, and staying there, is a learning rate that is too high."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._over = 0

    def see(self, loss: float) -> None:
        if self._first is None:
            self._first = loss
        self._over = self._over + 1 if loss > 1.5 * self._first + 1.0 else 0
        if self._over >= _ROSE:
            raise Exploding(self._first, loss)


def check_before(
    folder: Path, weights: int, whole: bool, settings: Settings, trained: int | None = None, device: str = "cpu",
    token: int | None = None,
) -> None:  # fmt: skip
    """`weights`: bytes of the base; `trained`: parameters, once known; `token`: bytes that one takes as it is learned.

    ForOperator where it cannot end well.
    """
    kept, each = weights * (8 if whole else 1), token or TOKEN
    needed, free = kept + settings.pack_tokens * each, free_memory(device)
    if free is not None and free < needed:
        fits = max(16, (free - kept) // each // 64 * 64)
        less = f"{fits}" if fits < settings.pack_tokens else f"{settings.pack_tokens // 2}"
        raise ForOperator(
            f"There is not enough memory: some {needed >> 20:,} MB are needed, {free >> 20:,} MB are free. Close other "
            f"programs, or choose a smaller pack_tokens than {settings.pack_tokens} ({less}), or the method lora.",
            spanish=f"No hay memoria suficiente: hacen falta unos {needed >> 20} MB y hay {free >> 20} MB libres. "
            f"Cierra otros programas o elige un pack_tokens menor que {settings.pack_tokens} ({less}), o el método "
            "lora.",
        )
    if trained is not None:
        disk = disk_needed(weights, whole, settings, trained)
        room = shutil.disk_usage(folder).free
        if room < disk:
            raise no_disk(folder, disk, room)


def disk_needed(weights: int, whole: bool, settings: Settings, trained: int) -> int:
    """Bytes: checkpoints (weights and two moments), and what is written at the end."""
    return 12 * trained * (settings.keep + 2) + LEAST_DISK + (weights if whole else 0)


def no_disk(folder: Path, needed: int, free: int) -> ForOperator:
    return ForOperator(
        f"There is not enough room on the disk of {folder}: {needed >> 20:,} MB are needed, {free >> 20:,} MB are "
        "free. Make room, then resume.",
        spanish=f"No hay sitio suficiente en el disco de {folder}: hacen falta {needed >> 20} MB y hay {free >> 20} MB "
        "libres. Haz sitio y reanuda.",
    )


def check_during() -> None:
    """The machine's memory; a GPU says itself when its own is full."""
    free = free_memory()
    if free is not None and free < LEAST_MEMORY:
        raise MemoryError


def free_memory(device: str = "cpu") -> int | None:
    """Bytes that programs can still have; on a GPU, its own. None where nobody says."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0]) + int(torch.cuda.memory_reserved() - torch.cuda.memory_allocated())
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) * 1024
    except (OSError, StopIteration):
        return None


def used_memory(device: str = "cpu") -> int:
    """Bytes of this process at most so far; on a GPU, there."""
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    except (OSError, StopIteration):
        import resource  # Windows has none: there the reason is told

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def forget_used() -> None:
    """The most is counted from here on."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def said(error: BaseException, settings: Settings | None, folder: Path) -> tuple[str, str]:
    """(English, Spanish), one or two sentences."""
    if isinstance(error, AssistantError | TuningError):
        return error.said("en"), error.said("es")
    if settings is not None and isinstance(error, NotFinite | Exploding):
        return _diverged(error, settings)
    if is_memory(error):
        least = max(16, (settings.pack_tokens if settings else 1024) // 2)
        return (
            f"The memory was not enough. Set pack_tokens to {least}, or max_length lower, then resume.",
            f"No hubo memoria suficiente. Pon pack_tokens a {least}, o baja max_length, y reanuda.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        full = no_disk(folder, LEAST_DISK, shutil.disk_usage(folder).free)
        return full.said("en"), full.said("es")
    reason = (str(error).strip().splitlines() or [""])[0][:200] or type(error).__name__
    return (
        f"The run broke off ({type(error).__name__}: {reason}). See the log; what was saved can be resumed.",
        f"El entrenamiento se interrumpió ({type(error).__name__}: {reason}). Mira el registro; lo guardado se puede "
        "reanudar.",
    )


def _diverged(error: NotFinite | Exploding, settings: Settings) -> tuple[str, str]:
    lower = f"{settings.learning_rate / 10:g}"
    if isinstance(error, Exploding):
        return (
            f"The loss rose from {error.first:.2f} to {error.now:.2f} and stayed there: the learning rate "
            f"{settings.learning_rate:g} is too high. Try {lower}.",
            f"La pérdida subió de {error.first:.2f} a {error.now:.2f} y no bajó: la tasa de aprendizaje "
            f"{settings.learning_rate:g} es demasiado alta. Prueba con {lower}.",
        )
    return (
        f"The {error.what} is no longer a finite number, so the run was ended; the last finite state is kept. Try the "
        f"learning rate {lower}, or the precision float32.",
        f"{'La pérdida' if error.what == 'loss' else 'El gradiente'} ya no es un número finito, así que se terminó el "
        f"entrenamiento; se conserva el último estado finito. Prueba con la tasa {lower} o la precisión float32.",
    )


def is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    words = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)
