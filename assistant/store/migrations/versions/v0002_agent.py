"""Personas, corrections, approvals, added models, MCP servers, switches; what an answer did and how it was made."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "personas",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(64), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_personas"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_personas_handle", "personas", ["handle"], unique=False)
    # Columns are added in place: to rebuild these tables would cascade into their messages and ratings.
    op.add_column("conversations", sa.Column("persona_id", sa.Integer(), nullable=True))
    op.add_column("conversations", sa.Column("model", sa.String(255), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("messages", sa.Column("tool", sa.String(64), nullable=False, server_default=""))
    op.add_column("messages", sa.Column("arguments", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("messages", sa.Column("persona", sa.String(64), nullable=False, server_default=""))
    op.add_column("messages", sa.Column("steps", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("messages", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("was", sa.JSON(), nullable=False),
        sa.Column("route", sa.String(16), nullable=False),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("persona", sa.String(64), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_corrections_message_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
    )
    op.create_table(
        "approvals",
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("tool", sa.String(128), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_approvals_conversation_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("conversation_id", "tool", name="pk_approvals"),
    )
    op.create_table(
        "models",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_models"),
    )
    op.create_table(
        "mcp_servers",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_mcp_servers"),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_switches"),
    )
