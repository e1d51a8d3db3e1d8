"""Facts told to programs beside the statuses of invoices, in one feed with them; e-reporting transmissions.

A subscription that named every event by its namespace gets what it got before: every status.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
SEQUENCE = "lifecycle_event_sequence_seq"
JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def upgrade() -> None:
    op.create_table(
        "announcement",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), server_default=sa.text(f"nextval('{SEQUENCE}')"), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sequence"),
    )
    op.create_index("ix_announcement_organisation_id", "announcement", ["organisation_id"])
    op.create_index("ix_announcement_feed", "announcement", ["organisation_id", "sequence"])
    op.create_table(
        "e_report",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("period_from", sa.String(), nullable=False),
        sa.Column("period_to", sa.String(), nullable=False),
        sa.Column("flow_id", sa.Uuid(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organisation_id", "number"),
        sa.UniqueConstraint("organisation_id", "flow_id"),
    )
    op.create_index("ix_e_report_organisation_id", "e_report", ["organisation_id"])
    op.create_index("ix_e_report_listed", "e_report", ["organisation_id", "registered_at", "id"])
    op.create_table(
        "e_report_status",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issuer_name", sa.String(), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=True),
        sa.Column("flow_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organisation_id", "fingerprint"),
    )
    op.create_index("ix_e_report_status_organisation_id", "e_report_status", ["organisation_id"])
    op.create_index("ix_e_report_status_number", "e_report_status", ["organisation_id", "number", "status_at"])
    op.execute(f"GRANT USAGE ON SEQUENCE {SEQUENCE} TO {ROLE}")
    for table in ("announcement", "e_report", "e_report_status"):
        _append_only(table)
    op.execute(
        """
        UPDATE webhook SET wanted = '{"event_types": []}'
        WHERE kind = 'event' AND wanted -> 'event_types' ? 'einvoicing'
        """
    )


def _append_only(table: str) -> None:
    """Rows of one organisation, read and added, never changed (the function is of revision 0003)."""
    op.execute(f"GRANT SELECT, INSERT ON {table} TO {ROLE}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_organisation ON {table} "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
    for name, event, each in (("append_only", "UPDATE OR DELETE", "ROW"), ("never_emptied", "TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION gateway_refuse_change()"
        )
