"""In: a Page, its Document and the offsets to mark. Out: the viewer's HTML: the page's picture, the marked words boxed.

The picture comes from a route that takes only numbers (`image_source`), never a path. The print lies over the picture
as selectable, invisible text. Documents without pictures (text, Markdown) show their text with <mark>.
Knows nothing of chats: what stands above the page (`over`) is given to it as HTML.
"""

from __future__ import annotations

from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from knowledge.values import Box, Document, Page

# Helvetica's advance widths (Adobe's AFM), in thousandths of the type size: how far into a line a character stands.
# Most print is close enough for a box to begin and end at the right word; every glyph not named is 556 wide.
_WIDTHS = {
    **dict.fromkeys("ijl", 222), **dict.fromkeys(" !,./:;I[]\\ft", 278), **dict.fromkeys("()-r`", 333), "'": 191,
    **dict.fromkeys("Jckvsxyz", 500), **dict.fromkeys("FTZ", 611), **dict.fromkeys("ABEKPSVXY&", 667),
    **dict.fromkeys("CDHNRUw", 722), **dict.fromkeys("GOQ", 778), **dict.fromkeys("Mm", 833), "W": 944, "%": 889, "@": 1015,
}  # fmt: skip


def image_source(document: Document, page: int, width: int = 1200) -> str:
    """Where the browser gets the picture of a page, `width` pixels wide. The route looks both numbers up; `of` is there
    so that a browser keeps no picture of another document that once had the number."""
    return f"/afina/page/{document.id}/{page}.png?width={width}&of={document.sha256[:12]}"


def boxes(page: Page, start: int, end: int) -> list[Box]:
    """One box per line of print that holds some of `page.text[start:end]`, cut to the words by interpolation."""
    found = []
    for line in page.lines:
        first, last = max(start, line.start), min(end, line.end)
        while first < last and page.text[first].isspace():
            first += 1
        while last > first and page.text[last - 1].isspace():
            last -= 1
        if first < last:
            found.append(_cut(line.box, page.text[line.start : line.end], first - line.start, last - line.start))
    return found


def _cut(box: Box, text: str, first: int, last: int) -> Box:
    widths = [_WIDTHS.get(letter, 556) for letter in text]
    whole, span = sum(widths) or 1, box.right - box.left
    return Box(
        box.left + span * sum(widths[:first]) / whole, box.top, box.left + span * sum(widths[:last]) / whole, box.bottom
    )


def _place(box: Box) -> str:
    return f"left:{box.left:.2%};top:{box.top:.2%};width:{box.right - box.left:.2%};height:{box.bottom - box.top:.2%}"


def leaf(document: Document, page: Page, mark: tuple[int, int] | None, image: str | None, soft: bool = False) -> str:
    """The page itself. `image`: an address of ours or a data URI; None shows the text instead."""
    if image is None:
        return f'<div class="leaf leaf-text" lang="{escape(document.language)}">{_marked(page.text, mark)}</div>'
    ink = "".join(
        f'<span class="ink" style="{_place(line.box)}">{escape(page.text[line.start : line.end].rstrip())}</span>'
        for line in page.lines
    )
    marks = "".join(
        f'<span class="box{" soft" if soft else ""}" style="{_place(box)}" data-box="{number}"></span>'
        for number, box in enumerate(boxes(page, *mark) if mark else [])
    )
    title = escape(f"{document.title}, {page.number}", quote=True)
    return f'<div class="leaf leaf-image"><img src="{escape(image, quote=True)}" alt="{title}" draggable="false">{marks}{ink}</div>'


def _marked(text: str, mark: tuple[int, int] | None) -> str:
    if mark is None or mark[0] >= mark[1]:
        return escape(text)
    start, end = mark
    return f"{escape(text[:start])}<mark>{escape(text[start:end])}</mark>{escape(text[end:])}"


def panel(
    document: Document, page: Page, *, mark: tuple[int, int] | None, image: str | None, words: Words, over: str = ""
) -> str:
    """The whole viewer: a bar with the title, the pages and the zoom; `over` (HTML); the page."""
    where = words("page_of", page=page.number, pages=document.pages or page.number)
    return f"""<header class="viewer-bar">
<div class="viewer-title"><strong title="{escape(document.title, quote=True)}">{escape(document.title)}</strong><span>{escape(where)}</span></div>
<div class="viewer-tools">
{_step(document, page.number - 1, "left", words("page_previous"))}{_step(document, page.number + 1, "right", words("page_next"))}
<span class="rule"></span>
{_tool("zoom-out", "zoom_out", words("zoom_out"))}{_tool("zoom-in", "zoom_in", words("zoom_in"))}
<span class="rule"></span>
{_tool("viewer-close", "close", words("close_viewer"))}
</div></header>{over}<div class="viewer-page" tabindex="0" role="region" aria-label="{escape(where, quote=True)}">{leaf(document, page, mark, image, soft=not over)}</div>"""


def locked(document: Document, number: int, words: Words, message: str) -> str:
    """The viewer when the page cannot be drawn without the password, which is never kept."""
    return f"""<header class="viewer-bar"><div class="viewer-title"><strong>{escape(document.title)}</strong></div>
<div class="viewer-tools">{_tool("viewer-close", "close", words("close_viewer"))}</div></header>
<form class="viewer-locked" data-do="page" data-document="{document.id}" data-number="{number}">{icon("lock")}
<p>{escape(message)}</p><input type="password" name="password" autocomplete="off" aria-label="{escape(words("password"), quote=True)}"
placeholder="{escape(words("password"), quote=True)}"><button class="button primary">{escape(words("open"))}</button></form>"""


def _tool(action: str, name: str, label: str) -> str:
    label = escape(label, quote=True)
    return f'<button class="tool" data-do="{action}" title="{label}" aria-label="{label}">{icon(name)}</button>'


def _step(document: Document, number: int, name: str, label: str) -> str:
    label, inside = escape(label, quote=True), 1 <= number <= max(document.pages, 1)
    return (
        f'<button class="tool" data-do="page" data-document="{document.id}" data-number="{number}" title="{label}" '
        f'aria-label="{label}"{"" if inside else " disabled"}>{icon(name)}</button>'
    )
