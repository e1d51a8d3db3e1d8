"""The job engine's own tables, and the one door through which requests enqueue a job.

Requests run under a role that owns nothing and reads no job; `gateway_enqueue` runs as its owner. A job whose
queueing lock is already waiting is not doubled: the function then returns null.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ENQUEUE = """
CREATE FUNCTION gateway_enqueue(queue text, task text, args jsonb, lock text, queueing_lock text, priority integer)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[
        ROW(queue, task, priority, lock, queueing_lock, args, NULL::timestamptz)::procrastinate_job_to_defer_v1
    ])));
EXCEPTION WHEN unique_violation THEN
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    # The schema as the locked version of the engine ships it; its later releases bring their own revisions.
    cursor = op.get_bind().connection.cursor()
    cursor.execute(SchemaManager.get_schema())
    cursor.close()
    op.execute(ENQUEUE)
