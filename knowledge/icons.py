"""In: a name. Out: a 20 px line icon as inline SVG, drawn here so that no page fetches one."""

from __future__ import annotations

PATHS: dict[str, str] = {
    "plus": "M10 4v12M4 10h12",
    "search": "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.3-1.7L17 17",
    "close": "m5 5 10 10M15 5 5 15",
    "check": "m4 10.5 4 4 8-9",
    "copy": "M7 7h9v9H7zM13 7V4H4v9h3",
    "edit": "m4 16 1-4 8-8 3 3-8 8-4 1Zm7.500-10.500 3 3",
    "trash": "M4 6h12M8 6V4h4v2m-6 0 .7 10h6.600L14 6M8.500 9v4.500m3-4.500v4.500",
    "retry": "M15.500 8A6 6 0 1 0 16 11M16 4v4h-4",
    "up": "M7 9.500v7H4v-7h3Zm0 0L10 3c1.500 0 2.200 1 2 2.300L11.500 8H15c1 0 1.700.900 1.500 1.900l-1 5c-.200.900-.900 1.600-1.900 1.600H7",
    "down": "M13 10.500v-7h3v7h-3Zm0 0L10 17c-1.500 0-2.200-1-2-2.300L8.500 12H5c-1 0-1.700-.900-1.500-1.900l1-5c.200-.900.900-1.600 1.900-1.600H13",
    "left": "m12 5-5 5 5 5",
    "right": "m8 5 5 5-5 5",
    "arrow_down": "M10 4v12m-5-5 5 5 5-5",
    "send": "M10 16V4m-5 5 5-5 5 5",
    "stop": "M6 6h8v8H6z",
    "clip": "m14.500 9-5 5a2.800 2.800 0 0 1-4-4l6-6a2 2 0 0 1 2.800 2.800l-5.800 5.800a.9.9 0 0 1-1.300-1.300L12 6.500",
    "file": "M6 3h5.500L15 6.500V17H6zM11 3v4h4",
    "library": "M4 4h3v12H4zM8.500 4h3v12h-3zM13 4.600l2.700-.6 2 11.500-2.700.5z",
    "sidebar": "M3.500 4.500h13v11h-13zM8 4.500v11",
    "sun": "M10 13.200a3.200 3.200 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400ZM10 2.500v1.500m0 12v1.500M2.500 10H4m12 0h1.500M4.700 4.700l1 1m8.600 8.600 1 1m0-10.600-1 1m-8.600 8.600-1 1",
    "moon": "M16 11.800A6.500 6.500 0 0 1 8.200 4 6.500 6.500 0 1 0 16 11.800Z",
    "keyboard": "M2.500 6h15v9h-15zM5.500 9h.01M8.500 9h.01M11.500 9h.01M14.500 9h.01M6.500 12h7",
    "zoom_in": "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.300-1.700L17 17M9 6.500v5M6.500 9h5",
    "zoom_out": "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.300-1.700L17 17M6.500 9h5",
    "lock": "M5.500 9h9v7.500h-9zM7 9V7a3 3 0 0 1 6 0v2",
    "warn": "M10 3.500 17.500 16h-15zM10 8v4m0 2v.2",
    "info": "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm0-8v4.500m0-7v.2",
    "chat": "M3.500 4.500h13v9H9l-3.500 3v-3h-2z",
    "spark": "M10 3l1.600 5.400L17 10l-5.400 1.600L10 17l-1.600-5.400L3 10l5.400-1.600z",
    "chevron": "m6 8 4 4 4-4",
}


def icon(name: str) -> str:
    return (
        '<svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.5" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="{PATHS[name]}"/></svg>'
    )
