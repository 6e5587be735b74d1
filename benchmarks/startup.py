"""Process start → address printed → first 200 of `/` → models ready, of the real app in a process of its own.

    python -m benchmarks.startup [--rounds 5]

The first round makes a new data folder; the others find it, as a later start does. "ready" is when the app has loaded
both models: it says so in its log. Python's own start is in every figure.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import describe

READY = "models are ready after"  # what assistant.service.serving logs


@dataclass(frozen=True)
class Start:
    """Seconds since the process was started."""

    page: float
    ready: float
    memory: int  # bytes resident once ready (Linux; 0 elsewhere)


def start(home: Path) -> Start:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "app", "serve", "--port", str(port), "--home", str(home), "--no-open"]
    log = home / "log" / "afina.log"
    seen = log.stat().st_size if log.exists() else 0
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            page = _wait(process, began, lambda: _answers(port))
            ready = _wait(process, began, lambda: READY in log.read_text(encoding="utf-8")[seen:])
            return Start(page, ready, _resident(process.pid))
        finally:
            process.send_signal(signal.SIGINT)


def _wait(process: subprocess.Popen[bytes], began: float, done: object) -> float:
    assert callable(done)
    while not done():
        if process.poll() is not None or time.perf_counter() - began > 120:
            raise SystemExit("the app did not start")
        time.sleep(0.01)
    return time.perf_counter() - began


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        first, *later = [start(Path(folder) / "home") for _ in range(rounds + 1)]
    page, ready = (statistics.median(getattr(one, name) for one in later) for name in ("page", "ready"))
    print("\n| start | first page, s | models ready, s | resident, MB |\n|---|---|---|---|")
    print(f"| first, in a new data folder | {first.page:.2f} | {first.ready:.2f} | {first.memory / 1e6:.0f} |")
    memory = max(one.memory for one in later) / 1e6
    print(f"| later, median of {rounds} | {page:.2f} | {ready:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
