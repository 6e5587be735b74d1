"""Laws of counting: pieces joined are the text, the default model is counted as it reads, a rule says so."""

from __future__ import annotations

import hashlib
import inspect
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import ForPerson
from assistant.history.words import whole
from tests.assistant import tiny
from tuning.counting.tokens import Counter, Rule, RuleCounter, by_rule
from tuning.counting.vocabularies import Tokenizers, gguf, hosted
from tuning.errors import TryAgain

ROOT = Path(__file__).parents[2]
TEXTS = [
    "Hello, world!", "¿Dónde está la niña? ¡Aquí!", "😀👍🏽 ñ", "日本語のテキスト", "a  12 b\n 5",
    "x\n\n\n7", "", " ", "\n", "<|im_start|>user\nhi<|im_end|>", "def f(x):\n\treturn x ** 2",
    "א ב 🇪🇸 é", "cut \ud83d emoji", "1234567890",
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizers(weights: Path) -> Tokenizers:
    return Tokenizers(weights)


@pytest.fixture(scope="module")
def own(tokenizers: Tokenizers) -> Counter:
    return tokenizers.counter()


@pytest.fixture(scope="module")
def published() -> Counter:
    """A real tiktoken encoding with a vocabulary small enough to be written here."""
    import tiktoken

    ranks = {bytes([byte]): byte for byte in range(256)} | {b"he": 256, b"ll": 257, b" w": 258, "ñ".encode(): 259}
    encoding = tiktoken.Encoding("tiny", pat_str=r"\s?\S+|\s+", mergeable_ranks=ranks, special_tokens={"<|end|>": 300})
    return hosted.HostedCounter("openai:tiny", encoding)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model(tmp_path_factory.mktemp("counting") / "model")


def counters(own: Counter, published: Counter, folder: Path, tokenizers: Tokenizers, weights: Path) -> list[Counter]:
    pieces = tokenizers.counter(f"hf:{folder}")
    from tuning.counting.vocabularies.own import in_folder

    return [
        own,
        published,
        pieces,
        in_folder("hf:minilm", weights / "all-minilm-l6-v2"),
        RuleCounter("x", Rule.WORDS_OVER),
    ]


def test_pieces_joined_are_the_text_and_their_offsets_cut_it(
    own: Counter, published: Counter, folder: Path, tokenizers: Tokenizers, weights: Path
) -> None:
    chance = random.Random(4)
    made = ["".join(chance.choices("aé ñ😀\n\t日1 2ß́<|>", k=chance.randint(0, 14))) for _ in range(300)]
    for counter in counters(own, published, folder, tokenizers, weights):
        for text in TEXTS + made:
            pieces = counter.pieces(text)
            kept = whole(text)
            assert "".join(piece.text for piece in pieces) == kept
            assert all(kept[piece.start : piece.end] == piece.text for piece in pieces)
            numbered = [piece for piece in pieces if piece.id is not None]
            assert len(numbered) == (counter.count(text) if counter.rule is Rule.OWN else 0)


def test_half_a_character_says_which_bytes_it_is(own: Counter, published: Counter) -> None:
    for counter in (own, published):
        for text in ("😀", "日", "👍🏽", "ñandú 🇪🇸"):
            pieces = counter.pieces(text)
            halves = [piece for piece in pieces if piece.part]
            assert all(piece.part == piece.part.upper() for piece in halves)
            raw = b"".join(bytes.fromhex(piece.part) if piece.part else piece.text.encode() for piece in pieces)
            assert raw == text.encode()


def test_a_character_stands_in_the_token_of_its_first_byte(own: Counter, published: Counter) -> None:
    for counter in (own, published):
        for text in ("語", "😀", "Ł"):
            first, *others = [piece.text for piece in counter.pieces(text)]
            assert first == text
            assert not any(others)


@pytest.mark.model
def test_the_default_model_is_counted_as_the_engine_that_answers_reads(own: Counter, weights: Path) -> None:
    """OpenVINO's tokenizer, made from the same GGUF by other code: the same numbers, spaces before digits too."""
    genai = pytest.importorskip("openvino_genai")
    from assistant.models.local.engine_openvino import OpenVinoEngine

    OpenVinoEngine(next((weights / "smollm2-135m").glob("*.gguf"))).close()  # makes the folder where it is missing
    converted = next((weights / "smollm2-135m").glob("openvino-*"))
    theirs = genai.Tokenizer(str(converted))
    for text in TEXTS:
        if not text or text != whole(text):
            continue
        ids = theirs.encode(text, add_special_tokens=False).input_ids.data[0].tolist()
        assert [piece.id for piece in own.pieces(text)] == ids, text


@pytest.mark.model
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_engine_that_wears_adapters_reads_the_same_tokens(own: Counter, weights: Path) -> None:
    """transformers reads this GGUF without its rule that digits stand alone: spaces before a number differ then."""
    from transformers import AutoTokenizer

    from assistant.models.local.engine_transformers import safetensors

    theirs = AutoTokenizer.from_pretrained(str(safetensors(next((weights / "smollm2-135m").glob("*.gguf")))))
    numbers = ("a  12", "\n\n  7", "in 1984: 3.14, 1,000", "el  2º piso, año  2026", "🎈  3 x 10  ³")
    for text in [one for one in TEXTS if one == whole(one)] + list(numbers):
        assert [piece.id for piece in own.pieces(text) if text] == theirs(text, add_special_tokens=False).input_ids, (
            text
        )


def test_one_token_is_about_four_characters_of_english_and_less_of_spanish(own: Counter) -> None:
    english = "The old lighthouse keeper walked along the shore every morning and wrote down what the sea had left."
    spanish = "El viejo farero caminaba por la orilla todas las mañanas y anotaba lo que el mar había dejado."
    assert 3.5 < len(english) / own.count(english) < 5.5
    assert len(spanish) / own.count(spanish) < len(english) / own.count(english)


# ── which tokenizer ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_is_counted_by_its_own_tokenizer_and_template(tokenizers: Tokenizers, folder: Path) -> None:
    counter = tokenizers.counter(f"hf:{folder}")
    assert counter.rule is Rule.OWN
    assert counter.count("héllo") == 6  # a tokenizer of bytes
    assert counter.template.kind == "jinja"
    assert counter.template.text == tiny.TEMPLATE
    assert {"<pad>", "<s>", "<end>"} <= set(counter.template.special)
    assert not counter.note("en")
    assert tokenizers.counter(f"hf:{folder}") is counter


def test_a_folder_that_changed_is_read_again(tokenizers: Tokenizers, tmp_path: Path) -> None:
    place = tiny.model(tmp_path / "model")
    before = tokenizers.counter(f"hf:{place}").pieces("<mark>")
    tiny.model(place, special=("<pad>", "<s>", "<end>", "<mark>"))
    assert len(tokenizers.counter(f"hf:{place}").pieces("<mark>")) == 1 < len(before)


@pytest.mark.parametrize(
    ("model", "rule"),
    [
        ("openai:gpt-4o-mini-2024-07-18", Rule.WORDS_OVER), ("openai:gpt-3.5-turbo-0125", Rule.WORDS_OVER),
        ("openai:nobody-knows-this", Rule.CHARACTERS), ("ollama:llama3.2", Rule.CHARACTERS),
        ("vertex:gemini-2.5-flash", Rule.CHARACTERS), ("http://127.0.0.1:9/v1#x", Rule.CHARACTERS),
        ("scripted:Hello", Rule.CHARACTERS), ("hf:org/not-here", Rule.WORDS_OVER),
    ],
)  # fmt: skip
def test_without_a_tokenizer_a_rule_counts_and_says_why(
    tokenizers: Tokenizers, model: str, rule: Rule, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    counter = tokenizers.counter(model)
    assert counter.rule is rule
    assert not tokenizers.at_hand(model)
    english, spanish = counter.note("en"), counter.note("es")
    assert model in english
    assert english != spanish
    assert english.endswith(".")
    assert rule.said("en") != rule.said("es")
    assert counter.count("one two three") == 4
    assert counter.pieces("one two three")[0].id is None


def test_weights_that_are_missing_or_damaged_are_a_sentence_not_a_crash(tmp_path: Path, folder: Path) -> None:
    counter = Tokenizers(tmp_path).counter()
    assert counter.rule is Rule.WORDS_OVER
    assert "afina models fetch" in counter.note("en")
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("config.json", "model.safetensors"):
        (broken / name).write_bytes((folder / name).read_bytes())
    assert Tokenizers(tmp_path).counter(f"hf:{broken}").rule is Rule.WORDS_OVER  # no tokenizer.json at all
    (broken / "tokenizer.json").write_text("{")
    damaged = Tokenizers(tmp_path).counter(f"hf:{broken}")
    assert damaged.rule is Rule.WORDS_OVER
    assert "cannot be read" in damaged.note("en")


@pytest.mark.parametrize("name", ["", "nobody", "hf:", "http://host/v1", "local:other"])
def test_what_is_no_models_name_is_refused(tokenizers: Tokenizers, name: str) -> None:
    with pytest.raises(ForPerson):
        tokenizers.counter(name)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "not a GGUF|empty"), (b"GGUX" + bytes(40), "not a GGUF"), (b"GGUF" + bytes(3), "damaged"),
     (b"GGUF" + bytes(12) + b"\x01" + bytes(7) + b"\xff" * 8, "damaged")],
)  # fmt: skip
def test_a_gguf_that_is_none_is_a_value_error(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.gguf").write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        gguf.head(tmp_path / "a.gguf")


# ── rules of thumb ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_rules_of_the_notes() -> None:
    assert by_rule(Rule.WORDS_TIMES, 1_084_170) == Decimal("813127.5")
    assert by_rule(Rule.WORDS_OVER, 1_084_170) == 1_445_560
    assert by_rule(Rule.CHARACTERS, 0, 10) == Decimal("2.5")
    assert RuleCounter("x", Rule.CHARACTERS).count("ten chars.") == 3  # never less than it may be
    assert [rule.said("en") for rule in Rule][:4] == [
        "the model's own tokenizer", "words × 0.75 (the notes' rule)", "words ÷ 0.75", "characters ÷ 4",
    ]  # fmt: skip


# ── vocabularies that a provider publishes ───────────────────────────────────────────────────────────────────────────


def test_the_vocabularies_are_those_of_the_installed_tiktoken() -> None:
    from tiktoken_ext import openai_public

    source = inspect.getsource(openai_public)
    for model in ("gpt-3.5-turbo-0125", "gpt-4o-mini-2024-07-18", "ft:gpt-4o-2024-08-06:me::x"):
        wanted = hosted.vocabulary(model)
        assert wanted
        assert wanted.address in source
        assert wanted.sha256 in source


class _Site(BaseHTTPRequestHandler):
    content = b"the vocabulary"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/tiny.tiktoken"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_vocabulary_is_fetched_where_tiktoken_looks_for_it(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "kept"))
    wanted = hosted.Vocabulary("tiny", hashlib.sha256(_Site.content).hexdigest(), site)
    assert not wanted.here
    hosted.fetch(wanted)
    assert wanted.here
    assert [file.name for file in (tmp_path / "kept").iterdir()] == [hashlib.sha1(site.encode()).hexdigest()]
    wanted.file.write_bytes(b"something else")
    assert not wanted.here


@pytest.mark.parametrize("own", ["", "/somewhere/else"])
def test_the_app_keeps_vocabularies_with_its_weights_unless_told_otherwise(tmp_path: Path, own: str) -> None:
    code = "import os, app; app.settings(); print(os.environ['TIKTOKEN_CACHE_DIR'])"
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "AFINA_WEIGHTS": str(tmp_path / "weights")}
    environment |= {"TIKTOKEN_CACHE_DIR": own} if own else {}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (own or str(tmp_path / "weights" / "tiktoken"))


def test_other_bytes_or_no_network_are_a_sentence_and_leave_nothing(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "kept"))
    for address in (site, "http://127.0.0.1:9/nobody"):
        with pytest.raises(TryAgain, match="could not be fetched") as refused:
            hosted.fetch(hosted.Vocabulary("tiny", "0" * 64, address))
        assert "No se pudo" in refused.value.said("es")
    stopped = threading.Event()
    stopped.set()
    hosted.fetch(hosted.Vocabulary("tiny", hashlib.sha256(_Site.content).hexdigest(), site), stopped)
    assert not (tmp_path / "kept").exists()
