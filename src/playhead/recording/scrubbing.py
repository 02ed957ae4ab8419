"""Taking the secrets out of a cassette that has them already."""

from collections.abc import Sequence

from playhead.cassettes.format import Entry, Seal, prefix_of
from playhead.cassettes.places import Place
from playhead.cassettes.reading import Cassette
from playhead.cassettes.writing import CassetteWriter
from playhead.events.dialects import DIALECTS, foreign_dialect
from playhead.events.tagged import loads
from playhead.recording.copying import Copy
from playhead.recording.secrets import local_redactor
from playhead.recording.texts import ChunkTexts, EventTexts, Texts


def scrub(source: Place, target: Place, *, redact: Sequence[str] | None = None, replace: bool = False) -> Seal:
    """Copy a sealed cassette without its secrets, and return the copy's seal, which counts what was replaced.

    `redact` chooses the rules; None takes the usual ones. Times, ends and unknown keys stay as they are. Raises what
    reading raises, and `CassetteError` where the target exists and `replace` is false.
    """
    redactor = local_redactor(redact)
    with source.read() as cassette:
        rules = dict.fromkeys((*cassette.header.redact, *redactor.rules))
        sink = target.create()
        try:
            writer = CassetteWriter(sink, cassette.header.model_copy(update={"redact": list(rules)}))
            return _copy(cassette, Copy(writer, redactor, lambda run: _texts(cassette, run)), replace=replace)
        except BaseException:
            sink.discard()
            raise


def _copy(cassette: Cassette, copy: Copy, *, replace: bool) -> Seal:
    at_us = 0
    for entry in cassette.entries():
        at_us += entry.dt_us
        run = f"{entry.track} {entry.owner}"
        copy.put(at_us, prefix_of(entry), entry.data, run=run, item=_item(entry))
    seal = cassette.seal
    assert seal is not None
    return copy.seal(seal.end, runs=seal.runs, errors=seal.errors, extra=seal.model_extra, replace=replace)


def _item(entry: Entry) -> object:
    value = loads(entry.data)
    if entry.kind == "event":
        return value
    return value.encode() if entry.kind == "bytes" and isinstance(value, str) else value


def _texts(cassette: Cassette, run: str) -> Texts:
    if run.startswith("wire "):
        return ChunkTexts(run)
    name = cassette.header.dialects.get("event", "")
    return EventTexts(DIALECTS.get(name) or foreign_dialect(name), run)
