"""Models: what answers in place of an LLM."""
