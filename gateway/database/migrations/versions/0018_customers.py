"""Customers, their contacts, covers and notes; whose each invoice is, and whose money was received."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ROLE = "gateway_app"
CURRENT = "nullif(current_setting('gateway.organisation', true), '')::uuid"
MONEY = sa.Numeric(25, 6)
INSTANT = sa.DateTime(timezone=True)
CHANGEABLE = ("customer", "customer_contact", "customer_cover", "customer_invoice")

#: The invoices of before: their buyers become accounts, by SIREN or else by name, and each invoice goes to its own.
BUYERS = """
CREATE TEMPORARY TABLE buyer ON COMMIT DROP AS
SELECT organisation_id, coalesce(buyer_siren, '') AS siren, buyer_name AS name, ''::varchar AS key,
    min(received_at) AS since, max(received_at) AS latest
FROM invoice WHERE direction = 'receivable' GROUP BY 1, 2, 3
"""
MAKE = """
INSERT INTO customer (organisation_id, id, key, name, siren, language, credit_currency, is_key_account, is_public,
    is_consumer, origin, created_at, updated_at)
SELECT DISTINCT ON (organisation_id, key) organisation_id, gen_random_uuid(), key,
    coalesce(nullif(btrim(regexp_replace(name, '\\s+', ' ', 'g')), ''), '?'), nullif(siren, ''), 'fr', 'EUR',
    false, false, false, 'invoice', since, since
FROM buyer ORDER BY organisation_id, key, latest DESC
"""
LINK = """
INSERT INTO customer_invoice (organisation_id, invoice_id, customer_id)
SELECT invoice.organisation_id, invoice.id, customer.id
FROM invoice
JOIN buyer ON buyer.organisation_id = invoice.organisation_id AND buyer.siren = coalesce(invoice.buyer_siren, '')
    AND buyer.name = invoice.buyer_name
JOIN customer ON customer.organisation_id = buyer.organisation_id AND customer.key = buyer.key
WHERE invoice.direction = 'receivable'
"""


def upgrade() -> None:
    _make_customers()
    _make_what_is_known_of_them()
    op.create_table(
        "customer_invoice",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_siret", sa.String(length=14), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("invoice_id"),
    )
    op.add_column("receipt", sa.Column("customer_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(None, "receipt", "customer", ["customer_id"], ["id"])
    for table, columns in {
        "customer": ("organisation_id",),
        "customer_contact": ("organisation_id", "customer_id"),
        "customer_cover": ("organisation_id", "customer_id"),
        "customer_note": ("organisation_id",),
        "customer_invoice": ("organisation_id", "customer_id"),
        "receipt": ("customer_id",),
    }.items():
        for column in columns:
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index(
        "ix_invoice_open",
        "invoice",
        ["organisation_id", "id"],
        postgresql_where=sa.text("remaining <> 0 OR is_closed AND collected <> 0"),
    )
    _open_to_requests()
    _follow_known_invoices()


def _make_customers() -> None:
    op.create_table(
        "customer",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=True),
        sa.Column("siret", sa.String(length=14), nullable=True),
        sa.Column("vat_number", sa.String(), nullable=True),
        sa.Column("group_name", sa.String(), nullable=True),
        sa.Column("segment", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("payment_terms", sa.String(), nullable=True),
        sa.Column("credit_limit", MONEY, nullable=True),
        sa.Column("credit_currency", sa.String(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=True),
        sa.Column("is_key_account", sa.Boolean(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("is_consumer", sa.Boolean(), nullable=False),
        sa.Column("insolvent_since", sa.Date(), nullable=True),
        sa.Column("directory_state", sa.String(), nullable=True),
        sa.Column("directory_checked_at", INSTANT, nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["organisation_id", "collector_id"], ["app_user.organisation_id", "app_user.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organisation_id", "key"),
    )
    op.create_index("ix_customer_name", "customer", ["organisation_id", "name", "id"])
    op.create_index("ix_customer_siren", "customer", ["organisation_id", "siren"])


def _make_what_is_known_of_them() -> None:
    op.create_table(
        "customer_contact",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("postal", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "customer_cover",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("insurer", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("customer_id", "insurer", "reference", "valid_from"),
    )
    op.create_table(
        "customer_note",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("author_name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_customer_note", "customer_note", ["customer_id", "at"])


def _open_to_requests() -> None:
    for table in (*CHANGEABLE, "customer_note"):
        rights = "SELECT, INSERT, UPDATE, DELETE" if table in CHANGEABLE else "SELECT, INSERT"
        op.execute(f"GRANT {rights} ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_organisation ON {table} "
            f"USING (organisation_id = {CURRENT}) WITH CHECK (organisation_id = {CURRENT})"
        )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON customer_note "
        "FOR EACH ROW EXECUTE FUNCTION gateway_refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON customer_note "
        "FOR EACH STATEMENT EXECUTE FUNCTION gateway_refuse_change()"
    )


def _follow_known_invoices() -> None:
    bind = op.get_bind()
    op.execute(BUYERS)
    names = bind.execute(sa.text("SELECT DISTINCT name FROM buyer WHERE siren = ''")).scalars().all()
    op.execute("UPDATE buyer SET key = 'siren:' || siren WHERE siren <> ''")
    if names:
        keyed = [{"named": name, "key": f"name:{' '.join(name.casefold().split())}"} for name in names]
        bind.execute(sa.text("UPDATE buyer SET key = :key WHERE siren = '' AND name = :named"), keyed)
    op.execute(MAKE)
    op.execute(LINK)
