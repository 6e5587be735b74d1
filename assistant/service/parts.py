"""In: settings. Out: the parts of the assistant, each made when first asked for, closed in the reverse order.

engine → library, history → models → agent → turns. Making Parts opens nothing; a verb that only lists chats never loads
a model. Whoever makes Parts owns the data folder (assistant.service.lock).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from assistant.errors import TryAgain
from assistant.service.settings import Settings
from assistant.service.verb_table import VERBS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from assistant.agent import Agent
    from assistant.agent.approvals import Approvals
    from assistant.history import History
    from assistant.models import Models
    from assistant.models.keys import Keys
    from assistant.openai_api.key import ApiKey
    from assistant.personas import Personas
    from assistant.routing.corrections import Corrections
    from assistant.routing.router import Router
    from assistant.tools import Toolbox
    from assistant.turns import Turns
    from knowledge.embedders import Embedder
    from knowledge.library import Library
    from knowledge.web.egress import Egress

Part = TypeVar("Part")
log = logging.getLogger(__name__)


class Parts:
    """Safe from any thread: two requests at once still get one library.

    A package above this one adds its parts, and its verbs, in a class of its own below this one."""

    verbs: Mapping[str, str] = VERBS  # command line's words -> where the function lives

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        self._made: dict[str, object] = {}  # in the order of making
        self._secrets: list[Callable[[], list[str]]] = [settings.secrets]
        self.closed = False

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def weights(self) -> Path:
        return self.settings.weights

    @property
    def engine(self) -> Engine:
        def make() -> Engine:
            from knowledge.store.database import connect

            return connect(self.settings.database_url)

        return self._once("engine", make)

    @property
    def library(self) -> Library:
        def make() -> Library:
            from knowledge.library import Library

            return Library.open(self.home, self.engine, self.embedder)

        return self._once("library", make)

    @property
    def history(self) -> History:
        def make() -> History:
            from assistant.history import History

            return History(self.engine)

        return self._once("history", make)

    @property
    def keys(self) -> Keys:
        def make() -> Keys:
            from assistant.models.keys import Keys

            keys = Keys(self.home, self.settings.provider_keys)
            self._secrets.append(keys.secrets)
            return keys

        return self._once("keys", make)

    def secrets(self) -> list[str]:
        """What a log must never show, keys entered since the start among them. Takes no lock and makes nothing."""
        return [secret for known in self._secrets for secret in known()]

    @property
    def api_key(self) -> ApiKey:
        def make() -> ApiKey:
            from assistant.openai_api.key import ApiKey

            return ApiKey(self.engine)

        return self._once("api_key", make)

    @property
    def egress(self) -> Egress:
        def make() -> Egress:
            from knowledge.web.egress import Egress

            return Egress()

        return self._once("egress", make)

    @property
    def personas(self) -> Personas:
        def make() -> Personas:
            from assistant.personas import Personas

            return Personas(self.engine)

        return self._once("personas", make)

    @property
    def models(self) -> Models:
        def make() -> Models:
            from assistant.models import Models
            from assistant.models.catalogue.added import AddedModels

            named = self.settings.model if "model" in self.settings.model_fields_set else ""
            return Models(
                self.weights,
                keys=self.keys,
                default=named,
                added=AddedModels(self.engine),
                places=self.settings.model_places,
            )

        return self._once("models", make)

    @property
    def toolbox(self) -> Toolbox:
        def make() -> Toolbox:
            from assistant.tools import Toolbox

            return Toolbox(self.engine, egress=self.egress, keys=self.keys)

        return self._once("toolbox", make)

    @property
    def approvals(self) -> Approvals:
        def make() -> Approvals:
            from assistant.agent.approvals import Approvals

            return Approvals(self.engine)

        return self._once("approvals", make)

    @property
    def corrections(self) -> Corrections:
        def make() -> Corrections:
            from assistant.routing.corrections import Corrections

            return Corrections(self.engine)

        return self._once("corrections", make)

    @property
    def router(self) -> Router:
        def make() -> Router:
            from assistant.routing.router import Router

            personas = self.personas
            return Router(
                self.library, self.embedder, self.corrections, lambda: [one.persona for one in personas.all()]
            )

        return self._once("router", make)

    @property
    def agent(self) -> Agent:
        def make() -> Agent:
            from assistant.agent import Agent

            return Agent(
                self.library,
                self.models,
                router=self.router,
                toolbox=self.toolbox,
                approvals=self.approvals,
                personas=self.personas,
                limits=self.settings.limits,
            )

        return self._once("agent", make)

    @property
    def turns(self) -> Turns:
        def make() -> Turns:
            from assistant.turns import Turns

            return Turns(self.history, self.agent, self.corrections)

        return self._once("turns", make)

    def embedder(self) -> Embedder:
        """A method, not a property: the library is handed this and calls it when it first embeds."""

        def make() -> Embedder:
            from knowledge import embedders

            return embedders.load(self.settings.embedder, self.weights)

        return self._once("embedder", make)

    def adopt(self, name: str, part: object) -> None:
        """Something made elsewhere of these parts, to be closed before them."""
        with self._lock:
            self._made[name] = part

    def close(self) -> None:
        """Close what was opened, newest first. One that fails does not keep the next from closing."""
        with self._lock:
            self.closed = True
            made, self._made = list(self._made.items()), {}
        for name, part in reversed(made):
            close = getattr(part, "close", None) or getattr(part, "dispose", None)
            try:
                if callable(close):
                    close()
            except Exception:
                log.exception("closing the %s failed", name)

    def _once(self, name: str, make: Callable[[], Part]) -> Part:
        with self._lock:
            if name not in self._made:
                if self.closed:
                    raise TryAgain("The app is closing. Start it again, then repeat this.")
                self._made[name] = make()
            return cast("Part", self._made[name])
