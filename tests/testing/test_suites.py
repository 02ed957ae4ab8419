"""The suites for what is no handler: the real thing keeps every promise, and each promise has its fault."""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from playhead.cassettes.jsonl import JsonlStore
from playhead.cassettes.memory import MemoryStore
from playhead.cassettes.sqlite import SqliteStore
from playhead.handlers.base import StreamHandler
from playhead.handlers.composite import CompositeHandler
from playhead.handlers.filtering import FilteringHandler
from playhead.models.scripted import ScriptedModel
from playhead.scripts import RateLimit, call, fail, say, think, turn
from playhead.sse.message import SSEMessage
from playhead.sse.parser import SSEParser
from playhead.testing import (
    Report,
    check_checkpointer,
    check_composition,
    check_model,
    check_sse_encoder,
    check_sse_parser,
    check_store,
)
from playhead.testing.checkpointers import CHECKPOINTER_PROMISES
from playhead.testing.codecs import ENCODER_PROMISES, PARSER_PROMISES
from playhead.testing.compositions import COMPOSITION_PROMISES
from playhead.testing.models import MODEL_PROMISES
from playhead.testing.stores import STORE_PROMISES


def ours(event: str, data: str, id: str) -> str:
    return SSEMessage(event, data, id).format()


def nested(children: Sequence[StreamHandler]) -> StreamHandler:
    return CompositeHandler([FilteringHandler(CompositeHandler([child])) for child in children])


def a_model() -> ScriptedModel:
    return ScriptedModel([turn(think("Hm.", chunks=2), say("Take a coat.", chunks=3), call("look", at="sky")), "Done."])


def a_failing_model() -> ScriptedModel:
    return ScriptedModel([turn("Take", fail(RateLimit())), "Done."])


class Saver:
    """Keep states in memory, rightly."""

    capabilities = type("Capabilities", (), {"branching": True, "list_threads": True})()
    deletes_single_checkpoints = True

    def __init__(self) -> None:
        self.threads: dict[str, dict[str, Any]] = {}
        self.count = 0

    async def save(self, state: Any, thread_id: str, checkpoint_id: str | None = None, metadata: Any = None) -> str:
        self.count += 1
        name = checkpoint_id or f"made-{self.count}"
        self.threads.setdefault(self.key(thread_id), {})[name] = self.copy(state)
        return name

    async def load(self, thread_id: str, checkpoint_id: str | None = None) -> Any:
        saved = self.threads.get(self.key(thread_id), {})
        name = checkpoint_id or next(reversed(saved), "")
        return self.copy(saved.get(name))

    async def list_checkpoints(self, thread_id: str, limit: int = 10) -> list[str]:
        return list(reversed(self.threads.get(self.key(thread_id), {})))[:limit]

    async def exists(self, thread_id: str, checkpoint_id: str | None = None) -> bool:
        saved = self.threads.get(self.key(thread_id), {})
        return bool(saved) if checkpoint_id is None else checkpoint_id in saved

    async def delete(self, thread_id: str, checkpoint_id: str | None = None) -> bool:
        if checkpoint_id is None:
            return self.threads.pop(self.key(thread_id), None) is not None
        return self.threads[self.key(thread_id)].pop(checkpoint_id, None) is not None

    async def copy_thread(self, source: str, target: str) -> bool:
        self.threads[target] = dict(self.threads[source])
        return True

    async def list_threads(self) -> list[str]:
        return list(self.threads)

    async def close(self) -> None:
        """Do nothing."""

    def key(self, thread: str) -> str:
        return thread

    def copy(self, state: Any) -> Any:
        return None if state is None else {**state, "messages": list(state["messages"])}


def test_our_own_keep_every_promise(tmp_path: Path) -> None:
    """Compositions, stores, encoder, parser and models, each put to every test of its suite."""
    folders = iter(range(100))
    reports = [
        *(
            check_composition(each, backend=backend)
            for each in (CompositeHandler, nested)
            for backend in ("asyncio", "trio")
        ),
        check_store(MemoryStore),
        check_store(lambda: JsonlStore(tmp_path / f"{next(folders)}")),
        check_store(lambda: SqliteStore(tmp_path / f"{next(folders)}.db")),
        check_sse_parser(SSEParser),
        check_sse_encoder(ours),
        check_checkpointer(Saver),
        check_model(a_model),
        check_model(a_model, backend="trio"),
    ]
    for report in reports:
        report.raise_if_broken()
        assert not report.skipped


def test_a_model_may_fail() -> None:
    """A failure is an end, too; what does not apply then is skipped, and says why."""
    report = check_model(a_failing_model)
    report.raise_if_broken()
    assert [result.why for result in report.skipped] == ["its answer fails"]


class Naive(CompositeHandler):
    """Call one child after the other, and stop at the first error."""

    async def on_event(self, event: Any) -> None:
        for child in self.handlers:
            await child.on_event(event)

    async def on_complete(self) -> None:
        for child in self.handlers:
            await child.on_complete()

    async def on_error(self, error: Exception) -> None:
        for child in self.handlers:
            await child.on_error(error)


class Lazy(CompositeHandler):
    """Leave out the first event."""

    first = True

    async def on_event(self, event: Any) -> None:
        if not self.first:
            await super().on_event(event)
        self.first = False


class Swallowing(Naive):
    """Take cancellation for a failure."""

    async def on_event(self, event: Any) -> None:
        for child in self.handlers:
            try:
                await child.on_event(event)
            except BaseException:
                continue


def store_with(change: Callable[[MemoryStore], None]) -> Callable[[], MemoryStore]:
    """Return what makes a store and changes it."""

    def make() -> MemoryStore:
        store = MemoryStore()
        change(store)
        return store

    return make


def _reads_wrong(store: Any) -> None:
    opened = store.open

    def open(name: str) -> Any:
        source = opened(name)
        source.size = lambda: 1
        return source

    store.open = open


def _shares_iterator(store: Any) -> None:
    opened = store.open

    def open(name: str) -> Any:
        source = opened(name)
        shared = source.lines()
        source.lines = lambda: shared
        return source

    store.open = open


def _never_deletes(store: Any) -> None:
    store.delete = lambda name: None


def _lists_too_much(store: Any) -> None:
    names = store.names
    store.names = lambda: [*names(), "more"]


def _writes_at_once(store: Any) -> None:
    create = store.create

    def begin(name: str) -> Any:
        try:
            store.delete(name)
        except Exception:
            return create(name)
        return create(name)

    store.create = begin


def _hides_partial(store: Any) -> None:
    opened = store.open
    store.open = lambda name: opened(name.removesuffix(".partial"))


def _reads_anew(store: Any) -> None:
    opened = store.open

    class Late:
        def __init__(self, name: str) -> None:
            self.name = name
            opened(name)

        def __getattr__(self, attribute: str) -> Any:
            return getattr(opened(self.name), attribute)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exc_info: object) -> None:
            """Do nothing."""

    store.open = Late


def _replaces(store: Any) -> None:
    create = store.create

    def begin(name: str) -> Any:
        sink = create(name)
        commit = sink.commit
        sink.commit = lambda seal, *, replace=True: commit(seal)
        return sink

    store.create = begin


def _keeps_nothing(store: Any) -> None:
    create = store.create

    def begin(name: str) -> Any:
        sink = create(name)
        discard = sink.discard
        sink.discard = lambda *, keep_as=None: discard()
        return sink

    store.create = begin


class BytewiseParser:
    """Decode each chunk by itself."""

    def __init__(self) -> None:
        self.parser = SSEParser()

    def feed(self, chunk: bytes) -> list[Any]:
        return self.parser.feed(chunk.decode("utf-8", "replace").encode())

    def close(self) -> list[Any]:
        return self.parser.close()


def parser_with(change: Callable[[bytes], bytes]) -> Callable[[], Any]:
    """Return what makes a parser that changes the bytes before it reads them, once all are there."""

    class Changed:
        def __init__(self) -> None:
            self.wire = b""

        def feed(self, chunk: bytes) -> list[Any]:
            self.wire += chunk
            return []

        def close(self) -> list[Any]:
            parser = SSEParser()
            return [*parser.feed(change(self.wire)), *parser.close()]

    return Changed


class SharingParser(SSEParser):
    """Forget nothing."""

    wires: list[bytes] = []  # noqa: RUF012

    def feed(self, chunk: Any) -> list[Any]:
        self.wires.append(bytes(chunk))
        return super().feed(b"".join(self.wires)) if chunk == b"data: b\n\n" else super().feed(chunk)


class Model(ScriptedModel):
    """Stand for models with a fault."""

    def __init__(self) -> None:
        super().__init__(a_model().turns)


class Endless(Model):
    """Say no stop."""

    async def steps(self, request: Any) -> AsyncGenerator[Any, None]:
        async for step in super().steps(request):
            if type(step).__name__ != "Stop":
                yield step


class Partly(Model):
    """Lose a piece."""

    async def steps(self, request: Any) -> AsyncGenerator[Any, None]:
        async for step in super().steps(request):
            if getattr(step, "text", "") != "Take":
                yield step


class Clinging(Model):
    """Refuse to be closed."""

    async def steps(self, request: Any) -> AsyncGenerator[Any, None]:
        try:
            async for step in super().steps(request):
                yield step
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep_forever()


class Stubborn(Model):
    """Go on when cancelled."""

    async def steps(self, request: Any) -> AsyncGenerator[Any, None]:
        async for step in super().steps(request):
            yield step

    def __init__(self) -> None:
        super().__init__()
        self.turns = self.turns[:1]


class Different(Model):
    """Say another thing in pieces."""

    async def stream(self, *args: Any, **options: Any) -> Any:
        async for piece in super().stream(*args, **options):
            yield piece.model_copy(update={"content": "x"}) if piece.content else piece


def saver_with(**changes: Any) -> type[Saver]:
    """Return a saver with other methods."""
    return type("Changed", (Saver,), changes)


async def _forgets(self: Saver, thread_id: str, checkpoint_id: str | None = None) -> Any:
    return None


async def _renames(self: Saver, state: Any, thread_id: str, checkpoint_id: Any = None, metadata: Any = None) -> str:
    await Saver.save(self, state, thread_id, checkpoint_id, metadata)
    return "same"


async def _oldest_first(self: Saver, thread_id: str, limit: int = 10) -> list[str]:
    return list(self.threads.get(thread_id, {}))[:limit]


async def _always(self: Saver, thread_id: str, checkpoint_id: str | None = None) -> bool:
    return True


async def _keeps_all(self: Saver, thread_id: str, checkpoint_id: str | None = None) -> bool:
    return True


async def _aliases(self: Saver, source: str, target: str) -> bool:
    self.threads[target] = self.threads[source]
    return True


async def _lists_twice(self: Saver) -> list[str]:
    return [*self.threads, *self.threads]


FAULTS: list[tuple[Callable[[Any], Report], str, Any]] = [
    (check_composition, "children-get-every-call", Lazy),
    (check_composition, "siblings-are-not-starved", Naive),
    (check_composition, "errors-come-together", Naive),
    (check_composition, "nothing-after-the-end", Naive),
    (check_composition, "cancellation-passes", Swallowing),
    (check_composition, "ends-reach-everybody", Naive),
    (check_store, "gives-back-what-it-took", store_with(_reads_wrong)),
    (check_store, "iterators-are-independent", store_with(_shares_iterator)),
    (check_store, "missing-is-missing", store_with(_never_deletes)),
    (check_store, "names-are-those-of-the-sealed", store_with(_lists_too_much)),
    (check_store, "replaces-only-when-sealed", store_with(_writes_at_once)),
    (check_store, "unfinished-can-be-read", store_with(_hides_partial)),
    (check_store, "readers-keep-what-they-opened", store_with(_reads_anew)),
    (check_store, "does-not-replace-unasked", store_with(_replaces)),
    (check_store, "discards", store_with(_keeps_nothing)),
    (check_sse_parser, "splits-do-not-matter", BytewiseParser),
    (check_sse_parser, "ends-of-lines", parser_with(lambda wire: wire.replace(b"\r", b""))),
    (check_sse_parser, "fields", parser_with(lambda wire: wire.replace(b":  ", b": "))),
    (check_sse_parser, "ids", parser_with(lambda wire: wire.replace(b"\0", b""))),
    (check_sse_parser, "code-points", parser_with(lambda wire: wire.replace(b"\xef\xbb\xbf", b""))),
    (check_sse_parser, "unfinished", parser_with(lambda wire: wire + b"\n\n")),
    (check_sse_parser, "parsers-share-nothing", SharingParser),
    (check_sse_encoder, "comes-back", lambda event, data, id: f"event: {event}\nid: {id}\ndata: {data}\n\n"),
    (check_sse_encoder, "follows-others", lambda event, data, id: ours(event, data, id)[:-1]),
    (check_sse_encoder, "forges-nothing", lambda event, data, id: f"event: {event}\nid: {id}\ndata: {data}\n\n"),
    (check_checkpointer, "loads-what-was-saved", saver_with(load=_forgets)),
    (check_checkpointer, "keeps-ids", saver_with(save=_renames)),
    (check_checkpointer, "lists-the-newest-first", saver_with(list_checkpoints=_oldest_first)),
    (check_checkpointer, "missing-is-none", saver_with(exists=_always)),
    (check_checkpointer, "threads-are-separate", saver_with(key=lambda self, thread: thread.lower())),
    (check_checkpointer, "keeps-what-it-saved", saver_with(copy=lambda self, state: state)),
    (check_checkpointer, "deletes", saver_with(delete=_keeps_all)),
    (check_checkpointer, "copies-threads", saver_with(copy_thread=_aliases)),
    (check_checkpointer, "lists-threads", saver_with(list_threads=_lists_twice)),
    (check_model, "answers-end", Endless),
    (check_model, "parts-are-whole", Partly),
    (check_model, "can-be-closed", Clinging),
    (check_model, "can-be-cancelled", Clinging),
    (check_model, "answers-are-independent", Stubborn),
    (check_model, "pieces-are-the-steps", Different),
]


@pytest.mark.parametrize(("check", "name", "factory"), FAULTS)
def test_a_fault_breaks_its_promise(check: Callable[[Any], Report], name: str, factory: Any) -> None:
    """The report says which promise, and why."""
    result = check(factory)[name]
    assert result.state == "broken", str(result)
    assert result.why


def test_each_promise_has_a_fault() -> None:
    """No promise is without something that breaks it."""
    lists = (
        COMPOSITION_PROMISES,
        STORE_PROMISES,
        PARSER_PROMISES,
        ENCODER_PROMISES,
        CHECKPOINTER_PROMISES,
        MODEL_PROMISES,
    )
    assert [name for _, name, _ in FAULTS] == [promise.name for promises in lists for promise in promises]
