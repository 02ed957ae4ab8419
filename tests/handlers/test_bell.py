"""How waiting tasks are woken."""

import anyio
import pytest

from playhead.handlers.bell import Bell


@pytest.mark.anyio
async def test_a_ring_wakes_all_who_wait_now() -> None:
    """Everybody who waits is woken, and who waits later waits for the next ring."""
    bell, woken = Bell(), []

    async def wait(name: str) -> None:
        await bell.wait()
        woken.append(name)

    async with anyio.create_task_group() as group:
        bell.ring()
        group.start_soon(wait, "a")
        group.start_soon(wait, "b")
        await anyio.wait_all_tasks_blocked()
        assert (woken, bell.awaited) == ([], True)
        bell.ring()
        assert not bell.awaited
        group.start_soon(wait, "c")
        await anyio.wait_all_tasks_blocked()
        assert sorted(woken) == ["a", "b"]
        bell.ring()
    assert sorted(woken) == ["a", "b", "c"]
