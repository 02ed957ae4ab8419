"""What is exempt from a rule, and why. Tests find those exemptions that are not needed any more."""

MODULES: dict[str, str] = {
    "src/playhead/events/locus.py": "a table in the form of classes: one for each type of event",
}
"""Modules that may be longer, by path."""

FUNCTIONS: dict[str, str] = {}
"""Functions that may be longer, by path and name: `src/playhead/x.py::name`."""

HIDDEN_IMPORTS: dict[str, str] = {
    "src/playhead/clocks/running.py": "chooses a backend by name: trio is optional",
}
"""Modules that may import inside a function, by path."""
