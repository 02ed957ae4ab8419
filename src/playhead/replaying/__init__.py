"""Replaying: a tape fed back through handlers, or read as a stream."""
