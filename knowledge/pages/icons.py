"""In: a name. Out: a 20 px line icon as inline SVG, drawn here so that no page fetches one."""

from __future__ import annotations

PATHS: dict[str, str] = {
    "plus": "M10 4v12M4 10h12",
    "search": "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.3-1.7L17 17",
    "close": "m5 5 10 10M15 5 5 15",
    "check": "m4 10.5 4 4 8-9",
    "copy": "M7 7h9v9H7zM13 7V4H4v9h3",
    "edit": "m4 16 1-4 8-8 3 3-8 8-4 1Zm7.5-10.5 3 3",
    "trash": "M4 6h12M8 6V4h4v2m-6 0 .7 10h6.6L14 6M8.5 9v4.5m3-4.5v4.5",
    "retry": "M15.5 8A6 6 0 1 0 16 11M16 4v4h-4",
    "up": "M7 9.5v7H4v-7h3Zm0 0L10 3c1.5 0 2.2 1 2 2.3L11.5 8H15c1 0 1.7.9 1.5 1.9l-1 5c-.2.9-.9 1.6-1.9 1.6H7",
    "down": "M13 10.5v-7h3v7h-3Zm0 0L10 17c-1.5 0-2.2-1-2-2.3L8.5 12H5c-1 0-1.7-.9-1.5-1.9l1-5c.2-.9.9-1.6 1.9-1.6H13",
    "left": "m12 5-5 5 5 5",
    "right": "m8 5 5 5-5 5",
    "arrow_down": "M10 4v12m-5-5 5 5 5-5",
    "send": "M10 16V4m-5 5 5-5 5 5",
    "stop": "M6 6h8v8H6z",
    "clip": "m14.5 9-5 5a2.8 2.8 0 0 1-4-4l6-6a2 2 0 0 1 2.8 2.8l-5.8 5.8a.9.9 0 0 1-1.3-1.3L12 6.5",
    "file": "M6 3h5.5L15 6.5V17H6zM11 3v4h4",
    "library": "M4 4h3v12H4zM8.5 4h3v12h-3zM13 4.6l2.7-.6 2 11.5-2.7.5z",
    "sidebar": "M3.5 4.5h13v11h-13zM8 4.5v11",
    "sun": "M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM10 2.5v1.5m0 12v1.5"
    "M2.5 10H4m12 0h1.5M4.7 4.7l1 1m8.6 8.6 1 1m0-10.6-1 1m-8.6 8.6-1 1",
    "moon": "M16 11.8A6.5 6.5 0 0 1 8.2 4 6.5 6.5 0 1 0 16 11.8Z",
    "keyboard": "M2.5 6h15v9h-15zM5.5 9h.01M8.5 9h.01M11.5 9h.01M14.5 9h.01M6.5 12h7",
    "zoom_in": "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.3-1.7L17 17M9 6.5v5M6.5 9h5",
    "zoom_out": "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.3-1.7L17 17M6.5 9h5",
    "lock": "M5.5 9h9v7.5h-9zM7 9V7a3 3 0 0 1 6 0v2",
    "warn": "M10 3.5 17.5 16h-15zM10 8v4m0 2v.2",
    "info": "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm0-8v4.5m0-7v.2",
    "chat": "M3.5 4.5h13v9H9l-3.5 3v-3h-2z",
    "spark": "M10 3l1.6 5.4L17 10l-5.4 1.6L10 17l-1.6-5.4L3 10l5.4-1.6z",
    "people": "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z"
    "m-5 7a5 5 0 0 1 10 0M13 4a2.7 2.7 0 0 1 0 5.2m1.2 2.6a5 5 0 0 1 3.3 4.7",
    "models": "M10 3 17 6.5 10 10 3 6.5ZM3 10l7 3.5 7-3.5M3 13.5 10 17l7-3.5",
    "tools": "M12.5 3.2a4.2 4.2 0 0 0-4 5.6l-5 5a1.9 1.9 0 0 0 2.7 2.7l5-5a4.2 4.2 0 0 0 5.5-5.2"
    "l-2.4 2.4-2.3-.6-.6-2.3 2.4-2.4a4 4 0 0 0-1.3-.2Z",
    "dataset": "M4 5.5C4 4.1 6.7 3 10 3s6 1.1 6 2.5S13.3 8 10 8 4 6.9 4 5.5Zm0 0v9C4 15.9 6.7 17 10 17s6-1.1 6-2.5v-9"
    "M4 10c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5",
    "tokens": "M3 6h6v8H3zM11 6h2.5v8H11zM15.5 6h2v8h-2z",
    "sliders": "M3.5 6h7m4 0h2M3.5 14h2m4 0h7M12.5 4v4m-5 4v4",
    "chevron": "m6 8 4 4 4-4",
}


def icon(name: str) -> str:
    return (
        '<svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" '
        'stroke="currentColor" stroke-width="1.5" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="{PATHS[name]}"/></svg>'
    )
