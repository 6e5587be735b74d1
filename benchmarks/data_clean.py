"""How much personal data is found, and how long cleaning takes. Made-up examples in English and Spanish.

    python -m benchmarks.data_clean [--sentences 2000] [--rows 1000 100000] [--against datasketch] [--only near]

Personal data: tests/tuning/people.py makes the sentences, in four parts. Each was written after the detectors had been
mended with those before it, so that only its first meeting, 1,000 sentences per kind and language, tells how they do on
sentences of others:

    part     recall                                    precision
    third    99.5 % and more; phone, Spanish 97.9 %    98.5 % and more; national_id 96.7 % English, 97.4 % Spanish
    fourth   99.9 % and more                           98.9 % and more

What is printed here for all four flatters a little. Of the third part's passwords five sentences were said in plainer
words at that meeting: the detectors then knew none without "is" or a colon before it.

Near duplicates: the vocabulary is drawn as words are in books (Zipf), sentences share their beginnings, a tenth of the
examples repeat another one with 1 to 6 % of its words changed. Recall is of the planted pairs with a Jaccard of 0.85 or
more, counted on the texts. Every measurement of time and memory has a process of its own.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from itertools import accumulate, islice
from multiprocessing import get_context
from typing import Any

from benchmarks.machine import describe
from tests.tuning.people import KINDS, LANGUAGES, PARTS, nothing_personal, sentences
from tuning.cleaning import compared, leaks, minhash, near_duplicates, review
from tuning.cleaning.personal import find
from tuning.cleaning.wording import plain
from tuning.values import Example, Role, Turn, conversation

THRESHOLD = 0.85
_BEGINNINGS = {
    "en": ["The answer is that", "In short,", "As far as is known,", "It depends on", "First of all,", "There are two"],
    "es": [
        "La respuesta es que",
        "En resumen,",
        "Por lo que se sabe,",
        "Depende de",
        "Ante todo,",
        "Hay dos clases de",
    ],
}
_QUESTIONS = {
    "en": ["What is the difference between {} and {}?", "Explain {} to me.", "Write three lines about {} and {}."],
    "es": ["¿En qué se diferencian {} y {}?", "Explícame {}.", "Escribe tres líneas sobre {} y {}."],
}
_SYLLABLES = ("ka", "lo", "mi", "ter", "su", "ra", "ne", "do", "ri", "pa", "ven", "ci", "ón", "al", "tra", "men", "el")


class Made:
    """Examples, the same for a seed, made as they are asked for; what was planted is kept."""

    def __init__(self, n: int, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._n = n
        words = {"".join(self._chance.choices(_SYLLABLES, k=self._chance.randint(1, 4))) for _ in range(20_000)}
        self._words = sorted(words)
        self._weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
        self.planted: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[tuple[int, Example]]:
        recent: list[tuple[int, tuple[str, str]]] = []
        for key in range(self._n):
            if recent and self._chance.random() < 0.1:
                original, (asked, said) = self._chance.choice(recent)
                self.planted.append((original, key))
                pair = asked, self._changed(said)
            else:
                pair = self._new()
                recent.append((key, pair))
                del recent[:-5_000]
            asked, said = pair
            yield key, conversation(Turn(Role.USER, asked), Turn(Role.ASSISTANT, said))

    def _drawn(self, n: int) -> list[str]:
        return self._chance.choices(self._words, cum_weights=self._weights, k=n)

    def _new(self) -> tuple[str, str]:
        language = self._chance.choice(LANGUAGES)
        asked = self._chance.choice(_QUESTIONS[language]).format(*self._drawn(2))
        said = []
        for _ in range(max(1, int(self._chance.lognormvariate(1.6, 0.7)))):
            words = self._drawn(self._chance.randint(6, 22))
            said.append(f"{self._chance.choice(_BEGINNINGS[language])} {' '.join(words)}.")
        return asked, " ".join(said)

    def _changed(self, said: str) -> str:
        words = said.split()
        for _ in range(max(1, int(len(words) * self._chance.choice((0.01, 0.02, 0.04, 0.06))))):
            words[self._chance.randrange(len(words))] = self._drawn(1)[0]
        return " ".join(words)


def personal(n: int) -> None:
    print("\n| kind | language | recall | precision |\n|---|---|---|---|")
    for kind in KINDS:
        for language in LANGUAGES:
            found = wrong = 0
            for part in PARTS:
                for told in sentences(kind, language, part=part, seed=1, n=n // len(PARTS)):
                    spans = find(told.text)
                    right = [one for one in spans if one.kind == kind and one.start < told.end and told.start < one.end]
                    found += any(one.start <= told.start and told.end <= one.end for one in right)
                    wrong += len(spans) - len(right)
            asked = n // len(PARTS) * len(PARTS)
            print(f"| {kind} | {language} | {100 * found / asked:.2f} % | {100 * found / (found + wrong):.2f} % |")
    for language in LANGUAGES:
        empty = [one for part in PARTS for one in nothing_personal(language, part=part, seed=1, n=n // len(PARTS))]
        hit = sum(bool(find(one.text)) for one in empty)
        print(f"| nothing | {language} | | {hit} of {len(empty)} texts have a finding |")


def near(n: int) -> dict[str, str]:
    made = Made(n)
    texts = [compared(example) for _, example in made]
    before, clock = _peak(), _Clock()
    groups = list(near_duplicates(enumerate(texts), THRESHOLD))
    took, memory = clock.took(), _peak() - before
    dropped = {key for group in groups for key in group.keys[1:]}
    pairs = [(one, other) for one, other in made.planted if _alike(texts[one], texts[other])]
    left = sum(one not in dropped and other not in dropped for one, other in pairs)
    false = sum(not _alike(texts[group.keys[0]], texts[key]) for group in groups for key in group.keys[1:])
    return {
        **took,
        "MB more": f"{memory:.0f}",
        "groups": f"{len(groups):,}",
        "recall": f"{100 * (1 - left / max(1, len(pairs))):.2f} % of {len(pairs):,}",
        "false": str(false),
    }


def leaking(n: int) -> dict[str, str]:
    rows = [(key, "", compared(example)) for key, example in Made(n)]
    train, validation = [row for row in rows if row[0] % 10], [row for row in rows if row[0] % 10 == 0]
    before, clock = _peak(), _Clock()
    found = sum(1 for _ in leaks(train, validation, THRESHOLD))
    return {**clock.took(), "MB more": f"{_peak() - before:.0f}", "leaks": f"{found:,}"}


def reviewing(n: int) -> dict[str, str]:
    """A thousand at a time, so that making them is not counted."""
    waiting, before, clock, found = iter(Made(n)), _peak(), _Clock(), 0
    clock.stop()
    while batch := list(islice(waiting, 1_000)):
        clock.go()
        found += sum(1 for _ in review(iter(batch)))
        clock.stop()
    took = clock.took()
    rate = n / clock.wall
    return {"rows/s": f"{rate:,.0f}", **took, "MB more": f"{_peak() - before:.0f}", "findings": f"{found:,}"}


def stock(n: int) -> dict[str, str]:
    """datasketch as its manual has it, the same shingles and bands; its pairs are candidates, nothing is counted."""
    datasketch: Any = import_module("datasketch")
    texts = [compared(example) for _, example in Made(n)]
    before, clock = _peak(), _Clock()
    rows = minhash.rows_per_band(THRESHOLD)
    index = datasketch.MinHashLSH(num_perm=minhash.PLACES, params=(minhash.PLACES // rows, rows))
    found = 0
    shingles = ({text[at : at + 5].encode() for at in range(max(1, len(text) - 4))} for text in map(plain, texts))
    for key, sketch in enumerate(datasketch.MinHash.generator(shingles, num_perm=minhash.PLACES)):
        found += len(index.query(sketch))
        index.insert(key, sketch)
    return {**clock.took(), "MB more": f"{_peak() - before:.0f}", "pairs": f"{found:,}"}


class _Clock:
    """Seconds by the clock, and of the processor: on a busy machine the first say little."""

    def __init__(self) -> None:
        self.wall = self.processor = 0.0
        self.go()

    def go(self) -> None:
        self._began, self._used = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        self.wall += time.perf_counter() - self._began
        self.processor += time.process_time() - self._used
        self.go()

    def took(self) -> dict[str, str]:
        self.stop()
        return {"seconds": f"{self.wall:.1f}", "of the processor": f"{self.processor:.1f}"}


def _alike(one: str, other: str) -> bool:
    return bool(minhash.similarities(minhash.shingle_set(plain(one)), [plain(other)])[0] >= THRESHOLD)


def _peak() -> float:
    """The most memory this process had, in MB (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def alone(measure: Callable[[int], dict[str, str]], sizes: list[int]) -> None:
    for number, size in enumerate(sizes):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            row = pool.submit(measure, size).result()
        if number == 0:
            print(f"\n| {measure.__name__}, rows | {' | '.join(row)} |\n|{'---|' * (len(row) + 1)}")
        print(f"| {size:,} | {' | '.join(row.values())} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="What cleaning finds, and how long it takes.")
    parser.add_argument("--sentences", type=int, default=2_000)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--against", choices=["datasketch"])
    parser.add_argument("--only", choices=["near"], help="leave the others out: a million rows take their time")
    arguments = parser.parse_args()
    print(describe())
    if arguments.only:
        alone(near, arguments.rows)
        return
    personal(arguments.sentences)
    for measure in (near, leaking, reviewing, *((stock,) if arguments.against else ())):
        alone(measure, arguments.rows)


if __name__ == "__main__":
    main()
