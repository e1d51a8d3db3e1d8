"""Each try of a delivery, kept for good: the outbox knows only how often a message was tried and why it failed last.

And a closer guard of what is kept for good: the triggers that refuse a change fire in replica mode too, and the role of
requests moves the head of a chain, but neither deletes it nor gives it to another organisation.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
TABLE = "delivery_try"
INSTANT = sa.DateTime(timezone=True)
KEPT = ("document", "ledger_entry", "lifecycle_event", "receipt", "receipt_allocation", "receipt_declaration", TABLE)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("next_try_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["delivery_id"], ["outbox_message.id"]),
        sa.PrimaryKeyConstraint("delivery_id", "number"),
    )
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO {ROLE}")
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_organisation ON {TABLE} "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION gateway_refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION gateway_refuse_change()"
    )
    for kept in KEPT:
        op.execute(f"ALTER TABLE {kept} ENABLE ALWAYS TRIGGER append_only")
        op.execute(f"ALTER TABLE {kept} ENABLE ALWAYS TRIGGER never_emptied")
    op.execute(f"REVOKE UPDATE, DELETE ON ledger_head FROM {ROLE}")
    op.execute(f"GRANT UPDATE (position, hash) ON ledger_head TO {ROLE}")
