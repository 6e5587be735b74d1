"""In: published models, exports, what runs verbs. Out: the room of the training page that shows them, and its answers.

Each persona that was tuned or imported with every version of its model: gone back to, forward, exported; a model from
elsewhere comes in here. What takes its time goes on in the background and is seen as it goes.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from assistant.personas import Stored
from knowledge.pages.uploads import file_name, uploaded
from knowledge.pages.wording import Words
from tuning.errors import TuningError
from tuning.exporting.export import offered
from tuning.exporting.source import of_publication
from tuning.jobs.published import Publication, Published
from tuning.pages.training.exports import Exports
from tuning.pages.training.published_doors import (
    AnyRoomAction,
    Export,
    GoTo,
    Import,
    OnExport,
    OnWork,
    Piece,
)  # fmt: skip
from tuning.pages.training.views import published_view
from tuning.pages.training.views.published_view import Shown, Version
from tuning.pages.work import Work

if TYPE_CHECKING:
    from tuning.parts import Parts

Run = Callable[[str, Mapping[str, Any], threading.Event, str], Iterator[Mapping[str, Any]]]
IMPORT = "import"
IMPORTS = 0  # the work that belongs to no persona yet


class PublishedRoom:
    """Knows no Gradio. `uploads`: where a browser's files lie."""

    name = "published"

    def __init__(self, published: Published, exports: Exports, uploads: Path, run: Run) -> None:
        self.work = Work()
        self._published, self._exports, self._uploads, self._run = published, exports, uploads, run

    def close(self) -> None:
        self.work.close()
        self._exports.close()

    def stamp(self) -> object:
        """Another one whenever something else is to be seen."""
        cards = [(one.id, one.updated_at) for one in self._published.personas.all()]
        return self._published.version(), self.work.version(), cards, [one.name for one in self._exports.all()]

    @property
    def busy(self) -> bool:
        return any(one.running for one in self._works())

    def regions(self, say: Words) -> dict[str, str]:
        shown = [self._shown(stored, made) for stored, made in self._published.all()]
        return {"head": published_view.head(say), "body": published_view.body(shown, self._works(), say)}

    def act(self, action: AnyRoomAction, say: Words) -> dict[str, Any]:
        """What is answered beside the regions."""
        match action:
            case GoTo():
                return self._go_to(action, say)
            case Export():
                self._export(action, say)
            case Import():
                self._import(action, say)
            case OnWork(do="end-work"):
                self.work.cancel(action.work)
            case OnWork():
                self.work.dismiss(action.work)
            case OnExport(do="pack"):
                file = self._exports.packed(action.export)
                return {"fetch": {"file": file.name, "name": file.name, "size": file.stat().st_size}}
            case OnExport():
                self._exports.remove(action.export)
            case Piece():
                data, after = self._exports.piece(action.file, action.offset)
                return {"data": base64.b64encode(data).decode(), "next": after}
            case _:
                assert_never(action)
        return {}

    # ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────

    def _works(self) -> list[Any]:
        known = [IMPORTS, *(one.id for one in self._published.personas.all())]
        works = [work for number in known for work in self.work.of(number)]
        return [one for one in works if one.what == IMPORT or one.state != "done"]  # an export that is done is listed

    def _shown(self, stored: Stored, made: list[Publication]) -> Shown:
        exports = [one for one in self._exports.all() if one.persona == stored.id]
        versions = [
            Version(one, _ways(one, stored.name), [each for each in exports if each.version == one.number])
            for one in made
        ]
        return Shown(stored, versions)

    # ── what is done ─────────────────────────────────────────────────────────────────────────────────────────────

    def _go_to(self, action: GoTo, say: Words) -> dict[str, Any]:
        one = self._published.personas.get(action.persona)
        before = next((each.number for each in self._published.of(one.id) if each.current), None)
        list(self._run("tune.rollback", {"persona": one.name, "to": action.version}, threading.Event(), say.language))
        if before is None:  # what spoke until now was kept just then
            before = max(each.number for each in self._published.of(one.id))
        said = say("published_went", name=one.name, version=say.number(action.version))
        return {"undo": {"said": said, "do": {"do": "go-to", "persona": one.id, "version": before}}}

    def _export(self, action: Export, say: Words) -> None:
        one = self._published.personas.get(action.persona)
        source = of_publication(self._published.get(one.id, action.version), one.name)
        kind, _, precision = action.way.partition(":")
        out = self._exports.free(one.id, source.slug, action.version, action.way)
        asked = {"persona": one.name, "version": action.version, "kind": kind, "out": str(out)}
        asked |= {"precision": precision} if precision else {}
        what = f"export {action.version} {action.way}"
        about = {"name": one.name, "version": action.version, "way": action.way}

        def rows(stop: threading.Event) -> Iterator[Mapping[str, Any]]:
            yield from self._run("tune.export", asked, stop, say.language)

        self._begin(what, one.id, rows, about)

    def _import(self, action: Import, say: Words) -> None:
        path, asked = action.folder.strip(), {"persona": action.persona.strip()}
        if action.path:
            asked["called"] = file_name(action.name)
            path = str(uploaded(action.path, self._uploads))
        asked |= {"path": path} | ({"base": action.base.strip()} if action.base.strip() else {})
        about = {"name": asked["persona"], "file": asked.get("called", path)}

        def rows(stop: threading.Event) -> Iterator[Mapping[str, Any]]:
            yield from self._run("tune.import", asked, stop, say.language)

        self._begin(IMPORT, IMPORTS, rows, about)

    def _begin(self, what: str, of: int, rows: Callable[[threading.Event], Iterator[Any]], about: Any) -> None:
        """What is quick is done before the page is drawn."""
        self.work.wait(self.work.start(what, of, rows, about=about).id, 0.6)


def _ways(one: Publication, name: str) -> tuple[str, ...]:
    """How it can leave; none where it has no files of its own."""
    try:
        kinds = offered(of_publication(one, name))
    except TuningError:
        return ()
    return tuple(way for kind in kinds for way in (("gguf:q8_0", "gguf:f16") if kind == "gguf" else (kind,)))


def published_room(parts: Parts) -> PublishedRoom:
    """The room over the app's own parts."""
    from assistant.service.verbs import prepare

    def run(verb: str, arguments: Mapping[str, Any], stop: threading.Event, language: str) -> Any:
        return prepare(parts, verb, arguments, stop, language)()

    return PublishedRoom(parts.published, Exports(parts.home / "exports"), parts.settings.uploads, run)
