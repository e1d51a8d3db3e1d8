"""Platforms of an organisation, routing, and the circuit breaker of each."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
