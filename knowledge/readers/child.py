"""In: one JSON request on standard input. Out: JSON rows on standard output. A process of its own, run by its path.

    {"verb": "read", "path": "…", "password": null, "first": 1, "pages": 10000, "memory": 1073741824, "seconds": 630}
    {"pages": 12}  {"page": 1, "text": "…", "lines": [0, 17, 11765, 8300, 40123, 9600, …]}
    {"unreadable": 2}  {"done": 1}

    {"verb": "render", …, "page": 3, "width": 1200}
    {"png": "base64…"}

A refusal is {"refused": "password"}. Standard input stays open: when it closes, whoever asked is gone and so is this.
The password comes in the request because arguments and environments can be read by other processes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

OUT_OF_MEMORY = 77  # exit status
Row = dict[str, Any]


def _import_alone(site: str) -> None:
    """Make `knowledge.readers` importable without running the packages' own imports (numpy alone takes 100 ms)."""
    sys.path.append(site)
    here = Path(__file__).resolve().parent
    for name, folder in (("knowledge", here.parent), ("knowledge.readers", here)):
        module = ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module


def _limit(memory: int, seconds: int) -> None:
    """Hard limits where the system has them; `_watch` holds elsewhere."""
    try:
        import resource
    except ImportError:
        return
    for name, value in (
        ("RLIMIT_AS", memory),
        ("RLIMIT_CPU", seconds),  # the last resort, should the one who kills us be killed itself
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),  # no file is ever written here
    ):
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        try:
            hard = resource.getrlimit(kind)[1]
            ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (ceiling, ceiling))
        except (ValueError, OSError):  # macOS refuses some of them
            continue


def _resident() -> int:
    """Most bytes of memory held so far; 0 where nobody tells."""
    if sys.platform == "win32":
        return _resident_on_windows()
    if sys.platform == "linux":  # ru_maxrss goes on counting what the parent held before this program was started
        with open("/proc/self/status", "rb") as status:
            return next((int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM:")), 0)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _resident_on_windows() -> int:
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", ctypes.c_uint32),
            ("faults", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "e", "f")),
        )

    counters = Counters(size=ctypes.sizeof(Counters))
    kernel = ctypes.CDLL("kernel32")
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    known = kernel.K32GetProcessMemoryInfo(
        ctypes.c_void_p(kernel.GetCurrentProcess()), ctypes.byref(counters), counters.size
    )
    return int(counters.peak) if known else 0


def _watch(memory: int) -> None:
    """Leave by name before the hard limit aborts, where there is time to.

    The hard limit counts addresses, some of which are only reserved, so resident memory never comes quite near it.
    """
    while _resident() < memory * 0.7:
        time.sleep(0.05)
    os._exit(OUT_OF_MEMORY)


def _leave_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _ask() -> Row:
    """The request's line, read without a buffer: the rest of standard input belongs to `_leave_with_parent`."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            os._exit(1)
        line += part
    request: Row = json.loads(line)
    return request


def _rows(request: Row) -> Iterator[Row]:
    from knowledge.readers import pdf

    password = request["password"]
    try:
        file = pdf.File(Path(request["path"]), password)
    except pdf.Refused as refused:
        code = str(refused)
        yield {"refused": "wrong_password" if code == "password" and password else code}
        return
    if request["verb"] == "render":
        image = file.png(request["page"], request["width"]) if request["page"] <= file.pages else None
        import base64

        yield {"refused": "page"} if image is None else {"png": base64.b64encode(image).decode("ascii")}
        return
    yield {"pages": file.pages}
    for number in range(request["first"], min(file.pages, request["pages"]) + 1):
        page = file.text(number)
        yield {"unreadable": number} if page is None else {"page": number, "text": page[0], "lines": page[1]}
    yield {"done": 1}


def main() -> None:
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no row
    _import_alone(sys.argv[1])
    from knowledge.readers import pdf  # noqa: F401 - before the limits, so that its bytecode can be written

    request = _ask()
    threading.stack_size(256 << 10)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    threading.Thread(target=_watch, args=(request["memory"],), daemon=True).start()
    _limit(request["memory"], request["seconds"])
    status = 0
    try:
        for row in _rows(request):
            output.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            output.flush()
    except MemoryError:
        status = OUT_OF_MEMORY
    except OSError as error:  # the file, or the pipe to whoever asked
        print(f"{type(error).__name__}: {error.strerror}", file=sys.stderr)
        status = 1
    sys.stderr.flush()
    os._exit(status)  # nothing is worth tidying, and threads still wait


if __name__ == "__main__":
    main()
