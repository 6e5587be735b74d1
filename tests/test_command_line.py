"""The command line, in real processes: what it prints, how it exits, beside a running app and without one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from assistant.service.commands.session import unescaped
from assistant.service.say import of_locale
from assistant.service.settings import Settings
from assistant.service.verbs import BadArguments
from assistant.service.verbs_client import call
from tests.app_process import ROOT, App, afina, environment, running
from tests.hostile import one_bad_page
from tests.pdfs import handbook

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """A data folder with one handbook in it and one conversation about it."""
    folder = tmp_path_factory.mktemp("stocked")
    handbook(folder / "handbook.pdf", pages=12)
    added = afina(folder / "home", "docs", "add", str(folder / "handbook.pdf"))
    assert added.code == 0, added.err
    asked = afina(folder / "home", "ask", "Who founded Brenmoor Energy?")
    assert asked.code == 0, asked.err
    return folder / "home"


@pytest.fixture(scope="module")
def app(stocked: Path) -> Iterator[App]:
    with running(stocked) as one:
        yield one


def test_docs_add_prints_progress_and_one_last_row_per_source(tmp_path: Path, weights: Path) -> None:
    file = handbook(tmp_path / "handbook.pdf", pages=3)
    (tmp_path / "bad.pdf").write_bytes(b"no PDF at all")
    done = afina(tmp_path / "home", "docs", "add", "--json", str(file), str(tmp_path / "bad.pdf"))
    last = {
        row["path"]: row
        for row in done.rows
        if "path" in row and row["status"] not in ("reading", "indexing", "queued")
    }
    assert set(last) == {str(file), str(tmp_path / "bad.pdf")}
    good, bad = last[str(file)], last[str(tmp_path / "bad.pdf")]
    assert good["status"] == "ready"
    assert good["pages"] == 3
    assert set(good) >= {"path", "document", "title", "status", "message", "pages", "seconds"}
    assert bad["status"] == "not_a_pdf"
    assert done.code == 1, "one source could not be used"
    assert bad["message"] in done.err


def test_a_relative_path_means_the_callers_folder(app: App, stocked: Path, tmp_path: Path) -> None:
    """The running app has another working folder."""
    (tmp_path / "note.txt").write_text("The ferry to Oranmore leaves at six in the morning.")
    command = [sys.executable, str(ROOT / "app.py"), "docs", "add", "--json", "note.txt"]
    result = subprocess.run(command, cwd=tmp_path, env=environment(stocked), capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    row = json.loads(result.stdout.splitlines()[-1])
    assert row["path"] == str(tmp_path / "note.txt")
    assert afina(stocked, "docs", "remove", str(row["document"])).code == 0


def test_a_folder_stands_for_the_documents_in_it_and_an_address_is_for_later(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text("Alpha is the first letter of all.")
    (tmp_path / "in" / "deep" / "b.md").write_text("# Beta\n\nBeta is the second letter.")
    (tmp_path / "in" / "c.exe").write_text("not a document")
    done = afina(tmp_path / "home", "docs", "add", str(tmp_path / "in"))
    assert done.code == 0, done.err
    titles = {row["title"] for row in afina(tmp_path / "home", "docs", "list", "--json").rows}
    assert titles == {"a.txt", "b.md"}
    url = afina(tmp_path / "home", "docs", "add", "https://example.com/a.pdf")
    assert url.code == 1
    assert "later release" in url.err


@pytest.mark.parametrize(
    "verb",
    [
        ["docs", "list"],
        ["docs", "search", "Who founded Brenmoor Energy?", "-k", "3"],
        ["docs", "show", "1", "--page", "2"],
        ["docs", "check"],
        ["chats", "list"],
        ["chats", "show", "1"],
        ["chats", "export"],
    ],
    ids=" ".join,
)
def test_a_verb_gives_the_same_rows_beside_the_app_and_without_it(
    app: App, stocked: Path, tmp_path: Path, verb: list[str]
) -> None:
    """Without it: on a copy of the folder, because the app owns the folder itself."""
    import shutil

    copy = tmp_path / "copy"
    if not copy.exists():
        shutil.copytree(stocked, copy, ignore=shutil.ignore_patterns("owner.*"))
    beside, alone = afina(stocked, *verb, "--json"), afina(copy, *verb, "--json")
    assert beside.code == alone.code == 0, beside.err + alone.err
    assert beside.rows == alone.rows
    assert beside.rows or verb[1] == "check"


def test_search_finds_the_page_and_offsets_cut_back_to_its_text(stocked: Path, app: App) -> None:
    best = afina(stocked, "docs", "search", "Who founded Brenmoor Energy?", "--json").rows[0]
    assert set(best) >= {"document", "title", "page", "chunk", "score", "text", "start", "end"}
    assert best["page"] == 2
    page = afina(stocked, "docs", "show", str(best["document"]), "--page", "2", "--json").rows[0]
    assert page["text"][best["start"] : best["end"]] == best["text"]


def test_ask_streams_events_and_ends_with_a_cited_answer(stocked: Path, app: App) -> None:
    done = afina(stocked, "ask", "Who founded Brenmoor Energy?", "--json")
    assert done.code == 0, done.err
    *_, last = done.rows
    assert last["type"] == "answered"
    assert "Ottoline Farrow" in last["text"]
    assert any(cited["page"] == 2 and cited["verified"] for cited in last["citations"])
    assert {"n", "document", "title", "page", "quote", "verified"} <= set(last["citations"][0])


def test_people_are_told_why_an_answer_came_this_way_and_that_a_plain_one_is_not_from_documents(
    stocked: Path, app: App
) -> None:
    found = afina(stocked, "ask", "Who founded Brenmoor Energy?")
    assert found.err.startswith("Documents: ")
    assert "Ottoline Farrow" in found.out
    plain = afina(stocked, "ask", "¿Cuál es la capital de Francia?", "--route", "chat")
    assert plain.err.startswith("Chat: Pediste")
    assert plain.out.strip().endswith("(Esto lo dice solo el modelo; no sale de tus documentos.)")


def test_a_question_of_nothing_leaves_no_conversation(stocked: Path, app: App) -> None:
    before = afina(stocked, "chats", "list", "--json").rows
    done = afina(stocked, "ask", "  ")
    assert (done.code, done.out) == (1, "")
    assert "empty" in done.err
    assert afina(stocked, "chats", "list", "--json").rows == before


def test_there_is_no_persona_yet_and_it_says_so(stocked: Path, app: App) -> None:
    done = afina(stocked, "ask", "Hi", "--persona", "pirate")
    assert done.code == 1
    assert "no persona 'pirate'" in done.err


def test_times_are_short_and_of_this_machine(stocked: Path, app: App) -> None:
    shown = afina(stocked, "chats", "list", TZ="Asia/Tokyo").out
    row = afina(stocked, "chats", "list", "--json").rows[0]
    there = datetime.fromisoformat(row["updated_at"]).astimezone(timezone(timedelta(hours=9)))
    assert f"{there:%Y-%m-%d %H:%M}" in shown
    assert "+00:00" not in shown


def test_the_pages_backslashes_are_not_for_a_terminal() -> None:
    assert unescaped(r"3M\_2018\_10K.pdf, \#1 `a\_b` C:\dir") == r"3M_2018_10K.pdf, #1 `a\_b` C:\dir"
    whole = r"a \_ b \\ c\*"
    for end in range(len(whole)):  # as it streams: never a half escape
        assert unescaped(whole).startswith(unescaped(whole[:end]))


def test_what_is_partly_read_or_already_here_is_said(tmp_path: Path, weights: Path) -> None:
    file = handbook(tmp_path / "handbook.pdf", pages=2)
    home = tmp_path / "home"
    assert "already" not in afina(home, "docs", "add", str(file)).out
    assert "already" in afina(home, "docs", "add", str(file)).out
    (tmp_path / "torn.pdf").write_bytes(one_bad_page())
    assert "4 of 5 pages" in afina(home, "docs", "add", str(tmp_path / "torn.pdf")).out


def test_mending_says_what_it_cannot_do(tmp_path: Path, weights: Path) -> None:
    home, file = tmp_path / "home", handbook(tmp_path / "handbook.pdf", pages=2)
    assert afina(home, "docs", "add", str(file)).code == 0
    (stored,) = [one for one in (home / "files").rglob("*") if one.is_file()]
    stored.unlink()
    (home / "files" / ("a" * 64)).write_bytes(b"of no document")
    assert "--repair" in afina(home, "docs", "check").err
    for mended in (1, 0):
        done = afina(home, "docs", "check", "--repair")
        assert done.code == 1
        assert f"Mended: {mended}." in done.out
        assert "--repair" not in done.err
        assert "afina docs add" in done.err
    assert "--repair" not in afina(home, "docs", "check").err
    assert afina(home, "docs", "add", str(file)).code == 0
    assert afina(home, "docs", "check").code == 0


def test_an_address_with_no_number_is_a_sentence(app: App) -> None:
    for path, status in (
        ("/afina/page/1/1.png?width=99999", 422),
        ("/afina/page/x/1.png", 404),
        ("/afina/follow/x", 404),
    ):
        response = httpx.get(app.address + path, headers={"Accept-Language": "es"})
        assert response.status_code == status
        assert "primera página" in response.text
        assert "{" not in response.text


def test_ctrl_c_stops_the_verb_in_the_app_as_well(stocked: Path, app: App, tmp_path: Path) -> None:
    file = handbook(tmp_path / "long.pdf", pages=1500)
    command = [sys.executable, "app.py", "docs", "add", "--json", str(file)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(stocked), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 130
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        rows = {row["title"]: row for row in afina(stocked, "docs", "list", "--json").rows}
        if rows.get("long.pdf", {"status": "cancelled"})["status"] == "cancelled":
            break
    assert rows.get("long.pdf", {"status": "cancelled"})["status"] == "cancelled"
    if "long.pdf" in rows:
        afina(stocked, "docs", "remove", str(rows["long.pdf"]["document"]))


def test_errors_are_one_sentence_on_stderr_and_exit_1(stocked: Path, app: App) -> None:
    for verb in (["docs", "show", "999"], ["docs", "remove", "999"], ["chats", "show", "999"]):
        done = afina(stocked, *verb)
        assert done.code == 1
        assert done.out == ""
        assert "Traceback" not in done.err
        assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "words", [["docs", "show"], ["docs", "shout"], ["docs", "search", "x", "-k", "0"], ["ask", "x", "--route", "moon"]]
)
def test_bad_usage_exits_2(tmp_path: Path, words: list[str]) -> None:
    done = afina(tmp_path / "home", *words)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert not (tmp_path / "home").exists()


def test_a_bad_argument_is_bad_usage_beside_the_app_and_without_it(stocked: Path, app: App, tmp_path: Path) -> None:
    heard = [afina(home, "chats", "export", "--format", "bad") for home in (stocked, tmp_path / "home")]
    heard.append(afina(tmp_path / "home", "chats", "export", "--format", "bad"))
    assert {done.code for done in heard} == {2}
    assert len({done.err for done in heard}) == 1
    assert "AFINA_" not in heard[0].err


def test_what_a_verb_does_not_take_is_the_same_sentence_beside_the_app_and_without_it(
    stocked: Path, app: App, tmp_path: Path, weights: Path
) -> None:
    problems = []
    for home in (stocked, tmp_path / "home"):
        with pytest.raises(BadArguments) as refused:
            list(call(Settings(home=home, weights=weights), "chats.export", {"format": "bad"}, threading.Event()))
        problems.append(str(refused.value))
    assert problems[0] == problems[1]
    assert problems[0].startswith("format: ")


def test_a_wrong_setting_is_named_and_its_value_is_not_shown(tmp_path: Path) -> None:
    done = afina(tmp_path / "home", "docs", "list", AFINA_PORT="seventy-seven")
    assert done.code == 2
    assert "AFINA_PORT" in done.err
    assert "seventy-seven" not in done.err


def test_chats_can_be_renamed_exported_and_deleted(stocked: Path, app: App) -> None:
    asked = afina(stocked, "ask", "Hello there", "--route", "chat", "--json").rows
    conversation = str(next(row["conversation"] for row in asked if row["type"] == "asked"))
    exported = afina(stocked, "chats", "export", conversation, "--format", "markdown")
    assert "Hello there" in exported.out
    assert afina(stocked, "chats", "rename", conversation, "Turbines").code == 0
    assert "Turbines" in [row["title"] for row in afina(stocked, "chats", "list", "--json").rows]
    assert afina(stocked, "chats", "delete", conversation).code == 0
    assert int(conversation) not in [row["conversation"] for row in afina(stocked, "chats", "list", "--json").rows]


def test_models_list_needs_no_data_folder(tmp_path: Path, weights: Path) -> None:
    done = afina(tmp_path / "home", "models", "list", "--json")
    assert {row["name"] for row in done.rows} >= {"smollm2-135m", "all-minilm-l6-v2"}
    assert all(row["present"] for row in done.rows)
    assert not (tmp_path / "home").exists()


def test_doctor_says_of_each_check_whether_it_is_well(stocked: Path, app: App) -> None:
    done = afina(stocked, "doctor", "--json", AFINA_PORT="0")
    assert {tuple(row) for row in done.rows} == {("check", "ok", "message")}
    wrong = {row["check"]: row["message"] for row in done.rows if not row["ok"]}
    assert set(wrong) <= {"disk", "memory"}, wrong  # of the machine, not of the app
    assert done.code == (1 if wrong else 0)


def test_doctor_finds_what_is_wrong_and_makes_no_folder(tmp_path: Path) -> None:
    more = {"AFINA_WEIGHTS": str(tmp_path / "none"), "AFINA_TYPO": "1"}
    done = afina(tmp_path / "home", "doctor", "--json", **more)
    assert done.code == 1
    wrong = {row["check"]: row["message"] for row in done.rows if not row["ok"]}
    assert {"weights", "embedder", "model", "settings"} <= set(wrong)
    assert "afina models fetch" in wrong["weights"]
    assert "AFINA_TYPO" in wrong["settings"]
    assert "afina models fetch" in done.out
    assert list(tmp_path.iterdir()) == []


def test_the_terminals_language_is_spoken(stocked: Path, app: App, tmp_path: Path) -> None:
    assert "Busca pasajes" in afina(tmp_path / "home", "docs", "--help", LANG="es_ES.UTF-8").out
    assert "Find passages" in afina(tmp_path / "home", "docs", "--help").out
    assert of_locale({"LC_ALL": "", "LANG": "es_MX"}) == "es"
    assert of_locale({"LC_ALL": "C", "LANG": "es_MX"}) == "en"


def test_errors_and_messages_come_in_the_terminals_language_beside_the_app_and_without_it(
    stocked: Path, app: App, tmp_path: Path, weights: Path
) -> None:
    for home in (stocked, tmp_path / "home"):
        for verb in (["docs", "show", "999"], ["chats", "show", "999"]):
            english, spanish = afina(home, *verb).err, afina(home, *verb, LANG="es_ES.UTF-8").err
            assert "There is no" in english
            assert spanish.startswith("No ")
        (tmp_path / "bad.pdf").write_bytes(b"no PDF at all")
        assert "no es un PDF" in afina(home, "docs", "add", str(tmp_path / "bad.pdf"), LANG="es_ES.UTF-8").err


def test_what_a_document_says_cannot_move_the_terminals_cursor(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "evil.txt").write_text("The password is \x1b[2J\x1b]0;owned\x07 hidden in the vault of Perlora.")
    assert afina(tmp_path / "home", "docs", "add", str(tmp_path / "evil.txt")).code == 0
    found = afina(tmp_path / "home", "docs", "search", "vault of Perlora")
    assert "Perlora" in found.out
    assert "\x1b" not in found.out
    assert "\x07" not in found.out


@pytest.mark.slow
def test_an_app_that_does_not_answer_is_named(stocked: Path, tmp_path: Path, weights: Path) -> None:
    """The process is stopped in its tracks (SIGSTOP): it owns the folder and says nothing."""
    with running(tmp_path / "home") as app:
        app.process.send_signal(signal.SIGSTOP)
        try:
            done = afina(tmp_path / "home", "docs", "list")
        finally:
            app.process.send_signal(signal.SIGCONT)
    assert done.code == 1
    assert str(app.process.pid) in done.err
    assert "does not answer" in done.err


@pytest.mark.parametrize("words", [["--help"], ["docs", "--help"], ["docs", "add", "--help"], ["serve", "--help"]])
def test_help_waits_for_no_vendor(tmp_path: Path, words: list[str]) -> None:
    code = (
        "import sys, app; sys.argv = ['afina', *sys.argv[1:]]\n"
        "try: app.main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('torch', 'gradio', 'chromadb', 'sqlalchemy', 'fastapi') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, *words]
    result = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=30, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_the_verbs_door_is_shut_without_the_token_of_the_folder(stocked: Path, app: App) -> None:
    assert httpx.post(app.address + "/verbs/docs.list", json={}).status_code == 401
    owner = json.loads((stocked / "owner.json").read_text())
    headers = {"Authorization": f"Bearer {owner['token']}"}
    response = httpx.post(app.address + "/verbs/docs.list", json={}, headers=headers)
    lines = [json.loads(line) for line in response.text.splitlines() if line]
    assert lines[-1] == {"end": True}
    assert all(set(line) == {"row"} for line in lines[:-1])
