"""The rules of the house, as functions from sources to findings. None of them reads a file or runs anything."""
