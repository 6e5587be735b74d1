"""The laws of Gemini, by google-genai against its wire on loopback: streaming, tools, filter, usage, settings."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

from assistant.errors import AssistantError, ForOperator, ForPerson, TryAgain
from assistant.models import write
from assistant.models.asking import Asked
from assistant.models.inference import Inference
from assistant.models.remote.patience import Patience
from assistant.models.remote.vertex import GeminiChat, chat
from knowledge import Turn, Usage
from tests.gemini import Gemini

QUICK = Patience(connect=5.0, first=1.0, between=1.0, retry_after=0.5)


@pytest.fixture
def server() -> Iterator[Gemini]:
    server = Gemini()
    yield server
    server.shutdown()
    server.server_close()


def gemini(server: Gemini, **more: Any) -> GeminiChat:
    return chat("gemini-9-flash", "AIzaSecretSecret", address=server.url, patience=QUICK, **more)


def vertex(server: Gemini) -> GeminiChat:
    return chat(
        "gemini-9-flash", "ya29.token", project="p", location="europe-west4", address=server.url, patience=QUICK
    )


@tool
def calculator(expression: str) -> str:
    """Work out an expression."""
    return expression


@tool
def clock() -> str:
    """The time."""
    return "now"


def test_a_question_becomes_gemini_s_and_the_answer_streams_with_its_usage(server: Gemini) -> None:
    inference = Inference(max_tokens=40, temperature=0, top_k=3, top_p=0.5, seed=7, stop=("END",))
    turns = [Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Yes?"), Turn("user", "The capital?")]
    *pieces, usage = write(gemini(server), turns, inference=inference, stop=threading.Event())
    assert pieces == server.words
    assert isinstance(usage, Usage)
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 6), "the last count, thoughts with it; not the sum"
    assert usage.model == "vertex:gemini-9-flash"
    path, body = server.requests[0]
    assert path == "/v1beta/models/gemini-9-flash:streamGenerateContent?alt=sse"
    assert server.headers[0]["x-goog-api-key"] == "AIzaSecretSecret"
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert [(content["role"], content["parts"][0]["text"]) for content in body["contents"]] == [
        ("user", "Hi"), ("model", "Yes?"), ("user", "The capital?"),
    ]  # fmt: skip
    settings = {"maxOutputTokens": 40, "temperature": 0, "topK": 3, "topP": 0.5, "seed": 7, "stopSequences": ["END"]}
    assert body["generationConfig"] == settings


def test_on_vertex_the_project_is_in_the_address_and_the_token_in_the_header(server: Gemini) -> None:
    assert vertex(server).invoke("Hi").text == "Paris is the capital."
    place = "/v1beta1/projects/p/locations/europe-west4/publishers/google/models/gemini-9-flash"
    assert server.requests[0][0] == f"{place}:streamGenerateContent?alt=sse"
    assert server.headers[0]["authorization" if "authorization" in server.headers[0] else "Authorization"] == (
        "Bearer ya29.token"
    )


def test_a_tuned_model_is_named_by_its_endpoint(server: Gemini) -> None:
    endpoint = "projects/p/locations/us-central1/endpoints/9"
    chat(endpoint, "ya29.t", project="p", location="us-central1", address=server.url).invoke("Hi")
    assert server.requests[0][0] == f"/v1beta1/{endpoint}:streamGenerateContent?alt=sse"


@pytest.mark.parametrize("place", [gemini, vertex])
def test_a_round_with_tools_and_the_signature_goes_back(server: Gemini, place: Any) -> None:
    signature = base64.b64encode(b"secret thought").decode()
    first = {"functionCall": {"name": "calculator", "args": {"expression": "1+1"}, "id": "g1"}}
    server.script = [
        [{"text": "Let me see. "}, first | {"thoughtSignature": signature}, {"functionCall": {"name": "clock"}}]
    ]
    model = place(server).bind_tools([calculator, clock])
    chunks = list(model.stream("What is 1+1?"))
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk
    assert isinstance(message, AIMessageChunk)
    assert message.text == "Let me see. "
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [
        ("calculator", {"expression": "1+1"}), ("clock", {}),
    ]  # fmt: skip
    declared = server.requests[0][1]["tools"][0]["functionDeclarations"]
    assert [row["name"] for row in declared] == ["calculator", "clock"]
    schemas = [row.get("parametersJsonSchema") or row.get("parameters_json_schema") for row in declared]
    assert schemas[0]["required"] == ["expression"]
    assert schemas[1] is None, "Gemini refuses an object without properties"

    said = AIMessage(message.text, tool_calls=message.tool_calls, additional_kwargs=message.additional_kwargs)
    results = [ToolMessage(str(n), tool_call_id=call["id"]) for n, call in enumerate(message.tool_calls)]
    model.invoke([SystemMessage("S"), HumanMessage("What is 1+1?"), said, *results])
    _, called, answered = server.requests[1][1]["contents"]
    assert [sorted(part) for part in called["parts"]] == [
        ["text"],
        ["functionCall", "thoughtSignature"],
        ["functionCall"],
    ]
    assert base64.urlsafe_b64decode(called["parts"][1]["thoughtSignature"]) == b"secret thought"
    assert answered["role"] == "user"
    assert [part["functionResponse"]["name"] for part in answered["parts"]] == ["calculator", "clock"]
    assert [part["functionResponse"].get("id") for part in answered["parts"]] == ["g1", None]
    assert answered["parts"][1]["functionResponse"]["response"] == {"result": "1"}


def test_fifty_calls_at_once_have_fifty_ids(server: Gemini) -> None:
    server.script = [[{"functionCall": {"name": "calculator", "args": {"expression": str(n)}}} for n in range(50)]]
    message = gemini(server).bind_tools([calculator]).invoke("Go")
    assert len({call["id"] for call in message.tool_calls}) == 50
    assert [call["args"]["expression"] for call in message.tool_calls] == [str(n) for n in range(50)]


def test_thoughts_are_not_the_answer(server: Gemini) -> None:
    server.script = [[{"text": "Hmm, France…", "thought": True}, {"text": "Paris."}]]
    assert gemini(server).invoke("Hi").text == "Paris."


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SOMETHING_NEW"])
@pytest.mark.filterwarnings("ignore:.*SOMETHING_NEW.*")
def test_the_filter_keeps_what_came_and_says_so(server: Gemini, reason: str) -> None:
    server.finish = reason
    text, error = heard(gemini(server))
    assert text == "Paris is the capital."
    assert isinstance(error, ForPerson)
    assert "content filter" in str(error)


def test_a_question_that_is_blocked(server: Gemini) -> None:
    server.blocked = "PROHIBITED_CONTENT"
    text, error = heard(gemini(server))
    assert text == ""
    assert isinstance(error, ForPerson)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, {"message": "API key not valid.", "details": [{"reason": "API_KEY_INVALID"}]}, ForOperator, "GEMINI_API"),
        (403, {"message": "Permission denied."}, ForOperator, "refused the key"),
        (404, {"message": "models/x is not found"}, ForOperator, "does not exist there"),
        (400, {"message": "The input token count (9) exceeds the maximum number of tokens (8)."}, ForPerson, "longer"),
        (500, {"message": "Internal."}, TryAgain, "failed: Internal."),
        (429, {"message": "Quota."}, TryAgain, "over its limit"),
    ],
)  # fmt: skip
def test_a_refusal_is_ours(
    server: Gemini, status: int, body: dict[str, Any], kind: type[AssistantError], words: str
) -> None:
    server.statuses, server.error = [status] * 3, {"error": {"code": status, **body}}
    _, error = heard(gemini(server))
    assert isinstance(error, kind)
    assert words in str(error)
    assert "AIzaSecret" not in str(error)
    assert len(server.requests) == (3 if status == 429 else 1)


def test_a_refused_setting_is_left_out_from_then_on(server: Gemini) -> None:
    server.statuses = [400]
    server.error = {"error": {"code": 400, "message": "topK is not supported by this model."}}
    model = gemini(server)
    assert model.takes()["top_k"] == ""
    options = model.options(Asked(Inference(top_k=3, temperature=0.5)), threading.Event())
    assert model.invoke("Hi", **options).text == "Paris is the capital."
    assert "topK" not in server.requests[1][1]["generationConfig"]
    assert server.requests[1][1]["generationConfig"]["temperature"] == 0.5
    assert model.takes()["top_k"] != ""


def test_silence_cuts_errors_inside_and_nonsense(server: Gemini) -> None:
    server.silence = 5.0
    text, error = heard(gemini(server))
    assert (text, type(error)) == ("Paris ", TryAgain)
    assert "stopped writing for 1 seconds" in str(error)
    server.silence, server.finish = 0.0, None
    text, error = heard(gemini(server))
    assert text == "Paris is the capital."
    assert "cut off" in str(error)
    word = json.dumps({"candidates": [{"content": {"parts": [{"text": "Paris "}]}}]}).encode()
    inside = json.dumps({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}})
    for event in (inside.encode() + b"\n", b"data: " + inside.encode() + b"\n\n"):
        server.events = [b"data: " + word + b"\n\n", event]
        text, error = heard(gemini(server))
        assert text == "Paris "
        assert isinstance(error, TryAgain)
    server.events = [b"data: {nonsense\n\n"]
    text, error = heard(gemini(server))
    assert isinstance(error, TryAgain)


def test_a_stop_is_heard_at_once(server: Gemini) -> None:
    server.silence = 30.0
    stop = threading.Event()
    pieces = write(chat("g", "k", address=server.url), [Turn("user", "Hi")], stop=stop)
    assert next(pieces) == "Paris "
    stop.set()
    began = time.monotonic()
    assert isinstance(list(pieces)[-1], Usage)
    assert time.monotonic() - began < 3
    server.silence = 0.0


def test_no_key_and_no_project_say_what_to_set_and_a_key_is_never_printed(server: Gemini) -> None:
    with pytest.raises(ForOperator, match="GEMINI_API_KEY") as missing:
        chat("gemini-9-flash")
    assert "GEMINI_API_KEY" in missing.value.spanish
    assert "AIzaSecret" not in repr(gemini(server)) + str(gemini(server))


def test_a_key_of_the_gemini_api_goes_there_also_beside_a_project(server: Gemini) -> None:
    gemini(server, project="p").invoke("Hi")
    assert server.requests[0][0].startswith("/v1beta/models/")


def test_credentials_made_elsewhere_are_used(server: Gemini) -> None:
    from google.oauth2.credentials import Credentials

    found = Credentials("ya29.from-elsewhere")  # type: ignore[no-untyped-call]
    chat("g", project="p", location="us-central1", address=server.url, credentials=found).invoke("Hi")
    assert any(value == "Bearer ya29.from-elsewhere" for value in server.headers[0].values())


def test_credentials_are_refreshed_and_refused_ones_are_a_sentence(server: Gemini) -> None:
    from google.oauth2.credentials import Credentials

    def model(token_uri: str) -> GeminiChat:
        old = Credentials(None, refresh_token="r", token_uri=token_uri, client_id="c", client_secret="s")  # type: ignore[no-untyped-call]
        return chat("g", project="p", location="us-central1", address=server.url, credentials=old)

    assert model(f"{server.url}/token").invoke("Hi").text == "Paris is the capital."
    assert "Bearer ya29.fresh" in server.headers[0].values()
    server.token = ""
    _, error = heard(model(f"{server.url}/token"))
    assert isinstance(error, ForOperator)
    assert "Check its Google credentials" in str(error)
    _, error = heard(model("http://127.0.0.1:9/token"))
    assert "cannot be reached" in str(error)
    assert len(server.requests) == 1


def heard(model: GeminiChat) -> tuple[str, AssistantError]:
    text = ""
    try:
        for chunk in model.stream("What is the capital?"):
            text += str(chunk.text)
    except AssistantError as error:
        return text, error
    raise AssertionError(f"no error, but {text!r}")
