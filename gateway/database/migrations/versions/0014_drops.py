"""Files dropped in folders: whose acknowledgement was told, and how far the feed of events was."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"


def upgrade() -> None:
    op.add_column("flow", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_flow_untold",
        "flow",
        ["organisation_id", "source"],
        postgresql_where=sa.text("told_at IS NULL AND source LIKE 'drop:%'"),
    )
    op.create_table(
        "drop_cursor",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("drop", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "drop"),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON drop_cursor TO {ROLE}")
    op.execute("ALTER TABLE drop_cursor ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_organisation ON drop_cursor "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
