"""The job engine, the clock that wakes it, and the outbox through which everything leaves."""
