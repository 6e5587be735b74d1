"""`python -m tuning.exporting`: the child of `child.rows`. A request on stdin, rows on stdout, the last {"over": true}.

{"do": "merge", "base": "local:smollm2-135m", "weights": "…", "adapter": "…", "into": "…"}
{"do": "gguf", "model": "…", "file": "….gguf", "type": "q8_0", "about": {"name": "Marv", "licence": "apache-2.0"}}
{"do": "names", "model": "…"}          whether its tensors are those that its config.json asks for
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from knowledge import KnowledgeError
from tuning.errors import ForPerson
from tuning.training.foreign import Wrong


def main() -> int:
    sys.stdout = sys.stderr  # what a vendor prints is no row
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_until_stdin_ends, daemon=True).start()
    try:
        for row in _done(request):
            _say(row)
    except Wrong as error:
        _say({"wrong": [str(error), error.spanish]})
    except KnowledgeError as error:
        who = "person" if isinstance(error, ForPerson) else "operator"
        _say({"error": error.said("en"), "spanish": error.said("es"), "who": who})
    _say({"over": True})
    return 0


def _done(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    match request["do"]:
        case "merge":
            yield from _merge(request)
        case "gguf":
            from tuning.exporting.engine.gguf_file import write

            for done, of in write(Path(request["model"]), Path(request["file"]), request["type"], request["about"]):
                yield {"done": done, "of": of}
        case "names":
            from tuning.exporting.engine.naming import agree

            agree(Path(request["model"]))


def _merge(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    from tuning.exporting.engine.merging import STEPS, merge
    from tuning.exporting.stage import room
    from tuning.training.bases import find

    base, into = find(request["base"], Path(request["weights"])), Path(request["into"])
    room(into, base.bytes * int(request.get("times", 1)))
    for done in merge(base, Path(request["adapter"]), into):
        yield {"done": done, "of": STEPS}


def _until_stdin_ends() -> None:
    sys.stdin.read()
    os._exit(1)


def _say(row: Mapping[str, Any]) -> None:
    sys.__stdout__.write(json.dumps(row) + "\n")  # type: ignore[union-attr]  # a child has one
    sys.__stdout__.flush()  # type: ignore[union-attr]


if __name__ == "__main__":
    sys.exit(main())
