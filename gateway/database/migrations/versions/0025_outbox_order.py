"""What leaves about one invoice leaves in its order: a key that such messages share, and the place of each.

Messages of before have no key: they leave as they did.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLE = "outbox_message"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("order_key", sa.String(), nullable=True))
    op.add_column(TABLE, sa.Column("leads", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column(TABLE, "leads", server_default=None)
    op.add_column(TABLE, sa.Column("place", sa.BigInteger(), sa.Identity(always=True), nullable=False))
    op.create_index(
        "ix_outbox_order",
        TABLE,
        ["organisation_id", "order_key", "place"],
        postgresql_where="order_key IS NOT NULL AND state <> 'sent'",
    )
