"""The local platform simulator as a service of its own: what it shows of its flows, and whom it calls."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"


def upgrade() -> None:
    op.add_column("simulated_flow", sa.Column("flow_type", sa.String(), nullable=True))
    op.execute(
        "UPDATE simulated_flow SET flow_type = "
        "CASE WHEN direction = 'Out' AND flow_syntax <> 'CDAR' THEN 'CustomerInvoice' ELSE 'CustomerInvoiceLC' END"
    )
    op.alter_column("simulated_flow", "flow_type", nullable=False)
    op.add_column("simulated_flow", sa.Column("flow_profile", sa.String(), nullable=True))
    op.add_column("simulated_flow", sa.Column("processing_rule", sa.String(), nullable=True))
    op.add_column("simulated_flow", sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_simulated_flow_news",
        "simulated_flow",
        ["organisation_id", "visible_at"],
        postgresql_where=sa.text("notified_at IS NULL"),
    )
    op.create_table(
        "simulated_webhook",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("callback_url", sa.String(), nullable=False),
        sa.Column("signing_key", sa.String(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_simulated_webhook_organisation_id"), "simulated_webhook", ["organisation_id"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON simulated_webhook TO {ROLE}")
    op.execute("ALTER TABLE simulated_webhook ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_organisation ON simulated_webhook "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
