"""The gate of what leaves: a message that our own validation does not let pass is neither written nor sent."""

from datetime import date

from gateway.flows.errors import MessageNotSendableError
from gateway.kernel.settings import Settings
from gateway.kernel.text import Text
from gateway.validation.options import ValidationOptions
from gateway.validation.report import Report, SendingPolicy, Severity
from gateway.validation.service import validate


def require_sendable(
    data: bytes, settings: Settings, *, on: date, options: ValidationOptions, name: str = ""
) -> Report:
    """The report on a document that may leave: every layer that the settings require has run, and none has failed.

    Raises MessageNotSendableError with what the rules say, or with the layers that did not run.
    """
    report = validate(data, path=name, on=on, options=options)
    blocking = report.blocking_layers(SendingPolicy(settings.validation_required_layers))
    if blocking:
        fatal = [each for each in report.findings if each.severity is Severity.FATAL]
        problems = [
            Text(
                f"{each.rule} : {each.explanation or each.message}",
                f"{each.rule}: {each.explanation_en or each.message}",
            )
            for each in fatal
        ]
        raise MessageNotSendableError(name, blocking, problems)
    return report
