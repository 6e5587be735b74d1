"""In: nothing. Out: the verbs of this package and the library: the command line's words → where the function lives.

A package above this one brings a table of its own; `Parts.verbs` holds what an app has.
"""

from __future__ import annotations

from collections.abc import Mapping

VERBS: Mapping[str, str] = {  # command line's words -> where the function lives
    "api.key": "assistant.openai_api.key:api_key",
    "approve": "assistant.verbs:approve",
    "ask": "assistant.verbs:ask",
    "chats.delete": "assistant.verbs:chats_delete",
    "chats.export": "assistant.verbs:chats_export",
    "chats.list": "assistant.verbs:chats_list",
    "chats.rename": "assistant.verbs:chats_rename",
    "chats.show": "assistant.verbs:chats_show",
    "docs.add": "knowledge.verbs:docs_add",
    "docs.check": "knowledge.verbs:docs_check",
    "docs.evaluate": "knowledge.verbs:docs_evaluate",
    "docs.list": "knowledge.verbs:docs_list",
    "docs.remove": "knowledge.verbs:docs_remove",
    "docs.search": "knowledge.verbs:docs_search",
    "docs.show": "knowledge.verbs:docs_show",
    "models.add": "assistant.models_verbs:models_add",
    "models.keys": "assistant.models_verbs:models_keys",
    "models.keys.forget": "assistant.models_verbs:models_keys_forget",
    "models.keys.set": "assistant.models_verbs:models_keys_set",
    "models.list": "assistant.models_verbs:models_list",
    "models.next": "assistant.models_verbs:models_next",
    "models.probe": "assistant.models_verbs:models_probe",
    "models.remove": "assistant.models_verbs:models_remove",
    "models.test": "assistant.models_verbs:models_test",
    "models.use": "assistant.models_verbs:models_use",
    "personas.add": "assistant.personas_verbs:personas_add",
    "personas.duplicate": "assistant.personas_verbs:personas_duplicate",
    "personas.edit": "assistant.personas_verbs:personas_edit",
    "personas.export": "assistant.personas_verbs:personas_export",
    "personas.list": "assistant.personas_verbs:personas_list",
    "personas.remove": "assistant.personas_verbs:personas_remove",
    "personas.restore": "assistant.personas_verbs:personas_restore",
    "personas.show": "assistant.personas_verbs:personas_show",
    "route": "assistant.routing_verbs:route",
    "route.corrections": "assistant.routing_verbs:route_corrections",
    "mcp.add": "assistant.tools_verbs:mcp_add",
    "mcp.list": "assistant.tools_verbs:mcp_list",
    "mcp.remove": "assistant.tools_verbs:mcp_remove",
    "mcp.test": "assistant.tools_verbs:mcp_test",
    "tools.list": "assistant.tools_verbs:tools_list",
    "tools.off": "assistant.tools_verbs:tools_off",
    "tools.on": "assistant.tools_verbs:tools_on",
    "tools.run": "assistant.tools_verbs:tools_run",
    "web.engines": "assistant.tools.engines.verbs:web_engines",
    "web.use": "assistant.tools.engines.verbs:web_use",
}
