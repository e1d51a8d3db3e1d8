"""A delivery is marked before it leaves, so that a crash between the sending and our commit is seen and settled."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox_message", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox_message", sa.Column("lookups", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("outbox_message", "lookups", server_default=None)
    op.drop_index("ix_outbox_due", "outbox_message")
    op.create_index(
        "ix_outbox_due",
        "outbox_message",
        ["next_attempt_at"],
        postgresql_where=sa.text("state IN ('pending', 'leaving', 'uncertain')"),
    )
