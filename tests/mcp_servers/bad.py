"""Servers that misbehave, by hand, since no SDK would: `python bad.py HOW`."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

how = sys.argv[1]


def say(row: Any) -> None:
    sys.stdout.write((row if isinstance(row, str) else json.dumps(row)) + "\n")
    sys.stdout.flush()


def tools() -> list[dict[str, Any]]:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    if how == "many":
        return [{"name": f"tool{number}", "description": "One of many", "inputSchema": schema} for number in range(500)]
    if how == "schemas":
        return [
            {"name": "fine", "inputSchema": {}},
            {"name": "array", "inputSchema": {"type": "array"}},
            {"name": "words", "inputSchema": {"type": "object", "properties": "none"}},
            {"name": "huge", "inputSchema": {"type": "object", "properties": {"a": {"description": "x" * 50_000}}}},
            {"name": "", "inputSchema": schema},
        ]
    return [{"name": "go", "description": "Goes", "inputSchema": schema}]


def answer(request: dict[str, Any]) -> None:
    def result(row: Any) -> None:
        say({"jsonrpc": "2.0", "id": request["id"], "result": row})

    match request.get("method"):
        case "initialize":
            version = "1999-01-01" if how == "old" else request["params"]["protocolVersion"]
            result(
                {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "b", "version": "1"}}
            )
        case "tools/list":
            result({"tools": 7} if how == "list" else {"tools": tools()})
        case "tools/call":
            call(result)


def call(result: Any) -> None:
    match how:
        case "hang":
            time.sleep(60)
        case "flood":
            while True:
                sys.stdout.write("x" * 65_536)
        case "chatter":
            while True:
                say(
                    {
                        "jsonrpc": "2.0",
                        "method": "notifications/message",
                        "params": {"level": "info", "data": "x" * 5_000},
                    }
                )
        case "shape":
            result({"content": "seven"})
        case "long":
            result({"content": [{"type": "text", "text": "word " * 100_000}]})
        case "empty":
            result({"content": []})
        case _:
            result({"content": [{"type": "text", "text": "went"}]})


if how == "mute":
    time.sleep(60)
if how == "dies":
    print("no licence: LICENCE_KEY is not set", file=sys.stderr, flush=True)
    sys.exit(3)
if how == "babble":
    for line in range(1_000):
        say(f"Hello, this is line {line} of a program that is no server.")
    time.sleep(60)
if how == "banner":
    say("Welcome to the server!")
for line in sys.stdin:
    answer(json.loads(line))
