"""In: settings. Out: rows {check, ok, message}: what a person would want to know before asking for help.

Each check stands alone: one that fails, or cannot be made, does not keep the next from being made.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError
from assistant.service.lock import owner_of
from assistant.service.say import Say
from assistant.service.settings import Settings
from knowledge import KnowledgeError

Row = dict[str, Any]
Verb = Callable[..., Iterator[Row]]
FREE_DISK = 2 * 1024**3  # bytes: a library of some 10,000 pages with room to rebuild its index
MEMORY = 3 * 1024**3  # bytes: 2.5 GB at work


def doctor(settings: Settings, call: Verb, environment: Mapping[str, str], say: Say) -> Iterator[Row]:
    """`call("docs.check")` asks the library, through the running app where there is one."""
    checks: dict[str, Callable[[], tuple[bool, str]]] = {
        "python": lambda: (sys.version_info >= (3, 11), f"{sys.version.split()[0]}, {sys.executable}"),
        "packages": _packages(say),
        "settings": lambda: _settings(settings, environment, say),
        "folder": lambda: _folder(settings.home, say),
        "disk": lambda: _disk(settings, say),
        "memory": lambda: _memory(say),
        "app": lambda: _app(settings, say),
        "port": lambda: _port(settings, say),
        "weights": lambda: _weights(settings, say),
        "embedder": lambda: _embedder(settings, say),
        "model": lambda: _model(settings, say),
        "index": lambda: _index(call, say),
    }
    for name, check in checks.items():
        try:
            ok, message = check()
        except (KnowledgeError, AssistantError) as error:
            ok, message = False, str(error)
        except Exception as error:
            ok, message = False, f"{type(error).__name__}: {error}"
        yield {"check": name, "ok": ok, "message": message}


def _packages(say: Say) -> Callable[[], tuple[bool, str]]:
    def check() -> tuple[bool, str]:
        from packaging.requirements import Requirement

        wrong = []
        wanted = [Requirement(line) for line in metadata.requires("afina") or ()]
        for need in wanted:
            if need.marker is not None and not need.marker.evaluate({"extra": ""}):
                continue
            try:
                version = metadata.version(need.name)
            except metadata.PackageNotFoundError:
                wrong.append(f"{need.name} -")
                continue
            if not need.specifier.contains(version, prereleases=True):
                wrong.append(f"{need.name} {version} ({need.specifier})")
        return not wrong, say("packages_wrong", names=", ".join(wrong)) if wrong else say("packages_right")

    return check


def _settings(settings: Settings, environment: Mapping[str, str], say: Say) -> tuple[bool, str]:
    known = {f"AFINA_{name.upper()}" for name in type(settings).model_fields}
    unknown = sorted(
        name for name in environment if re.match("AFINA_", name, re.IGNORECASE) and name.upper() not in known
    )
    return not unknown, say("settings_unknown", names=", ".join(unknown)) if unknown else say("settings_right")


def _folder(home: Path, say: Say) -> tuple[bool, str]:
    """Writable, tried out; a folder that does not exist yet is tried at its nearest ancestor and not made."""
    place = _existing(home)
    with tempfile.TemporaryFile(dir=place) as file:
        file.write(b"afina")
    return True, say("folder_right" if place == home else "folder_new", folder=home)


def _disk(settings: Settings, say: Say) -> tuple[bool, str]:
    free = shutil.disk_usage(_existing(settings.home)).free
    return free >= FREE_DISK, say("disk", gigabytes=f"{free / 1024**3:.1f}", needed=f"{FREE_DISK / 1024**3:.0f}")


def _memory(say: Say) -> tuple[bool, str]:
    free = _free_memory()
    if free is None:
        return True, say("memory_unknown")
    return free >= MEMORY, say("memory", gigabytes=f"{free / 1024**3:.1f}", needed=f"{MEMORY / 1024**3:.0f}")


def _free_memory() -> int | None:
    """Bytes that could be had, or None where the system does not say it this way."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _app(settings: Settings, say: Say) -> tuple[bool, str]:
    owner = owner_of(settings.home) if settings.home.exists() else None
    if owner is None:
        return True, say("app_not_running")
    return True, say("app_running", pid=owner.pid, command=owner.command, address=owner.address or "-")


def _port(settings: Settings, say: Say) -> tuple[bool, str]:
    from assistant.service.serving import holder_of

    owner = owner_of(settings.home) if settings.home.exists() else None
    if owner is not None and owner.port == settings.port:
        return True, say("port_ours", port=settings.port)
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return False, say("port_taken", port=settings.port, who=holder_of(settings.port) or "?")
    return True, say("port_free", port=settings.port)


def _weights(settings: Settings, say: Say) -> tuple[bool, str]:
    """Every byte is read: what rotted on the disk keeps its size and its time."""
    from knowledge import weights

    missing, damaged = [], []
    for state in weights.states(settings.weights):
        try:
            weights.verify(state.name, settings.weights)
        except KnowledgeError as error:
            if error.key == "no_weights":
                missing.append(state.name)
            else:
                damaged.append(error.said(say.language))
    if missing or damaged:
        absent = [say("weights_missing", names=", ".join(missing))] if missing else []
        return False, " ".join([*damaged, *absent])
    return True, say("weights_right", folder=settings.weights)


def _embedder(settings: Settings, say: Say) -> tuple[bool, str]:
    from knowledge import embedders

    vectors = embedders.load(settings.embedder, settings.weights).embed(["afina"])
    return bool(abs(float((vectors[0] ** 2).sum()) - 1) < 0.01), say("embedder_right", dimensions=vectors.shape[1])


def _model(settings: Settings, say: Say) -> tuple[bool, str]:
    import threading
    import time

    from assistant.models import Models, write
    from assistant.models.inference import Inference
    from knowledge import Turn

    began = time.monotonic()
    models = Models(settings.weights)
    few = Inference(max_tokens=4)
    pieces = list(write(models.get(settings.model), [Turn("user", "Say yes.")], inference=few, stop=threading.Event()))
    if callable(close := getattr(models, "close", None)):
        close()
    seconds = f"{time.monotonic() - began:.1f}"
    return bool(pieces), say("model_right", name=settings.model, seconds=seconds)


def _index(call: Verb, say: Say) -> tuple[bool, str]:
    findings = [row for row in call("docs.check") if "code" in row]
    if findings:
        return False, say("index_findings", count=len(findings), first=findings[0].get("message", ""))
    return True, say("index_right")


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
