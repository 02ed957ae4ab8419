"""Doors to real frameworks: one module each, and the only ones that import them.

Recording needs none of these: `tape.events(agent.run(...))` takes the events of any framework as they are. A replay
needs one where it shall hand out the framework's own objects: pass its `decode` to `Tape.events` or to `replay`.
"""
