"""Cassettes: the format, names, redaction and the stores."""
