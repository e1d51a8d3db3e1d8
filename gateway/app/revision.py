"""Write a new migration from the difference between the models and the schema: `make migration why="…"`."""

import sys

from alembic import command

from gateway.app import tables
from gateway.database import open_database
from gateway.database.migrating import alembic_config
from gateway.kernel.settings import load_settings


def main(why: str) -> None:
    """Create the revision file in `gateway/database/migrations/versions`."""
    assert tables.METADATA.tables
    with open_database(load_settings()).engine.connect() as connection:
        command.revision(alembic_config(connection), message=why, autogenerate=True)


if __name__ == "__main__":
    main(sys.argv[1])
