"""The agent: the smallest loop that emits the native taxonomy."""
