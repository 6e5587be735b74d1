"""In: an answer's Markdown, which nobody vouches for. Out: HTML that can be shown.

HTML in it is shown as text, pictures become their description (a remote one would tell a stranger that it was read),
links open elsewhere without telling where from, and only to http, https and mailto. [n] becomes a button where the
answer has such a citation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from typing import Any

from knowledge import Citation

_CITATION = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")

_TIED = re.compile(r'([^\s<>]+) (<button class="cite[^>]*>\d+</button>)')


def to_html(text: str, button: Callable[[int], str] | None = None, copy: str = "Copy") -> str:
    """`button(n)` draws citation n, or "" where there is none (the text then stays as it was)."""
    html = str(_parser().render(text, {"button": button or (lambda n: ""), "copy": copy}))
    return _TIED.sub(r'<span class="tie">\1 \2</span>', html)  # a number never stands alone on a line


def button(citations: Sequence[Citation], message: int, label: str, unverified: str) -> Callable[[int], str]:
    """Draws [n] for these citations; an unverified one looks and says so."""
    known = {citation.n: citation for citation in citations}

    def draw(n: int) -> str:
        if n not in known:
            return ""
        citation = known[n]
        title = f"{citation.title} · {label} {citation.page}" + ("" if citation.verified else f" · {unverified}")
        return (
            f'<button class="cite{"" if citation.verified else " unverified"}" data-do="cite" '
            f'data-message="{message}" data-n="{n}" '
            f'title="{escape(title, quote=True)}" aria-label="{escape(f"[{n}] {title}", quote=True)}">{n}</button>'
        )

    return draw


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False}).enable(
        ["table", "strikethrough"]
    )
    parser.validateLink = lambda url: bool(re.match(r"(?i)\s*(https?://|mailto:)", url))  # type: ignore[method-assign]
    parser.inline.ruler.before("link", "citation", _citation)
    parser.add_render_rule("citation", _draw_citation)
    parser.add_render_rule("image", _draw_image)
    parser.add_render_rule("link_open", _draw_link)
    parser.add_render_rule("fence", _draw_code)
    parser.add_render_rule("code_block", _draw_code)
    parser.add_render_rule("table_open", lambda *_: '<div class="table"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    return parser


def _citation(state: Any, silent: bool) -> bool:
    match = _CITATION.match(state.src, state.pos)
    if not match or state.src[match.end() : match.end() + 1] == "(":
        return False
    if not silent:
        token = state.push("citation", "", 0)
        token.content = match[0]
    state.pos = match.end()
    return True


def _draw_citation(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    drawn = [env["button"](int(n)) for n in re.findall(r"\d+", tokens[index].content)]
    return "".join(drawn) if all(drawn) else escape(tokens[index].content)


def _draw_image(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return f'<span class="no-image">{escape(tokens[index].content or "…")}</span>'


def _draw_link(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return str(renderer.renderToken(tokens, index, options, env))


def _draw_code(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    label = escape(env["copy"], quote=True)
    return (
        f'<div class="code"><button class="copy-code" data-do="copy-code" aria-label="{label}">{label}</button>'
        f"<pre><code>{escape(tokens[index].content)}</code></pre></div>"
    )
