"""The picture in README, made from the running app: a PDF dropped, a question, the citation opened.

python docs/tour.py            writes docs/tour.png (needs the test extra and a Chromium)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import CHROMIUM, SWITCHES  # noqa: E402 - the checkout's tests, not an installed package
from tests.pdfs import handbook  # noqa: E402

PORT = 7899
ADDRESS = f"http://127.0.0.1:{PORT}/"
QUESTION = "How many wind turbines does Brenmoor Energy operate?"


def wait_for_app() -> None:
    for _ in range(300):
        try:
            urlopen(ADDRESS, timeout=2).close()
            return
        except (URLError, OSError):
            time.sleep(0.1)
    raise SystemExit(f"The app did not answer at {ADDRESS}.")


def ask(page: Page, pdf: Path) -> None:
    page.goto(ADDRESS)
    page.wait_for_selector("textarea")
    page.set_input_files("input[type=file]", [str(pdf)])
    page.fill("textarea", QUESTION)
    page.keyboard.press("Enter")
    page.wait_for_selector("button.cite", timeout=60_000)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pdf = handbook(Path(folder) / "Brenmoor handbook.pdf")
        environment = {**os.environ, "AFINA_HOME": f"{folder}/home"}
        command = [sys.executable, str(ROOT / "app.py"), "serve", "--port", str(PORT), "--no-open"]
        app = subprocess.Popen(command, env=environment)
        try:
            wait_for_app()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
                page = browser.new_page(viewport={"width": 1280, "height": 760})
                ask(page, pdf)
                page.click("button.cite >> nth=0")
                page.wait_for_timeout(2_500)  # the page picture fades in
                page.screenshot(path=ROOT / "docs" / "tour.png")
                browser.close()
        finally:
            app.terminate()
            app.wait()


if __name__ == "__main__":
    main()
