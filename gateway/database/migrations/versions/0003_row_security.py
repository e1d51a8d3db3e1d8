"""Row-level security, the role that requests run under, and the tables nobody may change.

Every table with an organisation_id shows a request only the rows of the organisation it was opened for.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"

CHANGEABLE = (
    "access_token", "agency", "alert", "api_client", "app_user", "collection_action", "flow", "invoice",
    "ledger_head", "notification", "outbox_message", "platform_cursor", "simulated_flow", "user_agency",
    "user_key_account", "user_session",
)  # fmt: skip
APPEND_ONLY = ("document", "ledger_entry", "lifecycle_event")

REFUSE_CHANGE = """
CREATE FUNCTION gateway_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$
"""


def upgrade() -> None:
    bind = op.get_bind()
    if not bind.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": ROLE}).scalar():
        op.execute(f"CREATE ROLE {ROLE} NOLOGIN")
    op.execute(f"GRANT {ROLE} TO CURRENT_USER")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE}")

    op.execute("REVOKE ALL ON FUNCTION gateway_enqueue FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION gateway_enqueue TO {ROLE}")

    op.execute(f"GRANT SELECT ON organisation TO {ROLE}")
    op.execute("ALTER TABLE organisation ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_organisation ON organisation USING (id = {CURRENT})")
    for table in CHANGEABLE:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {ROLE}")
        _scope(table)
    op.execute(REFUSE_CHANGE)
    for table in APPEND_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {ROLE}")
        _scope(table)
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gateway_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gateway_refuse_change()"
        )


def _scope(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_organisation ON {table} "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
