"""What Alembic runs: on the connection that `migrate` holds."""

from assistant.store.tables import Table
from knowledge.store.database import run_in_alembic

run_in_alembic(Table.metadata)
