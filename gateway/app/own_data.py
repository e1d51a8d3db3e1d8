"""The data files that an installation lays over the shipped ones."""

from gateway.alerts.deadline_policy import use_deadlines_file
from gateway.flows.platforms.profile import use_platforms_file
from gateway.kernel.settings import Settings


def use_own_data(settings: Settings) -> None:
    """From now on in this process the installation's own platforms and deadlines count. Raises OwnDataError."""
    use_platforms_file(settings.platforms_file)
    use_deadlines_file(settings.deadlines_file)
