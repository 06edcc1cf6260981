"""Alembic's entry: runs the revisions on the connection that `Store.migrate` hands over, in its transaction."""

from alembic import context

from botkit.store import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,  # true of both databases here: a migration that fails half-way leaves nothing behind
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
