"""The laws of embedding: unit length, order kept, the same text the same vector, and close to the reference."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from knowledge import ForOperator, ForPerson, embedders
from knowledge.embedders import Embedder

TEXTS = [
    "The total revenue of the company was 394 billion dollars in 2022.",
    "Los ingresos totales de la compañía fueron de 394 mil millones de dólares.",
    "",
    "cat",
    " ".join(f"word{n} stands here" for n in range(400)),  # far beyond 256 tokens
    "ﬁrst line\nsecond line with 日本語 and 🐕",
]

pytestmark = pytest.mark.model


def test_vectors_are_float32_of_unit_length_in_the_order_given(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    for row, text in enumerate(TEXTS):
        assert np.abs(embedder.embed([text])[0] - vectors[row]).max() < 1e-3


def test_no_texts_make_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_a_vector_does_not_depend_on_what_stands_beside_it(embedder: Embedder) -> None:
    alone = embedder.embed(TEXTS[:1])[0]
    crowd = embedder.embed([*("filler " * n for n in range(300)), TEXTS[0]])[-1]
    assert np.abs(alone - crowd).max() < 1e-3


def test_text_is_cut_at_256_tokens(embedder: Embedder) -> None:
    long = TEXTS[4]
    kept = embedder.tokens(long)[embedder.max_tokens - 3][1]  # 254 tokens and the two special ones
    assert embedder.max_tokens == 256
    assert np.abs(embedder.embed([long]) - embedder.embed([long[:kept]])).max() < 1e-3


def test_token_offsets_cut_back_to_the_text_and_none_is_left_out(embedder: Embedder) -> None:
    for text in TEXTS:
        offsets = embedder.tokens(text)
        assert all(0 <= start < end <= len(text) for start, end in offsets)
        assert [start for start, _ in offsets] == sorted(start for start, _ in offsets)
        covered = {place for start, end in offsets for place in range(start, end)}
        assert all(text[place].isspace() for place in set(range(len(text))) - covered)
    assert len(embedder.tokens(TEXTS[4])) > 1000


def test_threads_get_the_vectors_of_their_own_texts(embedder: Embedder) -> None:
    sets = [[f"thread {n} text {m}" * (1 + m % 7) for m in range(90 if n % 2 else 1)] for n in range(8)]
    expected = [embedder.embed(texts) for texts in sets]
    with ThreadPoolExecutor(8) as pool:
        for vectors, again in zip(expected, pool.map(embedder.embed, sets), strict=True):
            assert np.abs(vectors - again).max() < 1e-3


def test_neighbours_in_meaning_are_neighbours_in_space(embedder: Embedder) -> None:
    query, near, far = embedder.embed(["How tall is the tower?", "The tower is 330 metres high.", "I like soup."])
    assert query @ near > query @ far + 0.2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_it_equals_sentence_transformers_in_fp32(embedder: Embedder, weights: Path) -> None:
    reference = embedders.load(f"hf:{weights / 'all-minilm-l6-v2'}", weights)
    assert (embedder.embed(TEXTS) * reference.embed(TEXTS)).sum(axis=1).min() > 0.9999
    assert (reference.dimensions, reference.max_tokens) == (embedder.dimensions, embedder.max_tokens)
    assert [reference.tokens(text) for text in TEXTS] == [embedder.tokens(text) for text in TEXTS]
    assert reference.embed([]).shape == (0, 384)


def test_an_unknown_embedder_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ForPerson, match="all-minilm-l6-v2"):
        embedders.load("word2vec", tmp_path)


def test_missing_weights_say_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ForOperator, match="afina models fetch"):
        embedders.load("all-minilm-l6-v2", tmp_path)


def test_nothing_leaves_the_machine_and_torch_is_not_imported(weights: Path, tmp_path: Path) -> None:
    """OpenVINO's import forks a child that reports to its vendor and notes it in ~/intel: neither may happen."""
    code = f"""
import sys
heard = []
sys.addaudithook(lambda name, arguments: heard.append(name))
from pathlib import Path
from knowledge import embedders
embedders.load("all-minilm-l6-v2", Path({str(weights)!r})).embed(["text"])
assert not {{"socket.connect", "socket.getaddrinfo", "os.fork"}} & set(heard)
assert "torch" not in sys.modules and "transformers" not in sys.modules
"""
    environment = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, env=environment)
    assert not (tmp_path / "intel").exists()


def test_damaged_weights_are_named_with_what_to_run(weights: Path, tmp_path: Path) -> None:
    shutil.copytree(weights / "all-minilm-l6-v2", tmp_path / "all-minilm-l6-v2")
    embedders.load("all-minilm-l6-v2", tmp_path)
    for place in (3, 40_000_000):  # in the header, which stops the loader, and in the numbers, which nothing would
        file = tmp_path / "all-minilm-l6-v2" / "model.safetensors"
        state = file.stat()
        with file.open("r+b") as stream:
            stream.seek(place)
            stream.write(b"\xff\xff\xff")
        if place == 3:  # the time stays, so that only the loader's error can tell
            os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
        with pytest.raises(ForOperator, match=r"damaged.*afina models fetch all-minilm-l6-v2"):
            embedders.load("all-minilm-l6-v2", tmp_path)
        shutil.copy(weights / "all-minilm-l6-v2" / "model.safetensors", file)
