"""The composition root: reads the settings once, builds the parts, mounts the pages and the command line.

    python app.py            the app on 127.0.0.1:7860; also `afina`, `afina serve`
    python app.py --help     every verb

Neither torch nor gradio nor chromadb is imported before something needs it: `--help` takes a fifth of a second.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from assistant.service.commands import api, ask, chats, docs, doctor, models, personas, route, serve, tools, web
from assistant.service.commands.session import Session, localise
from assistant.service.privacy import switch_off
from assistant.service.say import Say, of_locale
from tuning.commands import WORDS, data, evaluate, tune_share

if TYPE_CHECKING:
    from fastapi import FastAPI
    from typer.core import TyperGroup

    from assistant.service.doors import Doors
    from assistant.service.parts import Parts
    from assistant.service.settings import Settings


def settings(**given: Any) -> Settings:
    """Read once, here. What the command line named (home, host, port) wins over AFINA_… and `.env`."""
    from pydantic import ValidationError

    from assistant.service.settings import Settings, WrongSettings, explain

    try:
        chosen = Settings(**given)
    except ValidationError as error:
        raise WrongSettings(explain(error)) from None
    switch_off(os.environ, chosen.uploads)
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(chosen.weights / "tiktoken"))  # else among temporary files
    # A waiting thread of torch spins, and takes the core from who would end its waiting (beside a training run).
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")  # a moment: on a quiet machine as quick as without
    return chosen


def make(settings: Settings) -> Parts:
    """The parts of the whole app, each made when first asked for."""
    from tuning.parts import Parts

    return Parts(settings)


def site(parts: Parts, token: str) -> Doors:
    """The pages, mounted behind the doors. Gradio is imported here."""
    from assistant import chat_page
    from assistant.chat_page.company import Company
    from assistant.pages.models_page import ModelsPage
    from assistant.pages.personas_page import personas_page
    from assistant.pages.tools_page import ToolsPage
    from assistant.service.site import build
    from tuning.pages.datasets.page import datasets_page
    from tuning.pages.desk.findings import Cleaning
    from tuning.pages.desk.page import DeskPage
    from tuning.pages.keep import Keep
    from tuning.pages.tokenizer_page import TokenizerPage
    from tuning.pages.training.page import training_page
    from tuning.parts import Parts as Whole

    assert isinstance(parts, Whole)  # `make` makes no other

    datasets = datasets_page(parts)
    parts.adopt("datasets page", datasets)
    training = training_page(parts)
    parts.adopt("training page", training)
    parts.jobs.watch()

    def mount(app: FastAPI) -> None:
        arrivals = chat_page.mount(
            app,
            library=parts.library,
            history=parts.history,
            turns=parts.turns,
            models=parts.models,
            company=Company(
                parts.personas,
                parts.toolbox,
                parts.corrections,
                parts.approvals,
                parts.models,
                further=[Keep(parts.datasets, parts.history, parts.personas, parts.toolbox)],
            ),
            pages=[
                personas_page(parts.personas, parts.library, parts.models, parts.toolbox),
                ModelsPage(parts.models, parts.keys, parts.api_key),
                ToolsPage(parts.toolbox, parts.keys),
                datasets,
                DeskPage(parts.datasets, Cleaning(), parts.tokenizers.counter),
                TokenizerPage(parts.models, parts.tokenizers),
                training,
            ],
            upload_limit=parts.settings.upload_limit,
        )
        parts.adopt("arrivals", arrivals)

    return build(parts, token, mount)


def command_line() -> tuple[TyperGroup, Session]:
    """The tree of verbs; made when called, because its help speaks the terminal's language."""
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(serve.alone)
    app.command("serve")(serve.serve)
    app.command("ask")(ask.ask)
    app.command("route")(route.route)
    app.add_typer(docs.app, name="docs")
    app.add_typer(chats.app, name="chats")
    app.add_typer(models.app, name="models")
    app.add_typer(personas.app, name="personas")
    app.add_typer(api.app, name="api")
    app.add_typer(web.app, name="web")
    app.add_typer(tools.app, name="tools")
    app.add_typer(tools.mcp, name="mcp")
    app.add_typer(data.app, name="data")
    app.add_typer(tune_share.app, name="tune")
    app.add_typer(evaluate.app, name="eval")
    app.command("doctor")(doctor.doctor)
    session = Session(Say(of_locale(os.environ), (WORDS,)), settings, make, site, os.environ)
    command = typer.main.get_group(app)
    localise(command, session.say)
    return command, session


def main() -> None:
    """Exit codes: 0 done, 1 failed with a reason on stderr, 2 bad usage, 130 stopped with Ctrl-C."""
    _leave(_run())


def _run() -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        command, session = command_line()
        command(obj=session, prog_name="afina")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `afina docs list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _explained(error)
    return 0


def _leave(code: int) -> NoReturn:
    """Everything is closed by now. A thread that is still inside a vendor's native code (a model that loads) would
    abort Python's own way out: "terminate called without an active exception", seen with OpenVINO 2026.4."""
    if threading.active_count() > 1:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _explained(error: Exception) -> int:
    """Print a sentence, never a traceback (unless AFINA_LOG=debug asks for one). Returns the exit code."""
    from assistant.service.settings import WrongSettings
    from assistant.service.verbs import BadArguments
    from knowledge import KnowledgeError

    if os.environ.get("AFINA_LOG", "").lower() == "debug":
        import traceback

        traceback.print_exception(error)
    say = Say(of_locale(os.environ))
    print(
        error.said(say.language)
        if isinstance(error, KnowledgeError)
        else say("failed", error=f"{type(error).__name__}: {error}"),
        file=sys.stderr,
    )
    return 2 if isinstance(error, WrongSettings | BadArguments) else 1


if __name__ == "__main__":
    main()
