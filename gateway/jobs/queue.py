"""Enqueue a job inside the caller's transaction: the job exists exactly when the rows it works on do."""

import json

from sqlalchemy import text
from sqlmodel import Session

from gateway.database.engine import organisation_of

_ENQUEUE = text("SELECT gateway_enqueue(:queue, :task, CAST(:args AS jsonb), NULL, :queueing_lock, :priority)")
QUEUE = "gateway"


def enqueue(session: Session, task: str, *, priority: int = 0) -> bool:
    """Ask for `task` to run for the session's organisation; False when one is waiting already.

    A job drains every row that is due, so one waiting job per task and organisation is enough. A job that starts
    in the instant between our check and our commit may miss our row: the clock's sweep finds it.
    """
    organisation_id = str(organisation_of(session))
    job = session.connection().execute(
        _ENQUEUE,
        {
            "queue": QUEUE,
            "task": task,
            "args": json.dumps({"organisation_id": organisation_id}),
            "queueing_lock": f"{task}:{organisation_id}",
            "priority": priority,
        },
    )
    return job.scalar_one() is not None
