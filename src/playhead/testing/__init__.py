"""What tests say of streams: assertions whose failures can be read."""

from playhead.testing.assertions import assert_contracts, assert_same_run

__all__ = ["assert_contracts", "assert_same_run"]
