"""Streams that are valid by construction: walks over the span table of each dialect, with a number for each step."""
