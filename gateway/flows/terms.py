"""The words of XP Z12-013 (Flow Service 1.3.0) that the gateway stores and exchanges."""

from enum import StrEnum


class FlowSyntax(StrEnum):
    """Syntax of the file of a flow."""

    CII = "CII"
    UBL = "UBL"
    FACTUR_X = "Factur-X"
    CDAR = "CDAR"
    FRR = "FRR"


class FlowProfile(StrEnum):
    """Profile of the invoice in a flow."""

    BASIC = "Basic"
    CIUS = "CIUS"
    EXTENDED = "Extended-CTC-FR"
    UNDEFINED = "Undefined"


class ProcessingRule(StrEnum):
    """Under which part of the reform a flow falls."""

    B2B = "B2B"
    B2B_INT = "B2BInt"
    B2C = "B2C"
    B2G = "B2G"
    B2G_INT = "B2GInt"
    OUT_OF_SCOPE = "OutOfScope"
    B2G_OUT_OF_SCOPE = "B2GOutOfScope"
    ARCHIVE_ONLY = "ArchiveOnly"
    NOT_APPLICABLE = "NotApplicable"
    UNDEFINED = "Undefined"


class RuleSource(StrEnum):
    """Whether the sender declared the processing rule or we computed it."""

    INPUT = "Input"
    COMPUTED = "Computed"


class FlowType(StrEnum):
    """What a flow carries."""

    CUSTOMER_INVOICE = "CustomerInvoice"
    SUPPLIER_INVOICE = "SupplierInvoice"
    CUSTOMER_INVOICE_LC = "CustomerInvoiceLC"
    SUPPLIER_INVOICE_LC = "SupplierInvoiceLC"
    STATE_CUSTOMER_INVOICE_LC = "StateCustomerInvoiceLC"
    STATE_SUPPLIER_INVOICE_LC = "StateSupplierInvoiceLC"
    AGGREGATED_CUSTOMER_TRANSACTION_REPORT = "AggregatedCustomerTransactionReport"
    UNITARY_CUSTOMER_TRANSACTION_REPORT = "UnitaryCustomerTransactionReport"
    AGGREGATED_CUSTOMER_PAYMENT_REPORT = "AggregatedCustomerPaymentReport"
    UNITARY_CUSTOMER_PAYMENT_REPORT = "UnitaryCustomerPaymentReport"
    UNITARY_SUPPLIER_TRANSACTION_REPORT = "UnitarySupplierTransactionReport"
    MULTI_FLOW_REPORT = "MultiFlowReport"
    STATE_CUSTOMER_INVOICE = "StateCustomerInvoice"
    STATE_SUPPLIER_INVOICE = "StateSupplierInvoice"
    STATE_TRANSACTION_REPORT = "StateTransactionReport"
    STATE_TRANSACTION_REPORT_LC = "StateTransactionReportLC"
    STATE_PAYMENT_REPORT = "StatePaymentReport"
    STATE_PAYMENT_REPORT_LC = "StatePaymentReportLC"
    UNDEFINED = "Undefined"


class FlowDirection(StrEnum):
    """Seen from the client of a platform: Out leaves the client, In comes from the platform."""

    IN = "In"
    OUT = "Out"


class AckStatus(StrEnum):
    """Acknowledgement of a flow."""

    PENDING = "Pending"
    OK = "Ok"
    ERROR = "Error"


class DocType(StrEnum):
    """What a client wants of a flow."""

    METADATA = "Metadata"
    ORIGINAL = "Original"
    CONVERTED = "Converted"
    READABLE_VIEW = "ReadableView"
