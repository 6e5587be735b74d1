"""A process that imports what a job needs, once, and then forks: `python -m tests.tuning.nursery`.

In: a job's folder a line. Out: a line "pid <number>" for each that was begun, "end <pid> <code>" when it has ended.
Nothing has been computed here before a fork, so no thread of torch's is lost by it.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings

_LOCK = threading.Lock()


def _say(line: str) -> None:
    with _LOCK:
        print(line, flush=True)


def _wait(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    _say(f"end {pid} {os.waitstatus_to_exitcode(status)}")


def main() -> None:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    warnings.simplefilter("ignore")
    import peft  # noqa: F401

    import tuning.training.engine.run  # noqa: F401
    from tuning.training.__main__ import main as job

    for line in sys.stdin:
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside the threads that wait below
        if pid := os.fork():
            _say(f"pid {pid}")
            threading.Thread(target=_wait, args=(pid,), daemon=True).start()
            continue
        code, nothing = 1, os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        try:
            code = job([line.strip()])
        finally:
            os._exit(code)


if __name__ == "__main__":
    main()
