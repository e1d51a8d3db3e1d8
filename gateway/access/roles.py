"""Roles of people, scopes of programs, and what each may do: read by the pages and by the API."""

from enum import StrEnum

from gateway.kernel.text import Text


class Permission(StrEnum):
    """One thing that may be done. Seeing is narrowed further by the person's `Scope`."""

    READ = "read"
    HANDLE_ALERTS = "handle_alerts"
    WORK_ACTIONS = "work_actions"
    #: Customers' credit, terms and files; scenarios, waivers, write-offs, hand-overs.
    MANAGE_COLLECTION = "manage_collection"
    READ_TREASURY = "read_treasury"
    REPLAY_FLOWS = "replay_flows"
    MANAGE_ACCESS = "manage_access"


class Role(StrEnum):
    """What a person is in the organisation."""

    ADMINISTRATOR = "administrator"
    AR_MANAGER = "ar_manager"
    COLLECTOR = "collector"
    TREASURER = "treasurer"
    READER = "reader"

    @property
    def label(self) -> Text:
        """The role's name for people."""
        return _LABELS[self]

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything a person of this role may do."""
        return _PERMISSIONS[self]


_LABELS = {
    Role.ADMINISTRATOR: Text("Administrateur", "Administrator"),
    Role.AR_MANAGER: Text("Responsable recouvrement", "AR manager"),
    Role.COLLECTOR: Text("Chargé de recouvrement", "Collector"),
    Role.TREASURER: Text("Trésorier", "Treasurer"),
    Role.READER: Text("Lecteur", "Reader"),
}

_COLLECTING = frozenset({Permission.READ, Permission.HANDLE_ALERTS, Permission.WORK_ACTIONS})

_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.AR_MANAGER: _COLLECTING | {Permission.MANAGE_COLLECTION, Permission.READ_TREASURY, Permission.REPLAY_FLOWS},
    Role.COLLECTOR: _COLLECTING,
    Role.TREASURER: frozenset({Permission.READ, Permission.READ_TREASURY}),
    Role.READER: frozenset({Permission.READ}),
}


class ApiScope(StrEnum):
    """What a program may do with its token (OAuth2 scope). Each route of programs wants one of these."""

    FLOWS_WRITE = "flows:write"
    FLOWS_READ = "flows:read"
    DIRECTORY_READ = "directory:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    INVOICES_READ = "invoices:read"
    EVENTS_READ = "events:read"
    RECEIPTS_WRITE = "receipts:write"
    CUSTOMERS_WRITE = "customers:write"
    ACCOUNTING_WRITE = "accounting:write"
    COLLECTION_READ = "collection:read"
    COLLECTION_WRITE = "collection:write"
    VALIDATE = "validate"

    @property
    def label(self) -> Text:
        """What it opens, for people."""
        return _OPENS[self]

    @property
    def shows_everything(self) -> bool:
        """True when what it opens cannot be narrowed to agencies: a limited program may not hold it."""
        return self in _SHOWING_EVERYTHING


_OPENS = {
    ApiScope.FLOWS_WRITE: Text(
        "déposer des factures et des statuts, donner un statut", "submit invoices and statuses, give a status"
    ),
    ApiScope.FLOWS_READ: Text("chercher et télécharger les flux", "search and download flows"),
    ApiScope.DIRECTORY_READ: Text("interroger l’annuaire", "ask the directory"),
    ApiScope.WEBHOOKS_MANAGE: Text("créer, lister, supprimer des webhooks", "create, list, delete webhooks"),
    ApiScope.INVOICES_READ: Text("lire les factures et leur chronologie", "read invoices and their timelines"),
    ApiScope.EVENTS_READ: Text("suivre le fil des événements", "follow the feed of events"),
    ApiScope.RECEIPTS_WRITE: Text("enregistrer des encaissements", "record receipts of money"),
    ApiScope.CUSTOMERS_WRITE: Text("importer et modifier les clients", "import and change customers"),
    ApiScope.ACCOUNTING_WRITE: Text("reprendre les écritures de la comptabilité", "take the accounting entries"),
    ApiScope.COLLECTION_READ: Text(
        "lire les clients, les encours et le recouvrement", "read customers, receivables and collection"
    ),
    ApiScope.COLLECTION_WRITE: Text(
        "enregistrer promesses, litiges, relances et autres actes de recouvrement",
        "record promises, disputes, reminders and other acts of collection",
    ),
    ApiScope.VALIDATE: Text("valider un document", "validate a document"),
}
_SHOWING_EVERYTHING = frozenset(
    {
        ApiScope.FLOWS_READ,
        ApiScope.EVENTS_READ,
        ApiScope.WEBHOOKS_MANAGE,
        ApiScope.CUSTOMERS_WRITE,
        ApiScope.ACCOUNTING_WRITE,
    }
)
