"""Promises, disputes and instalment plans."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
MONEY = sa.Numeric(25, 6)
INSTANT = sa.DateTime(timezone=True)

COLUMNS: dict[str, list[sa.schema.SchemaItem]] = {
    "promise": [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("grace_until", sa.Date(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("awaited", MONEY, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
    ],
    "promise_invoice": [
        sa.Column("promise_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["promise_id"], ["promise.id"]),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
        sa.PrimaryKeyConstraint("promise_id", "invoice_id"),
    ],
    "dispute": [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("amount", MONEY, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
        sa.ForeignKeyConstraint(["organisation_id", "owner_id"], ["app_user.organisation_id", "app_user.id"]),
        sa.PrimaryKeyConstraint("id"),
    ],
    "plan": [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total", MONEY, nullable=False),
        sa.Column("suspends_penalties", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
    ],
    "plan_invoice": [
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"]),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
        sa.PrimaryKeyConstraint("plan_id", "invoice_id"),
    ],
    "plan_instalment": [
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("grace_until", sa.Date(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("paid", MONEY, nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"]),
        sa.PrimaryKeyConstraint("plan_id", "position"),
    ],
    "agreement_line": [
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("agreement_id", "number"),
    ],
}
INDEXED = {
    "promise": ("customer_id",),
    "promise_invoice": ("invoice_id",),
    "dispute": ("invoice_id",),
    "plan": ("customer_id",),
    "plan_invoice": ("invoice_id",),
}
#: What was agreed on stays as it was: only its state changes.
CHANGEABLE = ("promise", "dispute", "plan", "plan_instalment")


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        op.create_table(
            table,
            sa.Column("organisation_id", sa.Uuid(), nullable=False),
            *columns,
            sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        )
        for column in ("organisation_id", *INDEXED.get(table, ())):
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
        _open_to_requests(table)
    op.create_index("ix_promise_due", "promise", ["organisation_id", "due_on", "id"])
    _partial_index("ix_promise_open", "promise", ["grace_until"], "state = 'open'")
    _partial_index("ix_dispute_open", "dispute", ["deadline", "id"], "closed_on IS NULL")
    _partial_index("ix_plan_instalment_late", "plan_instalment", ["grace_until"], "paid < amount")
    # What buyers contest already becomes a dispute at the next review.
    for code in ("206", "207", "210"):
        op.execute(
            "UPDATE invoice SET next_check_at = now() WHERE direction = 'receivable' "
            f"""AND state -> 'issues' @> '[{{"code": "{code}"}}]'::jsonb"""
        )


def _partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    op.create_index(name, table, ["organisation_id", *columns], postgresql_where=sa.text(condition))


def _open_to_requests(table: str) -> None:
    """Rows of one organisation; facts are read and added, never changed (the function is of revision 0003)."""
    rights = "SELECT, INSERT, UPDATE" if table in CHANGEABLE else "SELECT, INSERT"
    op.execute(f"GRANT {rights} ON {table} TO {ROLE}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_organisation ON {table} "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
    if table not in CHANGEABLE:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gateway_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gateway_refuse_change()"
        )
