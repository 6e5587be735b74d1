"""The laws of models elsewhere: one string, the settings each takes, tools, what an address offers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool

from assistant.errors import AssistantError, ForOperator, ForPerson, TryAgain
from assistant.models import Models, write
from assistant.models.inference import Inference
from assistant.models.remote import ollama, openai
from assistant.models.remote.patience import Patience
from assistant.models.remote.wire import SETTINGS, Offered
from knowledge import Turn, Usage
from tests.completions import Call, Completions
from tests.ollama import Ollama

QUICK = Patience(connect=5.0, first=1.0, between=1.0, retry_after=0.5)
ALL = Inference(max_tokens=40, temperature=0.0, top_k=3, top_p=0.5, seed=7, stop=("END",))
HI = [Turn("user", "Hi")]


@pytest.fixture
def server() -> Iterator[Completions]:
    server = Completions()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def llama() -> Iterator[Ollama]:
    server = Ollama()
    yield server
    server.shutdown()
    server.server_close()


@tool
def calculator(expression: str) -> str:
    """Work out an expression."""
    return expression


def said(model: Any, inference: Inference = ALL) -> tuple[str, Usage]:
    *pieces, usage = write(model, HI, inference=inference, stop=threading.Event())
    assert isinstance(usage, Usage)
    return "".join(map(str, pieces)), usage


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_server_gets_every_setting_under_the_names_it_knows(server: Completions) -> None:
    model = openai.served(f"{server.url}/v1#m", None)
    assert said(model)[0] == "Paris is the capital."
    _, body = server.requests[0]
    settings = {"max_tokens": 40, "temperature": 0.0, "top_k": 3, "top_p": 0.5, "seed": 7, "stop": ["END"]}
    assert {name: body[name] for name in settings} == settings
    assert "max_completion_tokens" not in body
    assert set(model.takes()) == set(SETTINGS)
    assert not any(model.takes().values())


def test_what_was_not_said_is_not_sent(server: Completions) -> None:
    said(openai.served(f"{server.url}/v1#m", None), Inference())
    assert not {*SETTINGS, "max_completion_tokens"} & set(server.requests[0][1])


def test_openai_has_no_top_k_and_other_names(server: Completions) -> None:
    model = openai.hosted("gpt-4o", "sk-x", address=f"{server.url}/v1")
    said(model)
    _, body = server.requests[0]
    assert body["max_completion_tokens"] == 40
    assert body["temperature"] == 0.0
    assert body["stop"] == ["END"]
    assert not {"top_k", "max_tokens"} & set(body)
    reasons = {name: why for name, why in model.takes().items() if why}
    assert list(reasons) == ["top_k"]
    assert model.takes("es")["top_k"] not in ("", reasons["top_k"])


@pytest.mark.parametrize("name", ["o3", "o4-mini", "gpt-5", "gpt-5.1-mini", "gpt-6-luna"])
def test_a_model_that_thinks_is_not_sent_what_it_refuses(server: Completions, name: str) -> None:
    model = openai.hosted(name, "sk-x", address=f"{server.url}/v1")
    said(model)
    assert not {"temperature", "top_p", "top_k", "stop"} & set(server.requests[0][1])
    assert model.patience.first == 60
    assert openai.hosted("gpt-5-chat-latest", "sk-x").patience.first == 30
    assert openai.hosted("gpt-4o", "sk-x").patience.first == 30


@pytest.mark.parametrize(
    "refusal",
    [
        {"message": "Unsupported parameter: 'top_p'", "param": "top_p", "code": "unsupported_parameter"},
        {"message": [{"loc": ["body", "top_p"], "msg": "Extra inputs are not permitted"}]},
    ],
)
def test_a_setting_that_is_refused_is_left_out_from_then_on_and_said(
    server: Completions, refusal: dict[str, Any]
) -> None:
    server.statuses, server.error = [400], {"error": refusal}
    model = openai.served(f"{server.url}/v1#m", None)
    assert said(model)[0] == "Paris is the capital."
    assert ["top_p" in body for _, body in server.requests] == [True, False]
    assert server.requests[1][1]["seed"] == 7
    assert model.takes()["top_p"] == "This model refused it when asked."
    said(model)
    assert len(server.requests) == 3


def test_what_speaks_of_a_setting_that_was_not_sent_is_a_refusal(server: Completions) -> None:
    server.status, server.error = 400, {"error": {"message": "temperature_unit and top_p are wrong"}}
    with pytest.raises(ForPerson, match="top_p are wrong"):
        said(openai.served(f"{server.url}/v1#m", None), Inference(temperature=0.5))
    assert len(server.requests) == 1


# ── tools ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_tools_are_declared_called_and_answered(server: Completions) -> None:
    server.script = [[Call("calculator", '{"expression": "1+1"}', "c1")], ["It is ", "2."]]
    model = openai.served(f"{server.url}/v1#m", None).bind_tools([calculator])
    chunks = list(model.stream("What is 1+1?"))
    assert len([chunk for chunk in chunks if chunk.tool_call_chunks]) == 3, "as they are written"
    message = model.invoke("x") if not chunks else chunks[0]
    for chunk in chunks[1:]:
        message += chunk
    assert message.tool_calls == [
        {"name": "calculator", "args": {"expression": "1+1"}, "id": "c1", "type": "tool_call"}
    ]
    _, body = server.requests[0]
    assert body["tools"][0]["function"]["name"] == "calculator"
    asked = [
        HumanMessage("What is 1+1?"),
        AIMessage("", tool_calls=message.tool_calls),
        ToolMessage("2", tool_call_id="c1"),
    ]
    assert model.invoke(asked).text == "It is 2."
    assert [row["role"] for row in server.requests[1][1]["messages"]] == ["user", "assistant", "tool"]


def test_it_drives_langchains_agent(server: Completions) -> None:
    from langchain.agents import create_agent

    server.script = [
        [Call("calculator", '{"expression": "1+1"}'), Call("calculator", '{"expression": "2+2"}')],
        ["Done."],
    ]
    agent = create_agent(openai.served(f"{server.url}/v1#m", None), [calculator])
    messages = agent.invoke({"messages": [("user", "Work it out")]})["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "tool", "ai"]
    assert messages[-1].text == "Done."


def test_a_server_without_tools_says_how_to_turn_them_on(server: Completions) -> None:
    server.status = 400
    server.error = {"error": {"message": '"auto" tool choice requires --enable-auto-tool-choice to be set'}}
    with pytest.raises(ForOperator, match="cannot call tools"):
        openai.served(f"{server.url}/v1#m", None).bind_tools([calculator]).invoke("Hi")


def test_the_next_call_uses_the_same_connection(server: Completions) -> None:
    server.chunked = True
    model = openai.served(f"{server.url}/v1#m", None)
    for _ in range(5):
        model.invoke("Hi")
    assert server.connections == 1


def test_a_connection_the_server_has_closed_meanwhile_is_replaced(server: Completions) -> None:
    server.chunked, server.idle = True, 0.1
    model = openai.served(f"{server.url}/v1#m", None)
    model.invoke("Hi")
    time.sleep(0.4)
    assert model.invoke("Hi").text == "Paris is the capital."
    assert server.connections == 2
    assert len(server.requests) == 2


def test_the_networks_proxy_is_used_but_never_for_this_machine(
    server: Completions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.replace("http://", "http://me:secret@"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert openai.served("http://models.invalid/v1#m", None).invoke("Hi").text == "Paris is the capital."
    assert server.requests[0][0] == "http://models.invalid/v1/chat/completions"
    assert server.headers[0]["Proxy-Authorization"].startswith("Basic ")
    openai.served(f"{server.url}/v1#m", None).invoke("Hi")
    assert server.requests[1][0] == "/v1/chat/completions"


def test_asynchronous_callers_get_the_same(server: Completions) -> None:
    import asyncio

    server.statuses = [429]
    assert asyncio.run(openai.served(f"{server.url}/v1#m", None).ainvoke("Hi")).text == "Paris is the capital."


def test_the_key_goes_in_the_header_and_nowhere_else(server: Completions) -> None:
    server.key = "sk-verysecret"
    model = openai.served(f"{server.url}/v1#m", "sk-verysecret")
    assert model.invoke("Hi").text
    assert "verysecret" not in repr(model) + str(model) + repr(model.where)


# ── what an address offers ───────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_server_says_of_its_models(server: Completions) -> None:
    server.models = [
        {"id": "vllm", "max_model_len": 4096},
        {"id": "llama.cpp", "meta": {"n_ctx_train": 8192}},
        {"id": "router", "context_length": 128000, "supported_parameters": ["tools", "seed"]},
        {"id": "mistral", "max_context_length": 32768, "capabilities": {"function_calling": False}},
        {"id": "bare"},
        {"no": "id"},
    ]
    assert openai.listed(f"{server.url}/v1#any", "k") == [
        Offered("vllm", 4096), Offered("llama.cpp", 8192), Offered("router", 128000, True),
        Offered("mistral", 32768, False), Offered("bare"),
    ]  # fmt: skip
    assert server.requests[0][0] == "/v1/models"
    assert server.headers[0]["authorization" if "authorization" in server.headers[0] else "Authorization"] == "Bearer k"


def test_an_ollama_lists_its_models_with_context_and_tools(llama: Ollama) -> None:
    assert ollama.listed(llama.url) == [
        Offered("llama3.2:latest", 131072, True, "3.2B"), Offered("tiny:latest", 131072, False, "3.2B"),
    ]  # fmt: skip


# ── Ollama ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_ollama_is_asked_by_its_own_protocol(llama: Ollama) -> None:
    text, usage = said(ollama.chat("llama3.2", llama.url, patience=QUICK))
    assert text == "Paris is the capital."
    assert (usage.prompt_tokens, usage.completion_tokens, usage.model) == (11, 4, "ollama:llama3.2")
    body = llama.asked[0]
    assert body["options"] == {
        "num_predict": 40, "temperature": 0.0, "top_k": 3, "top_p": 0.5, "seed": 7, "stop": ["END"], "num_ctx": 8192,
    }  # fmt: skip
    assert body["truncate"] is False, "else the beginning of a long prompt is lost without a word"
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


def test_an_ollama_calls_tools(llama: Ollama) -> None:
    calls = [{"function": {"name": "calculator", "arguments": {"expression": str(n)}}} for n in range(50)]
    llama.script = [[{"content": "", "tool_calls": calls[:1]}, {"content": "", "tool_calls": calls[1:]}]]
    model = ollama.chat("llama3.2", llama.url, patience=QUICK).bind_tools([calculator])
    chunks = list(model.stream("Go"))
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk
    assert isinstance(message, AIMessageChunk)
    assert [call["args"]["expression"] for call in message.tool_calls] == [str(n) for n in range(50)]
    assert len({call["id"] for call in message.tool_calls}) == 50
    first = message.tool_calls[0]
    model.invoke([HumanMessage("Go"), AIMessage("", tool_calls=[first]), ToolMessage("2", tool_call_id=first["id"])])
    _, called, answered = llama.asked[1]["messages"]
    assert called["tool_calls"][0]["function"] == {"name": "calculator", "arguments": {"expression": "0"}}
    assert (answered["role"], answered["content"], answered["tool_call_id"]) == ("tool", "2", first["id"])
    assert llama.asked[1]["tools"][0]["function"]["name"] == "calculator"


def test_a_model_that_is_not_in_memory_may_load_first(llama: Ollama) -> None:
    llama.load, llama.loaded = 1.5, []
    assert ollama.chat("llama3.2", llama.url, patience=QUICK, loading=5).invoke("Hi").text == "Paris is the capital."
    llama.loaded = ["llama3.2:latest"]
    llama.silence = 3.0
    text, error = heard(ollama.chat("llama3.2", llama.url, patience=QUICK, loading=5))
    assert (text, type(error)) == ("Paris ", TryAgain)
    llama.silence = 0.0


@pytest.mark.parametrize(
    ("status", "said", "kind", "words"),
    [
        (400, "the input length exceeds the context length", ForPerson, "longer than"),
        (500, "llama runner process has terminated", TryAgain, "failed: llama runner process has terminated."),
        (400, "invalid options", ForPerson, "refused the request: invalid options."),
    ],
)
def test_a_refusal_of_an_ollama_is_ours(
    llama: Ollama, status: int, said: str, kind: type[AssistantError], words: str
) -> None:
    llama.status, llama.error = status, said
    _, error = heard(ollama.chat("llama3.2", llama.url, patience=QUICK))
    assert isinstance(error, kind)
    assert words in str(error)
    assert len(llama.asked) == 1


def test_an_ollama_that_fails_inside_or_stops_short_keeps_what_came(llama: Ollama) -> None:
    llama.error_inside = "out of memory"
    text, error = heard(ollama.chat("llama3.2", llama.url, patience=QUICK))
    assert (text, type(error)) == ("Paris ", TryAgain)
    assert "out of memory" in str(error)
    llama.error_inside, llama.end = "", False
    text, error = heard(ollama.chat("llama3.2", llama.url, patience=QUICK))
    assert text == "Paris is the capital."
    assert "cut off" in str(error)


def test_a_model_that_was_not_pulled_or_has_no_tools_says_what_to_do(llama: Ollama) -> None:
    with pytest.raises(ForOperator, match="ollama pull nothing"):
        ollama.chat("nothing", llama.url, patience=QUICK).invoke("Hi")
    with pytest.raises(ForOperator, match="ollama pull nothing"):
        ollama.shown("nothing", llama.url)
    with pytest.raises(ForOperator, match="cannot call tools"):
        ollama.chat("tiny", llama.url, patience=QUICK).bind_tools([calculator]).invoke("Hi")
    with pytest.raises(ForOperator, match="cannot be reached"):
        ollama.chat("llama3.2", "http://127.0.0.1:9", patience=QUICK).invoke("Hi")
    with pytest.raises(ForOperator, match="names no model"):
        ollama.chat("")


def test_a_stop_is_heard_at_once(llama: Ollama) -> None:
    llama.silence = 30.0
    stop = threading.Event()
    pieces = write(ollama.chat("llama3.2", llama.url), HI, stop=stop)
    assert next(pieces) == "Paris "
    stop.set()
    began = time.monotonic()
    assert isinstance(list(pieces)[-1], Usage)
    assert time.monotonic() - began < 3
    llama.silence = 0.0


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("", "http://127.0.0.1:11434"), ("box", "http://box:11434"), ("box:1", "http://box:1"),
        ("0.0.0.0", "http://127.0.0.1:11434"), ("http://box:1/", "http://box:1"), ("https://box", "https://box"),
        ("http://[::1]", "http://[::1]:11434"), ("http://box/ollama/", "http://box:11434/ollama"),
    ],
)  # fmt: skip
def test_addresses_are_read_as_ollama_reads_its_own_variable(given: str, place: str) -> None:
    assert ollama.place(given) == place


# ── one string ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_string_names_a_model_anywhere(server: Completions, llama: Ollama, tmp_path: Path) -> None:
    models = Models(tmp_path, keys={"openai": "sk-x", "vertex": "AIza-x"}, places={"ollama": llama.url})
    assert type(models.get("openai:gpt-4o")).__name__ == "RemoteChat"
    assert models.get(f"{server.url}/v1#m").invoke("Hi").text == "Paris is the capital."
    assert models.get("ollama:llama3.2").invoke("Hi").text == "Paris is the capital."
    assert type(models.get("vertex:gemini-9-flash")).__name__ == "GeminiChat"
    with pytest.raises(ForOperator, match="GEMINI_API_KEY"):
        Models(tmp_path).get("vertex:gemini-9-flash")


def heard(model: Any) -> tuple[str, AssistantError]:
    text = ""
    try:
        for chunk in model.stream("What is the capital?"):
            text += str(chunk.text)
    except AssistantError as error:
        return text, error
    raise AssertionError(f"no error, but {text!r}")
