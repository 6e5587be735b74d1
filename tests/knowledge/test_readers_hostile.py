"""Law: whatever the bytes, reading ends in time with a named outcome, and nothing of it stays behind."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from knowledge import messages, readers
from knowledge.readers import CannotDraw, Ended, Limits, Opened
from knowledge.values import Page, Status
from tests import hostile
from tests.pdfs import make_pdf

LIMITS = Limits(memory=512 << 20, seconds=8, seconds_at_most=8, page_seconds=3)
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def resident() -> int:
    """Bytes this process holds."""
    return int(re.findall(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024


def children() -> set[str]:
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread may end while it is looked at
            found.update((task / "children").read_text().split())
    return found


def running(process: str) -> bool:
    """A zombie that nobody has waited for yet does not run."""
    status = Path(f"/proc/{process}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


@dataclass
class Survey:
    cases: list[hostile.Case]
    items: dict[str, list[object]]
    seconds: dict[str, float]
    grown: int  # bytes, at the most
    left: set[str]  # processes


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    cases = hostile.cases(tmp_path_factory.mktemp("hostile"))
    items: dict[str, list[object]] = {}
    seconds: dict[str, float] = {}
    linux_here = sys.platform == "linux"
    list(readers.read(cases[0].path, "pdf"))
    before, known, peak, done = (
        (resident(), children(), [0], threading.Event()) if linux_here else (0, set(), [0], None)
    )

    def look() -> None:
        while done is not None and not done.wait(0.02):
            peak[0] = max(peak[0], resident())

    watching = threading.Thread(target=look)
    watching.start()
    for case in cases:
        started = time.monotonic()
        # Pages are counted, not kept: 5,000 of them are no leak.
        read = readers.read(case.path, "pdf", limits=LIMITS)
        items[case.name] = [item.number if isinstance(item, Page) else item for item in read]
        seconds[case.name] = time.monotonic() - started
    if done is not None:
        done.set()
    watching.join()
    return Survey(cases, items, seconds, peak[0] - before, children() - known if linux_here else set())


NAMES = """
empty one-byte header-only garbage truncated locked locked-owner-only image-only picture.png archive.zip page.html
5000-pages too-many-pages inflating nested-forms own-form slow-pages page-cycle million-announced 5000-announced
huge-page odd-box no-xref one-bad-page one-deadly-page one-endless-page many-fonts endless-reference nested-arrays
nested-objects many-filters many-words actions
""".split()  # noqa: SIM905


def test_every_hostile_file_is_asked_about(survey: Survey) -> None:
    assert {case.name for case in survey.cases} == set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_file_gets_its_named_outcome_in_time(survey: Survey, name: str) -> None:
    case = next(case for case in survey.cases if case.name == name)
    *before, last = survey.items[name]
    pages = [item for item in before if isinstance(item, int)]
    assert isinstance(last, Ended)
    assert last.code in case.codes
    assert last.message == readers.sentence(last.code, "en", **last.values)
    assert last.pages_read == len(pages)
    assert case.pages in (-1, len(pages))
    assert pages == sorted(set(pages))
    assert not pages or isinstance(before[0], Opened)
    assert survey.seconds[name] < LIMITS.seconds_at_most + 4


@linux
def test_reading_hostile_files_leaves_memory_and_processes_as_they_were(survey: Survey) -> None:
    assert survey.grown < 50_000_000
    assert not survey.left


def test_nothing_a_file_asks_for_is_run(survey: Survey) -> None:
    folder = survey.cases[0].path.parent
    assert not (folder / "it-ran").exists()


def test_a_page_that_kills_its_reader_costs_only_itself(survey: Survey) -> None:
    for name, kept in (("one-deadly-page", [1, 2, 4, 5]), ("one-endless-page", [1, 3]), ("one-bad-page", [1, 2, 4, 5])):
        assert [item for item in survey.items[name] if isinstance(item, int)] == kept
        last = survey.items[name][-1]
        assert isinstance(last, Ended)
        assert last.status is Status.READY_PARTIAL
        assert f"{len(kept)} of {kept[-1] if name != 'one-endless-page' else 3} pages" in last.message


@linux
def test_stopping_ends_a_hanging_read_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(hostile.one_endless_page())
    stop, known = threading.Event(), children()
    reading = readers.read(path, "pdf", stop=stop)
    assert next(reading) == Opened(3)
    assert isinstance(next(reading), Page)  # the first page is here although the second never will be
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    last = list(reading)[-1]
    assert isinstance(last, Ended)
    assert (last.status, last.pages_read) == (Status.CANCELLED, 1)
    assert time.monotonic() - started < 1.3
    assert children() == known


@linux
def test_a_reading_nobody_finishes_leaves_no_process(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(hostile.long(3000))
    known, threads = children(), threading.active_count()
    reading = readers.read(path, "pdf")
    next(reading)
    next(reading)
    assert children() != known
    reading.close()  # type: ignore[attr-defined]
    assert children() == known
    assert threading.active_count() == threads


@linux
def test_the_reader_never_holds_more_memory_than_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "forms.pdf"
    path.write_bytes(hostile.nested_forms())
    known, limit, held, done = children(), 400 << 20, [0], threading.Event()

    def look() -> None:
        while not done.wait(0.005):
            for child in children() - known:
                try:
                    if b"child.py" not in Path(f"/proc/{child}/cmdline").read_bytes():
                        continue  # just forked: it still shows this process's memory
                    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child}/status").read_text())
                except OSError:  # it has just gone
                    continue
                held.append(int(found[1]) * 1024 if found else 0)

    watching = threading.Thread(target=look)
    watching.start()
    last = list(readers.read(path, "pdf", limits=replace(LIMITS, memory=limit)))[-1]
    done.set()
    watching.join()
    assert isinstance(last, Ended)
    assert last.code in ("memory", "crashed")
    assert 100 << 20 < max(held) < limit


@linux
def test_a_reader_goes_when_whoever_asked_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(hostile.one_endless_page())
    script = (
        "import sys; from knowledge import readers; [print(i, flush=True) for i in readers.read(sys.argv[1], 'pdf')]"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline().startswith("Opened")
        reader = Path(f"/proc/{asking.pid}/task/{asking.pid}/children").read_text().strip()
        asking.kill()
    until = time.monotonic() + 3
    while running(reader) and time.monotonic() < until:
        time.sleep(0.05)
    assert reader
    assert not running(reader)


def test_a_slow_consumer_is_not_the_files_fault(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(hostile.long(3000))
    items = []
    for item in readers.read(path, "pdf", limits=replace(LIMITS, seconds=2, seconds_at_most=2)):
        if len(items) == 2:
            time.sleep(2.5)
        items.append(item)
    assert items[-1].status is Status.READY  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "code"), [(None, "password"), ("wrong", "wrong_password"), ("", "password"), (hostile.PASSWORD, "ready")]
)
def test_a_locked_file_opens_with_its_password_only(tmp_path: Path, given: str | None, code: str) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(hostile.locked(hostile.PASSWORD, "owner"))
    *pages, last = readers.read(path, "pdf", password=given)
    assert isinstance(last, Ended)
    assert last.code == code
    assert bool(pages) == (code == "ready")
    if code == "ready":
        assert readers.render(path, 1, width=100, password=given).startswith(b"\x89PNG")
    else:
        with pytest.raises(CannotDraw) as refused:
            readers.render(path, 1, width=100, password=given)
        assert refused.value.code == code


@linux
def test_a_password_and_the_environment_stay_out_of_the_childs_sight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-visible")
    path = tmp_path / "locked.pdf"
    path.write_bytes(hostile.locked(hostile.PASSWORD, "owner", pages=3000))
    caplog.set_level(0)
    known = children()
    reading = readers.read(path, "pdf", password=hostile.PASSWORD)
    next(reading)
    (child,) = children() - known
    seen = b"".join(Path(f"/proc/{child}/{name}").read_bytes() for name in ("cmdline", "environ"))
    assert b"child.py" in seen
    assert b"sk-visible" not in seen
    assert hostile.PASSWORD.encode() not in seen
    list(reading)
    assert hostile.PASSWORD not in caplog.text


@pytest.mark.parametrize("make", [hostile.own_form, hostile.nested_forms, hostile.inflating, hostile.page_cycle])
def test_drawing_a_hostile_page_is_refused_in_a_sentence(tmp_path: Path, make: object) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(make())  # type: ignore[operator]
    with pytest.raises(CannotDraw) as refused:
        readers.render(path, 1, limits=LIMITS)
    assert str(refused.value) == readers.sentence(refused.value.code, "en", **refused.value.values)


def test_a_file_too_big_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.pdf"
    path.write_bytes(b"%PDF-1.7\n" + bytes(2_000_000))
    (last,) = readers.read(path, "pdf", limits=Limits(bytes=1_000_000))
    assert isinstance(last, Ended)
    assert (last.status, last.values["megabytes"], last.values["limit"]) == (Status.TOO_BIG, 3, 1)


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    (last,) = readers.read(tmp_path / "nowhere.pdf", "pdf")
    assert isinstance(last, Ended)
    assert last.code == "gone"


def test_every_sentence_exists_in_both_languages_with_the_same_values() -> None:
    english, spanish = messages.SENTENCES["en"], messages.SENTENCES["es"]
    assert english.keys() == spanish.keys()
    for code, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", spanish[code])), code


@linux
def test_a_reader_started_by_a_big_process_has_its_own_memory_to_spend(tmp_path: Path) -> None:
    """The peak that the system counts for a child begins with what its parent held when it was started."""
    path = make_pdf(tmp_path / "small.pdf", ["The ferry leaves at seven."])
    code = (
        "import sys, numpy\n"
        "from knowledge import readers\n"
        "held = numpy.ones(1_200_000_000, numpy.uint8)\n"
        "last = list(readers.read(sys.argv[1], 'pdf'))[-1]\n"
        "print(last.code, held[-1])\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["ready", "1"], done.stderr


@pytest.mark.parametrize(
    ("limits", "seconds", "code"),
    [
        (Limits(seconds=30, page_seconds=2), 2, "partial_slow"),
        (Limits(seconds=3, seconds_per_page=0, page_seconds=15), 3, "partial_timed_out"),
    ],
)
def test_the_limit_that_is_named_is_the_one_that_ended_it(
    tmp_path: Path, limits: Limits, seconds: int, code: str
) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(hostile.one_endless_page())
    last = list(readers.read(path, "pdf", limits=limits))[-1]
    assert isinstance(last, Ended)
    assert (last.code, last.values["seconds"]) == (code, seconds)
    assert f"{seconds} seconds" in last.message
