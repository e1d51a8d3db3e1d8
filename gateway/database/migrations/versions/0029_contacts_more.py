"""Addresses that reach nobody, or the wrong person: nothing goes there until a person corrects it."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
INSTANT = sa.DateTime(timezone=True)
HOLDS = sa.text("lifted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "address_fault",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("reminder_id", sa.Uuid(), nullable=True),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.Column("told_by", sa.String(), nullable=False),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_address_fault_organisation_id"), "address_fault", ["organisation_id"])
    op.create_index(
        "uq_address_fault",
        "address_fault",
        ["organisation_id", "customer_id", "kind", "address"],
        unique=True,
        postgresql_where=HOLDS,
    )
    op.execute(f"GRANT SELECT, INSERT ON address_fault TO {ROLE}")
    op.execute(f"GRANT UPDATE (lifted_at, lifted_by) ON address_fault TO {ROLE}")
    op.execute("ALTER TABLE address_fault ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_organisation ON address_fault "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
