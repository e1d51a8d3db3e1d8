"""Access tokens are signed, not stored: the keys, their rotation, and what a program is limited or granted to.

Programs ask for a new token after the upgrade. The scope api:read becomes the scopes of what it opened.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"


def upgrade() -> None:
    op.drop_table("access_token")
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("private_key", sa.String(), nullable=False),
        sa.Column("public_key", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.add_column("api_client", sa.Column("secret_version", sa.Integer(), nullable=False, server_default="1"))
    op.alter_column("api_client", "secret_version", server_default=None)
    op.execute(
        'UPDATE api_client SET scopes = scopes - \'api:read\' || \'["invoices:read", "events:read", "validate"]\' '
        "WHERE scopes @> '\"api:read\"'"
    )
    op.create_table(
        "api_client_grant",
        sa.Column("api_client_id", sa.Uuid(), nullable=False),
        sa.Column("granted_organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["api_client_id"], ["api_client.id"]),
        sa.ForeignKeyConstraint(["granted_organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("api_client_id", "granted_organisation_id"),
    )
    op.create_table(
        "api_client_agency",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("api_client_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id", "api_client_id"], ["api_client.organisation_id", "api_client.id"]),
        sa.ForeignKeyConstraint(["organisation_id", "agency_id"], ["agency.organisation_id", "agency.id"]),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("api_client_id", "agency_id"),
    )
    op.create_index(op.f("ix_api_client_agency_organisation_id"), "api_client_agency", ["organisation_id"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON api_client_agency TO {ROLE}")
    op.execute("ALTER TABLE api_client_agency ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_organisation ON api_client_agency "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
