"""Promises and plans about what only the books know; an indemnity that was corrected may be claimed again."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(25, 6)
INSTANT = sa.DateTime(timezone=True)
#: The tables that say what an agreement is about, and what it is called there.
ABOUT = {"promise_invoice": "promise_id", "plan_invoice": "plan_id"}


def upgrade() -> None:
    for table, agreement in ABOUT.items():
        op.drop_constraint(f"{table}_pkey", table, type_="primary")
        op.create_primary_key(f"{table}_pkey", table, [agreement, "position"])
        op.alter_column(table, "invoice_id", nullable=True)
        op.create_unique_constraint(None, table, [agreement, "invoice_id"])
        op.add_column(table, sa.Column("entry_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(None, table, "accounting_entry", ["entry_id"], ["id"])
        op.create_unique_constraint(None, table, [agreement, "entry_id"])
        op.create_index(op.f(f"ix_{table}_entry_id"), table, ["entry_id"])
        op.create_check_constraint(f"ck_{table}_one", table, "(invoice_id IS NULL) <> (entry_id IS NULL)")
    op.add_column("accounting_entry", sa.Column("paid", MONEY, nullable=True))
    op.add_column("accounting_entry", sa.Column("paid_on", sa.Date(), nullable=True))
    for column in ("settled_at", "next_check_at"):
        op.add_column("accounting_entry", sa.Column(column, INSTANT, nullable=True))
    op.add_column("collection_action", sa.Column("customer_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(None, "collection_action", "customer", ["customer_id"], ["id"])
    _claim_again()


def _claim_again() -> None:
    op.add_column("penalty", sa.Column("instead_of", sa.Uuid(), nullable=True))
    op.create_foreign_key(None, "penalty", "penalty", ["instead_of"], ["id"])
    op.create_unique_constraint(None, "penalty", ["instead_of"])
    op.drop_index("uq_penalty_indemnity", "penalty")
    op.create_index(
        "uq_penalty_indemnity",
        "penalty",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'indemnity' AND instead_of IS NULL"),
    )
