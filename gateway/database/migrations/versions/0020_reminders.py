"""Scenarios of reminders, what was sent, and exclusions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
MONEY = sa.Numeric(25, 6)
INSTANT = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())

COLUMNS: dict[str, list[sa.schema.SchemaItem]] = {
    "reminder": [
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("scenario", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("title_fr", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("anchor_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("tone", sa.Integer(), nullable=False),
        sa.Column("is_thanks", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("contact", JSON, nullable=True),
        sa.Column("credits", JSON, nullable=False),
        sa.Column("unallocated", MONEY, nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("documents", JSON, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.ForeignKeyConstraint(["anchor_id"], ["invoice.id"]),
    ],
    "reminder_invoice": [
        sa.Column("reminder_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("seller_siren", sa.String(length=9), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.Column("remaining", MONEY, nullable=False),
        sa.Column("claimed", MONEY, nullable=False),
        sa.Column("is_instalment", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["reminder_id"], ["reminder.id"]),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
        sa.UniqueConstraint("invoice_id", "step"),
    ],
    "reminder_exclusion": [
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
    ],
    "scenario_book": [
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sa.Column("stored_by", sa.String(), nullable=False),
    ],
}
#: A book of scenarios is replaced by a later one, never changed.
APPEND_ONLY = ("scenario_book",)


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        op.create_table(
            table,
            sa.Column("organisation_id", sa.Uuid(), nullable=False),
            sa.Column("id", sa.Uuid(), nullable=False),
            *columns,
            sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
            sa.PrimaryKeyConstraint("id"),
        )
        op.create_index(op.f(f"ix_{table}_organisation_id"), table, ["organisation_id"])
        _open_to_requests(table)
    op.create_index(
        "uq_reminder_step",
        "reminder",
        ["organisation_id", "customer_id", "currency", "step", "anchor_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_index("ix_reminder_state", "reminder", ["organisation_id", "state", "decided_at", "id"])
    op.create_index(op.f("ix_reminder_customer_id"), "reminder", ["customer_id"])
    op.create_index(op.f("ix_reminder_invoice_reminder_id"), "reminder_invoice", ["reminder_id"])
    op.create_index(
        "ix_exclusion_customer",
        "reminder_exclusion",
        ["organisation_id", "customer_id"],
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index("ix_scenario_book", "scenario_book", ["organisation_id", "valid_from", "stored_at"])


def _open_to_requests(table: str) -> None:
    """Rows of one organisation; nothing is deleted (the function is of revision 0003)."""
    rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE"
    op.execute(f"GRANT {rights} ON {table} TO {ROLE}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_organisation ON {table} "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
    if table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gateway_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gateway_refuse_change()"
        )
