"""What the directory of addresses said, kept for a while."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "directory_lookup",
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisation.id"), primary_key=True),
        sa.Column("directory", sa.String, primary_key=True),
        sa.Column("address", sa.String(125), primary_key=True),
        sa.Column("answer", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_directory_lookup_asked_at", "directory_lookup", ["asked_at"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON directory_lookup TO gateway_app")
    op.execute("ALTER TABLE directory_lookup ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_organisation ON directory_lookup "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
