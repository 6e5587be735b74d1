"""In: the path a browser says its upload got. Out: that file, only if it truly lies in the upload cache.

Gradio answers an upload with the path of the copy it made, and the browser sends that path back. So it is a stranger's
word: everything but `<cache>/<one folder>/<one file>`, resolved, is refused. Names come from the browser as well.
"""

from __future__ import annotations

from pathlib import Path

from knowledge.errors import ForPerson


def uploaded(path: str, cache: Path) -> Path:
    """Raises ForPerson when `path` is not an upload of this app, or is gone."""
    try:
        file, root = Path(path).resolve(strict=True), cache.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise ForPerson(key="upload_gone") from None
    if file.parent.parent != root or not file.is_file():
        raise ForPerson(key="upload_strange")
    return file


def file_name(name: str, limit: int = 120) -> str:
    """What a person calls the file: its last part, printable, at most `limit` characters, the ending kept."""
    plain = "".join(letter for letter in name.replace("\\", "/").rsplit("/", 1)[-1] if letter.isprintable()).strip()
    if len(plain) > limit:
        stem, dot, ending = plain.rpartition(".")
        ending = dot + ending[:10] if stem else ""
        plain = plain[: limit - len(ending)] + ending
    return plain or "document"
