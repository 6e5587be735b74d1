"""What Alembic runs: on the connection that `migrate` holds."""

from knowledge.store.database import run_in_alembic
from tuning.store.tables import Table

run_in_alembic(Table.metadata)
