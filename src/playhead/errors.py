"""Every error that Playhead raises, told apart by whose move it is.

    PlayheadError
    ├── UsageError             the author of the test: a call or an option is wrong
    ├── CassetteError          the recording: it cannot be read or written
    │   ├── MissingCassette        there is no such file
    │   ├── TornCassette           its end is missing; a valid prefix is readable on request
    │   └── CorruptCassette        it is damaged in a way that no crash explains
    ├── ReplayMismatch         the code drifted from its recording
    ├── ContractViolation      a stream broke a rule
    ├── WireError              the peer sent bytes that are not what it promised
    ├── ModelFailure           a scripted or recorded model failed, as it was told to
    └── RecordedError          a replayed run ended as badly as the recorded one did

None of them derives from `TimeoutError`, `KeyError` or `OSError`: an application that catches those must not swallow
a failure of its test harness.
"""


class PlayheadError(Exception):
    """Stand above every error that Playhead raises."""


class UsageError(PlayheadError):
    """Say that a call, an argument or an option is wrong."""


class CassetteError(PlayheadError):
    """Say that a cassette cannot be read or written."""


class MissingCassette(CassetteError):
    """Say that there is no such cassette. Only a missing file is a missing cassette."""


class TornCassette(CassetteError):
    """Say that a cassette has no end, as after a crash. Its valid prefix can be read on request."""


class CorruptCassette(CassetteError):
    """Say that a cassette is damaged, and where. It is never repaired in silence."""


class ReplayMismatch(PlayheadError):
    """Say that the code asked for, or did, something else than its recording."""


class ContractViolation(PlayheadError):
    """Say that a stream broke a rule."""


class WireError(PlayheadError):
    """Say that a peer sent bytes that break the protocol or a limit."""


class ModelFailure(PlayheadError):
    """Say that a model failed because its script or its recording says so.

    `kind` is `rate_limit`, `overloaded`, `server_error`, `bad_request`, `unauthorized`, or `cut` where the connection
    was lost. `status` is the HTTP status that goes with it, None for `cut`.
    """

    def __init__(
        self, message: str, *, kind: str = "server_error", status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        return (_model_failure, (str(self), self.kind, self.status, self.retry_after_s))


class RecordedError(PlayheadError):
    """Stand in for the failure that ended a recorded run.

    `type_name` is the name of the original exception's class, or None where the recording does not say. The class
    itself is never imported: a cassette is data, and data does not choose what is loaded.
    """

    def __init__(self, message: str, *, type_name: str | None = None, end: str = "error") -> None:
        super().__init__(message)
        self.type_name = type_name
        self.end = end

    def __reduce__(self) -> tuple[object, ...]:
        return (_recorded_error, (str(self), self.type_name, self.end))


def _model_failure(message: str, kind: str, status: int | None, retry_after_s: float | None) -> ModelFailure:
    return ModelFailure(message, kind=kind, status=status, retry_after_s=retry_after_s)


def _recorded_error(message: str, type_name: str | None, end: str) -> RecordedError:
    return RecordedError(message, type_name=type_name, end=end)
