"""E-invoicing lifecycle gateway: from a French e-invoice to an alert, a collection action and cash."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`__version__`, looked up only when asked for: reading the metadata of packages takes longer than a validation."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("einvoicing-lifecycle-gateway")
    except PackageNotFoundError:  # running from a source tree that was never installed
        return "0.0.0"
