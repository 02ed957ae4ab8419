"""A model over HTTP, in the wire formats of the providers."""
