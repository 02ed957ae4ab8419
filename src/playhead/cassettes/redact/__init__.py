"""Redaction: what is secret in recorded JSON, text, headers and streams never reaches a cassette."""

from playhead.cassettes.redact.patterns import DEFAULT_RULES, RULES
from playhead.cassettes.redact.redactor import Redactor
from playhead.cassettes.redact.streams import StreamRedactor

__all__ = ["DEFAULT_RULES", "RULES", "Redactor", "StreamRedactor"]
