"""In: a folder that is to be. Out: a part-folder beside it that becomes it in one rename, or goes.

Two who write the same do not mix: the second is refused. What a killed one left is swept away by the next.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tuning.errors import ForOperator, ForPerson, TryAgain

SPARE = 64 << 20  # bytes that stay free
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def staged(place: Path) -> Iterator[Path]:
    """Yields an empty folder; when the block ends by itself it is `place`, else it goes. ForPerson where one is."""
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise ForPerson(
            f"{place} is there already: choose another name.", spanish=f"{place} ya existe: elige otro nombre."
        )
    stage = place.with_name(f".{place.name}.part")
    try:
        stage.mkdir(parents=True, exist_ok=True)
        with FileLock(stage / ".lock", timeout=0):
            _empty(stage)
            yield stage
        (stage / ".lock").unlink(missing_ok=True)
        if place.is_dir():
            place.rmdir()
        stage.rename(place)
    except Timeout:
        raise TryAgain(
            f"{place.name} is being written already: wait until it is done.",
            spanish=f"{place.name} ya se está escribiendo: espera a que termine.",
        ) from None
    except OSError as error:
        shutil.rmtree(stage, ignore_errors=True)
        raise unwritten(place, error) from error
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise


def room(place: Path, needed: int) -> None:
    """ForOperator where the disk has less. `place` need not be there yet."""
    there = next(folder for folder in (place, *place.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if free < needed + SPARE:
        raise ForOperator(
            f"There is no room for {place.name}: {_mb(needed + SPARE)} MB are needed and {_mb(free)} are free. Free "
            "some, or choose another disk.",
            spanish=f"No hay sitio para {place.name}: hacen falta {_mb(needed + SPARE)} MB y quedan {_mb(free)}. "
            "Libera espacio o elige otro disco.",
        )


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def unwritten(place: Path, error: OSError) -> ForOperator:
    why, spanish = (
        ("the disk is full", "el disco está lleno") if error.errno in _FULL else (error.strerror or str(error),) * 2
    )
    return ForOperator(
        f"{place} could not be written ({why}). Make room, or choose another folder.",
        spanish=f"No se pudo escribir {place} ({spanish}). Haz sitio o elige otra carpeta.",
    )


def _empty(stage: Path) -> None:
    for one in stage.iterdir():
        if one.is_dir():
            shutil.rmtree(one)
        elif one.name != ".lock":
            one.unlink()


def _mb(size: int) -> int:
    return size // 1_000_000
