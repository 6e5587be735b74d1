"""In: an Action of the browser. Out: what it shows next: HTML by region, and a stamp to compare.

Decides nothing itself: history, turns and the library do the work. A refusal comes back as {"error": sentence}, never
as a traceback.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, assert_never

from pydantic import ValidationError

from assistant.chat_page import actions, messages_view, setup_view, shell_view
from assistant.chat_page.cast import Cast
from assistant.chat_page.company import Company, SetUp
from assistant.chat_page.further import buttons
from assistant.chat_page.patience import Patience
from assistant.choice import AUTO, Choice
from assistant.errors import ForPerson
from assistant.history import History, Message, MessageStatus
from assistant.models.inference import UNSAID, Inference
from assistant.turns import Turns
from knowledge import Document, KnowledgeError
from knowledge.pages.documents_page import Documents
from knowledge.pages.uploads import file_name, uploaded
from knowledge.pages.wording import Words

if TYPE_CHECKING:
    from assistant.models import Models

log = logging.getLogger(__name__)
LISTED = 300  # conversations in the sidebar; older ones are found by searching
State = dict[str, Any]


class Chat:
    """One for the app; every browser tab is a view of it."""

    def __init__(self, history: History, turns: Turns, models: Models, documents: Documents, company: Company) -> None:
        self.history, self.turns, self.models, self.documents = history, turns, models, documents
        self.company = company
        self.library, self.arrivals, self.patience = documents.library, documents.arrivals, Patience()

    def answer(self, payload: Any, say: Words) -> State:
        try:
            return self._answer(actions.door.validate_python(payload), say)
        except ValidationError:
            return {"error": say("bad_request")}
        except KnowledgeError as error:  # the assistant's own are of that tree
            return {"error": error.said(say.language)}
        except Exception:
            log.exception("The chat page could not answer")
            return {"error": say("went_wrong")}

    def _answer(self, action: actions.Action, say: Words) -> State:  # noqa: C901 - one row per action
        shown = action.conversation
        match action:
            case actions.Show(stamp=stamp):
                return {} if stamp and stamp == self.stamp(action, say) else self.page(action, shown, say)
            case actions.Send():
                shown = self._send(action, say)
            case actions.AnswerNow():
                self.patience.now(self._here(action, say))
            case actions.OnMessage(do="stop", message=message):
                self._stop(shown, message)
            case actions.OnMessage(message=message):
                self.history.choose(message)
            case actions.Retry(message=message, route=route, tool=tool, persona=persona):
                way = Choice(route=route.value, tool=tool, persona=persona) if route else AUTO
                self.turns.retry(message, way, say.language)
            case actions.Approve(message=message, call=call, decision=decision):
                if not self.company.approvals.give(message, call, decision):
                    raise ForPerson(say("approval_late"))
            case actions.Forget(correction=correction):
                self.company.corrections.forget(correction)
            case actions.Settings(chosen=chosen):
                return {"dialog": self.settings(action, chosen, say)}
            case actions.Choose(do="next", chosen=chosen):
                return {"next": self._said(chosen, say)}
            case actions.Choose(chosen=chosen):
                if shown is not None:
                    self._set_up(shown, chosen)
            case actions.Withdraw(tool=tool):
                self.company.approvals.withdraw(self._here(action, say), tool)
                return {"dialog": self.settings(action, None, say)}
            case actions.Edit(message=message, text=text):
                self._edit(message, text, say)
            case actions.Further():
                return self._further(action, say)
            case actions.Rate(message=message, liked=liked, reasons=reasons, note=note):
                self.history.rate(message, liked, reasons, note)
            case actions.Rename(target=target, title=title):
                self.history.rename(target, title)
            case actions.OnConversation(do="delete", target=target):
                self.history.delete(target)
                shown = None if shown == target else shown
            case actions.OnConversation(target=target):
                self.history.restore(target)
                shown = target if shown is None else shown
            case actions.Add(path=path, name=name):
                shown = self._add(action, path, name)
            case actions.OnArrival(do="cancel", arrival=arrival):
                self.arrivals.cancel(arrival)
            case actions.OnArrival(arrival=arrival):
                self.arrivals.dismiss(arrival)
            case actions.Password(arrival=arrival, password=password):
                self._password(self._here(action, say), arrival, password)
            case actions.OnDocument(do="attach", document=document):
                shown = self._chat(action)
                self.history.attach(shown, document)
            case actions.OnDocument(document=document):
                self.history.detach(self._here(action, say), document)
            case actions.Cite(message=message, n=n):
                return {"panel": self.cite(message, n, say)}
            case _:
                assert_never(action)
        return self.page(action, shown, say)

    # what is done

    def _chat(self, action: actions.Action) -> int:
        """The one that is shown; a new one is set up as its browser chose."""
        if action.conversation is not None:
            return action.conversation
        conversation = self.history.create().id
        if action.new != SetUp():
            self._set_up(conversation, action.new)
        return conversation

    def _set_up(self, conversation: int, chosen: SetUp) -> None:
        settings = chosen.settings.model_dump(mode="json", exclude_defaults=True)
        persona = self.company.personas.get(chosen.persona).id if chosen.persona is not None else None
        self.history.set_up(conversation, persona=persona, model=chosen.model, settings=settings)

    def _send(self, action: actions.Send, say: Words) -> int:
        if not action.text.strip():  # before a chat is made for it
            raise ForPerson(say("empty_message"))
        conversation = self._chat(action)
        thread = self.history.thread(conversation)
        if self.patience.question(conversation) or (thread and thread[-1].status is MessageStatus.WRITING):
            raise ForPerson(say("still_writing"))
        choice = Choice(model=action.model, settings=action.settings)
        self._ask(conversation, action.text, thread[-1].id if thread else None, say, choice)
        return conversation

    def _ask(self, conversation: int, text: str, parent: int | None, say: Words, choice: Choice = AUTO) -> None:
        if not self.arrivals.busy(_place(conversation)):
            self.turns.start(conversation, text, parent, choice, say.language)
            return
        question = self.history.ask(conversation, text, parent)  # on disk before anything waits
        self.patience.wait(
            conversation,
            question.id,
            busy=lambda: bool(self.arrivals.busy(_place(conversation))),
            go=lambda: self.turns.start(conversation, None, question.id, choice, say.language),
        )

    def _edit(self, message: int, text: str, say: Words) -> None:
        """The question in other words, beside the old one; an answer as the person would have it."""
        if not text.strip():
            raise ForPerson(say("empty_message"))
        old = self.history.message(message)
        if old.role != "user":
            self.history.correct(message, text)
        else:
            self._ask(old.conversation, text, old.parent, say)

    def _further(self, action: actions.Further, say: Words) -> State:
        one = self.company.further_by(action.name)
        if one is None:
            raise ForPerson(say("bad_request"))
        if action.given is None:
            return {"form": one.form(action.message, say)}
        said = one.act(action.message, action.given, say)
        return {**self.page(action, action.conversation, say), "said": said}

    def _stop(self, shown: int | None, message: int) -> None:
        if shown is not None and self.patience.question(shown):
            self.patience.forget(shown)
        else:
            self.turns.stop(message)

    def _add(self, action: actions.Action, path: str, name: str) -> int:
        file = uploaded(path, self.documents.cache)
        conversation = self._chat(action)
        self.arrivals.add(file, file_name(name), _place(conversation), lambda d: self.history.attach(conversation, d))
        return conversation

    def _password(self, conversation: int, arrival: int, password: str) -> None:
        waiting = [a for a in self.arrivals.here(_place(conversation)) if a.id == arrival and a.progress.document]
        if waiting and (document := waiting[0].progress.document):
            self.arrivals.retry(
                document, _place(conversation), password, lambda d: self.history.attach(conversation, d)
            )

    @staticmethod
    def _here(action: actions.Action, say: Words) -> int:
        if action.conversation is None:
            raise ForPerson(say("no_message_yet"))
        return action.conversation

    # what is shown

    def stamp(self, action: actions.Action, say: Words) -> str:
        state = self.models.state()
        parts = (
            self.history.version(), self.library.version, self.arrivals.stamp, self.patience.stamp, action.conversation,
            action.search, action.new, say.language, state.stage, state.done >> 20,
            *(one.stamp() for one in self.company.further),
        )  # fmt: skip
        return ".".join(map(str, parts))

    def page(self, action: actions.Action, shown: int | None, say: Words) -> State:
        """Everything of the page that can change; the browser redraws what differs from what it shows."""
        stamp = self.stamp(action.model_copy(update={"conversation": shown}), say)
        listed = self.history.conversations(action.search, limit=LISTED)
        conversation = self.history.conversation(shown) if shown is not None else None
        thread = self.history.thread(shown) if shown is not None else []
        arrivals = self.arrivals.here(_place(shown)) if shown is not None else []
        busy = [a for a in arrivals if not a.done]
        library = [document for document in self.library.documents() if document.status.searchable]
        attached = self._attached(shown)
        writing = [m.id for m in thread if m.status is MessageStatus.WRITING]
        waits = shown is not None and self.patience.question(shown) is not None
        cast = self.company.cast(say.language)
        chosen = self.company.chosen(conversation, action.new, cast)
        title = (conversation.title if conversation else "") or say("new_chat")
        note = self._note(thread, waits, busy, say)
        more = buttons(self.company.further, [one.id for one in thread], say)
        body = messages_view.thread(thread, say, cast=cast, noted=self.company.noted(thread), note=note, further=more)
        return {
            "stamp": stamp,
            "conversation": shown,
            "title": conversation.title if conversation else "",
            "writing": writing[-1] if writing else None,
            "waiting": waits,
            "busy": bool(busy),
            "setup": chosen.model_dump(mode="json", exclude_defaults=True),
            "cast": [{"name": f.name, "handle": f.handle, "picture": f.picture} for f in cast.faces],
            "regions": {
                "list": shell_view.conversations(listed, shown, action.search, say),
                "head": setup_view.head(title, chosen, self.company.model_of(chosen, cast), say, cast),
                "banner": shell_view.banner(self.models.state(), say),
                "thread": body or shell_view.empty(library, attached, busy, cast.by_id(chosen.persona), say),
                "files": shell_view.files(arrivals, attached, len(library), say),
            },
        }

    def _said(self, chosen: SetUp, say: Words) -> str:
        return " · ".join(filter(None, (chosen.model, setup_view.settings_line(chosen.settings, say))))

    def settings(self, action: actions.Action, chosen: SetUp | None, say: Words) -> str:
        """The panel: of what is stored, or of what stands in it already."""
        cast = self.company.cast(say.language)
        if chosen is None:
            here = action.conversation
            conversation = self.history.conversation(here) if here is not None else None
            chosen = self.company.chosen(conversation, action.new, cast)
        model = self.company.model_of(chosen, cast)
        allowed = self.company.approvals.allowed(action.conversation) if action.conversation is not None else ()
        titles = [(tool, cast.ability(tool).title) for tool in sorted(allowed)]
        below = self._below(chosen, cast)
        takes = self.company.takes(model, say.language)
        return setup_view.panel(chosen, below, model, self.company.offered(say.language), takes, titles, say)

    @staticmethod
    def _below(chosen: SetUp, cast: Cast) -> Inference:
        """What holds where the chat says nothing: the persona's word."""
        face = cast.by_id(chosen.persona)
        return Inference.model_validate(dict(face.settings)) if face else UNSAID

    def _attached(self, shown: int | None) -> list[Document]:
        found = []
        for document in self.history.attached(shown) if shown is not None else []:
            try:
                found.append(self.library.document(document))
            except KnowledgeError:
                continue  # removed from the library since
        return found

    @staticmethod
    def _note(thread: list[Message], waits: bool, busy: list[Any], say: Words) -> str:
        if waits:
            return shell_view.waiting(busy, say)
        if thread and thread[-1].role == "user":
            return shell_view.unanswered(thread[-1].id, say)
        return ""

    def cite(self, message: int, n: int, say: Words) -> str:
        """The viewer on citation n of an answer, found in the store: the browser names only numbers."""
        found = self.history.message(message)
        numbers = [citation.n for citation in found.citations]
        if n not in numbers:
            raise ForPerson(say("no_such_citation"))
        at = numbers.index(n)
        citation = found.citations[at]
        steps = (numbers[at - 1] if at else None, numbers[at + 1] if at + 1 < len(numbers) else None)
        place = say("citation_of", n=at + 1, total=len(numbers))
        over = shell_view.citation_bar(n, citation.quote, citation.verified, steps, message, place, say)
        document = self.library.document(citation.document)
        return self.documents.panel(document, citation.page, (citation.start, citation.end), say, over=over)


def _place(conversation: int) -> str:
    return f"chat:{conversation}"
