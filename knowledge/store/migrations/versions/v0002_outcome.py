"""What became of a document, as a code with its values, so that it can be said in the reader's language."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("outcome", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("documents", "outcome")
