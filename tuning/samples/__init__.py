"""In: nothing. Out: examples that ship with the app, as files one can import, look at and tune a first model with.

marv       66 conversations in English with Marv, who is factual and also sarcastic; our own words, the facts are true
marv-es    34 in Spanish
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_HERE = Path(__file__).parent

SAMPLES: Mapping[str, Path] = {name: _HERE / f"{name}.jsonl" for name in ("marv", "marv-es")}
