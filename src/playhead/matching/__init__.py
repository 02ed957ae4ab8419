"""Matching: which recorded answer belongs to a question."""
