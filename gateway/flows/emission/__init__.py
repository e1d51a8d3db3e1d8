"""The statuses we set ourselves: built, checked, recorded as our own events, handed over to the platform."""
