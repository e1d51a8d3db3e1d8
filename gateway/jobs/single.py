"""A task of which one process runs one at a time for an organisation."""

from collections.abc import Callable
from threading import Lock
from uuid import UUID


class OneAtATime:
    """Runs `task` for an organisation; asked for it again meanwhile, it returns at once and the run is repeated.

    Threads of one process compute one at a time anyhow: two that drain the rows of one organisation only hold each
    other up while one of them has what the organisation's other writers wait for. Other processes are not held up.
    """

    def __init__(self, task: Callable[[UUID], object]) -> None:
        self._task = task
        self._guard = Lock()
        self._asked: dict[UUID, bool] = {}

    def __call__(self, organisation_id: UUID) -> None:
        """Run, and again for as long as it was asked for meanwhile."""
        with self._guard:
            is_running = organisation_id in self._asked
            self._asked[organisation_id] = True
        if is_running:
            return
        try:
            while self._begins(organisation_id):
                self._task(organisation_id)
        except BaseException:
            with self._guard:
                self._asked.pop(organisation_id, None)
            raise

    def _begins(self, organisation_id: UUID) -> bool:
        with self._guard:
            asked = self._asked[organisation_id]
            if asked:
                self._asked[organisation_id] = False
            else:
                del self._asked[organisation_id]
            return asked
