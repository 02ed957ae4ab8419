"""What the events of each dialect look like, as templates: the payloads that a span table does not say."""
