"""The shape of the code: who imports whom, what importing does, where each vendor lives."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ["knowledge", "assistant", "tuning", "app"]  # each may import those before it
FILES = sorted([*(file for layer in LAYERS[:-1] for file in (ROOT / layer).rglob("*.py")), ROOT / "app.py"])

HOMES = {  # vendor -> the only files (or folders) that import it
    "accelerate": ["tuning/training/engine/together.py"],
    "alembic": ["knowledge/store/", "assistant/store/migrations/", "tuning/store/migrations/"],
    "chromadb": ["knowledge/index.py"],
    "duckdb": ["assistant/tools/"],
    "fastapi": ["assistant/service/", "assistant/chat_page/", "app.py"],
    "google": ["assistant/models/remote/vertex.py"],
    "gguf": ["tuning/exporting/engine/"],
    "gradio": ["assistant/chat_page/", "assistant/pages/", "knowledge/pages/documents_page.py", "app.py"],
    "langchain": ["assistant/agent/"],
    "langchain_core": ["assistant/agent/", "assistant/models/"],
    "langchain_openai": ["assistant/models/remote/"],
    "langgraph": ["assistant/agent/"],
    "mcp": ["assistant/tools/"],
    "openai": ["assistant/models/remote/"],
    "openvino": ["knowledge/embedders/", "assistant/models/local/"],
    "openvino_genai": ["assistant/models/local/"],
    "phonenumbers": ["tuning/cleaning/personal/"],
    "pint": ["assistant/tools/convert.py"],
    "pypdfium2": ["knowledge/readers/"],
    "sacrebleu": ["tuning/evaluation/metrics/translation.py"],
    "sentence_transformers": ["knowledge/embedders/"],
    "stdnum": ["tuning/cleaning/personal/"],
    "tiktoken": ["tuning/counting/vocabularies/"],
    "tokenizers": ["knowledge/embedders/", "tuning/counting/vocabularies/"],
    "torch": [
        "knowledge/embedders/",
        "assistant/models/local/",
        "tuning/training/engine/",
        "tuning/exporting/engine/",
    ],
    "trafilatura": ["knowledge/web/"],
    "transformers": [
        "knowledge/embedders/",
        "assistant/models/local/",
        "tuning/training/engine/",
        "tuning/exporting/engine/",
    ],
    "typer": ["app.py", "assistant/service/commands/", "tuning/commands/"],
    "uvicorn": ["assistant/service/"],
}


def _module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _imports(file: Path, *, late: bool) -> frozenset[str]:
    """Modules a file imports; `late`: those inside functions too. What only a type checker sees is left out."""
    return frozenset(_imported(file, late))


def _imported(file: Path, late: bool) -> Iterator[str]:
    waiting: list[ast.AST] = list(ast.parse(file.read_text(encoding="utf-8")).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not late:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: imports say where from"
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        waiting.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_package_imports_only_what_lies_below_it(file: Path) -> None:
    own = LAYERS.index(_module(file).split(".")[0])
    above = {name for name in _imports(file, late=True) if name.split(".")[0] in LAYERS[own + 1 :]}
    assert not above


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = {_module(file) for file in FILES}
    graph = {_module(file): _imports(file, late=False) & modules - {_module(file)} for file in FILES}
    for module, imported in graph.items():  # a package's front door gathers what lies in it: no cycle by itself
        graph[module] = imported - {module.rpartition(".")[0], module.split(".")[0]}
    list(TopologicalSorter(graph).static_order())  # raises CycleError with the circle in it


@pytest.mark.parametrize("vendor", HOMES)
def test_a_vendor_is_imported_only_at_home(vendor: str) -> None:
    homes = tuple(HOMES[vendor])
    strays = [
        str(file.relative_to(ROOT))
        for file in FILES
        if not file.relative_to(ROOT).as_posix().startswith(homes)
        and any(name.split(".")[0] == vendor for name in _imports(file, late=True))
    ]
    assert not strays


def _watched(tmp_path: Path, *modules: str) -> tuple[list[str], list[str]]:
    """What importing did to the world, and the heavy vendors it brought in."""
    command = [sys.executable, "-m", "tests.import_watch", str(ROOT), *modules]
    environment = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    *done, heavy = result.stdout.splitlines()
    return [line for line in done if line], heavy.split()


def test_importing_opens_nothing_makes_nothing_and_reads_no_environment(tmp_path: Path) -> None:
    """Every module, but those whose only work is to bring a vendor in (a page, a child process, a migration)."""
    skipped = {
        "gradio",
        "pypdfium2",
        "torch",
        "transformers",
        "openvino",
        "openvino_genai",
        "alembic",
        "langchain_core",
    }
    imported = {_module(file): set(_imports(file, late=False)) for file in FILES}

    def brings(module: str) -> set[str]:
        names, waiting = set[str](), [module]
        while waiting:
            for name in imported.get(waiting.pop(), set()) - names:
                names.add(name)
                waiting.append(name)
        return {name.split(".")[0] for name in names}

    modules = [name for name in imported if not brings(name) & skipped and "migrations" not in name]
    assert {"app", "knowledge.library", "assistant.turns", "assistant.service.site"} <= set(modules)
    done, _ = _watched(tmp_path, *modules)
    assert not done
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "module", ["knowledge", "knowledge.library", "assistant", "assistant.history", "assistant.models", "app"]
)
def test_a_front_door_brings_in_nothing_heavy(tmp_path: Path, module: str) -> None:
    assert _watched(tmp_path, module)[1] == []
