"""The model of the fixture `tape_model`: a script, a model behind the tape, or what the cassette's model said."""

from typing import Any

from playhead.models.scripted import ScriptedModel
from playhead.plugin.taping import TapeFixture
from playhead.replaying.scripts import script_of


def model_of(tape: TapeFixture) -> Any:
    """Return a model, as the tape's options say. A script must be played to its end, unless `partly` is set."""
    options = tape.options
    if options.model is not None:
        return tape.model(options.model() if tape.recording else None, framework=options.framework)
    turns = script_of(tape.recorded) if options.script is None else options.script
    made = ScriptedModel(turns, clock=options.clock)
    if not options.partly:
        tape.at_end(made.assert_complete)
    return made
