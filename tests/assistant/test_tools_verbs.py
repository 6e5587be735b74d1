"""Laws of `afina tools` and `afina mcp`: rows are plain JSON, refusals name what is wrong, the web needs its switch."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from assistant import tools_verbs as verbs
from assistant.tools import Toolbox, ToolError, UnknownTool
from assistant.tools.mcp import UnknownServer
from knowledge.library import Library
from knowledge.store.database import connect

SERVERS = Path(__file__).parent.parent / "mcp_servers"
NO_LIBRARY = cast("Library", None)


@pytest.fixture
def toolbox(tmp_path: Path) -> Iterator[Toolbox]:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    made = Toolbox(engine)
    yield made
    made.close()
    engine.dispose()


def ran(toolbox: Toolbox, name: str, **arguments: Any) -> dict[str, Any]:
    (row,) = verbs.tools_run(toolbox, NO_LIBRARY, name=name, arguments=arguments)
    json.dumps(row)
    return row


def test_a_tool_is_run_by_hand(toolbox: Toolbox) -> None:
    assert ran(toolbox, "calculator", expression="12 × 3")["text"] == "12 × 3 = 36"
    assert ran(toolbox, "convert", value="3,5", unit="km", to="m")["value"]["result"] == 3500


@pytest.mark.parametrize("arguments", [{}, {"x": 1}, {"expression": 7}, {"expression": "1", "also": 2}])
def test_wrong_arguments_are_named(toolbox: Toolbox, arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="It takes expression") as caught:
        ran(toolbox, "calculator", **arguments)
    assert "\n" not in str(caught.value)


def test_what_is_off_is_not_run(toolbox: Toolbox) -> None:
    with pytest.raises(UnknownTool, match="afina tools on web"):
        ran(toolbox, "web_search", query="anything")
    assert list(verbs.tools_off(toolbox, name="clock")) == [{"tool": "clock", "on": False}]
    with pytest.raises(UnknownTool, match="afina tools on clock"):
        ran(toolbox, "clock")
    list(verbs.tools_on(toolbox, name="clock"))
    rows = {row["tool"]: row for row in verbs.tools_list(toolbox)}
    assert rows["clock"]["offered"]
    assert not rows["web_page"]["offered"]
    assert not rows["web"]["on"]


def test_a_server_comes_and_goes(toolbox: Toolbox) -> None:
    entry = {"command": sys.executable, "args": [str(SERVERS / "good.py")], "env": {"TOKEN": "swordfish-4711"}}
    (row,) = verbs.mcp_add(toolbox, config=json.dumps({"good": entry}))
    assert (row["server"], row["kind"], row["message"]) == ("good", "program", "")
    assert "swordfish" not in json.dumps([row, *verbs.mcp_list(toolbox)])
    assert ran(toolbox, "good__add", a=1, b=2)["text"] == "3"
    assert list(verbs.mcp_remove(toolbox, name="good")) == [{"server": "good", "removed": True}]
    with pytest.raises(UnknownServer):
        list(verbs.mcp_test(toolbox, name="good"))
