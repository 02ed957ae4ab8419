"""The pytest plugin of Playhead: its options, its marker, its fixtures, and hooks that do nothing where none is used.

It is loaded into every run of pytest, so it imports nothing but pytest and the standard library. What stands behind it
is in `playhead.plugin`, which is loaded when a test uses it.
"""

import argparse
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from playhead.models.base import Model
    from playhead.plugin.serving import TapeServer
    from playhead.plugin.session import SessionPlugin
    from playhead.plugin.taping import TapeFixture

MARKER: Final = (
    "playhead(name=None, mode=None, block_network=None, **options): how the fixture `tape` of a test records and "
    "replays. `name` is the cassette's, by default the test's own; the options are those of `tape_config`."
)
"""What `pytest --markers` says."""

_TAPE: Final = pytest.StashKey["TapeFixture"]()
_PASSED: Final = pytest.StashKey[bool]()
_PARTIAL: Final = pytest.StashKey[set[Path]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each with its twin in the ini file."""
    from playhead.plugin.settings import SETTINGS

    group = parser.getgroup("playhead", "recording and replaying agents")
    for setting in SETTINGS:
        how: dict[str, Any] = {"metavar": setting.metavar}
        if setting.choices:
            how = {"choices": setting.choices}
        if setting.is_switch:
            how = {"action": argparse.BooleanOptionalAction}
        group.addoption(setting.option, dest=setting.ini, default=None, help=setting.help, **how)
        parser.addini(setting.ini, f"{setting.help} ({setting.option})", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse settings that there are not."""
    config.addinivalue_line("markers", MARKER)
    from playhead.errors import UsageError
    from playhead.plugin.settings import is_told, told_to

    try:
        if is_told(told_to(config)):
            _session(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note which files do not run as a whole."""
    for item in items:
        item.config.stash.setdefault(_PARTIAL, set()).add(item.path)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Watch over the cassettes of the session, if a test has one."""
    if any(_is_taped(item) for item in session.items) or _found(session.config):
        partial = session.config.stash.get(_PARTIAL, None) or set()
        _session(session.config).collected(session.items, partial)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take what a worker of pytest-xdist has to tell."""
    told = getattr(node, "workeroutput", {}).get("playhead")
    if told is not None:
        _session(node.config).merge(told)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """Tell what a fixture wanted of a tape in vain."""
    # Nobody's errors shall pass through a frame of ours.
    __tracebackhide__ = True
    try:
        return (yield)
    except BaseException as error:
        _explain(item, error)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test whose code caught what its tape found."""
    __tracebackhide__ = True
    try:
        result = yield
    except BaseException as error:
        _explain(item, error)
        raise
    if _TAPE in item.stash:
        from playhead.plugin.session import judge

        judge(item.stash[_TAPE])
    return result


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Note that the body of a test ended well: only then may its recording stay."""
    if call.when == "call" and call.excinfo is None:
        item.stash[_PASSED] = True


@pytest.fixture
def tape(request: pytest.FixtureRequest, tape_config: Any) -> Iterator["TapeFixture"]:
    """Return the tape of this test: it records or replays, as the mode says.

    `tape.events(agent.run(...))`, `tape.model(real)`, `tape.tools([...])`, `tape.server()`, `tape.replay(handler)`.
    """
    session = _session(request.config)
    stash = request.node.stash
    made = stash[_TAPE] = session.open(request.node, tape_config)
    stash[_PASSED] = False
    yield made
    # Tests are kept until the session ends, and their tapes are not.
    del stash[_TAPE]
    session.close(request.node, made, passed=stash[_PASSED])


@pytest.fixture
def tape_model(tape: "TapeFixture") -> "Model":
    """Return a model that plays the script of the marker or of `tape_config`, or says what the cassette's model said.

    With `model=` in either of them, it is that model behind the tape.
    """
    from playhead.plugin.scripting import model_of

    made: Model = model_of(tape)
    return made


@pytest.fixture
def tape_server(tape: "TapeFixture") -> "TapeServer":
    """Return the tape as a provider on loopback: `tape_server.openai_url` and its like are what SDKs are given."""
    return tape.server()


@pytest.fixture(scope="session")
def tape_config() -> Mapping[str, Any]:
    """Return the options of every tape. Override it: `return {"dialect": "shipit", "ignore": ["uuids"]}`."""
    return {}


@pytest.fixture
def sse_snapshot(request: pytest.FixtureRequest) -> Any:
    """Return a snapshot of the bytes that an endpoint sends as server-sent events, kept as a `.sse` file."""
    from playhead.plugin.snapshots import snapshot_of

    return snapshot_of(request, "make_sse_snapshot")


@pytest.fixture
def events_snapshot(request: pytest.FixtureRequest) -> Any:
    """Return a snapshot of a run's events, kept as JSON Lines without what differs from run to run."""
    from playhead.plugin.snapshots import snapshot_of

    return snapshot_of(request, "make_events_snapshot")


def _is_taped(item: pytest.Item) -> bool:
    return "tape" in getattr(item, "fixturenames", ()) or item.get_closest_marker("playhead") is not None


def _found(config: pytest.Config) -> Any:
    return config.pluginmanager.get_plugin("playhead-session")


def _session(config: pytest.Config) -> "SessionPlugin":
    """Return what watches over the cassettes of the session."""
    found = _found(config)
    if found is None:
        from playhead.plugin.session import SessionPlugin

        found = SessionPlugin(config)
        config.pluginmanager.register(found, "playhead-session")
    return found  # type: ignore[no-any-return]


def _explain(item: pytest.Item, error: BaseException) -> None:
    if _TAPE in item.stash:
        from playhead.plugin.session import explain

        explain(item.stash[_TAPE], error)
