"""Flows are found by what they are, however rare, and the simulated platform acknowledges later and calls again."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

#: In the words of a search: flowType/processingRule/flowDirection/ackStatus.
KIND = (
    "coalesce(nullif(flow_type, ''), 'Undefined') || '/' || coalesce(processing_rule, 'Undefined') || '/' || "
    "CASE WHEN source LIKE 'platform:%' THEN 'In' ELSE 'Out' END || '/' || ack_status"
)


def upgrade() -> None:
    op.add_column("flow", sa.Column("kind", sa.String(), sa.Computed(KIND, persisted=True), nullable=False))
    op.create_index("ix_flow_kind", "flow", ["organisation_id", "kind", "updated_at", "id"])
    op.create_index(
        "ix_flow_quarantined",
        "flow",
        ["organisation_id", "next_attempt_at"],
        postgresql_where=sa.text("state = 'quarantined'"),
    )
    # The same rule in another order: a search by tracking id names no source.
    op.create_unique_constraint("uq_flow_tracking_id", "flow", ["organisation_id", "tracking_id", "source"])
    op.drop_constraint("flow_organisation_id_source_tracking_id_key", "flow", type_="unique")

    for name in ("submitted_at", "acknowledged_at", "call_at"):
        op.add_column("simulated_flow", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE simulated_flow SET submitted_at = visible_at, "
        "call_at = CASE WHEN notified_at IS NULL THEN visible_at END"
    )
    op.alter_column("simulated_flow", "submitted_at", nullable=False)
    op.drop_index("ix_simulated_flow_news", "simulated_flow")
    op.drop_column("simulated_flow", "notified_at")
    op.create_index(
        "ix_simulated_flow_news",
        "simulated_flow",
        ["organisation_id", "call_at"],
        postgresql_where=sa.text("call_at IS NOT NULL"),
    )
    op.create_index(
        "ix_simulated_flow_pending",
        "simulated_flow",
        ["organisation_id", "acknowledged_at"],
        postgresql_where=sa.text("visible_at < acknowledged_at"),
    )
