"""The doors, on a real server on loopback with a small Gradio page behind them."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from assistant.service.doors import Doors, named_files
from assistant.service.privacy import REMOVED, SWITCHES, switch_off
from assistant.service.say import preferred

LIMIT_MB = 1


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address and uploads folder of a site in a process of its own (tests/door_site.py)."""
    home = tmp_path_factory.mktemp("doors") / "home"
    command = [sys.executable, "-m", "tests.door_site", str(home), str(LIMIT_MB)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), home / "uploads"
        process.terminate()


def test_the_page_is_served_and_every_script_tag_in_it_carries_the_nonce_of_the_policy(site: tuple[str, Path]) -> None:
    response = httpx.get(site[0])
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert response.text.count("<script") == response.text.count(f'<script nonce="{nonce}"') > 0
    assert nonce not in httpx.get(site[0]).text, "a nonce is used once"


def test_the_policy_keeps_images_scripts_and_frames_of_strangers_out(site: tuple[str, Path]) -> None:
    for path in ("/", "/config", "/nothing-here", "/monitoring"):
        headers = httpx.get(site[0] + path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'self'"
        assert policy["img-src"] == "'self' data: blob:"
        assert "unsafe-inline" not in policy["script-src"]
        assert "http" not in headers["content-security-policy"]
        assert policy["object-src"] == policy["frame-ancestors"] == policy["script-src-attr"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", ""]
)
def test_a_name_rebound_to_loopback_is_refused(site: tuple[str, Path], host: str) -> None:
    port = int(site[0].rsplit(":", 1)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", "/config", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 421
    assert "AFINA_HOSTS" in response.read().decode()
    connection.close()


def test_loopback_is_reached_by_each_of_its_names(site: tuple[str, Path]) -> None:
    port = site[0].rsplit(":", 1)[1]
    for host in (f"localhost:{port}", f"[::1]:{port}", "127.0.0.1:1"):
        assert httpx.get(site[0] + "/config", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1", "file://"]
)
@pytest.mark.parametrize("path", ["/gradio_api/queue/join", "/gradio_api/upload", "/verbs/docs.list"])
def test_another_page_cannot_post_here(site: tuple[str, Path], origin: str, path: str) -> None:
    response = httpx.post(site[0] + path, headers={"Origin": origin}, content=b"{}")
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers


def test_another_page_cannot_read_here_and_is_given_no_cors(site: tuple[str, Path]) -> None:
    response = httpx.get(site[0] + "/config", headers={"Origin": "http://localhost:3000"})
    assert response.status_code == 403
    assert "components" not in response.text
    preflight = httpx.options(
        site[0] + "/gradio_api/queue/join",
        headers={"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status_code == 403


def test_a_post_that_the_browser_marks_as_cross_site_is_refused_without_an_origin(site: tuple[str, Path]) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert httpx.post(site[0] + "/gradio_api/queue/join", headers=headers, content=b"{}").status_code == 403


def test_an_upload_within_the_limit_lands_in_the_data_folder(site: tuple[str, Path]) -> None:
    response = httpx.post(site[0] + "/gradio_api/upload", files={"files": ("a.txt", b"hola")})
    (path,) = response.json()
    assert Path(path).is_relative_to(site[1])
    assert httpx.get(f"{site[0]}/gradio_api/file={path}").content == b"hola"


def test_an_upload_over_the_limit_is_413_with_a_sentence_in_the_readers_language(site: tuple[str, Path]) -> None:
    big = b"0" * (3 * LIMIT_MB * 1024 * 1024)
    response = httpx.post(
        site[0] + "/gradio_api/upload", files={"files": ("a.bin", big)}, headers={"Accept-Language": "es-MX,en;q=0.5"}
    )
    assert response.status_code == 413
    assert (
        response.text
        == f"Supera el límite de {LIMIT_MB} MB. Elija un archivo más pequeño o aumente AFINA_UPLOAD_LIMIT_MB."
    )


def test_an_upload_that_does_not_say_its_size_is_cut_off_while_it_streams(site: tuple[str, Path]) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
        while sent < 64 * 1024 * 1024:
            sent += 65536
            yield b"0" * 65536
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = httpx.post(site[0] + "/gradio_api/upload", content=endless(), headers=headers, timeout=30)
    assert response.status_code == 413
    assert _torn(site[1]) == [], "what was written of it is removed"


def test_an_upload_whose_sender_goes_away_leaves_no_file(site: tuple[str, Path]) -> None:
    with socket.create_connection(("127.0.0.1", int(site[0].rsplit(":", 1)[1]))) as sender:
        head = "POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900000\r\n"
        part = '--b\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'
        sender.sendall(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n{part}".encode() + b"0" * 300_000)
        deadline = time.monotonic() + 10
        while not _torn(site[1]) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert _torn(site[1]), "it is being written"
    while _torn(site[1]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _torn(site[1]) == []


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "UPLOADS/../owner.json",
        "UPLOADS",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "relative/../../etc/passwd",
        "UPLOADS/link",
    ],
)
def test_no_file_but_an_uploaded_one_is_served(site: tuple[str, Path], path: str) -> None:
    (site[1].parent / "owner.json").write_text("token")
    link = site[1] / "link"
    if not link.is_symlink():
        link.symlink_to(site[1].parent / "owner.json")
    response = _raw(site[0], f"/gradio_api/file={path.replace('UPLOADS', str(site[1]))}")
    assert response[0] in (403, 404)
    assert "token" not in response[1]


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring", "/monitoring/summary", "/login", "/logout", "/docs", "/redoc", "/openapi.json",
        "/gradio_api/proxy=http://127.0.0.1:1/", "/gradio_api/run/predict", "/gradio_api/call/answer",
        "/gradio_api/api/predict", "/gradio_api/openapi.json", "/gradio_api/vibe-code", "/gradio_api/runs",
        "/gradio_api/process_recording", "/gradio_api/custom_component/x/y/z/w", "/gradio_api/token",
        "/gradio_api/deep_link", "/gradio_api/file/etc/passwd", "/gradio_api/mcp/", "/gradio_api/profiling/traces",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_page_does_not_need_is_closed(site: tuple[str, Path], path: str, method: str) -> None:
    assert _raw(site[0], path, method)[0] == 404


@pytest.mark.parametrize("path", ["http://127.0.0.1:1/secret", "/etc/passwd", "../../x", "UPLOADS/../owner.json"])
@pytest.mark.parametrize("door", ["queue/join", "component_server"])
def test_a_payload_may_name_no_path_and_no_address(site: tuple[str, Path], path: str, door: str) -> None:
    """Gradio would fetch the address, or hand the path on."""
    file = {"path": path.replace("UPLOADS", str(site[1])), "meta": {"_type": "gradio.FileData"}}
    body = {"data": [{"text": "", "files": [file]}], "fn_index": 0, "session_hash": "abc"}
    response = httpx.post(f"{site[0]}/gradio_api/{door}", json=body)
    assert response.status_code == 403
    assert "uploaded" in response.text


def test_ours_is_what_truly_lies_in_the_uploads_folder(tmp_path: Path) -> None:
    """Links and dots are followed before they are believed, whatever Gradio would say afterwards."""
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (tmp_path / "owner.json").write_text("token")
    (uploads / "link").symlink_to(tmp_path / "owner.json")
    (uploads / "file").write_text("")
    doors = Doors(FastAPI(), uploads=uploads, upload_limit=1)
    assert doors.ours(str(uploads / "file"))
    for path in ("link", "../owner.json", "file/../../owner.json"):
        assert not doors.ours(f"{uploads}/{path}")
    for path in ("", "file", "/etc/passwd", "http://127.0.0.1/", f"{tmp_path}/uploads-too/file", "a\0b"):
        assert not doors.ours(path)


def test_files_are_found_at_any_depth_of_a_payload() -> None:
    payload = {"a": [{"path": "1"}, [[{"b": {"path": "2", "more": [{"path": "3"}]}}]]], "path": "4", "c": {"path": 5}}
    assert sorted(named_files(payload)) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_payload_that_is_no_json_gets_a_sentence(site: tuple[str, Path], body: bytes) -> None:
    response = httpx.post(site[0] + "/gradio_api/queue/join", content=body)
    assert response.status_code == 400
    assert response.text.startswith("The request could not be read.")


def test_a_bug_is_a_sentence_and_no_traceback(site: tuple[str, Path]) -> None:
    response = httpx.get(site[0] + "/fails")
    assert response.status_code == 500
    assert response.text.startswith("Something went wrong here;")
    assert "secret" not in response.text
    assert httpx.get(site[0] + "/config").status_code == 200, "the app stays up"


def test_verbs_need_the_token(site: tuple[str, Path]) -> None:
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic the-token"}):
        assert httpx.post(site[0] + "/verbs/docs.list", headers=header).status_code == 401


def test_verbs_take_no_argument_they_do_not_know(site: tuple[str, Path]) -> None:
    headers = {"Authorization": "Bearer the-token"}
    response = httpx.post(site[0] + "/verbs/chats.show", headers=headers, json={"conversation": 1, "evil": True})
    assert response.status_code == 422
    assert "evil" in response.json()["error"]["message"]
    assert httpx.post(site[0] + "/verbs/__init__", headers=headers).status_code == 404
    assert httpx.post(site[0] + "/verbs/chats.show", headers=headers, content=b"[]").status_code == 422


def test_the_page_speaks_the_language_of_the_switch_then_of_the_browser() -> None:
    assert preferred({"afina_language": "es"}, "en") == "es"
    assert preferred({"afina_language": "xx"}, "es-AR,es;q=0.9,en;q=0.8") == "es"
    assert preferred({}, "fr-FR, en-GB;q=0.7, es;q=0.5") == "en"
    assert preferred({}, "fr-ES") == "en"


def test_telemetry_is_off_even_where_a_person_had_switched_it_on(tmp_path: Path) -> None:
    environment = {"LANGSMITH_TRACING": "true", "GRADIO_ANALYTICS_ENABLED": "True", "GRADIO_VIBE_MODE": "1"}
    switch_off(environment, tmp_path)
    assert environment.items() >= SWITCHES.items()
    assert not environment.keys() & set(REMOVED)
    assert environment["GRADIO_TEMP_DIR"] == str(tmp_path)
    assert "GRADIO_TEMP_DIR" not in os.environ or os.environ["GRADIO_TEMP_DIR"] != str(tmp_path)


def _torn(uploads: Path) -> list[Path]:
    """Files that are still being written: a finished upload lies in a folder of its own."""
    return [file for file in uploads.iterdir() if file.is_file() and not file.is_symlink()]


def _raw(address: str, path: str, method: str = "GET") -> tuple[int, str]:
    """Sent as it stands: httpx would tidy `..` away."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    connection.request(method, path, body=json.dumps({}) if method == "POST" else None)
    response = connection.getresponse()
    text = response.read().decode("utf-8", "replace")
    connection.close()
    return response.status, text
