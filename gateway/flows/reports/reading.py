"""What an e-reporting transmission (Flux 10) is: its number, who declares, what it reports. Pure."""

from dataclasses import dataclass

from lxml import etree

from gateway.flows.terms import FlowType, ProcessingRule

_SIREN_SCHEME = "0002"
#: Role of a declaring company that reports its purchases (TT-15); sellers bear SE.
_BUYER = "BY"


@dataclass(frozen=True, slots=True)
class TransmissionReport:
    """An e-reporting transmission.

    Attributes:
        number: TT-1, its identifier.
        kind: TT-4: IN for an initial transmission, RE for one that replaces it.
        issuer_siren: TT-13, the company that declares; empty when it names no SIREN.
        period: first and last day, as written (TT-17, TT-18; TT-89, TT-90).
        flow_type, processing_rule: in the words of XP Z12-013.
    """

    number: str
    kind: str
    issuer_siren: str
    period: tuple[str, str]
    flow_type: FlowType
    processing_rule: ProcessingRule


def report_of(tree: etree._ElementTree) -> TransmissionReport:
    """The transmission that a valid document is."""
    root = tree.getroot()
    issuer = "ReportDocument/Issuer"
    siren = f"{issuer}/Id[@schemeId='{_SIREN_SCHEME}']"
    flow_types = _flow_types(root, buys=_text(root, f"{issuer}/RoleCode") == _BUYER)
    return TransmissionReport(
        number=_text(root, "ReportDocument/Id"),
        kind=_text(root, "ReportDocument/TypeCode"),
        issuer_siren=_text(root, siren),
        period=(_text(root, "*/ReportPeriod/StartDate"), _text(root, "*/ReportPeriod/EndDate")),
        flow_type=flow_types[0] if len(flow_types) == 1 else FlowType.MULTI_FLOW_REPORT,
        processing_rule=_rule(root, flow_types),
    )


def _flow_types(root: etree._Element, *, buys: bool) -> list[FlowType]:
    """The kinds of data it holds: 10.1, 10.3 (transactions), 10.2, 10.4 (payments); unitary ones name invoices."""
    unitary = FlowType.UNITARY_SUPPLIER_TRANSACTION_REPORT if buys else FlowType.UNITARY_CUSTOMER_TRANSACTION_REPORT
    held = {
        unitary: "TransactionsReport/Invoice",
        FlowType.AGGREGATED_CUSTOMER_TRANSACTION_REPORT: "TransactionsReport/Transactions",
        FlowType.UNITARY_CUSTOMER_PAYMENT_REPORT: "PaymentsReport/Invoice",
        FlowType.AGGREGATED_CUSTOMER_PAYMENT_REPORT: "PaymentsReport/Transactions",
    }
    return [flow_type for flow_type, path in held.items() if root.find(path) is not None]


def _rule(root: etree._Element, flow_types: list[FlowType]) -> ProcessingRule:
    """Totals are of sales to consumers; an invoice whose two parties are companies is international business.

    Payments of invoices do not tell whose they were, and a transmission may hold both.
    """
    aggregated = {FlowType.AGGREGATED_CUSTOMER_TRANSACTION_REPORT, FlowType.AGGREGATED_CUSTOMER_PAYMENT_REPORT}
    if flow_types and aggregated.issuperset(flow_types):
        return ProcessingRule.B2C
    invoices = root.findall("TransactionsReport/Invoice")
    between_companies = {
        invoice.find("Buyer/CompanyId") is not None or invoice.find("Buyer/TaxRegistrationId") is not None
        for invoice in invoices
    }
    if len(flow_types) != 1 or len(between_companies) != 1:
        return ProcessingRule.NOT_APPLICABLE
    return ProcessingRule.B2B_INT if between_companies.pop() else ProcessingRule.B2C


def _text(root: etree._Element, path: str) -> str:
    return (root.findtext(path) or "").strip()
