"""The laws of a server that misbehaves, at the socket: one sentence that says what to do, what came is kept, a paid
answer is asked for once, a stop is heard at once."""

from __future__ import annotations

import datetime
import ipaddress
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk

from assistant.errors import AssistantError, ForOperator, ForPerson, TryAgain
from assistant.models.remote.faults import _TABLE, Where, sentence
from assistant.models.remote.openai import hosted, listed, served
from assistant.models.remote.patience import Patience
from tests.completions import Call, Completions

QUICK = Patience(connect=5.0, first=0.8, between=0.8, retries=2, retry_after=0.5)
KEY = "sk-verysecretkey1234"


@pytest.fixture
def server() -> Iterator[Completions]:
    server = Completions()
    yield server
    server.shutdown()
    server.server_close()


def ask(address: str, *, patience: Patience = QUICK, key: str | None = KEY, **more: Any) -> tuple[str, AssistantError]:
    """What came, and the error that ended it."""
    return heard(served(address, key, patience=patience), **more)


def heard(model: BaseChatModel, **more: Any) -> tuple[str, AssistantError]:
    text = ""
    try:
        for chunk in model.stream("What is the capital?", **more):
            text += str(chunk.text)
    except AssistantError as error:
        _fit_for_people(error)
        return text, error
    raise AssertionError(f"no error, but {text!r}")


def _fit_for_people(error: AssistantError) -> None:
    for language in ("en", "es"):
        said = error.said(language)
        assert said.endswith(".")
        assert "\n" not in said
        assert "{" not in said
        assert "verysecret" not in said
        assert "Traceback" not in said
        assert not any(word in said for word in ("httpx", "httpcore", "openai.", "Error("))
    assert error.spanish
    assert error.said("es") != error.said("en")


# ── no connection ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_there_is_tried_three_times_and_said_within_seconds() -> None:
    began = time.monotonic()
    text, error = ask("http://127.0.0.1:9/v1#m")
    assert isinstance(error, ForOperator)
    assert "cannot be reached" in str(error)
    assert "http://127.0.0.1:9/v1" in str(error)
    assert text == ""
    assert time.monotonic() - began < 4


def test_a_server_that_comes_up_meanwhile_is_reached(server: Completions) -> None:
    """A refused connection took nothing, so it is tried again."""
    asked = itertools.count()
    connect = socket.create_connection

    def refused_once(address: Any, *more: Any, **named: Any) -> socket.socket:
        return connect(("127.0.0.1", 9) if next(asked) == 0 else address, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", refused_once)
        assert served(f"{server.url}/v1#m", None, patience=QUICK).invoke("Hi").text == "Paris is the capital."
    assert next(asked) == 2
    assert len(server.requests) == 1


def test_a_name_nobody_knows() -> None:
    _, error = ask("http://models.invalid:8000/v1#m")
    assert isinstance(error, ForOperator)
    assert "no machine of that name" in str(error)


def test_a_name_that_takes_forever_to_look_up_is_given_up_and_can_be_stopped() -> None:
    never = threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        never.wait(5)
        raise socket.gaierror(-2, "unknown")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", slow)
        began = time.monotonic()
        _, error = ask("http://slow.invalid/v1#m", patience=Patience(connect=0.3))
        assert isinstance(error, TryAgain)
        assert "no connection within 0.3 seconds" in str(error)
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        model = served("http://slow.invalid/v1#m", None)
        assert "".join(str(chunk.text) for chunk in model.stream("Hi", cancelled=stop)) == ""
        assert time.monotonic() - began < 4
        never.set()


@pytest.mark.parametrize("address", ["http:///v1#m", "http://#m"])
def test_an_address_that_is_none(address: str) -> None:
    _, error = ask(address)
    assert isinstance(error, ForOperator)
    assert "http://host" in str(error)


def test_a_certificate_that_is_not_trusted_and_nothing_was_sent(certificate: Path) -> None:
    server = Completions(tls=certificate)
    _, error = ask(f"{server.url}/v1#m")
    assert isinstance(error, ForOperator)
    assert "certificate that is not trusted (self" in str(error)
    assert not server.requests
    server.shutdown()
    server.server_close()


def test_https_where_http_is_spoken_and_the_other_way_round(server: Completions, certificate: Path) -> None:
    _, error = ask(f"{server.url.replace('http', 'https')}/v1#m")
    assert isinstance(error, ForOperator)
    assert "does not speak https" in str(error)
    secure = Completions(tls=certificate)
    _, error = ask(f"{secure.url.replace('https', 'http')}/v1#m")
    assert isinstance(error, ForOperator | TryAgain)
    assert "https://" in str(error) or "hung up" in str(error)
    secure.shutdown()
    secure.server_close()


def test_a_tls_handshake_that_never_ends_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        _, error = ask(f"https://127.0.0.1:{silent.getsockname()[1]}/v1#m", patience=Patience(connect=0.4))
        assert "no connection within 0.4 seconds" in str(error)
        assert time.monotonic() - began < 4


def test_something_that_is_no_http_server() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

    threading.Thread(target=answer, daemon=True).start()
    _, error = ask(f"http://127.0.0.1:{listener.getsockname()[1]}/v1#m")
    assert isinstance(error, ForOperator)
    assert "does not speak http." in str(error)
    listener.close()


def test_one_that_hangs_up_after_the_request_is_not_asked_again() -> None:
    listener, taken = socket.create_server(("127.0.0.1", 0)), []

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                taken.append(connection.recv(65536))

    threading.Thread(target=answer, daemon=True).start()
    _, error = ask(f"http://127.0.0.1:{listener.getsockname()[1]}/v1#m")
    assert isinstance(error, TryAgain)
    assert "hung up before it answered" in str(error)
    listener.close()
    assert len(taken) == 1, "it may have been taken, and paid"


# ── silence ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "knobs",
    [
        {"silence_before_headers": 5.0},
        {"silence_before_words": 5.0, "pings": True},
        {"silence_before_words": 5.0, "pings": True, "chunked": True},
    ],
    ids=str,
)
def test_the_first_word_has_to_come_in_time_whatever_else_comes(server: Completions, knobs: dict[str, Any]) -> None:
    vars(server).update(knobs)
    began = time.monotonic()
    text, error = ask(f"{server.url}/v1#m")
    assert 0.7 < time.monotonic() - began < 4
    assert isinstance(error, TryAgain)
    assert "wrote nothing for 0.8 seconds" in str(error)
    assert text == ""
    assert len(server.requests) == 1, "it may be working on it: not asked twice"
    assert server.hung_up.wait(2), "the server is told that nobody waits any more"


@pytest.mark.parametrize("pings", [False, True])
def test_between_two_words_there_is_a_limit_too_and_the_first_is_kept(server: Completions, pings: bool) -> None:
    server.silence, server.pings = 5.0, pings
    text, error = ask(f"{server.url}/v1#m")
    assert text == "Paris "
    assert "stopped writing for 0.8 seconds" in str(error)
    assert isinstance(error, TryAgain)
    assert len(server.requests) == 1


def test_a_slow_answer_is_no_silent_one(server: Completions) -> None:
    server.words, server.pause = ["word "] * 6, 0.2  # longer in all than one silence may be
    model = served(f"{server.url}/v1#m", None, patience=QUICK)
    assert model.invoke("Hi").text == "word " * 6


def test_a_slow_reader_is_not_the_servers_fault(server: Completions) -> None:
    model = served(f"{server.url}/v1#m", None, patience=QUICK)
    text = ""
    for chunk in model.stream("Hi"):
        text += str(chunk.text)
        time.sleep(0.2)
    assert text == "Paris is the capital."


@pytest.mark.parametrize(
    "knobs", [{"silence_before_headers": 9.0}, {"silence_before_words": 9.0}, {"silence": 9.0}], ids=str
)
def test_a_stop_is_heard_at_once_wherever_it_waits_and_the_server_hears_of_it(
    server: Completions, knobs: dict[str, Any]
) -> None:
    vars(server).update(knobs)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    chunks = list(served(f"{server.url}/v1#m", None).stream("Hi", cancelled=stop))
    assert 0.25 < time.monotonic() - began < 3
    assert "".join(str(chunk.text) for chunk in chunks) == ("Paris " if "silence" in knobs else "")
    assert server.hung_up.wait(2)


def test_a_stop_ends_the_waiting_for_a_second_try(server: Completions) -> None:
    server.status, server.error_headers = 429, {"Retry-After": "8"}
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    list(served(f"{server.url}/v1#m", None).stream("Hi", cancelled=stop))
    assert time.monotonic() - began < 4
    assert len(server.requests) == 1


def test_a_flood_without_a_word_ends(server: Completions) -> None:
    server.raw = [b": " + b"x" * 2**20 + b"\n\n"] * 40
    _, error = ask(f"{server.url}/v1#m", patience=Patience())
    assert "MB without a word" in str(error)


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_that_was_not_taken_is_sent_again_twice_at_most(server: Completions, status: int) -> None:
    server.statuses = [status, status]
    model = served(f"{server.url}/v1#m", None, patience=QUICK)
    assert model.invoke("Hi").text == "Paris is the capital."
    assert len(server.requests) == 3
    server.status = status
    _, error = ask(f"{server.url}/v1#m")
    assert isinstance(error, TryAgain)
    assert len(server.requests) == 6


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 500, 502, 504, 520])
def test_any_other_refusal_is_not_sent_again(server: Completions, status: int) -> None:
    server.status = status
    _, error = ask(f"{server.url}/v1#some-model")
    assert "some-model" in str(error)
    assert len(server.requests) == 1


def test_retry_after_is_kept_to_the_second(server: Completions) -> None:
    server.statuses, server.error_headers = [429], {"Retry-After": "1"}
    began = time.monotonic()
    served(f"{server.url}/v1#m", None).invoke("Hi")
    assert 0.95 < time.monotonic() - began < 4


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_long_retry_after_is_told_and_not_waited_for(server: Completions, form: str) -> None:
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=600)
    server.status = 429
    server.error_headers = {"Retry-After": "600" if form == "seconds" else format_datetime(at, usegmt=True)}
    began = time.monotonic()
    _, error = ask(f"{server.url}/v1#m")
    assert isinstance(error, TryAgain)
    assert "wait 10 minutes" in str(error)
    assert "esperar 10 minutos" in error.spanish
    assert time.monotonic() - began < 4
    assert len(server.requests) == 1


def test_an_empty_account_is_no_moment_to_wait_for(server: Completions) -> None:
    server.status = 429
    server.error = {"error": {"message": "You exceeded your current quota.", "code": "insufficient_quota"}}
    _, error = ask(f"{server.url}/v1#m")
    assert isinstance(error, ForOperator)
    assert "no credit left" in str(error)
    assert len(server.requests) == 1


def test_a_refused_key_is_named_and_not_shown(server: Completions) -> None:
    server.key = "another"
    server.error = {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}}
    _, error = heard(hosted("gpt-4o", KEY, address=f"{server.url}/v1", patience=QUICK))
    assert isinstance(error, ForOperator)
    assert "OPENAI_API_KEY" in str(error)
    server.key, server.status = "", 400
    _, error = heard(hosted("gpt-4o", KEY, address=f"{server.url}/v1", patience=QUICK))
    assert "Incorrect API key provided: •••" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "…", "code": "context_length_exceeded", "param": "messages"}},
        {"object": "error", "message": "This model's maximum context length is 4096 tokens. However …", "code": 400},
        {"error": {"code": 400, "message": "the request exceeds the available context size", "n_ctx": 4096}},
        {"error": "the input length exceeds the context length"},
    ],
)
def test_what_is_too_long_says_what_to_do(server: Completions, body: dict[str, Any]) -> None:
    server.status, server.error = 400, body
    _, error = ask(f"{server.url}/v1#m")
    assert isinstance(error, ForPerson)
    assert "longer than the model m" in str(error)
    assert "start a new conversation" in str(error)


@pytest.mark.parametrize("status", [200, 404, 502])
def test_a_web_page_instead_of_an_answer(server: Completions, status: int) -> None:
    page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Hello</h1></body></html>"
    server.page = server.error = page
    server.status = status
    _, error = ask(f"{server.url}/v1#m")
    assert "<" not in str(error)
    assert isinstance(error, TryAgain if status == 502 else ForOperator)
    if status == 200:
        assert "a web page (“Sign in”)" in str(error)
        assert "/v1" in str(error)


def test_an_address_that_has_moved_gets_no_key(server: Completions) -> None:
    server.status, server.error_headers = 308, {"Location": "https://elsewhere.invalid/v1/chat/completions?k=1"}
    _, error = ask(f"{server.url}/v1#m")
    assert isinstance(error, ForOperator)
    assert "https://elsewhere.invalid/v1/chat/completions." in str(error)
    assert len(server.requests) == 1


# ── a stream that ends badly ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("words", [0, 2])
def test_a_stream_cut_in_the_middle_keeps_what_came(server: Completions, chunked: bool, words: int) -> None:
    server.chunked, server.cut_after, server.pause = chunked, words, 0.02
    text, error = ask(f"{server.url}/v1#m")
    assert text == "".join(server.words[:words])
    assert isinstance(error, TryAgain)
    assert "cut off" in str(error)
    assert len(server.requests) == 1, "a paid answer is asked for once"


def test_a_stream_that_just_ends_was_cut(server: Completions) -> None:
    server.finish, server.done, server.usage = None, False, False
    text, error = ask(f"{server.url}/v1#m")
    assert text == "Paris is the capital."
    assert "cut off; what came is kept" in str(error)


@pytest.mark.parametrize("missing", ["done", "finish"])
def test_one_sign_of_the_end_is_enough(server: Completions, missing: str) -> None:
    setattr(server, missing, False if missing == "done" else None)
    assert served(f"{server.url}/v1#m", None, patience=QUICK).invoke("Hi").text == "Paris is the capital."


@pytest.mark.parametrize("raw", [[], [b"data: [DONE]\n\n"], [b": ping\n\n"], [b"\n\n\n"]], ids=str)
def test_an_empty_stream_is_an_error_that_says_so(server: Completions, raw: list[bytes]) -> None:
    server.raw = raw
    text, error = ask(f"{server.url}/v1#m")
    assert text == ""
    assert isinstance(error, TryAgain)
    assert len(server.requests) == 1


def _said(text: str, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, **more}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


END = _said("", finish_reason="stop") + b"data: [DONE]\n\n"


def test_half_a_character_at_a_border_is_whole_again(server: Completions) -> None:
    stream = _said("El niño 日本語 🐕.") + END
    for size in (1, 2, 3, 7):
        server.raw = [stream[start : start + size] for start in range(0, len(stream), size)]
        assert served(f"{server.url}/v1#m", None).invoke("Hi").text == "El niño 日本語 🐕."


def test_a_broken_character_becomes_one_mark_and_the_rest_is_kept(server: Completions) -> None:
    server.raw = [_said("El ni"), _said("X").replace(b"X", b"\xc3"), _said("o."), END]
    assert served(f"{server.url}/v1#m", None).invoke("Hi").text == "El ni\ufffdo."
    server.raw = [_said("El ni"), b'data: {"choices":[{"delta":{"content":"\xc3']
    text, error = ask(f"{server.url}/v1#m")
    assert text == "El ni"
    assert isinstance(error, TryAgain)


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize(
    "bad", [b"data: {not json}\n\n", b"data: 17\n\n", b'data: {"choices": 5}\n\n', b'data: {"choices": [null]}\n\n']
)
def test_what_cannot_be_read_ends_with_a_sentence(server: Completions, bad: bytes) -> None:
    server.raw = [_said("Paris "), bad, END]
    text, error = ask(f"{server.url}/v1#m")
    assert text == "Paris "
    assert "cannot be read; what came before is kept" in str(error)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"message": "CUDA out of memory", "code": 500}, TryAgain, "failed: CUDA out of memory."),
        ({"message": "Rate limit", "code": "rate_limit_exceeded"}, TryAgain, "over its limit"),
        ({"message": "maximum context length is 4096 tokens", "code": 400}, ForPerson, "longer than"),
    ],
)
def test_an_error_inside_the_stream(
    server: Completions, body: dict[str, Any], kind: type[AssistantError], words: str
) -> None:
    server.raw = [_said("Paris "), b"data: " + json.dumps({"error": body}).encode() + b"\n\n"]
    text, error = ask(f"{server.url}/v1#m")
    assert text == "Paris "
    assert isinstance(error, kind)
    assert words in str(error)
    assert len(server.requests) == 1


def test_the_content_filter_says_so_after_what_it_let_through(server: Completions) -> None:
    server.finish = "content_filter"
    text, error = ask(f"{server.url}/v1#m")
    assert text == "Paris is the capital."
    assert isinstance(error, ForPerson)
    assert "content filter" in str(error)


def test_tokens_that_ran_out_before_a_word(server: Completions) -> None:
    server.words, server.finish = [""], "length"
    _, error = ask(f"{server.url}/v1#m")
    assert isinstance(error, ForPerson)
    assert "maximum tokens" in str(error)


# ── tool calls ───────────────────────────────────────────────────────────────────────────────────────────────────────


def whole(model: BaseChatModel) -> AIMessageChunk:
    chunks = list(model.stream("Hi"))
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk  # type: ignore[assignment]
    assert isinstance(message, AIMessageChunk)
    return message


def test_arguments_that_are_no_json_are_handed_on_as_invalid(server: Completions) -> None:
    """LangChain alone would mend the first, and run the tool with half its argument."""
    halves = ['{"expression": "1+', '{"a": {"b": [1, 2', '{"a": "b\\', "nonsense", "[1]", '"text"', '{"a": 1}}', "{"]
    server.script = [[*(Call("bad", half) for half in halves), Call("no_such_tool", '{"a": 1}'), Call("clock", "")]]
    message = whole(served(f"{server.url}/v1#m", None))
    assert len(message.invalid_tool_calls) == len(halves)
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("no_such_tool", {"a": 1}), ("clock", {})]


def test_a_call_that_was_stopped_half_way_is_invalid(server: Completions) -> None:
    delta = {
        "tool_calls": [{"index": 0, "id": "a", "function": {"name": "calculator", "arguments": '{"expression": "1'}}]
    }
    server.raw, server.pause = [_said("", delta=delta), _said("x")], 9.0
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    chunks = list(served(f"{server.url}/v1#m", None).stream("Hi", cancelled=stop))
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk  # type: ignore[assignment]
    assert isinstance(message, AIMessageChunk)
    assert not message.tool_calls
    assert len(message.invalid_tool_calls) == 1


@pytest.mark.parametrize("numbered", [True, False])
def test_fifty_calls_at_once_all_come(server: Completions, numbered: bool) -> None:
    calls = [Call("calculator", json.dumps({"expression": f"{n}+{n}"}), f"id{n}") for n in range(50)]
    server.script = [list(calls)]
    if not numbered:  # whole calls without an index, as some servers send them
        server.raw = [
            _said("", delta={"tool_calls": [{"id": c.id, "function": {"name": c.name, "arguments": c.arguments}}]})
            for c in calls
        ] + [END]
    message = whole(served(f"{server.url}/v1#m", None))
    assert [call["id"] for call in message.tool_calls] == [call.id for call in calls]
    assert [call["args"] for call in message.tool_calls] == [json.loads(call.arguments) for call in calls]


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_sentence_names_the_model_in_both_languages_and_hides_keys() -> None:
    where = Where("some-model", "http://user:hunter2@host/v1?key=hunter2", "OPENAI_API_KEY", KEY)
    values = dict.fromkeys(
        ("reason", "seconds", "megabytes", "title", "location", "said", "wait", "espera"), f"{KEY} Bearer abcdefgh"
    )
    for kind in _TABLE:
        error = where.fault(kind, **values)
        _fit_for_people(error)
        for said in (str(error), error.spanish):
            assert "some-model at http://host/v1" in said or "some-model en http://host/v1" in said
            assert "hunter2" not in said
            assert "abcdefgh" not in said
    assert KEY not in repr(where)


def test_a_servers_sentence_is_one_line() -> None:
    assert sentence("First.\nSecond.") == "First."
    assert sentence('{"error": {"message": "Deep."}}') == "Deep."
    assert sentence("<html>") == "a web page."
    assert sentence("") == "no reason given."
    assert len(sentence("x" * 5000)) < 310


def test_what_lists_models_fails_with_the_same_sentences(server: Completions) -> None:
    with pytest.raises(ForOperator, match="cannot be reached"):
        listed("http://127.0.0.1:9/v1")
    server.key = "k"
    with pytest.raises(ForOperator, match=r"The server at .* wants a key"):
        listed(f"{server.url}/v1")
    with pytest.raises(ForOperator, match=r"The server at .* refused the key"):
        listed(f"{server.url}/v1", "another")
    server.key, server.status = "", 404
    with pytest.raises(ForOperator, match="often ends in /v1"):
        listed(f"{server.url}/v1")


@pytest.mark.parametrize("key", ["clé-secrète", "two\nlines", "nul\0"])
def test_a_key_that_is_none_is_a_refused_key(server: Completions, key: str) -> None:
    _, error = ask(f"{server.url}/v1#m", key=key)
    assert "refused the key" in str(error)
    assert not server.requests
    with pytest.raises(ForOperator, match="refused the key"):
        listed(f"{server.url}/v1", key)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Signed by itself, for 127.0.0.1."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
