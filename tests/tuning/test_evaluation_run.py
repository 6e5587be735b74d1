"""A model answers questions into a file: it goes on where it was stopped or killed, and never mixes two models."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import ForOperator, ForPerson
from assistant.models import DEFAULT, Models
from assistant.models.inference import Inference
from assistant.models.local.engine import SYSTEM
from assistant.models.scripted import Scripted, ScriptedModels
from tests.assistant import tiny
from tuning.evaluation import general
from tuning.evaluation.compare import compare
from tuning.evaluation.run import GREEDY, TOGETHER, Speaker, Step, answers, asking, bare, read
from tuning.evaluation.values import Question
from tuning.values import Role, Turn

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def asked(n: int, *, start: int = 0) -> list[Question]:
    return [Question(f"q{at}", (Turn(Role.USER, f"Question {at}?"),), (f"Answer {at}.",)) for at in range(start, n)]


def scripted(*texts: str | Exception, delay: float = 0.0) -> tuple[ScriptedModels, Scripted]:
    model = Scripted(answers=list(texts), delay=delay)
    return ScriptedModels(model), model


SPEAKER = Speaker("scripted:")


@pytest.fixture(scope="module")
def here(weights: Path) -> Iterator[Models]:
    models = Models(weights)
    yield models
    models.close()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model(tmp_path_factory.mktemp("evaluation") / "base")


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_answers_come_in_the_order_of_the_questions_each_key_once() -> None:
    models, model = scripted("one two", " three\n")
    found = list(answers(models, SPEAKER, [*asked(2), *asked(2)]))
    assert [(one.key, one.prompt, one.references, one.text) for one in found] == [
        ("q0", "Question 0?", ("Answer 0.",), "one two"),
        ("q1", "Question 1?", ("Answer 1.",), "three"),
    ]
    assert [one.tokens for one in found] == [2, 2]  # words stand in for tokens: white space is one
    assert len(model.prompts) == 2
    assert model.settings[0] == {"temperature": 0.0, "max_tokens": GREEDY.max_tokens}


def test_a_whole_conversation_is_sent_with_what_tools_said_as_a_persons_words() -> None:
    models, model = scripted("Noon.")
    turns = (
        Turn(Role.SYSTEM, "Be brief."),
        Turn(Role.USER, "Time?"),
        Turn(Role.TOOL, "12:00", call_id="c", name="clock"),
    )
    assert [one.prompt for one in answers(models, SPEAKER, [Question("k", turns)])] == ["Time?"]
    assert [(one.type, one.content) for one in model.prompts[0]] == [
        ("system", "Be brief."),
        ("human", "Time?"),
        ("human", "12:00"),
    ]


def test_progress_counts_what_is_done_and_tells_the_time_left() -> None:
    models, _ = scripted("a", delay=0.05)
    steps: list[Step] = []
    list(answers(models, SPEAKER, asked(3), progress=steps.append))
    assert [(one.done, one.total) for one in steps] == [(1, 3), (2, 3), (3, 3)]
    left = [one.seconds_left for one in steps]
    assert left[0] is not None
    assert left[0] >= 2 * 0.05
    assert left[2] == 0
    list(answers(models, SPEAKER, iter(asked(1)), progress=steps.append))
    assert (steps[-1].total, steps[-1].seconds_left) == (None, None)


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_started_again_it_answers_only_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "answers.jsonl"
    models, model = scripted("first", "second", "third", "fourth")
    first = list(islice(answers(models, SPEAKER, asked(4), file=file), 2))
    again = list(answers(models, SPEAKER, asked(4), file=file))
    assert [one.text for one in again] == ["first", "second", "third", "fourth"]
    assert again[:2] == first
    assert len(model.prompts) == 4
    assert list(read(file)) == again


def test_a_half_written_line_is_dropped_and_the_question_asked_again(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    models, model = scripted("é 🙂 first", "second")
    list(answers(models, SPEAKER, asked(2), file=file))
    whole = file.read_bytes()
    for cut in (1, 20, 60):
        file.write_bytes(whole[:-cut])
        assert [one.text for one in answers(models, SPEAKER, asked(2), file=file)] == ["é 🙂 first", "second"]
        assert len(file.read_bytes().splitlines()) == 3
    assert len(model.prompts) == 5


def test_killed_in_the_middle_it_loses_no_whole_answer(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    code = (
        "import sys; from pathlib import Path\n"
        "from assistant.models.scripted import Scripted, ScriptedModels\n"
        "from tests.tuning.test_evaluation_run import asked, SPEAKER\n"
        "from tuning.evaluation.run import answers\n"
        "models = ScriptedModels(Scripted(answers=['word ' * 3], delay=0.01))\n"
        "for one in answers(models, SPEAKER, asked(500), file=Path(sys.argv[1])): print(one.key, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    told = [child.stdout.readline().strip() for _ in range(5)]
    child.kill()
    told += child.stdout.read().split()
    child.wait()
    child.stdout.close()
    models, model = scripted("new")
    found = list(answers(models, SPEAKER, asked(len(told) + 3), file=file))
    assert [one.text for one in found][: len(told)] == ["word word word"] * len(told)
    assert len(model.prompts) <= 3


def test_a_changed_question_is_asked_again_and_changed_references_are_todays(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    models, model = scripted("first", "second", "third")
    list(answers(models, SPEAKER, asked(2), file=file))
    changed = [Question("q0", (Turn(Role.USER, "Another?"),)), Question("q1", asked(2)[1].turns, ("Other.",))]
    found = list(answers(models, SPEAKER, changed, file=file))
    assert [(one.prompt, one.references, one.text) for one in found] == [
        ("Another?", (), "third"),
        ("Question 1?", ("Other.",), "second"),
    ]
    assert len(model.prompts) == 3


@pytest.mark.parametrize(
    "other",
    [
        Speaker("scripted:other"),
        Speaker("scripted:", inference=Inference(temperature=0.7)),
        Speaker("scripted:", inference=Inference(temperature=0, max_tokens=9)),
    ],
)
def test_a_file_of_another_speaker_is_refused_and_left_as_it_was(tmp_path: Path, other: Speaker) -> None:
    file = tmp_path / "answers.jsonl"
    models, _ = scripted("first")
    list(answers(models, SPEAKER, asked(1), file=file))
    before = file.read_bytes()
    with pytest.raises(ForPerson, match="another run") as error:
        list(answers(models, other, asked(1), file=file))
    assert "otra ejecución" in error.value.said("es")
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello\nyou\n", b'{"a": 1}\n', b"\xff\xfe\n", b"[]\n"])
def test_what_is_no_file_of_answers_is_refused_and_left_as_it_was(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    models, _ = scripted("first")
    with pytest.raises(ForPerson, match="line 1"):
        list(answers(models, SPEAKER, asked(1), file=file))
    with pytest.raises(ForPerson, match=r"notes\.txt"):
        list(read(file))
    assert file.read_bytes() == content


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    models, _ = scripted("first")
    for place in (tmp_path / "file" / "answers.jsonl", tmp_path):
        with pytest.raises(ForOperator, match="could not be used"):
            list(answers(models, SPEAKER, asked(1), file=place))
    with pytest.raises(ForOperator, match="could not be used"):
        list(read(tmp_path / "none.jsonl"))


# ── stops and faults ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_ends_it_within_a_second_and_half_an_answer_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    models, _ = scripted("quick", "slow " * 1000, delay=0.02)
    stop = threading.Event()
    found = []
    for one in answers(models, SPEAKER, asked(3), file=file, stop=stop):
        found.append(one)
        threading.Timer(0.3, stop.set).start()
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert [one.text for one in found] == ["quick"]
    assert list(read(file)) == found
    assert list(answers(models, SPEAKER, asked(3), file=file, stop=stop)) == found  # what is kept is still told


def test_a_question_the_model_cannot_take_is_a_problem_and_the_next_one_is_asked(tmp_path: Path) -> None:
    models, _ = scripted("fine", ForPerson("Too long.", spanish="Demasiado largo."), "fine too")
    file = tmp_path / "answers.jsonl"
    found = list(answers(models, SPEAKER, asked(3), file=file))
    assert [(one.text, one.problem) for one in found] == [("fine", ""), ("", "Too long."), ("fine too", "")]
    assert found[1].said("es") == "Demasiado largo."
    assert list(read(file)) == found


def test_what_would_stop_every_question_is_raised_and_what_was_answered_is_kept(tmp_path: Path) -> None:
    models, _ = scripted("fine", ForOperator("No key."))
    file = tmp_path / "answers.jsonl"
    with pytest.raises(ForOperator, match="No key"):
        list(answers(models, SPEAKER, asked(3), file=file))
    assert [one.text for one in read(file)] == ["fine"]


def test_an_adapter_for_a_model_that_runs_elsewhere_is_refused_before_any_question(tmp_path: Path) -> None:
    models, model = scripted("fine")
    with pytest.raises(ForPerson, match="does not run on this machine"):
        list(answers(models, Speaker("scripted:", adapter=tmp_path), asked(2)))
    assert not model.prompts


def test_a_model_becomes_a_judge() -> None:
    models, model = scripted("A")
    assert asking(models, SPEAKER, threading.Event())([Turn(Role.USER, "A or B?")]) == "A"
    assert len(model.prompts) == 1


# ── real models ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.model
def test_a_model_of_this_machine_answers_with_and_without_its_adapter(
    here: Models, base: Path, tmp_path: Path
) -> None:  # fmt: skip
    adapter = tiny.adapter(base, tmp_path / "adapter")
    short = Inference(temperature=0, max_tokens=12)
    bare, worn = Speaker(f"hf:{base}", inference=short), Speaker(f"hf:{base}", adapter, inference=short)
    before = list(answers(here, bare, asked(3), file=tmp_path / "before.jsonl"))
    after = list(answers(here, worn, asked(3), file=tmp_path / "after.jsonl"))
    assert [one.text for one in before] != [one.text for one in after]
    assert [one.text for one in answers(here, bare, asked(3))] == [one.text for one in before]  # greedy
    assert all(0 < one.tokens <= 12 for one in before + after)
    assert compare(before, after, ["rouge1"]).summary("rouge1").change.n == 3
    with pytest.raises(ForPerson, match="another run"):
        list(answers(here, worn, asked(3), file=tmp_path / "before.jsonl"))


@pytest.mark.model
@pytest.mark.parametrize("worn", [False, True])
def test_many_questions_at_once_get_the_answers_they_get_one_by_one(
    worn: bool, weights: Path, base: Path, tmp_path: Path
) -> None:
    """In float32, to the letter; a question that is too long is no trouble for the others; the file goes on as ever."""
    models = Models(weights)
    engine: Any = models.loading.engine(f"hf:{base}", None)
    engine._model.float()
    adapter = tiny.adapter(base, tmp_path / "adapter") if worn else None
    speaker = Speaker(f"hf:{base}", adapter, inference=Inference(temperature=0, max_tokens=12))
    some = [*asked(20), Question("long", (Turn(Role.USER, "x" * 600),)), *asked(23, start=20)]
    alone = [one for question in some for one in answers(models, speaker, [question])]
    file = tmp_path / "answers.jsonl"
    first = list(islice(answers(models, speaker, some, file=file), 3))
    assert len(list(read(file))) == TOGETHER, "a batch that is answered is kept, also where nobody goes on reading"
    found = list(answers(models, speaker, some, file=file))
    assert found[:3] == first
    assert [(one.key, one.text, one.tokens, one.problem) for one in found] == [
        (one.key, one.text, one.tokens, one.problem) for one in alone
    ]
    assert [one.key for one in found if one.problem] == ["long"]
    assert len({one.text for one in found}) > 10
    models.close()


@pytest.mark.model
def test_a_stop_ends_a_batch_and_what_was_answered_before_is_kept(here: Models, base: Path, tmp_path: Path) -> None:
    stop, file = threading.Event(), tmp_path / "answers.jsonl"
    speaker = Speaker(f"hf:{base}", inference=Inference(temperature=0, max_tokens=200))
    found = []
    for one in answers(here, speaker, asked(90), file=file, stop=stop):
        found.append(one)
        if len(found) == TOGETHER:
            threading.Timer(0.2, stop.set).start()
            began = time.monotonic()
    assert time.monotonic() - began < 3
    assert TOGETHER <= len(found) < 90
    assert list(read(file)) == found


@pytest.mark.model
def test_drawn_by_chance_each_answer_has_the_seed_for_itself(here: Models, base: Path) -> None:
    speaker = Speaker(f"hf:{base}", inference=Inference(temperature=0.9, seed=7, max_tokens=8))
    together = [one.text for one in answers(here, speaker, asked(3))]
    assert together == [one.text for question in asked(3) for one in answers(here, speaker, [question])]


@pytest.mark.model
def test_another_adapter_in_the_same_folder_is_another_speaker(here: Models, base: Path, tmp_path: Path) -> None:
    adapter = tiny.adapter(base, tmp_path / "adapter")
    worn = Speaker(f"hf:{base}", adapter, inference=Inference(temperature=0, max_tokens=4))
    file = tmp_path / "answers.jsonl"
    list(answers(here, worn, asked(1), file=file))
    tiny.adapter(base, adapter, seed=2)
    with pytest.raises(ForPerson, match="another run"):
        list(answers(here, worn, asked(1), file=file))
    with pytest.raises(ForOperator, match="could not be used"):
        list(answers(here, Speaker(f"hf:{base}", tmp_path / "none"), asked(1), file=tmp_path / "b.jsonl"))


@pytest.mark.model
def test_a_system_message_is_always_there_and_the_template_is_the_one_given(
    here: Models, base: Path
) -> None:  # fmt: skip
    """With a template that writes the system's words alone, a question without them is answered as one with ours."""
    alone = "{% for one in messages %}{% if one.role == 'system' %}{{ one.content }}{% endif %}{% endfor %}"
    short = Inference(temperature=0, max_tokens=8)
    speaker = Speaker(f"hf:{base}", template=alone, inference=short)
    ours = Question("ours", (Turn(Role.SYSTEM, SYSTEM), Turn(Role.USER, "Anything.")))
    other = Question("other", (Turn(Role.SYSTEM, "Something else entirely."), Turn(Role.USER, "Anything.")))
    none, same, different = (one.text for one in answers(here, speaker, [*asked(1), ours, other]))
    assert none == same
    assert none != different


@pytest.mark.model
def test_bare_is_the_base_whatever_is_worn(weights: Path, base: Path, tmp_path: Path) -> None:
    adapter = tiny.adapter(base, tmp_path / "adapter")
    plain = Speaker(f"hf:{base}", template="{{ 1 }}")
    assert bare(Speaker(f"hf:{base}", adapter, "{{ 1 }}"), weights) == plain
    assert bare(Speaker(f"hf:{adapter}", template="{{ 1 }}"), weights) == plain
    assert bare(Speaker("openai:some"), weights) == Speaker("openai:some")


@pytest.mark.model
@pytest.mark.slow
def test_a_default_model_that_wears_nothing_much_is_its_bare_self(here: Models, weights: Path, tmp_path: Path) -> None:
    """An adapter of zeros changes no answer: what else differs would be the engine's doing."""
    short = Inference(temperature=0, max_tokens=5)
    plain = bare(Speaker(DEFAULT, inference=short), weights)
    silent = tiny.adapter(Path(plain.model.removeprefix("hf:")), tmp_path / "silent", loud=0.0)
    worn = Speaker(DEFAULT, silent, inference=short)
    one = list(islice(general.questions("en"), 1))
    assert [said.text for said in answers(here, plain, one)] == [said.text for said in answers(here, worn, one)]
    assert bare(worn, weights) == plain


@pytest.mark.model
@pytest.mark.slow
def test_the_default_model_knows_some_of_the_general_set(here: Models, tmp_path: Path) -> None:
    """Else there would be nothing to forget."""
    some = [*islice(general.questions("en"), 6), *islice(general.questions("es"), 3)]
    speaker = Speaker(DEFAULT, inference=Inference(temperature=0, max_tokens=24))
    found = list(answers(here, speaker, some, file=tmp_path / "general.jsonl"))
    known = compare(found, found, ["contained"]).summary("contained")
    assert known.before.value > 0.5
    assert json.loads((tmp_path / "general.jsonl").read_text().splitlines()[0])["model"] == DEFAULT
