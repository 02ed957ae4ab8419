"""The fixtures that compare with a file: they need syrupy, and this is where that is noticed."""

from typing import Any

import pytest


def snapshot_of(request: pytest.FixtureRequest, maker: str) -> Any:
    """Return what a maker of `playhead.snapshot.fixtures` makes of syrupy's fixture `snapshot`.

    Fails where syrupy is not there.
    """
    if not request.config.pluginmanager.hasplugin("syrupy"):
        raise pytest.fail.Exception(
            f"UsageError: the fixture {request.fixturename!r} needs syrupy, which is not installed or is switched off: "
            "pip install 'playhead[snapshot]'",
            pytrace=False,
        )
    from playhead.snapshot import fixtures

    return getattr(fixtures, maker)(request.getfixturevalue("snapshot"))
