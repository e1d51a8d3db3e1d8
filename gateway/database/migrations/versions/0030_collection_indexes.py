"""Indexes that collection reads everything open from."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

OPEN_FACTS = [
    "direction",
    "agency_id",
    "seller_siren",
    "buyer_siren",
    "currency",
    "number",
    "type_code",
    "is_closed",
    "issue_date",
    "due_date",
    "amount_due",
    "collected",
    "remaining",
]


def upgrade() -> None:
    op.drop_index("ix_invoice_open", "invoice")
    op.create_index(
        "ix_invoice_open",
        "invoice",
        ["organisation_id", "id"],
        postgresql_where=sa.text("remaining <> 0 OR is_closed AND collected <> 0"),
        postgresql_include=OPEN_FACTS,
    )
    op.create_index(
        "ix_invoice_issues",
        "invoice",
        ["organisation_id", "id"],
        postgresql_where=sa.text("jsonb_array_length(state -> 'issues') > 0"),
    )
