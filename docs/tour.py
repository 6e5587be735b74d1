"""The pictures in README, made from the running app: a cited answer, and the circle from examples to a tuned persona.

python docs/tour.py            writes docs/*.png (needs the test extra and a Chromium; trains for some minutes)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import CHROMIUM, SWITCHES, serving, told  # noqa: E402 - the checkout's tests
from tests.pdfs import handbook  # noqa: E402

QUESTION = "How many wind turbines does Brenmoor Energy operate?"
WINDOW: ViewportSize = {"width": 1280, "height": 760}


def cited(page: Page, folder: Path) -> None:
    page.set_input_files("input[type=file]", [str(handbook(folder / "Brenmoor handbook.pdf"))])
    page.fill("textarea", QUESTION)
    page.keyboard.press("Enter")
    page.wait_for_selector("button.cite", timeout=60_000)
    page.click("button.cite >> nth=0")


def taught(home: Path) -> None:
    """The Marv sample, approved, trained on by the recipe for voices, evaluated, published."""
    afina(home, "data", "samples", "marv")
    afina(home, "data", "approve", "marv")
    afina(home, "data", "freeze", "marv")
    afina(home, "tune", "start", "--data", "marv", "--method", "voice", "--no-estimate")
    afina(home, "tune", "watch", "1")
    afina(home, "eval", "job", "1", "--part", "unseen")
    afina(home, "tune", "publish", "1", "--persona", "Marvin")


def afina(home: Path, *words: str) -> None:
    command = [sys.executable, str(ROOT / "app.py"), *words]
    subprocess.run(command, check=True, env={**os.environ, "AFINA_HOME": str(home)}, stdout=subprocess.DEVNULL)


def shown(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(".afina[data-ready=yes]")


def taken(page: Page, name: str) -> None:
    page.wait_for_timeout(2_500)  # pictures fade in, regions are drawn
    page.screenshot(path=ROOT / "docs" / f"{name}.png")


def main() -> None:
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        folder = Path(made)
        home = folder / "home"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_page(viewport=WINDOW, locale="en-US")
        with serving(home) as address:
            shown(page, address)
            cited(page, folder)
            taken(page, "tour")
            taught(home)
            shown(page, address + "?view=datasets&dataset=1&tab=versions")
            taken(page, "datasets")
            shown(page, address + "?view=desk&dataset=1")
            page.keyboard.press("v")  # as the model reads it
            taken(page, "desk")
            shown(page, address + "?view=training&job=1")
            taken(page, "training")
            shown(page, address)
            for question in (
                "@Marvin What do caterpillars turn into?",
                "@Marvin How long does the Earth take to go around the Sun?",
            ):
                told(page, question)
            taken(page, "persona")
        browser.close()


if __name__ == "__main__":
    main()
