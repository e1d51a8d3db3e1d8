"""Write-offs of what is open, receivables that only the books know, files that wait to be confirmed, and imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
MONEY = sa.Numeric(25, 6)
INSTANT = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
#: Facts: read and added, never changed.
APPEND_ONLY = ("write_off", "accounting_import")


def upgrade() -> None:
    op.add_column("accounting_entry", sa.Column("due_date", sa.Date(), nullable=True))
    op.create_index("ix_accounting_entry_piece", "accounting_entry", ["organisation_id", "piece"])
    op.create_index(
        "ix_accounting_entry_opening",
        "accounting_entry",
        ["organisation_id", "account"],
        postgresql_where=sa.text("outcome = 'opening'"),
    )
    op.create_table(
        "write_off",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("written_off_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
        sa.ForeignKeyConstraint(["reverses_id"], ["write_off.id"]),
        sa.ForeignKeyConstraint(["entry_id"], ["accounting_entry.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reverses_id"),
    )
    op.create_table(
        "accounting_import",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("refused", JSON, nullable=False),
        sa.Column("imported_at", INSTANT, nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_accounting_import_latest", "accounting_import", ["organisation_id", "imported_at", "id"])
    op.create_table(
        "tried_file",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("tried_at", INSTANT, nullable=False),
        sa.Column("tried_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for table, columns in {
        "write_off": ("organisation_id", "invoice_id", "entry_id"),
        "accounting_import": ("organisation_id",),
        "tried_file": ("organisation_id",),
    }.items():
        for column in columns:
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_organisation ON {table} "
            f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
        )
    op.execute(f"GRANT SELECT, INSERT, DELETE ON tried_file TO {ROLE}")
    for table in APPEND_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {ROLE}")
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gateway_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gateway_refuse_change()"
        )
