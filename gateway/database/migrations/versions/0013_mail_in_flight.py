"""A delivery that cannot be repeated is marked before it leaves."""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
