"""OpenVINO's import reports itself to its vendor's analytics, from a forked child, and writes ~/intel. Not here.

It falls back to a stub of its own when the package `openvino_telemetry` cannot be imported, so that is what it gets:
there is no switch in the environment (2026.4, `openvino/tools/ovc/telemetry_utils.py`). Call `silence` before the
first import of openvino or openvino_genai, in every process that imports either.
"""

from __future__ import annotations

import sys

# For a child process that runs source text.
SILENCE = 'import sys; sys.modules["openvino_telemetry"] = None'


def silence() -> None:
    """Harmless to repeat."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # makes its import an ImportError
