"""How tasks of their own are started."""

import anyio
import anyio.lowlevel
import pytest

from playhead.handlers.tasks import start_task

pytestmark = pytest.mark.anyio


async def test_a_task_runs_beside_its_starter() -> None:
    """The task does its work when its starter waits, and its end is told."""
    done: list[str] = []
    over = anyio.Event()

    async def work() -> None:
        await anyio.lowlevel.checkpoint()
        done.append("work")

    start_task(work, on_end=over.set)
    assert done == []
    with anyio.fail_after(5):
        await over.wait()
    assert done == ["work"]


@pytest.mark.parametrize("runs_first", [True, False])
async def test_a_task_can_be_cancelled(runs_first: bool) -> None:
    """What `start_task` returns cancels the task, and its end is told, even if it never ran."""
    over = anyio.Event()
    cancel = start_task(anyio.sleep_forever, on_end=over.set)
    if runs_first:
        await anyio.wait_all_tasks_blocked()
    assert not over.is_set()
    cancel()
    with anyio.fail_after(5):
        await over.wait()


async def test_an_end_is_told_once_and_at_once() -> None:
    """Whoever a task wakes with its last words finds it ended."""
    ends: list[str] = []
    said = anyio.Event()

    async def work() -> None:
        said.set()

    start_task(work, on_end=lambda: ends.append("end"))
    with anyio.fail_after(5):
        await said.wait()
    assert ends == ["end"]
    await anyio.wait_all_tasks_blocked()
    assert ends == ["end"]
