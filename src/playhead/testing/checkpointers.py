"""The conformance suite for checkpointers: what saves the states of an agent's threads.

Knows the protocol that locus has. Does not know what a state is: a function of the caller makes one of a text.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final
from unittest import SkipTest

from playhead.testing.outputs import name_of
from playhead.testing.report import Promise, Report
from playhead.testing.suite import Check, check, expect, run_checks

_THREADS: Final = ("user-42", "a/b", "..", "é 雨 🌧️", "a\nb", "%2F", "x" * 200, "CON", "user-43", "USER-42")


class _Subject:
    """Hold what makes a checkpointer, and what makes a state."""

    def __init__(self, make: Callable[[], Any], state: Callable[[str], Any]) -> None:
        self.make = make
        self.state = state


def _default_state(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "iteration": 1}


def _plain(state: Any) -> Any:
    """Return a state as a value to compare."""
    return _listed(state.to_checkpoint() if hasattr(state, "to_checkpoint") else state)


def _listed(value: Any) -> Any:
    """Return a value with lists for tuples: no JSON tells them apart."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def _expect_same(found: Any, state: Any, what: str) -> None:
    expect(found is not None, f"{what}, and load() gave nothing")
    # A set has no order in JSON, and is the same all the same.
    expect(found == state or _plain(found) == _plain(state), f"{what}, and load() gave {str(_plain(found))[:120]}")


@check("loads-what-was-saved", "a state comes back as it was saved, by its id and as the newest")
async def _loads(subject: _Subject) -> None:
    saver = subject.make()
    for text in ("Paris", "", "é雨🌧️\n\x00", "x" * 100_000):
        state = subject.state(text)
        saved = await saver.save(state, "t")
        _expect_same(await saver.load("t", saved), state, f"{text[:20]!r} was saved as {saved!r}")
        _expect_same(await saver.load("t"), state, f"{text[:20]!r} was saved last")
    await saver.close()


@check("keeps-ids", "an id that is given is the id that is returned, and each one that is made is new")
async def _keeps_ids(subject: _Subject) -> None:
    saver = subject.make()
    state = subject.state("Paris")
    expect(await saver.save(state, "t", "mine") == "mine", "save(state, 't', 'mine') returned another id")
    made = [await saver.save(state, "t") for _ in range(5)]
    expect(len({*made, "mine"}) == 6, f"five saves made the ids {made}")
    await saver.close()


@check("lists-the-newest-first", "checkpoints are listed newest first, at most as many as asked for")
async def _lists(subject: _Subject) -> None:
    saver = subject.make()
    saved = [await saver.save(subject.state(text), "t", f"c{number}") for number, text in enumerate("zaybx")]
    listed = list(await saver.list_checkpoints("t"))
    expect(listed == saved[::-1], f"saved {saved}, listed {listed}")
    expect(list(await saver.list_checkpoints("t", limit=2)) == saved[:2:-1], "limit=2 does not give the newest two")
    expect(not await saver.list_checkpoints("nobody"), "a thread that there is not has checkpoints")
    await saver.close()


@check("missing-is-none", "what was never saved is None, and does not exist")
async def _missing(subject: _Subject) -> None:
    saver = subject.make()
    expect(await saver.load("nobody") is None, "load() of an unknown thread is not None")
    expect(not await saver.exists("nobody"), "an unknown thread exists")
    await saver.save(subject.state("Paris"), "t", "c1")
    expect(await saver.load("t", "c2") is None, "load() of an unknown checkpoint is not None")
    expect(await saver.exists("t"), "a thread that was saved does not exist")
    expect(await saver.exists("t", "c1"), "a checkpoint that was saved does not exist")
    expect(not await saver.exists("t", "c2"), "an unknown checkpoint exists")
    await saver.close()


@check("threads-are-separate", "no thread sees another one, whatever characters their names have")
async def _separate(subject: _Subject) -> None:
    saver = subject.make()
    for number, thread in enumerate(_THREADS):
        await saver.save(subject.state(f"{number}"), thread, "c")
    for number, thread in enumerate(_THREADS):
        _expect_same(await saver.load(thread), subject.state(f"{number}"), f"thread {thread[:20]!r} was saved")
    await saver.close()


@check("keeps-what-it-saved", "a state that is changed after it was saved is not changed where it was saved")
async def _keeps(subject: _Subject) -> None:
    saver = subject.make()
    state = subject.state("Paris")
    if not isinstance(state, dict):
        raise SkipTest("its states cannot be changed from here")
    before = deepcopy(state)
    await saver.save(state, "t")
    state["messages"].append("changed")
    _expect_same(await saver.load("t"), before, "the state was changed after it was saved")
    (await saver.load("t"))["messages"].append("changed")
    _expect_same(await saver.load("t"), before, "what load() gave was changed")
    await saver.close()


@check("deletes", "a deleted checkpoint is gone, and a deleted thread, and nothing else")
async def _deletes(subject: _Subject) -> None:
    saver = subject.make()
    for thread in ("t", "u"):
        for checkpoint in ("c1", "c2"):
            await saver.save(subject.state(thread + checkpoint), thread, checkpoint)
    if getattr(saver, "deletes_single_checkpoints", False):
        await saver.delete("t", "c2")
        expect(not await saver.exists("t", "c2"), "a checkpoint that was deleted exists")
        _expect_same(await saver.load("t"), subject.state("tc1"), "the newest checkpoint was deleted")
    await saver.delete("t")
    expect(not await saver.exists("t"), "a thread that was deleted exists")
    expect(not await saver.list_checkpoints("t"), "a thread that was deleted has checkpoints")
    _expect_same(await saver.load("u"), subject.state("uc2"), "another thread was deleted")
    await saver.close()


@check("copies-threads", "a copied thread has all of the other, and goes its own way")
async def _copies(subject: _Subject) -> None:
    saver = subject.make()
    if not getattr(getattr(saver, "capabilities", None), "branching", False):
        raise SkipTest("it says that it cannot")
    await saver.save(subject.state("Paris"), "t", "c1")
    await saver.copy_thread("t", "u")
    _expect_same(await saver.load("u"), subject.state("Paris"), "the thread was copied")
    await saver.save(subject.state("Rome"), "u", "c2")
    _expect_same(await saver.load("t"), subject.state("Paris"), "only the copy was saved again")
    await saver.close()


@check("lists-threads", "all threads are listed, each once")
async def _lists_threads(subject: _Subject) -> None:
    saver = subject.make()
    if not getattr(getattr(saver, "capabilities", None), "list_threads", False):
        raise SkipTest("it says that it cannot")
    for thread in ("a", "b", "a"):
        await saver.save(subject.state("Paris"), thread)
    listed = sorted(await saver.list_threads())
    expect(listed == ["a", "b"], f"threads a and b were saved, and {listed} are listed")
    await saver.close()


_CHECKS: Final[tuple[Check, ...]] = (
    _loads,
    _keeps_ids,
    _lists,
    _missing,
    _separate,
    _keeps,
    _deletes,
    _copies,
    _lists_threads,
)

CHECKPOINTER_PROMISES: Final[tuple[Promise, ...]] = tuple(each.promise for each in _CHECKS)
"""What is expected of every checkpointer."""


def check_checkpointer(factory: Callable[[], Any], *, state: Callable[[str], Any] = _default_state) -> Report:
    """Put a checkpointer to the test, and report each promise.

    `factory` makes a new, empty one each time. `state(text)` makes a state that holds the text: by default a plain
    dict. States are compared by their `to_checkpoint()`, where they have one.
    """
    return run_checks(name_of(factory), _Subject(factory, state), _CHECKS)
