"""Pages of this package, mounted beside the assistant's (see assistant.pages). `of(name, …)`: where one stands."""

from pathlib import Path

from assistant.pages import Place

_HERE = Path(__file__).parent.parent
WORDS = _HERE / "words"


def of(name: str, *, icon: str, key: str) -> Place:
    return Place(name, icon, key, package="tuning", static=_HERE / "static", words=WORDS)
