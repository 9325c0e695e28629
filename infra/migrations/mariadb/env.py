"""Alembic runs this file: the revisions on the connection that ``infra.migrate_mariadb`` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
