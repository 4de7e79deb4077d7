"""Alembic's entry: run the migrations on the connection that `relay.database` hands over.

There is no configuration file and no URL here: a migration never opens a
database of its own, so that the pragmas and the locking of the store hold.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
