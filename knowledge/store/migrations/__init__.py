"""The tables of the library, revision by revision. Nothing runs on import: `store.database.migrate` runs them."""

from pathlib import Path

FOLDER = Path(__file__).parent
VERSION_TABLE = "knowledge_version"
