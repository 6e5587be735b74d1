"""In: settings, a page factory. Out: the running app, until it is asked to stop.

Order: own the folder, take the port, then import Gradio, build, listen; models warm up only after the first page can be
served. Measured on two cores: importing Gradio is 1.8 of the about 2.5 seconds to the first page.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ForOperator
from assistant.service import logs
from assistant.service.lock import HomeLock
from assistant.service.parts import Parts
from assistant.service.settings import Settings

if TYPE_CHECKING:
    from assistant.service.doors import Doors

log = logging.getLogger(__name__)

Build = Callable[[Parts, str], "Doors"]  # the parts and the token; imports Gradio
GRACE = 3  # seconds open streams get when the app is asked to stop


def serve(
    settings: Settings, build: Build, *, ready: Callable[[str], None], make: Callable[[Settings], Parts] = Parts
) -> None:
    """Returns when the app was stopped (Ctrl-C, SIGTERM). `ready` gets the address once the page can be opened."""
    with HomeLock(settings.home, "serve").acquire() as lock, _listening(settings) as listener:
        parts = make(settings)
        handlers = logs.begin(settings.home / "log", settings.log, lambda: [*parts.secrets(), lock.token])
        try:
            _empty(settings.uploads)
            port = int(listener.getsockname()[1])
            host = _reachable(settings.host)

            def started() -> None:
                lock.publish(host, port)
                log.info("serving on port %d", port)
                ready(address(host, port))
                threading.Thread(target=prepare, args=(parts,), name="prepare", daemon=True).start()

            _run(build(parts, lock.token), listener, started)
        finally:
            parts.close()
            log.info("stopped")
            logs.end(handlers)


def _run(site: Doors, listener: socket.socket, started: Callable[[], None]) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    config = uvicorn.Config(
        site,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = Server(config)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else uvicorn's repetition of it would kill us unclosed
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it has shut down
        server.run(sockets=[listener])


def prepare(parts: Parts) -> None:
    """After the first page: missing weights, warm models, what a crash left half-way. A failure is logged, not raised:
    each part says so again, to the person, when it is asked."""
    began = time.monotonic()
    try:
        parts.models.warm()  # on a thread of its own; fetches its weights too
        _fetch(parts, parts.settings.embedder)
        parts.embedder().embed(["warm"])
        while parts.models.state().stage in ("fetching", "loading") and not parts.closed:
            time.sleep(0.05)
        log.info("models are %s after %.1f s", parts.models.state().stage, time.monotonic() - began)
        if not parts.closed:
            parts.agent.warm()
        for _ in parts.library.resume():
            if parts.closed:
                return
    except Exception as error:
        if not parts.closed:
            log.warning("preparing: %s", error)
            log.debug("details", exc_info=True)


def _fetch(parts: Parts, name: str) -> None:
    from knowledge import weights

    if any(state.name == name and not state.present for state in weights.states(parts.weights)):
        for _ in weights.fetch(name, parts.weights):
            if parts.closed:
                return


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
            listener.listen(128)
        except OSError as error:
            raise ForOperator(_busy(settings, error)) from None
        yield listener
    finally:
        listener.close()


def _busy(settings: Settings, error: OSError) -> str:
    where = f"{settings.host}:{settings.port}"
    if isinstance(error, PermissionError):
        return f"Port {settings.port} needs an administrator's rights. Choose one above 1023 with --port."
    holder = holder_of(settings.port)
    if holder is None and "in use" not in str(error).lower():
        return f"{where} cannot be opened ({error.strerror or error}). Choose another address with --host and --port."
    who = f" by {holder}" if holder else ""
    return f"Port {where} is taken{who}. Stop it, or choose another with --port {settings.port + 1}."


def holder_of(port: int, proc: Path = Path("/proc")) -> str | None:
    """The process that listens on `port`, as "process 12 (python)"; None where the system does not say (not Linux,
    another user's)."""
    try:
        rows = [line.split() for name in ("tcp", "tcp6") for line in (proc / "net" / name).read_text().splitlines()[1:]]
        sockets = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == port}
        for process in proc.glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                    return f"process {process.name} ({(process / 'comm').read_text().strip()})"
    except (OSError, ValueError, IndexError):
        pass
    return None


def _reachable(host: str) -> str:
    """The address by which this machine reaches a server bound to `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _empty(folder: Path) -> None:
    """Uploads of an earlier run: the library has its own copies, and a torn one is of no use."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_browser(url: str, environment: Mapping[str, str]) -> bool:
    """Only where a person sits before a screen: no CI, no remote shell, no display."""
    if any(environment.get(name) for name in ("CI", "SSH_CONNECTION", "SSH_TTY")):
        return False
    if sys.platform.startswith("linux") and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        return False
    threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
    return True
