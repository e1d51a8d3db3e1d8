"""What a claim asked for too much is corrected, which is no waiver: it never was due."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("penalty_waiver", sa.Column("corrects", sa.Boolean(), nullable=False, server_default=sa.false()))
