"""Penalties, insolvencies and what interrupts the limitation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
MONEY = sa.Numeric(25, 6)
INSTANT = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
#: Facts: read and added, never changed.
APPEND_ONLY = ("penalty_choice", "agreed_rate", "penalty", "penalty_waiver", "receipt_use", "order_thresholds")
CHANGEABLE = ("claim_start", "claim_act", "insolvency", "hand_over", "hand_over_invoice", "order_block")


def upgrade() -> None:
    _make_penalties()
    _make_claims()
    _make_hand_overs()
    _make_order_blocks()
    for table, columns in {
        "penalty_choice": ("organisation_id", "customer_id", "invoice_id"),
        "agreed_rate": ("organisation_id", "customer_id"),
        "penalty": ("organisation_id", "customer_id", "invoice_id"),
        "penalty_waiver": ("organisation_id", "penalty_id"),
        "receipt_use": ("organisation_id", "receipt_id", "purpose_id"),
        "claim_start": ("organisation_id",),
        "claim_act": ("organisation_id", "invoice_id"),
        "insolvency": ("organisation_id", "customer_id"),
        "hand_over": ("organisation_id", "customer_id"),
        "hand_over_invoice": ("organisation_id", "invoice_id"),
        "order_block": ("organisation_id", "customer_id"),
        "order_thresholds": ("organisation_id",),
    }.items():
        for column in columns:
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    for table in (*APPEND_ONLY, *CHANGEABLE):
        _open_to_requests(table)


def _make_penalties() -> None:
    _create(
        "penalty_choice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("treatment", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_penalty_choice", "penalty_choice", ["organisation_id", "decided_at", "id"])
    _create(
        "agreed_rate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("percent", MONEY, nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _create(
        "penalty",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("sheet", JSON, nullable=False),
        sa.Column("law", sa.String(), nullable=False),
        sa.Column("claimed_at", INSTANT, nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organisation_id", "invoice_id", "number"),
    )
    op.create_index(
        "uq_penalty_indemnity",
        "penalty",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'indemnity'"),
    )
    op.create_index("ix_penalty_claimed", "penalty", ["organisation_id", "claimed_at", "id"])
    _create(
        "penalty_waiver",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("penalty_id", sa.Uuid(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("waived_at", INSTANT, nullable=False),
        sa.Column("waived_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["penalty_id"], ["penalty.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    _create(
        "receipt_use",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("purpose_id", sa.Uuid(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("used_at", INSTANT, nullable=False),
        sa.Column("used_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def _make_claims() -> None:
    _create(
        "claim_start",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("warn_from", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("invoice_id"),
    )
    op.create_index("ix_claim_start_warn", "claim_start", ["organisation_id", "warn_from"])
    _create(
        "claim_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _create(
        "insolvency",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("judgment_on", sa.Date(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("court_agent", sa.String(), nullable=False),
        sa.Column("abroad", sa.Boolean(), nullable=False),
        sa.Column("declare_by", sa.Date(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("declared_on", sa.Date(), nullable=True),
        sa.Column("declared_amount", MONEY, nullable=True),
        sa.Column("declared_currency", sa.String(), nullable=True),
        sa.Column("declaration", sa.String(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_insolvency_open",
        "insolvency",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("ended_on IS NULL"),
    )
    op.create_index(
        "ix_insolvency_open",
        "insolvency",
        ["organisation_id"],
        postgresql_where=sa.text("ended_on IS NULL AND declared_on IS NULL"),
    )


def _make_hand_overs() -> None:
    _create(
        "hand_over",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("whole_customer", sa.Boolean(), nullable=False),
        sa.Column("handed_on", sa.Date(), nullable=False),
        sa.Column("handed_to", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_because", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_hand_over_open", "hand_over", ["organisation_id"], postgresql_where=sa.text("closed_on IS NULL")
    )
    _create(
        "hand_over_invoice",
        sa.Column("hand_over_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["hand_over_id"], ["hand_over.id"]),
        sa.PrimaryKeyConstraint("hand_over_id", "invoice_id"),
    )


def _make_order_blocks() -> None:
    _create(
        "order_block",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("blocked_at", INSTANT, nullable=False),
        sa.Column("blocked_by", sa.String(), nullable=False),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.Column("lifted_because", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_order_block", "order_block", ["customer_id"], unique=True, postgresql_where=sa.text("lifted_at IS NULL")
    )
    _create(
        "order_thresholds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("policy", JSON, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create(table: str, *columns: sa.schema.SchemaItem) -> None:
    """A table of an organisation, tied to the customers and invoices it names."""
    names = {column.name for column in columns if isinstance(column, sa.Column)}
    ties = {"customer_id": "customer.id", "invoice_id": "invoice.id"}
    op.create_table(
        table,
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        *(sa.ForeignKeyConstraint([name], [target]) for name, target in ties.items() if name in names),
    )


def _open_to_requests(table: str) -> None:
    rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
    op.execute(f"GRANT {rights} ON {table} TO {ROLE}")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_organisation ON {table} "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
    if table in APPEND_ONLY:
        for name, moment, each in (
            ("append_only", "UPDATE OR DELETE", "ROW"),
            ("never_emptied", "TRUNCATE", "STATEMENT"),
        ):
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {moment} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION gateway_refuse_change()"
            )
