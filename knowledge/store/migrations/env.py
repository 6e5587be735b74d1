"""What Alembic runs: on the connection that `migrate` holds."""

from knowledge.store.database import run_in_alembic
from knowledge.store.tables import metadata

run_in_alembic(metadata)
