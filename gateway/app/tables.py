"""Every table of the gateway, imported in one place so that metadata is complete."""

from importlib import import_module

from sqlmodel import SQLModel

ROOMS_WITH_TABLES = (
    "access", "alerts", "collection", "collection.agreements", "collection.law", "collection.messages",
    "collection.worklist", "customers", "flows", "flows.directory", "flows.hearing", "flows.platforms",
    "flows.reports", "flows.webhooks", "jobs", "ledger", "lifecycle", "notifications", "treasury",
    "treasury.accounting",
)  # fmt: skip

for _room in ROOMS_WITH_TABLES:
    import_module(f"gateway.{_room}.model")

METADATA = SQLModel.metadata
