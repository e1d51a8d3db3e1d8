"""CDAR, the lifecycle message (UN/CEFACT D22B): one model, read from bytes, written to bytes, built from a decision."""
