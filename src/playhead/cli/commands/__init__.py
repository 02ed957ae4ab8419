"""Every command with its arguments, a module for each heading of the help."""
