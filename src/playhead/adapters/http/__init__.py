"""What transports of any HTTP library have in common, and how they are put behind a tap."""
