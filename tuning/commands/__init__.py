"""The command line of this package: what was given on it → a verb's rows, printed. One file per group of verbs."""

from pathlib import Path

WORDS = Path(__file__).parent / "words"
