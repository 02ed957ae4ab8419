"""Fuzzing: stream handlers and agents are driven until a promise breaks, and what broke it is made small."""
