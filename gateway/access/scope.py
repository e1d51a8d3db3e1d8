"""What part of the organisation's invoices a person sees: everything, or some agencies and key accounts. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, or_, true
from sqlalchemy.orm import InstrumentedAttribute
from sqlmodel import col


@dataclass(frozen=True, slots=True)
class Scope:
    """The limits of a person's view inside the organisation; the database itself keeps organisations apart.

    Attributes:
        agencies: agencies whose invoices the person sees; None: no limit at all.
        key_accounts: SIREN of customers that the person sees besides, whatever the agency.
    """

    agencies: frozenset[UUID] | None
    key_accounts: frozenset[str]

    @classmethod
    def everything(cls) -> "Scope":
        """No limit."""
        return cls(None, frozenset())

    @classmethod
    def limited_to(cls, agencies: Iterable[UUID], key_accounts: Iterable[str]) -> "Scope":
        """These agencies and key accounts together; with none of either, everything."""
        some_agencies, some_accounts = frozenset(agencies), frozenset(key_accounts)
        return cls(some_agencies, some_accounts) if some_agencies or some_accounts else cls.everything()

    @property
    def is_everything(self) -> bool:
        """True when nothing is hidden."""
        return self.agencies is None

    def allows(self, agency_id: UUID | None, customer_siren: str | None) -> bool:
        """True when a matter of that agency and customer may be seen. A matter without agency is the manager's."""
        return self.agencies is None or agency_id in self.agencies or customer_siren in self.key_accounts

    def condition(self, agency_id: UUID | None, customer_siren: str | None) -> ColumnElement[bool]:
        """`allows` as SQL, on the two columns of a table: `scope.condition(Alert.agency_id, Alert.customer_siren)`."""
        if self.agencies is None:
            return true()
        return or_(_column(agency_id).in_(self.agencies), _column(customer_siren).in_(self.key_accounts))


def _column(attribute: object) -> InstrumentedAttribute[object]:
    return col(attribute)  # type: ignore[return-value]
