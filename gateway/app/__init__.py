"""Assembly: settings, database, jobs, clock, logs and routes become one running service."""
