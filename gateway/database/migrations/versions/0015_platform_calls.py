"""What platforms say by themselves: the acknowledgement of each delivery, and the calls of their webhooks.

The role of requests writes the keys that prove a call and cannot read them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
SCOPED = ("platform_subscription", "platform_call")


def upgrade() -> None:
    json = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.add_column("outbox_message", sa.Column("answer", json, nullable=True))
    op.create_index(
        "ix_outbox_remote",
        "outbox_message",
        ["organisation_id", "remote_id"],
        postgresql_where=sa.text("remote_id IS NOT NULL"),
    )
    op.create_table(
        "platform_subscription",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("callback_url", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["connection_id"], ["platform_connection.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("connection_id"),
    )
    op.create_index("ix_platform_subscription_organisation_id", "platform_subscription", ["organisation_id"])
    op.create_table(
        "platform_subscription_key",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["subscription_id"], ["platform_subscription.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subscription_id"),
    )
    op.create_table(
        "platform_call",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["subscription_id"], ["platform_subscription.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("subscription_id", "fingerprint"),
    )
    op.create_index("ix_platform_call_organisation_id", "platform_call", ["organisation_id"])
    op.create_index("ix_platform_call_heard", "platform_call", ["heard_at"])
    op.execute(f"GRANT INSERT ON platform_subscription_key TO {ROLE}")
    for table in SCOPED:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_organisation ON {table} "
            f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
        )
