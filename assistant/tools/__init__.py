"""Everything a model may call: our own tools, one file each, and those of MCP servers that a person added.

    toolbox = Toolbox(engine, egress=egress, keys=keys)
    toolbox.tools()                → [Tool("calculator", …), …]  those that are switched on
    toolbox.get("clock").run(Clock(place="Tokyo"), Work())  → Result(text="In Tokyo it is 18:05 …")
    toolbox.web = True             what may be sent out is a person's decision: off until they turn it on

Knows nothing of models, of who asks before a call, or of pages.
"""

from assistant.tools.tool import Arguments, Effect, Result, Tool, ToolError, Work, names
from assistant.tools.toolbox import OURS, Toolbox, UnknownTool

__all__ = ["OURS", "Arguments", "Effect", "Result", "Tool", "ToolError", "Toolbox", "UnknownTool", "Work", "names"]
