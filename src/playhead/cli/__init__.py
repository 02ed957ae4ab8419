"""The command line. Commands are thin: they parse, call the layers below, and print."""
