"""The process of an invoice (BT-23), on which VAT on receipts depends; one home for what an invoice refers to.

The process of invoices registered before is unknown: it is in their files alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoice", sa.Column("process", sa.String(), nullable=True))
    op.drop_column("invoice", "preceding")  # the rows of preceding_reference say the same
