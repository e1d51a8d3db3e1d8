"""Invoices are found by the names of their parties and by their due date."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_invoice_buyer", "invoice", ["organisation_id", "buyer_name"])
    op.create_index("ix_invoice_seller", "invoice", ["organisation_id", "seller_name"])
    op.create_index("ix_invoice_due", "invoice", ["organisation_id", "due_date"])
