"""The wire formats of the providers: requests as values, and steps as bytes."""
