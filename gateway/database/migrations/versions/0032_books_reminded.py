"""Reminders of what only the books know, how proceedings ended, and outcomes in both languages."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
INSTANT = sa.DateTime(timezone=True)
#: What came of them, told to people.
TOLD = ("collection_action", "reminder")


def upgrade() -> None:
    _remind_of_books()
    _end_proceedings()
    for table in TOLD:
        op.alter_column(table, "outcome", new_column_name="outcome_fr")
        op.add_column(table, sa.Column("outcome_en", sa.String(), nullable=True))
        op.execute(f"UPDATE {table} SET outcome_en = outcome_fr")


def _remind_of_books() -> None:
    op.drop_constraint("reminder_anchor_id_fkey", "reminder", type_="foreignkey")  # an invoice, or a line of the books
    for table in ("reminder_invoice", "reminder_exclusion"):
        op.add_column(table, sa.Column("entry_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(None, table, "accounting_entry", ["entry_id"], ["id"])
    op.alter_column("reminder_invoice", "invoice_id", nullable=True)
    op.create_check_constraint(
        "ck_reminder_invoice_one", "reminder_invoice", "(invoice_id IS NULL) <> (entry_id IS NULL)"
    )
    op.create_unique_constraint(None, "reminder_invoice", ["entry_id", "step"])
    op.create_check_constraint(
        "ck_reminder_exclusion_one", "reminder_exclusion", "invoice_id IS NULL OR entry_id IS NULL"
    )


def _end_proceedings() -> None:
    op.create_table(
        "claim_ending",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["act_id"], ["claim_act.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("act_id", "number"),
    )
    for column in ("organisation_id", "act_id"):
        op.create_index(op.f(f"ix_claim_ending_{column}"), "claim_ending", [column])
    op.execute(f"GRANT SELECT, INSERT ON claim_ending TO {ROLE}")
    op.execute("ALTER TABLE claim_ending ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_organisation ON claim_ending "
        f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
    )
    for name, moment, each in (("append_only", "UPDATE OR DELETE", "ROW"), ("never_emptied", "TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {moment} ON claim_ending "
            f"FOR EACH {each} EXECUTE FUNCTION gateway_refuse_change()"
        )
