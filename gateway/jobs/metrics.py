"""Prometheus counters of the jobs and the outbox."""

from prometheus_client import Counter, Histogram

JOBS = Counter("gateway_jobs_total", "Jobs run, by task and outcome.", ["task", "outcome"])
JOB_SECONDS = Histogram("gateway_job_seconds", "Duration of jobs, by task.", ["task"])
DELIVERIES = Counter("gateway_deliveries_total", "Outbox deliveries, by kind and outcome.", ["kind", "outcome"])
