"""The line between producers and a consumer, against a plain model of it."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.clocks.running import run
from playhead.errors import UsageError
from playhead.handlers.channel import Channel

STEPS = st.lists(st.sampled_from(["put", "take", "attach", "detach"]), max_size=40)


@given(steps=STEPS, max_items=st.integers(1, 4))
def test_nothing_is_lost_uncounted(steps: list[str], max_items: int) -> None:
    """Whatever happens in whatever order, items come out in order, within the bound, and each one is accounted for."""
    channel: Channel[int] = Channel(max_items, "block")
    taken: list[int] = []
    refused: list[int] = []

    async def play() -> None:
        for number, step in enumerate(steps):
            if step == "put":
                await put(number)
            elif step == "take" and channel.items:
                taken.append(channel.take())
            elif step == "attach" and not channel.attached:
                channel.attach()
            elif step == "detach":
                channel.detach()
            assert len(channel.items) <= max_items

    async def put(number: int) -> None:
        if channel.offer(number) or channel.attached:
            # What would wait for the consumer, which is this very task, is left out.
            return
        try:
            assert await channel.put(number)
        except UsageError:
            refused.append(number)

    run(play)
    left = list(channel.items)
    assert sorted(taken + left) == taken + left
    assert channel.count == len(taken) + channel.dropped + len(left)
    assert not refused or not channel.was_attached or min(refused) < steps.index("attach")


@pytest.mark.anyio
async def test_room_for_two_lets_two_in() -> None:
    """When several places come free at once, as many producers go on, and a newcomer stays behind those who wait."""
    channel: Channel[str] = Channel(2, "block")
    channel.attach()
    assert channel.offer("a")
    assert channel.offer("b")

    async def put(item: str) -> None:
        assert not channel.offer(item)
        assert await channel.put(item)

    async with anyio.create_task_group() as group:
        for item in ("c", "d"):
            group.start_soon(put, item)
            await anyio.wait_all_tasks_blocked()
        assert [channel.take(), channel.take()] == ["a", "b"]
        assert not channel.offer("e")
        await anyio.wait_all_tasks_blocked()
        assert list(channel.items) == ["c", "d"]
    assert not channel.offer("e")
