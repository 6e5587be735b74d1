"""In: the environment's mapping. Out: every vendor's telemetry switched off in it, before any vendor is imported.

Each was read from the vendor's source; a person's own setting does not win here, because documents are at stake:
with LANGSMITH_TRACING set for another project, questions and passages would leave the machine.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

SWITCHES = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",  # 6.31 keeps every input and output in the browser's localStorage otherwise
    "GRADIO_MCP_SERVER": "False",
    "GRADIO_SHARE": "False",
    "GRADIO_SSR_MODE": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ANONYMIZED_TELEMETRY": "False",  # chroma
    "CHROMA_OTEL_COLLECTION_ENDPOINT": "",
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGCHAIN_TRACING": "false",
    "DO_NOT_TRACK": "1",
}
REMOVED = (
    "GRADIO_WATCH_DIRS",  # these turn on doors: live reload, code editing, profiling, loose CORS
    "GRADIO_VIBE_MODE",
    "GRADIO_PROFILING",
    "GRADIO_LOCAL_DEV_MODE",
    "GRADIO_ALLOWED_PATHS",
    "GRADIO_HISTORY_BUCKET",
    "GRADIO_ROOT_PATH",
    "LANGSMITH_GATEWAY",  # reroutes a provider's traffic
    "LANGSMITH_GATEWAY_API_KEY",
)


def switch_off(environment: MutableMapping[str, str], uploads: Path | None = None) -> None:
    """`uploads`: the folder Gradio keeps dropped files in; read when gradio is imported, so set it before."""
    for name in REMOVED:
        environment.pop(name, None)
    environment.update(SWITCHES)
    environment["TOKENIZERS_PARALLELISM"] = "false"  # a fork after tokenizing warns and may hang otherwise
    if uploads is not None:
        environment["GRADIO_TEMP_DIR"] = str(uploads)
