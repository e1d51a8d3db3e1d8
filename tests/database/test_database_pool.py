"""Jobs that hold one connection and need a second never wait for each other; a dead connection is not handed out."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
from sqlalchemy import text

from gateway.database import engine, open_database, opening
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


def test_a_connection_that_rested_while_its_server_dropped_it_is_replaced_unseen(database, organisation, monkeypatch):
    with database.transaction(organisation) as session:
        rested = session.connection().execute(text("SELECT pg_backend_pid()")).scalar_one()
    with psycopg.connect(database.conninfo) as operator:
        operator.execute("SELECT pg_terminate_backend(%s, 5000)", [rested])
    monkeypatch.setattr(engine, "_REST_SECONDS", 0.0)
    with database.transaction(organisation) as session:
        assert session.connection().execute(text("SELECT pg_backend_pid()")).scalar_one() != rested
