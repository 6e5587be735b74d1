"""In: nothing. Out: this package's verbs, by the command line's words, and where each function lives."""

from __future__ import annotations

from collections.abc import Mapping

VERBS: Mapping[str, str] = {}
