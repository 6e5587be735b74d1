"""What providers and trainers take: an example to rows and back, with what is lost on the way named.

    written = FORMATS["openai"].write(example)      Written(rows, lost), or Refused with the reason
    example = FORMATS["vertex"].read(row)           or BadRow with the field
    detect(rows)                                    "trl-kto", None where nothing fits
    line(row)                                       its line of a JSONL file, in bytes

Every format takes the kinds of example it lists. A ranking becomes its pairs where a format holds preferences, and its
best answer where one holds conversations. Imports nothing heavier than `tuning.rows`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from tuning.errors import ForPerson
from tuning.formats import afina, openai, sharegpt, trl, vertex
from tuning.formats.form import BadRow, Format, Loss, Refused, Written
from tuning.rows import Row

FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (  # in the order in which `detect` asks: the narrowest first
        afina.AFINA,
        openai.PREFERENCE,
        vertex.PREFERENCE,
        vertex.CONVERSATION,
        sharegpt.SHAREGPT,
        trl.PREFERENCE,
        trl.KTO,
        trl.COMPLETION,
        openai.COMPLETION,
        openai.CHAT,
        trl.MESSAGES,
        trl.TEXT,
    )
}


def find(name: str) -> Format:
    if name not in FORMATS:
        known = ", ".join(FORMATS)
        raise ForPerson(
            f"There is no format {name!r}: choose one of {known}.",
            spanish=f"No existe el formato {name!r}: elige uno de {known}.",
        )
    return FORMATS[name]


def detect(rows: Iterable[Row]) -> str | None:
    """The first format that all of some rows look like."""
    some = [row for row in rows if isinstance(row, dict)]
    if not some:
        return None
    return next((name for name, one in FORMATS.items() if all(map(one.fits, some))), None)


def line(row: Row) -> bytes:
    """A row as a line of a JSONL file, its end included: UTF-8, letters as they are."""
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except UnicodeEncodeError:
        raise Refused("half_character") from None
    except ValueError:
        raise Refused("no_number") from None


__all__ = ["FORMATS", "BadRow", "Format", "Loss", "Refused", "Written", "detect", "find", "line"]
