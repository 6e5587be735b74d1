"""In: a request. Out: the rows of a child process that does what is heavy: torch is in there, and gone with it.

The child ends when its stdin does, so it never outlives the app; told to stop, it is ended at once.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tuning.errors import ForOperator, ForPerson
from tuning.training.foreign import Wrong

ROOT = Path(__file__).parent.parent.parent  # where `python -m tuning.exporting` finds this package
_QUIET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "PASSIVE"}


def rows(request: Mapping[str, Any], stop: threading.Event) -> Iterator[dict[str, Any]]:
    """Ends early once `stop` is set. ForPerson, ForOperator or Wrong with the child's own words."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tuning.exporting"], stdin=pipe, stdout=pipe, stderr=pipe,
        env={**os.environ, **_QUIET, "PYTHONPATH": path},
    )  # fmt: skip
    assert child.stdin
    assert child.stdout
    assert child.stderr
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    last: list[bytes] = []
    threads = [
        threading.Thread(target=_pump, args=(child.stdout, lines.put), daemon=True),
        threading.Thread(
            target=_pump, args=(child.stderr, lambda line: last.append(line) if line else None), daemon=True
        ),
    ]
    for thread in threads:
        thread.start()
    try:
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
        yield from _heard(lines, last, stop)
    except BrokenPipeError:
        raise _ended(last) from None
    finally:
        child.kill()
        child.wait()
        for thread in threads:
            thread.join()
        for stream in (child.stdin, child.stdout, child.stderr):
            stream.close()


def _heard(
    lines: queue.SimpleQueue[bytes | None], last: list[bytes], stop: threading.Event
) -> Iterator[dict[str, Any]]:
    while not stop.is_set():
        try:
            line = lines.get(timeout=0.1)
        except queue.Empty:
            continue
        if line is None:
            raise _ended(last)
        row = json.loads(line)
        if "wrong" in row:
            raise Wrong(*row["wrong"])
        if "error" in row:
            kind = ForPerson if row.get("who") == "person" else ForOperator
            raise kind(row["error"], spanish=row["spanish"])
        if row.get("over"):
            return
        yield row


def _ended(last: list[bytes]) -> ForOperator:
    told = b"".join(last[-20:]).decode(errors="replace").strip().splitlines()
    why = told[-1][:200] if told else "no reason given; the memory may not have been enough"
    return ForOperator(
        f"The process that writes the model ended ({why}). Close other programs and try again.",
        spanish=f"El proceso que escribe el modelo terminó ({why}). Cierra otros programas y vuelve a intentarlo.",
    )


def _pump(stream: Any, take: Any) -> None:
    for line in stream:
        take(line)
    take(None)
