"""Jobs that hold one connection and need a second never wait for each other."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from gateway.database import open_database, opening
from gateway.kernel.settings import load_settings

JOBS = 6
PATIENCE_SECONDS = 10


def test_as_many_jobs_as_a_worker_runs_may_each_hold_two_connections(database, organisation, monkeypatch):
    monkeypatch.setattr(opening, "database_url", lambda _settings: database.url)
    opened = open_database(load_settings(database_pool_size=1, worker_concurrency=JOBS))
    all_hold_one = Barrier(JOBS)

    def job(_number):
        with opened.transaction(organisation):
            all_hold_one.wait(PATIENCE_SECONDS)
            with opened.transaction(organisation):
                all_hold_one.wait(PATIENCE_SECONDS)

    try:
        with ThreadPoolExecutor(JOBS) as jobs:
            assert list(jobs.map(job, range(JOBS))) == [None] * JOBS
    finally:
        opened.close()
