"""In: any JSON value, as a stranger's file holds it. Out: the string, list, object or moment it ought to be, or the
empty one: a wrong type is a missing value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def name(value: Any) -> str:
    """An id: a string, or a number where one stands."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def moment(value: Any) -> str:
    """ISO 8601 in UTC, from seconds or milliseconds since 1970 or from ISO 8601; "" where it is no time of our age."""
    try:
        if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
            at = datetime.fromisoformat(value)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            seconds = float(value)
            if not math.isfinite(seconds):
                return ""
            at = datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS else seconds, UTC)
        else:
            return ""
        at = at.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return at.isoformat(timespec="seconds") if 1990 <= at.year < 2200 else ""


_MILLISECONDS = 1e11  # as seconds, the year 5138
