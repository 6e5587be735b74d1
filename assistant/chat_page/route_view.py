"""In: how a message was answered. Out: the chip that says why, and the menu that sends it another way. Pure."""

from __future__ import annotations

from html import escape
from typing import Any

from assistant.chat_page.cast import NOBODY, Cast, portrait
from assistant.events import Route, RouteChosen
from knowledge.pages.documents_view import attr
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words

SURE = ((0.85, "sure_very"), (0.6, "sure_fairly"), (0.0, "sure_little"))
DRAWINGS = {Route.DOCUMENTS: "library", Route.TOOL: "tools", Route.PERSONA: "people", Route.CHAT: "chat"}


def chip(chosen: RouteChosen, message: int, say: Words, cast: Cast = NOBODY, note: int | None = None) -> str:
    """`note`: the correction this answer follows, kept for next time; it can be taken back."""
    because = f'<span class="because">— {escape(chosen.reason)}</span>' if chosen.reason else ""
    return f"""<div class="route-line"><details class="route" data-keep><summary title="{attr(say("route_change"))}">{icon(DRAWINGS[chosen.route])}
<b>{escape(_label(chosen, say, cast))}</b>{because}{icon("chevron")}</summary><div class="menu" role="menu">{_about(chosen, say)}
{menu(chosen, message, say, cast)}</div></details>{noted(note, say) if note is not None else ""}</div>"""


def who(name: str, cast: Cast = NOBODY) -> str:
    """Who speaks: picture and name."""
    face = cast.face(name)
    return f"{portrait(name, face.picture if face else '')}<strong>{escape(name or 'Afina')}</strong>"


def _label(chosen: RouteChosen, say: Words, cast: Cast) -> str:
    if chosen.route is Route.TOOL and chosen.tool:
        return cast.ability(chosen.tool).title
    if chosen.route is Route.PERSONA and chosen.persona:
        return chosen.persona
    return say(f"route_{chosen.route.value}")


def _about(chosen: RouteChosen, say: Words) -> str:
    if not chosen.reason and not chosen.confidence:
        return ""
    sure = next(key for least, key in SURE if chosen.confidence >= least)
    percent = say("sure_percent", percent=say.number(chosen.confidence * 100))
    return f'<p class="menu-about">{escape(chosen.reason)}<small>{escape(say(sure))} · {escape(percent)}</small></p>'


def menu(chosen: RouteChosen, message: int, say: Words, cast: Cast) -> str:
    """Every other way this message could have gone."""
    ways: list[tuple[str, str, dict[str, Any], bool]] = [
        (icon("library"), say("answer_as_documents"), {"route": "documents"}, chosen.route is Route.DOCUMENTS)
    ]
    for ability in cast.abilities:
        if ability.offered:
            here = chosen.route is Route.TOOL and chosen.tool == ability.name
            data = {"route": "tool", "tool": ability.name}
            ways.append((icon("tools"), say("answer_as_tool", tool=ability.title), data, here))
    for face in cast.faces:
        here = chosen.route is Route.PERSONA and chosen.persona == face.name
        data = {"route": "persona", "persona": face.name}
        ways.append((portrait(face.name, face.picture), say("answer_as_persona", name=face.name), data, here))
    ways.append((icon("chat"), say("answer_as_chat"), {"route": "chat"}, chosen.route is Route.CHAT))
    return "".join(_way(drawing, label, message, data) for drawing, label, data, here in ways if not here)


def _way(drawing: str, label: str, message: int, data: dict[str, Any]) -> str:
    given = "".join(f' data-{name}="{attr(str(value))}"' for name, value in data.items())
    return f'<button role="menuitem" data-do="reroute" data-message="{message}"{given}>{drawing}<span>{escape(label)}</span></button>'


def noted(correction: int, say: Words) -> str:
    return (
        f'<small class="noted" role="status">{icon("check")}{escape(say("noted"))}'
        f'<button class="link" data-do="forget" data-correction="{correction}">{escape(say("js_undo"))}</button></small>'
    )
