"""web_page: read one page of the web, a PDF or a text, as plain text.

    WebPage(url="https://example.org/lighthouse")

What comes back is a stranger's text: data, never instructions. Nothing is sent while the web is switched off.
"""

from __future__ import annotations

import re
from typing import Protocol

from pydantic import Field

from assistant.sentences import speaker
from assistant.tools.tool import READ, Arguments, Effect, Result, Tool, ToolError, Work
from knowledge.web.egress import Egress
from knowledge.web.page import READABLE, PageText, text_of
from knowledge.web.words import WebError

SPOKEN = 700  # characters of a page, for a model that does not write the answer itself
_BARE = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}(?:[/?#:].*)?")  # "example.org/lighthouse"

say = speaker(
    {
        "off": (
            "The web is switched off, so nothing was sent: turn it on under Tools, or run `afina tools on web`.",
            "La web está apagada y no se envió nada: enciéndela en Herramientas o ejecuta `afina tools on web`.",
        ),
        "cut": ("[The page goes on; this is its beginning.]", "[La página continúa; este es su comienzo.]"),
    }
)


class Switches(Protocol):
    """What a person turned on or chose. Toolbox is one."""

    @property
    def web(self) -> bool: ...

    def chosen(self, name: str) -> object: ...


class WebPage(Arguments):
    url: str = Field(min_length=1, max_length=4_096, description="The page's address, beginning with https://.")


def needs_web(switches: Switches | None) -> None:
    """Raises while a person has not turned the web on. Who offers tools asks too; this is the last door."""
    if switches is None or not switches.web:
        raise ToolError(say("off", "en"), spanish=say("off", "es"))


def as_tool_error(error: WebError) -> ToolError:
    return ToolError(str(error), spanish=error.said("es"))


def make(*, egress: Egress | None = None, keys: object = None, switches: Switches | None = None) -> Tool:
    line = egress or Egress()

    def run(given: WebPage, work: Work) -> Result:
        needs_web(switches)
        url = given.url.strip()
        try:
            fetched = line.get(f"https://{url}" if _BARE.fullmatch(url) else url, accept=READABLE, stop=work.stop)
            page = text_of(fetched, stop=work.stop)
        except WebError as error:
            raise as_tool_error(error) from None
        return _result(page, work.language)

    return Tool(
        name="web_page",
        title={"en": "Read a web page", "es": "Leer una página web"},
        description="Read the page at a web address (HTML, PDF or text) as plain text. Use it for an address that the "
        "person gives or that web_search found.",
        arguments=WebPage,
        run=run,
        effect=Effect.REACHES,
        untrusted=True,
        needs_web=True,
    )


def _result(page: PageText, language: str) -> Result:
    head = f"{page.title or page.url}\n{page.url}\n\n"
    room = READ - len(head) - 100
    text = page.text if len(page.text) <= room else f"{_cut(page.text, room)}\n{say('cut', language)}"
    beginning = page.text if len(page.text) <= SPOKEN else f"{_cut(page.text, SPOKEN)} …"
    value = {"title": page.title, "url": page.url, "language": page.language, "text": page.text[:READ]}
    return Result(head + text, spoken=f"{page.title or page.url}\n\n{beginning}\n\n{page.url}", value=value)


def _cut(text: str, room: int) -> str:
    """At a space, where there is one near."""
    end = text.rfind(" ", room - 200, room)
    return text[: end if end > 0 else room].rstrip()
