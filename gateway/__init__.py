"""E-invoicing lifecycle gateway: from a French e-invoice to an alert, a collection action and cash."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("einvoicing-lifecycle-gateway")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0.0.0"
