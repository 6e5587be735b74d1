"""In: a data folder. Out: the real command line in real processes, with and without a running app."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
QUIET = {"CI": "1", "PYTHONUTF8": "1", "COLUMNS": "200", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AFINA_", "LC_", "LANG"))}
    weights = {name: os.environ[name] for name in ("AFINA_WEIGHTS",) if name in os.environ}
    return {**kept, **weights, **QUIET, "AFINA_HOME": str(home), "LANG": "en_US.UTF-8", **more}


def afina(home: Path, *arguments: str, timeout: float = 120, **more: str) -> Done:
    """Run one command to its end. Its working folder is the root, as README has it."""
    command = [sys.executable, "app.py", *arguments]
    result = subprocess.run(
        command, cwd=ROOT, env=environment(home, **more), capture_output=True, text=True, timeout=timeout, check=False
    )
    return Done(result.returncode, result.stdout, result.stderr)


@dataclass(frozen=True)
class App:
    process: subprocess.Popen[str]
    address: str
    seconds: float  # from the start of the process to the printed address

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(20)


@contextmanager
def running(home: Path, *arguments: str, **more: str) -> Iterator[App]:
    """The app on a free port; killed at the end where the test has not stopped it."""
    command = [sys.executable, "app.py", "serve", "--port", "0", *arguments]
    began = time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(home, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if "http://" not in line:
                process.kill()
                raise AssertionError(f"the app did not start: {line}{process.stderr.read() if process.stderr else ''}")
            yield App(process, "http://" + line.split("http://")[1].split()[0].rstrip("/"), time.monotonic() - began)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()
