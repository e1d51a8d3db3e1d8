"""Webhooks: who wants to be called about flows (XP Z12-013) or events (CloudEvents), and the calls, one at a time."""
