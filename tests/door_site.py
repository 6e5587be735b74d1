"""In: a data folder, an upload limit (MiB). Out: a site on a free port, its address on stdout: one component that
answers, one route that fails, behind the real doors. Run by tests/test_doors.py; the pages themselves are not in it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from fastapi import FastAPI


def page(app: FastAPI) -> None:
    import gradio as gr

    def answer(data: object) -> object:
        return data

    @app.get("/fails")
    def fails() -> None:
        raise RuntimeError("a secret of the house")

    with gr.Blocks() as blocks:
        gr.HTML(html_template="<b></b>", server_functions=[answer])
    gr.mount_gradio_app(app, blocks, path="/", footer_links=[], run_history=False, show_error=False)


def main(home: str, limit: str) -> None:
    import uvicorn

    from assistant.service.parts import Parts
    from assistant.service.privacy import switch_off
    from assistant.service.settings import Settings
    from assistant.service.site import build

    settings = Settings(home=Path(home), upload_limit_mb=int(limit), _env_file=None)
    settings.uploads.mkdir(parents=True)
    switch_off(os.environ, settings.uploads)
    doors = build(Parts(settings), "the-token", page)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(doors, log_config=None, ws="none"))
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        server.run([listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
