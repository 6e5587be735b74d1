"""Which rate, how long: a recipe on a sample with other settings, told by its loss on rows to choose by.

    python -m benchmarks.rates RECIPE [--rates 1e-3 3e-3 ...] [--sample marv] [--set FIELD=VALUE ...] [--keep FOLDER]

    python -m benchmarks.rates norms --rates 3e-2 1e-1 --set epochs=6

One line a run: the loss before, each time it was looked at, the best one. The rows are told in benchmarks.shipped.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.shipped import LEARN, given, train


def main() -> None:
    parser = argparse.ArgumentParser(description="Which rate, how long.")
    parser.add_argument("recipe")
    parser.add_argument("--sample", default="marv", choices=sorted(LEARN))
    parser.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE", dest="said")
    parser.add_argument("--rates", nargs="*", default=[], type=float)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    said = given(arguments.said)
    for rate in arguments.rates or [None]:
        asked = said | ({"learning_rate": rate} if rate is not None else {})
        with tempfile.TemporaryDirectory() as folder:
            place = (arguments.keep or Path(folder)) / f"{arguments.sample}-{arguments.recipe}-{rate}"
            found = train(place, arguments.recipe, arguments.sample, asked)
        looked = " ".join(f"{step}:{loss:.3f}" for step, loss in found.losses)
        best = min(loss for _, loss in found.losses[1:])
        shown = " ".join(f"{name}={value}" for name, value in asked.items())
        print(
            f"| {arguments.recipe} | {arguments.sample} | {shown} | {found.steps} | {found.seconds:.0f} | {looked} "
            f"| {best:.3f} at {found.best} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
