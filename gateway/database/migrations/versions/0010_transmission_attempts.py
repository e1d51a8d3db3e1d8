"""The attempts at handing an invoice over, told as a line of their own."""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
