"""The OpenAI-compatible way in, talked to by OpenAI's own client: a real site on loopback, a model server behind it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import uvicorn

from assistant.openai_api import ApiKey
from assistant.openai_api.api import AT_ONCE, BODY_LIMIT
from assistant.personas.card import Persona
from assistant.service.parts import Parts
from assistant.service.settings import Settings
from assistant.service.site import build
from assistant.service.verbs import prepare
from assistant.store.tables import MessageRow, SwitchRow
from tests.completions import Call, Completions

Asked = list[dict[str, Any]]
HELLO: Asked = [{"role": "user", "content": "Why do ships need lighthouses at night?"}]


class Site:
    """The doors and what is behind them, without pages."""

    def __init__(self, home: Path, weights: Path) -> None:
        self.model = Completions()
        self.clients: list[openai.OpenAI] = []
        settings = Settings(home=home, weights=weights, model=f"{self.model.url}/v1#qwen3-8b", _env_file=None)
        settings.uploads.mkdir(parents=True)
        self.parts = Parts(settings)
        self.key = self.parts.api_key.make()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        doors = build(self.parts, "token", lambda app: None)
        self._server = uvicorn.Server(uvicorn.Config(doors, log_config=None, ws="none"))
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self.parts.close()
        self._listener.close()
        self.model.shutdown()
        self.model.server_close()

    def client(self, key: str = "", **more: Any) -> openai.OpenAI:
        client = openai.OpenAI(base_url=f"{self.address}/v1", api_key=key or self.key, max_retries=0, **more)
        self.clients.append(client)
        return client

    def post(self, body: object, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        return httpx.post(f"{self.address}/v1/chat/completions", content=content, headers=headers, timeout=30)

    @property
    def prompt(self) -> list[dict[str, Any]]:
        """What the model behind was last asked with."""
        messages: list[dict[str, Any]] = self.model.requests[-1][1]["messages"]
        return messages


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("openai") / "home", weights)
    site.parts.personas.add(Persona(name="Doña Marta", voice="Eres Doña Marta, farera.", language="es"))
    yield site
    site.close()


@pytest.fixture
def site(started: Site) -> Iterator[Site]:
    model = started.model
    model.words, model.script, model.pause, model.status = ["Paris ", "is ", "the ", "capital."], [], 0.0, 200
    model.requests.clear()
    model.hung_up.clear()
    yield started
    started.parts.toolbox.web = False
    while started.clients:
        started.clients.pop().close()


# ── who may come in ──────────────────────────────────────────────────────────────────────────────────────────────


def test_without_the_key_nobody_comes_in(site: Site) -> None:
    for key in ("wrong", f"{site.key}x", site.key[:-1]):
        with pytest.raises(openai.AuthenticationError) as raised:
            site.client(key).models.list()
        assert raised.value.code == "invalid_api_key"
        assert "afina api key new" in raised.value.message
    for header in (
        {},
        {"Authorization": site.key},
        {"Authorization": f"Basic {site.key}"},
        {"Authorization": "Bearer"},
    ):
        for path in ("models", "models/marv", "chat/completions", "nothing"):
            assert httpx.post(f"{site.address}/v1/{path}", headers=header, content=b"{}").status_code == 401
    spanish = httpx.get(f"{site.address}/v1/models", headers={"Accept-Language": "es"}).json()
    assert spanish["error"]["message"].startswith("Falta la clave")
    assert site.model.requests == []


def test_the_door_is_closed_until_a_key_is_made_and_again_when_it_is_taken_away(tmp_path: Path) -> None:
    with_key = Parts(Settings(home=tmp_path / "home", _env_file=None))
    (tmp_path / "home").mkdir()
    key: ApiKey = with_key.api_key
    assert not key.opens("")
    assert key.shown() is None

    def verb(action: str) -> dict[str, Any]:
        (row,) = prepare(with_key, "api.key", {"action": action}, threading.Event())()
        return row

    assert verb("show") == {"on": False, "key": "", "masked": "", "created_at": ""}
    first = verb("new")["key"]
    assert key.opens(first)
    assert verb("show")["key"] == "", "it is shown once"
    second = verb("new")["key"]
    assert (key.opens(first), key.opens(second)) == (False, True)
    with key._read() as session:
        kept = json.dumps(session.get(SwitchRow, "api.key").value)  # type: ignore[union-attr]
    assert second not in kept
    assert verb("off")["on"] is False
    assert not key.opens(second)
    assert not key.opens("")
    with_key.close()


def test_another_page_in_the_browser_is_kept_out_even_with_the_key(site: Site) -> None:
    assert site.post({}, Origin="http://evil.example").status_code == 403
    assert site.post({}, Host="evil.example").status_code == 421


# ── models ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_models_are_afina_and_the_personas(site: Site) -> None:
    client = site.client()
    assert [model.id for model in client.models.list()] == ["afina", "marv", "dona-marta"]
    for name in ("marv", "Marv", "MARV", "dona-marta", "Doña Marta", "afina"):
        model = client.models.retrieve(name)
        assert model.object == "model"
        assert model.owned_by == "afina"
    with pytest.raises(openai.NotFoundError) as raised:
        client.models.retrieve("gpt-6")
    assert raised.value.code == "model_not_found"
    assert "afina, marv, dona-marta" in raised.value.message


# ── a completion ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_at_once_and_the_same_streamed(site: Site) -> None:
    client = site.client()
    whole = client.chat.completions.create(model="afina", messages=HELLO)  # type: ignore[call-overload]
    assert whole.choices[0].message.content == "Paris is the capital."
    assert whole.choices[0].finish_reason == "stop"
    assert whole.model == "afina"
    assert whole.object == "chat.completion"
    assert whole.choices[0].message.citations == []
    stream = client.chat.completions.create(  # type: ignore[call-overload]
        model="afina", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Paris is the capital."
    assert len(chunks) > 4, "words come as they are written"
    assert {chunk.id for chunk in chunks} == {chunks[0].id}
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens > 0
    quiet = list(client.chat.completions.create(model="afina", messages=HELLO, stream=True))  # type: ignore[call-overload]
    assert all(chunk.usage is None and chunk.choices for chunk in quiet)


def test_a_persona_speaks_in_its_voice(site: Site) -> None:
    client = site.client()
    voice = site.parts.personas.named("marv").persona.voice  # type: ignore[union-attr]
    for name in ("marv", "Marv"):
        answer = client.chat.completions.create(model=name, messages=HELLO)  # type: ignore[call-overload]
        assert answer.model == name
        assert answer.afina["persona"] == "Marv"
        assert voice in str(site.prompt)
    client.chat.completions.create(model="afina", messages=HELLO)  # type: ignore[call-overload]
    assert voice not in str(site.prompt)


def test_spanish_is_answered_in_spanish_by_a_persona_with_an_accent_in_its_name(site: Site) -> None:
    site.model.words = ["Los ", "barcos ", "necesitan ", "los ", "faros."]
    answer = site.client().chat.completions.create(
        model="Doña Marta", messages=[{"role": "user", "content": "¿Para qué necesitan los barcos los faros?"}]
    )
    assert answer.choices[0].message.content == "Los barcos necesitan los faros."
    assert "Eres Doña Marta, farera." in str(site.prompt)


def test_the_conversation_and_the_system_message_come_with_the_request_and_nothing_is_stored(site: Site) -> None:
    site.client().chat.completions.create(
        model="afina",
        messages=[
            {"role": "system", "content": "Speak of ships only."},
            {"role": "user", "content": [{"type": "text", "text": "Tell me"}, {"type": "text", "text": "of ships."}]},
            {"role": "assistant", "content": "Ships float."},
            {"role": "user", "content": "Why do they float?"},
        ],
    )
    told = [(message["role"], message["content"]) for message in site.prompt]
    assert told[-3:] == [
        ("user", "Speak of ships only.\n\nTell me\nof ships."),
        ("assistant", "Ships float."),
        ("user", "Why do they float?"),
    ]
    site.client().chat.completions.create(
        model="afina", messages=[{"role": "developer", "content": "Speak of trains only."}, *HELLO]
    )
    assert "Speak of trains only." in str(site.prompt)
    assert list(site.parts.history.conversations()) == []
    with site.parts.history._read() as session:
        assert session.query(MessageRow).count() == 0


def test_settings_reach_the_model(site: Site) -> None:
    answer = site.client().chat.completions.create(  # type: ignore[call-overload]
        model="afina", messages=HELLO, temperature=0.3, top_p=0.5, max_completion_tokens=7, seed=3, stop=["END", "\n\n"]
    )
    sent = site.model.requests[-1][1]
    assert (sent["temperature"], sent["top_p"], sent["seed"], sent["stop"]) == (0.3, 0.5, 3, ["END", "\n\n"])
    assert 7 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
    assert answer.choices[0].finish_reason in ("stop", "length")


# ── what is refused, what is ignored ─────────────────────────────────────────────────────────────────────────────

PICTURE = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"), ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"), ({"tool_choice": "required"}, "tool_choice"),
        ({"temperature": 3}, "temperature"), ({"temperature": "hot"}, "temperature"), ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"), ({"max_tokens": "many"}, "max_tokens"),
        ({"seed": -1}, "seed"), ({"stop": ["a"] * 5}, "stop"), ({"stop": 3}, "stop"), ({"stream": "yes"}, "stream"),
        ({"messages": []}, "messages"), ({"messages": "hello"}, "messages"), ({"messages": None}, "messages"),
        ({"messages": [{"role": "user", "content": PICTURE}]}, "messages"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages"),
        ({"messages": [{"role": "user", "content": "  "}]}, "messages"),
        ({"messages": [*HELLO, {"role": "assistant", "content": "Because"}]}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "y"}, *HELLO]}, "messages"),
        ({"messages": ["hello"]}, "messages"), ({"model": None}, "model"), ({"model": 3}, "model"),
    ],
)  # fmt: skip
def test_what_cannot_be_honoured_is_a_bad_request_in_two_languages(
    site: Site, more: dict[str, Any], param: str
) -> None:
    body = {"model": "afina", "messages": HELLO, **more}
    messages = []
    for language in ("en", "es"):
        response = site.post(body, **{"Accept-Language": language})
        assert response.status_code == 400
        error = response.json()["error"]
        assert (error["param"], error["type"]) == (param, "invalid_request_error")
        messages.append(error["message"])
    assert messages[0] != messages[1]
    assert site.model.requests == []


def test_the_client_sees_its_own_errors(site: Site) -> None:
    client = site.client()
    with pytest.raises(openai.BadRequestError, match="Only one answer"):
        client.chat.completions.create(model="afina", messages=HELLO, n=2)  # type: ignore[call-overload]
    with pytest.raises(openai.NotFoundError, match="no persona called gpt-6"):
        client.chat.completions.create(model="gpt-6", messages=HELLO)  # type: ignore[call-overload]
    spanish = client.with_options(default_headers={"Accept-Language": "es"})
    with pytest.raises(openai.NotFoundError, match="ningún personaje llamado gpt-6"):
        spanish.chat.completions.create(model="gpt-6", messages=HELLO)  # type: ignore[call-overload]
    with pytest.raises(openai.NotFoundError, match="/v1/embeddings"):
        client.embeddings.create(model="afina", input="x")
    for body in (b"", b"{", b"[]", b"\xff", b"[" * 100_000):
        assert site.post(body).json()["error"]["message"].startswith("The body is not one JSON object")
    large = site.post(b'{"model": "' + b"x" * BODY_LIMIT + b'"}')
    assert (large.status_code, large.json()["error"]["type"]) == (413, "invalid_request_error")
    assert (
        httpx.get(f"{site.address}/v1/chat/completions", headers={"Authorization": f"Bearer {site.key}"}).status_code
        == 405
    )


def test_what_has_no_effect_is_named(site: Site) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    more = {"tools": [tool], "tool_choice": "auto", "frequency_penalty": 0.5, "made_up": 1, "user": None}
    response = site.post({"model": "afina", "messages": HELLO, **more})
    assert response.headers["x-afina-ignored"] == "frequency_penalty, made_up, tools"
    assert response.json()["afina"]["ignored"] == ["frequency_penalty", "made_up", "tools"]
    assert response.json()["choices"][0]["message"]["content"] == "Paris is the capital."
    assert "function" not in {
        call.get("function", {}).get("name") for call in site.model.requests[-1][1].get("tools", [])
    }
    streamed = site.post({"model": "afina", "messages": HELLO, "stream": True, **more})
    assert streamed.headers["x-afina-ignored"] == "frequency_penalty, made_up, tools"


def test_a_tool_that_would_ask_is_denied_and_that_is_said(site: Site) -> None:
    site.parts.toolbox.web = True
    site.model.script = [[Call("web_page", json.dumps({"url": f"{site.model.url}/secret"}))], ["I ", "may ", "not."]]
    began = time.monotonic()
    answer = site.client().chat.completions.create(  # type: ignore[call-overload]
        model="afina", messages=[{"role": "user", "content": "Read the page of the harbour office for me."}]
    )
    assert answer.choices[0].message.content == "I may not."
    assert answer.afina["denied"] == ["web_page"]
    assert time.monotonic() - began < 20, "nobody was waited for"
    assert all("/secret" not in path for path, _ in site.model.requests)


# ── citations ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_from_documents_carries_its_checked_citations(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "brenmoor.md"
    file.write_text("# Brenmoor Energy\n\nBrenmoor Energy operates 212 wind turbines in the Pennine hills.\n")
    for _ in site.parts.library.add(file):
        pass
    site.model.words = ["Brenmoor ", "Energy ", "operates ", "212 ", "wind ", "turbines ", "[1]."]
    site.model.script = []
    asked: Asked = [{"role": "user", "content": "How many wind turbines does Brenmoor Energy operate?"}]
    site.parts.personas.add(Persona(name="Clerk", voice="You are a clerk.", facts=True))
    client = site.client()
    whole = client.chat.completions.create(model="clerk", messages=asked)  # type: ignore[call-overload]
    chunks = list(client.chat.completions.create(model="clerk", messages=asked, stream=True))  # type: ignore[call-overload]
    for citations in (whole.choices[0].message.citations, chunks[-1].choices[0].delta.citations):
        (citation,) = citations
        assert citation["title"] == "brenmoor.md"
        assert citation["verified"] is True
        assert "212 wind turbines" in citation["quote"]
    for document in site.parts.library.documents():
        site.parts.library.remove(document.id)


# ── what goes wrong on the way ───────────────────────────────────────────────────────────────────────────────────


def test_a_model_that_fails_before_the_first_word_is_an_error_with_a_status_and_not_asked_again(site: Site) -> None:
    site.model.status = 401
    with pytest.raises(openai.APIStatusError) as raised:
        site.client(timeout=30).with_options(max_retries=2).chat.completions.create(model="afina", messages=HELLO)  # type: ignore[call-overload]
    assert raised.value.status_code in (400, 503)
    assert raised.value.body["message"]  # type: ignore[index]
    assert "Traceback" not in str(raised.value)
    assert len(site.model.requests) == 1, "a client that repeats what failed would pay twice"


def test_an_answer_that_breaks_off_ends_the_stream_with_an_error(site: Site) -> None:
    site.model.cut_after = 2
    try:
        words: list[str] = []
        stream = site.client().chat.completions.create(model="afina", messages=HELLO, stream=True)  # type: ignore[call-overload]
        with pytest.raises(openai.APIError) as raised:
            words.extend(chunk.choices[0].delta.content or "" for chunk in stream)
        assert "".join(words).startswith("Paris")
        assert raised.value.message
    finally:
        site.model.cut_after = None


@pytest.mark.parametrize("stream", [True, False])
def test_a_caller_that_goes_away_stops_the_model(site: Site, stream: bool) -> None:
    site.model.words, site.model.pause = [f"word{number} " for number in range(400)], 0.05
    if stream:
        answer = site.client().chat.completions.create(model="afina", messages=HELLO, stream=True)  # type: ignore[call-overload]
        assert next(iter(answer)) is not None
        answer.close()
    else:
        with pytest.raises(openai.APITimeoutError):
            site.client(timeout=1.0).chat.completions.create(model="afina", messages=HELLO)  # type: ignore[call-overload]
    assert site.model.hung_up.wait(5), "the model's server is left, too"


def test_so_many_at_once_and_one_more_is_told_to_wait(site: Site) -> None:
    site.model.words, site.model.pause = [f"word{number} " for number in range(40)], 0.05
    with ThreadPoolExecutor(AT_ONCE) as pool:
        client = site.client()

        def one(_: int) -> str:
            stream = client.chat.completions.create(model="afina", messages=HELLO, stream=True)  # type: ignore[call-overload]
            next(iter(stream))
            begun.release()
            return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

        begun = threading.Semaphore(0)
        answers = [pool.submit(one, number) for number in range(AT_ONCE)]
        for _ in range(AT_ONCE):
            assert begun.acquire(timeout=20)
        with pytest.raises(openai.RateLimitError) as raised:
            client.chat.completions.create(model="afina", messages=HELLO)  # type: ignore[call-overload]
        assert raised.value.response.headers["retry-after"]
        assert all("word39" in answer.result() for answer in answers)
    site.model.pause = 0.0
    assert client.chat.completions.create(model="afina", messages=HELLO)  # type: ignore[call-overload]
