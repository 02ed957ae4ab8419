"""What the models of these tests say."""

from playhead.scripts import call, say, think, turn, usage

TEXT = "Let me see: 7 °C in 東京."
"""Text in which a byte is not a character."""

FORECAST = turn(
    think("Two cities.", chunks=2),
    say(TEXT, chunks=3),
    call("weather", city="Paris").in_chunks(3),
    call("weather", city="Rome").in_chunks(2),
    usage(9, 5),
)
"""A thought, a text in three pieces, and two calls of a tool side by side."""

SPOKEN = say("abcdefgh", chunks=["ab", "cd", "ef", "gh"])
"""Four pieces, for faults to come in between."""
