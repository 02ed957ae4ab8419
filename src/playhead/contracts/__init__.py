"""Contracts: the rules that a stream keeps, checked online."""
