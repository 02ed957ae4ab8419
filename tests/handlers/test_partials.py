"""What of a growing text is an instance, and what reading it costs."""

import pytest
from pydantic import BaseModel, RootModel, field_validator

from playhead.handlers import partials
from playhead.handlers.answer import Answer
from playhead.handlers.partials import Partials


class Item(BaseModel):
    """Have a field without default."""

    name: str
    price: int


class Order(BaseModel):
    """Have fields with defaults, so that it can be shown from the beginning."""

    title: str = ""
    items: list[Item] = []
    paid: bool = False


def pieces(text: str, size: int = 1) -> list[str]:
    """Cut text into pieces."""
    return [text[start : start + size] for start in range(0, len(text), size)]


ORDER = '{"title": "One", "items": [{"name": "a", "price": 12}, {"name": "b", "price": 3}], "paid": true}'


def test_partials_grow() -> None:
    """Fields come as they are written, items when they are whole, and the last partial is the whole."""
    reader = Partials(Order)
    seen: list[Order] = []
    for piece in pieces(ORDER):
        partial = reader.feed(piece)
        if partial is not None and (not seen or seen[-1] != partial):
            seen.append(partial)
    assert [order.title for order in seen[:4]] == ["", "O", "On", "One"]
    assert [len(order.items) for order in seen[4:]] == [1, 2, 2]
    assert seen[-1] is reader.whole
    assert seen[4].items == [Item(name="a", price=12)]


def test_a_required_field_must_have_come() -> None:
    """No instance is given out that the schema does not allow."""
    reader = Partials(Item)
    assert reader.feed('{"name": "a", "price": 1') is None
    assert reader.whole is None
    assert reader.feed("}") == reader.whole == Item(name="a", price=1)


def test_a_value_that_does_not_fit_is_part_of_the_prose() -> None:
    """The first value that validates is the answer; what comes after it is not read."""
    reader = Partials(Item)
    assert reader.feed('Like {"x": 1}: {"name": "a", "price": 1} or {"name": "b", "price": 2}') == Item(
        name="a", price=1
    )
    assert reader.feed('{"name": "c", "price": 3}') == Item(name="a", price=1)


def test_root_models_can_be_arrays() -> None:
    """The answer to a root model may be a list."""
    reader = Partials(RootModel[list[Item]])
    partial = reader.feed('[{"name": "a", "price": 1}, {"name": "b"')
    assert partial is not None
    assert partial.root == [Item(name="a", price=1)]


class Picky(BaseModel):
    """Fail at half a value in a way that is no validation error."""

    words: list[str] = []

    @field_validator("words")
    @classmethod
    def first_word(cls, words: list[str]) -> list[str]:
        """Look at what need not be there yet."""
        return [words[0], *words[1:]]


def test_a_validator_may_trip_over_half_a_value() -> None:
    """What a schema's own validator raises at half a value means that there is no partial yet."""
    reader = Partials(Picky)
    assert reader.feed('{"words": [') == Picky()
    assert reader.feed('"a"]}') == Picky(words=["a"])


@pytest.mark.parametrize("size", [3, 64])
def test_cost_is_linear(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the text costs about ten times as much, where reading at every piece would cost a hundred times."""
    read = 0

    class Counted(Answer):
        def read(self) -> object:
            nonlocal read
            read += self.length
            return super().read()

    monkeypatch.setattr(partials, "Answer", Counted)

    def cost(length: int) -> int:
        nonlocal read
        read = 0
        reader = Partials(Order)
        for piece in pieces('{"title": "' + "x" * length + '"}', size):
            reader.feed(piece)
        assert reader.whole is not None
        return read

    small, large = cost(20_000), cost(200_000)
    assert large < 12 * small
    assert large < 20 * 200_000 + 2048**2
