"""Tests of playhead.errors: the tree is the one in the docstring, and no error passes for another program's."""

import copy
import inspect
import pickle
import re

import pytest

from playhead import errors
from playhead.errors import PlayheadError, RecordedError

CLASSES = [member for _, member in inspect.getmembers(errors, inspect.isclass) if member.__module__ == errors.__name__]


def drawn_tree(docstring: str) -> dict[str, str | None]:
    """Read a drawn tree: the name of each class, and of the class above it."""
    parents: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in docstring.splitlines():
        branch = re.match(r"^    (?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)(?:  |$)", line)
        if branch is None:
            continue
        depth, name = len(branch["branch"]), branch["name"]
        above = [(other, parent) for other, parent in above if other < depth]
        parents[name] = above[-1][1] if above else None
        above.append((depth, name))
    return parents


def real_tree(classes: list[type]) -> dict[str, str | None]:
    """Return the name of each class, and of the class that it derives from."""
    return {member.__name__: None if member is PlayheadError else member.__base__.__name__ for member in classes}  # type: ignore[union-attr]


def test_the_docstring_draws_the_tree() -> None:
    """Reader and interpreter see the same classes in the same places."""
    assert drawn_tree(errors.__doc__ or "") == real_tree(CLASSES)


def test_a_class_that_is_not_drawn_is_noticed() -> None:
    """A planted class makes the comparison fail, so it can fail."""
    undrawn = type("UndrawnError", (errors.CassetteError,), {})
    assert drawn_tree(errors.__doc__ or "") != real_tree([*CLASSES, undrawn])


def test_there_are_few_errors() -> None:
    """Nobody has to learn more than twelve."""
    assert len(CLASSES) <= 12


@pytest.mark.parametrize("error_class", CLASSES)
def test_no_error_passes_for_an_application_failure(error_class: type[PlayheadError]) -> None:
    """An agent that catches timeouts, lookups or system errors does not swallow a failure of its harness."""
    assert issubclass(error_class, PlayheadError)
    assert not issubclass(
        error_class, TimeoutError | LookupError | OSError | ValueError | RuntimeError | AssertionError
    )


@pytest.mark.parametrize("error_class", CLASSES)
def test_errors_travel_between_processes(error_class: type[PlayheadError]) -> None:
    """A copied or pickled error is of the same class and says the same, as parallel test workers need."""
    error = error_class("line 3 is damaged")
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is error_class
        assert str(twin) == "line 3 is damaged"


def test_a_recorded_error_keeps_the_name_and_the_end() -> None:
    """The original type is only a name, and it survives the journey too."""
    error = RecordedError("boom", type_name="openai.RateLimitError", end="cancelled")
    for twin in (copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert (str(twin), twin.type_name, twin.end) == ("boom", "openai.RateLimitError", "cancelled")
    assert (RecordedError("boom").type_name, RecordedError("boom").end) == (None, "error")
