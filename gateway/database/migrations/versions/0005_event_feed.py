"""The events of an organisation in the order recorded, found at any place of the feed without reading other houses'."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_event_feed", "lifecycle_event", ["organisation_id", "sequence"])
