"""Every table of benchmarks/README.md, one after the other.

    python -m benchmarks [FOLDER_OF_PDFS [QUESTIONS.jsonl]]

Without a folder, eight made-up handbooks are used (their text is monotonous: good for a smoke test, not for a claim).
Each part runs in a process of its own, so that one's memory and caches are not another's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.pdfs import handbook
from tests.topics import HELD_OUT


def part(title: str, *command: str) -> None:
    print(f"\n## {title}\n\n`python -m {' '.join(command)}`\n", flush=True)
    subprocess.run([sys.executable, "-m", *command], check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as made_up:
        folder = sys.argv[1] if len(sys.argv) > 1 else made_up
        if folder == made_up:
            for number in range(8):
                handbook(Path(made_up) / f"handbook-{number}.pdf", pages=30 + number)
        questions = ["--questions", sys.argv[2]] if len(sys.argv) > 2 else []
        part("PDF to searchable", "benchmarks.ingest", folder, *questions)
        part("Process start to first page", "benchmarks.startup")
        part("Search", "benchmarks.search")
        part("Question to first and last token", "benchmarks.turn")
        part("The default model's engines", "benchmarks.models")
        part("What the agent adds to a model", "benchmarks.agent")
        for file in sorted(HELD_OUT.parent.glob(f"{HELD_OUT.stem}*{HELD_OUT.suffix}")):
            part("The router", "benchmarks.router", str(file))
        part("Switching adapters", "benchmarks.adapters")
        part("From chats and files to datasets and back", "benchmarks.data")
        part("Checking training files", "benchmarks.data_check")
        part("Cleaning", "benchmarks.data_clean")
        part("Training against TRL", "benchmarks.tune")
        part("Each method on one task", "benchmarks.methods")
        part("How often a tuned answer is in the voice", "benchmarks.in_voice")


if __name__ == "__main__":
    main()
