"""The append-only, hash-chained record of each organisation, and its content-addressed documents."""
