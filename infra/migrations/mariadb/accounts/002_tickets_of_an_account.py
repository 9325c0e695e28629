"""Tickets end together when their account's password or address changes."""

from alembic import op

revision = "002"
down_revision = "001"


def upgrade() -> None:
    op.execute("ALTER TABLE tickets ADD KEY account_id (account_id)")
