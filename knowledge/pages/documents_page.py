"""In: a Library and its Arrivals. Out: the documents page as one Gradio component, and the viewer's answers.

Every call from the browser is one `Action`, checked at this door; nothing is decided here, the library does the work.
A path comes only from Gradio's own upload and is checked again (`uploads.uploaded`).
"""

from __future__ import annotations

import base64
import logging
from pathlib import Path
from typing import Annotated, Any, Literal, assert_never

import gradio as gr
from gradio.utils import get_upload_folder
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from knowledge.errors import ForPerson, KnowledgeError
from knowledge.library import Library
from knowledge.pages import documents_view, page_view
from knowledge.pages.arrivals import Arrivals
from knowledge.pages.uploads import file_name, uploaded
from knowledge.pages.wording import Words, language_of, words
from knowledge.values import Document

log = logging.getLogger(__name__)
PLACE = "documents"  # who waits for a file added on this page


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Show(_Action):
    do: Literal["show"]
    stamp: str = ""  # of what the browser shows; the same one is answered with nothing


class Search(_Action):
    do: Literal["search"]
    text: str = Field(max_length=2000)


class Look(_Action):
    do: Literal["page"]
    document: int
    number: int = Field(ge=1)
    start: int = Field(default=0, ge=0)
    end: int = Field(default=0, ge=0)
    password: str = Field(default="", max_length=1000, repr=False)
    check: bool = False  # the picture did not come: find out why


class Add(_Action):
    do: Literal["add"]
    path: str = Field(max_length=4096)
    name: str = Field(max_length=1000)


class OnArrival(_Action):
    do: Literal["cancel", "dismiss"]
    arrival: int


class Retry(_Action):
    do: Literal["retry", "password"]
    document: int
    password: str = Field(default="", max_length=1000, repr=False)


class Remove(_Action):
    do: Literal["remove"]
    document: int


Action = Annotated[Show | Search | Look | Add | OnArrival | Retry | Remove, Field(discriminator="do")]
_door: TypeAdapter[Action] = TypeAdapter(Action)


class Documents:
    """The page's answers. `answer` never raises: a refusal comes back as {"error": sentence}."""

    def __init__(self, library: Library, arrivals: Arrivals, cache: Path | None = None) -> None:
        self.library, self.arrivals = library, arrivals
        self.cache = cache or Path(get_upload_folder())

    def answer(self, payload: Any, say: Words) -> dict[str, Any]:
        try:
            return self._answer(_door.validate_python(payload), say)
        except ValidationError:
            return {"error": say("bad_request")}
        except KnowledgeError as error:
            return {"error": error.said(say.language)}
        except Exception:
            log.exception("The documents page could not answer")
            return {"error": say("went_wrong")}

    def _answer(self, action: Action, say: Words) -> dict[str, Any]:
        match action:
            case Show(stamp=stamp):
                return {} if stamp == self.stamp(say) else self._page(say)
            case Search(text=text):
                hits = self.library.search(text.strip(), k=12) if text.strip() else []
                return {"regions": {"found": documents_view.found(text.strip(), hits, say)}}
            case Look():
                return self._look(action, say)
            case Add(path=path, name=name):
                self.arrivals.add(uploaded(path, self.cache), file_name(name), PLACE)
            case OnArrival(do="cancel", arrival=arrival):
                self.arrivals.cancel(arrival)
            case OnArrival(arrival=arrival):
                self.arrivals.dismiss(arrival)
            case Retry(document=document, password=password):
                self.arrivals.retry(document, PLACE, password or None)
            case Remove(document=document):
                self.library.remove(document)
            case _:
                assert_never(action)
        return self._page(say)

    def stamp(self, say: Words) -> str:
        return f"{self.library.version}.{self.arrivals.stamp}.{say.language}"

    def _page(self, say: Words) -> dict[str, Any]:
        stamp, everywhere, documents = self.stamp(say), self.arrivals.everywhere(), self.library.documents()
        known = {document.id for document in documents}
        shown = [a for a in everywhere if not a.done or (a.place == PLACE and a.progress.document not in known)]
        return {
            "stamp": stamp,
            "busy": any(not a.done for a in shown) or any(not d.status.final for d in documents),
            "regions": {"list": documents_view.listing(documents, shown, say)},
        }

    def _look(self, action: Look, say: Words) -> dict[str, Any]:
        document = self.library.document(action.document)
        mark = (action.start, action.end) if action.end > action.start else None
        return {"panel": self.panel(document, action.number, mark, say, password=action.password, check=action.check)}

    def panel(
        self,
        document: Document,
        number: int,
        mark: tuple[int, int] | None,
        say: Words,
        *,
        over: str = "",
        password: str = "",
        check: bool = False,
    ) -> str:
        """The viewer on one page; asks for the password where the page cannot be drawn without it."""
        page, image = self.library.page(document.id, number), None
        if document.kind == "pdf":
            image = page_view.image_source(document, number)
        if image and (
            password or check
        ):  # a picture that needed a password goes to this browser alone, through no cache
            try:
                picture = self.library.page_image(document.id, number, password=password or None)
            except ForPerson as error:
                return page_view.locked(document, number, say, error.said(say.language))
            image = "data:image/png;base64," + base64.b64encode(picture).decode()
        return page_view.panel(document, page, mark=mark, image=image, words=say, over=over)


def said(request: gr.Request | None) -> str:
    """The language of the browser that asks."""
    if request is None:
        return "en"
    return language_of(request.cookies.get("afina_language"), request.headers.get("accept-language"))


def component(documents: Documents) -> gr.HTML:
    """The page, to be placed in a gr.Blocks; `static/documents.js` fills it."""

    def documents_call(data: Any, request: gr.Request) -> dict[str, Any]:
        return documents.answer(data, words(said(request)))

    def documents_shell(data: Any, request: gr.Request) -> str:
        return documents_view.shell(words(said(request)))

    return gr.HTML(
        elem_id="afina-documents",
        html_template='<section class="documents-page" hidden></section>',
        js_on_load="window.afina.mount('documents', {element, server, upload})",
        apply_default_css=False,
        server_functions=[documents_call, documents_shell],
    )
