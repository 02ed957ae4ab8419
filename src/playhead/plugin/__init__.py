"""The pytest plugin: what stands behind the hooks and fixtures of `playhead_pytest`, which loads it when it is used."""
