"""When the deadlines of an invoice are looked at next, what its VAT depends on, and what it refers to.

Every receivable is looked at once after the upgrade; references are taken from its row, without their years (BT-26).
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"


def upgrade() -> None:
    op.add_column("alert", sa.Column("invoice_number", sa.String(), nullable=True))
    op.create_index(
        "ix_alert_number",
        "alert",
        ["organisation_id", "invoice_number"],
        postgresql_where=sa.text("invoice_number IS NOT NULL"),
    )
    op.add_column("invoice", sa.Column("tax_point_code", sa.String(), nullable=True))
    op.add_column("invoice", sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE invoice SET next_check_at = received_at WHERE direction = 'receivable'")
    op.create_index(
        "ix_invoice_check",
        "invoice",
        ["organisation_id", "next_check_at"],
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_table(
        "preceding_reference",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("invoice_id", "number", "year"),
    )
    op.create_index("ix_preceding_reference", "preceding_reference", ["organisation_id", "number"])
    op.create_index(op.f("ix_preceding_reference_organisation_id"), "preceding_reference", ["organisation_id"])
    op.execute(
        "INSERT INTO preceding_reference (organisation_id, invoice_id, number, year) "
        "SELECT DISTINCT organisation_id, id, trim(number.value), 0 "
        "FROM invoice, jsonb_array_elements_text(preceding) AS number(value) WHERE trim(number.value) <> ''"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON preceding_reference TO {ROLE}")
    op.execute("ALTER TABLE preceding_reference ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_organisation ON preceding_reference "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
