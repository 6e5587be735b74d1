"""In: a local model, a batch, a length. Out: what a step of learning takes on this machine: time and memory, measured.

A child process (tuning.training.engine.timing) loads the model and takes a few steps, the real ones of a method, at
most some ten seconds after loading; when it ends, all of its memory is gone. What was measured is kept in
`folder`/probes.json, by model, method, shape and machine, and not measured again. Batches are cut to TOKENS for the
probe: time and what grows with a batch are counted per token.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import AssistantError
from assistant.models.local import hf
from assistant.models.local.loading import DEFAULT
from knowledge import weights as weight_files
from tuning.errors import ForOperator, ForPerson, TryAgain

TOKENS = 512  # of a probe's batch, at most
SMALL = 32  # tokens of the steps that show what a step takes before any token
STEP = 64  # lengths are rounded up to a multiple of it, so that a probe is of use again
SECONDS = 8.0  # of steps
PATIENCE = 300.0  # seconds for all of it; a model on a slow disk takes its time
_CHILD = "tuning.training.engine.timing"
_KEPT = "afina-probes/2"


class Probe(BaseModel):
    """What was measured; one row of probes.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    method: str = "lora"
    batch: int = Field(ge=1)
    length: int = Field(ge=1)  # tokens of an example
    machine: str
    steps: int = Field(ge=1)
    seconds: float = Field(gt=0)  # a step
    peak: int = Field(ge=0)  # bytes
    small_seconds: float = Field(gt=0)  # a step over SMALL tokens
    small_peak: int = Field(ge=0)
    load: float = Field(ge=0)  # seconds
    precision: str
    device: str

    @property
    def tokens(self) -> int:
        """Of a step."""
        return self.batch * self.length

    def cost(self, tokens: float, steps: int | None, together: int) -> tuple[float, int]:
        """(seconds, bytes) of a run over so many tokens in so many steps, at most `together` of them in one: a part
        for each step, a part for each token, as the two shapes tell."""
        steps = steps or max(1, round(tokens / self.tokens))
        more = max(1, self.tokens - SMALL)
        per_token = max(0.0, self.seconds - self.small_seconds) / more if self.tokens > SMALL else 0.0
        per_step = max(0.0, self.small_seconds - SMALL * per_token)
        bytes_per_token = max(0, self.peak - self.small_peak) / more
        memory = self.small_peak + bytes_per_token * max(0, together - SMALL)
        return self.load + steps * per_step + tokens * per_token, round(memory)


@dataclass(frozen=True, slots=True)
class _Shape:
    batch: int
    length: int


def probe(
    model: str = DEFAULT, *, batch: int, length: int, weights: Path, folder: Path, stop: threading.Event | None = None,
    method: str = "lora",
) -> Probe:  # fmt: skip
    """`length`: tokens of an example. `method`: of tuning.training. `folder`: where results are kept. ForPerson of a
    model that does not run here, ForOperator where this machine cannot learn with it, TryAgain once `stop` is set."""
    shape = _shape(batch, length)
    wanted = (model, method, shape.batch, shape.length, machine())
    for row in _kept(folder):
        if (row.model, row.method, row.batch, row.length, row.machine) == wanted:
            return row
    source = _source(model, weights)
    _fits(model, source)
    asked = {"folder": str(source), "method": method, "batch": shape.batch, "length": shape.length}
    found = measured({**asked, "small": SMALL, "seconds": SECONDS}, stop or threading.Event())
    made = Probe(model=model, method=method, batch=shape.batch, length=shape.length, machine=wanted[4], **found)
    _keep(folder, made)
    return made


def _shape(batch: int, length: int) -> _Shape:
    length = min(TOKENS, -(-max(1, length) // STEP) * STEP)
    return _Shape(max(1, min(batch, TOKENS // length)), length)


def _source(model: str, weights: Path) -> Path:
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("peft") is None:
        raise ForOperator(
            "This machine has no torch or no peft, so no run was measured. Install both to tune here.",
            spanish="Esta máquina no tiene torch o peft, así que no se midió nada. Instálalos para ajustar aquí.",
        )
    kind, _, rest = model.partition(":")
    if kind not in ("local", "hf"):
        raise ForPerson(
            f"{model} does not run on this machine, so there is nothing to measure.",
            spanish=f"{model} no funciona en esta máquina, así que no hay nada que medir.",
        )
    found = hf.find(rest, weights) if kind == "hf" else hf.Source()
    if found.missing:
        raise ForOperator(
            f"{model} is not on this machine yet. Fetch it on the models page, then measure again.",
            spanish=f"{model} aún no está en esta máquina. Descárgalo en la página de modelos y vuelve a medir.",
        )
    if found.base is not None:
        return found.base
    from assistant.models.local.engine_transformers import safetensors

    return safetensors(next(weight_files.path("smollm2-135m", weights).glob("*.gguf")))


def _fits(model: str, source: Path) -> None:
    """A model that fills the memory would take the app down with it."""
    needed = 3 * sum(file.stat().st_size for file in source.glob("*.safetensors"))  # loaded, and the steps over it
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return
    if needed > free + _cached():
        raise ForOperator(
            f"{model} is too large to be tried here: some {needed >> 30} GB are needed.",
            spanish=f"{model} es demasiado grande para probarlo aquí: hacen falta unos {needed >> 30} GB.",
        )


def _cached() -> int:
    """Bytes of memory that Linux lends to files and takes back when asked."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Cached:")).split()[1]) * 1024
    except (OSError, StopIteration):
        return 0


# ── the child ────────────────────────────────────────────────────────────────────────────────────────────────────────


def measured(asked: dict[str, Any], stop: threading.Event) -> dict[str, Any]:
    """What the child says last of what it was asked. ForOperator where it cannot, TryAgain once `stop` is set."""
    pipe = subprocess.PIPE
    # Passive: threads of torch that spin for each other took 13 s for a step of 0.5 s while other work ran (two cores).
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "PASSIVE"}
    child = subprocess.Popen([sys.executable, "-m", _CHILD], stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    assert child.stdin
    assert child.stdout
    assert child.stderr
    rows: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_pump, args=(child.stdout, rows), daemon=True),
        threading.Thread(target=child.stderr.read, daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        child.stdin.write(json.dumps(asked).encode() + b"\n")
        child.stdin.close()
        return _last(rows, stop)
    except OSError:  # it died before it had read what was asked
        raise _failed("no reason given") from None
    finally:
        child.kill()
        child.wait()
        for thread in threads:
            thread.join()
        child.stdout.close()
        child.stderr.close()


def _last(rows: queue.SimpleQueue[bytes | None], stop: threading.Event) -> dict[str, Any]:
    began, loaded = time.monotonic(), 0.0  # with all that is imported, as a run has it
    until = began + PATIENCE
    while time.monotonic() < until:
        if stop.is_set():
            raise TryAgain(
                "The measurement was stopped. Start it again.",
                spanish="La medición se detuvo. Vuelve a iniciarla.",
            )
        try:
            line = rows.get(timeout=0.1)
        except queue.Empty:
            continue
        if line is None:
            raise _failed("it ended without a word; the memory may not have been enough")
        row = json.loads(line)
        if "failed" in row:
            raise _failed(row["failed"])
        if "loaded" in row:
            loaded = time.monotonic() - began
        if "steps" in row:
            return {**row, "load": loaded}
    raise _failed(f"it took longer than {PATIENCE:.0f} seconds")


def _failed(why: str) -> AssistantError:
    return ForOperator(
        f"The run could not be measured ({why}). Close other programs, or estimate without a measurement.",
        spanish=f"No se pudo medir el entrenamiento ({why}). Cierra otros programas o calcula sin medición.",
    )


def _pump(stream: Any, rows: queue.SimpleQueue[bytes | None]) -> None:
    for line in stream:
        rows.put(line)
    rows.put(None)


# ── what was measured before ─────────────────────────────────────────────────────────────────────────────────────────


def _kept(folder: Path) -> list[Probe]:
    """Empty where the file is missing or no longer understood: it can always be measured again."""
    try:
        content = json.loads((folder / "probes.json").read_text(encoding="utf-8"))
        return [Probe.model_validate(row) for row in content["rows"]] if content["format"] == _KEPT else []
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return []


def _keep(folder: Path, made: Probe) -> None:
    rows = [*_kept(folder), made]
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".probes.{os.getpid()}.{threading.get_ident()}.json"
    content = {"format": _KEPT, "rows": [row.model_dump() for row in rows]}
    half.write_text(json.dumps(content, indent=1), encoding="utf-8")
    half.replace(folder / "probes.json")


def machine() -> str:
    return f"{platform.machine()} · {_processor()} · {os.cpu_count()} cores · torch {metadata.version('torch')}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
