"""Termination: a run begins, goes forward, and ends once.

Knows runs, by agent, and their steps. Several runs may share a stream without saying whose an event is: what a merged
stream may do, and a broken one too, is judged when the stream has ended, by the number of its terminal events.
"""

from collections.abc import Iterable
from typing import ClassVar

from playhead.contracts.monitor import NOTHING, Agent, Finding, Findings, Moment
from playhead.events.spans import Dialect, Span, Touch, Verb

# To look up a member of an enumeration takes longer than to compare it.
_RUN = Span.RUN
_STEP = Span.STEP
_OPEN = Verb.OPEN
_CLOSE = Verb.CLOSE
_READ = (None, "complete")
"""The ends of a stream that was read to its end."""
_MAX_RUNS = 64
"""How many runs may share a stream without a name."""


class Termination:
    """Watch how the runs of a stream begin, count their steps, and end."""

    codes: ClassVar[tuple[str, ...]] = ("ORD003", "ORD006", "ORD009", "TRM001", "TRM002", "TRM003", "TRM005")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._has_opening = _RUN in dialect.explicit

    @staticmethod
    def hears(dialect: Dialect, kind: str, *, inside: bool) -> bool:
        """Say that a run, its steps and what makes it wait matter; outside of one, that anything happens at all."""
        ops = dialect.ops.get(kind, ())
        return not inside or kind in dialect.pauses or any(op.span in (_RUN, _STEP) for op in ops)

    def feed(self, moment: Moment) -> Findings:
        """Return what is wrong with an event's place in its run."""
        agent = moment.agent
        for touch in moment.touches:
            verb, span, key, _, _, _, _, _, _ = touch
            if span is _STEP and verb is _OPEN and type(key) is int:
                if agent.steps != [key - 1]:
                    return self._stepped(agent, moment, key)
                # Nearly all steps are the next one.
                agent.steps[0], agent.paused = key, False
                return NOTHING
            if span is _RUN and verb is _CLOSE:
                return self._ended(agent, moment, touch)
            if span is _RUN and verb is _OPEN:
                return self._opened(agent, moment)
        if moment.kind in self._dialect.pauses:
            agent.paused = True
        return NOTHING if agent.steps else self._inside(agent, moment)

    def close(self, end: str | None, last: Moment) -> Findings:
        """Return what is wrong with how the stream ended."""
        found: list[Finding] = []
        has_ended = is_open = False
        for agent in last.agents.values():
            has_ended |= agent.ended > 0
            is_open |= bool(agent.steps) and self._is_open(agent)
            if agent.late or agent.back:
                found += self._judged(agent)
            if end is not None:
                found += self._contradicted(agent, end)
        if end in _READ and (is_open or not has_ended) and last.kind not in self._dialect.pauses:
            found.append(Finding("TRM001", f"the stream ended after {last.index + 1} events without a terminal event"))
        return found

    def _opened(self, agent: Agent, moment: Moment) -> Findings:
        if agent.steps and not agent.implied:
            if len(agent.steps) < _MAX_RUNS:
                # It may be another run that was mixed in: then it takes steps and ends, too.
                agent.steps.append(None)
                agent.extra += 1
            return (moment.finding("ORD003", f"{moment.kind} opens a run while one is open"),)
        agent.steps = agent.steps or [None]
        agent.extra = 0
        agent.implied = agent.warned = False
        return NOTHING

    def _stepped(self, agent: Agent, moment: Moment, step: int) -> Findings:
        if not agent.steps:
            again = agent.last is not None and step <= agent.last
            if not again:
                return self._inside(agent, moment, step)
            if self._has_opening:
                return self._after(agent, moment)
            agent.steps, agent.late, agent.warned = [step], None, False
            return NOTHING
        paused, agent.paused = agent.paused, False
        before = [each for each in agent.steps if each is None or each < step]
        if not before:
            return self._back(agent, moment, step, paused=paused)
        # The run whose next step it is, or else the one that is furthest.
        found = step - 1 if step - 1 in before else max(before, key=_furthest)
        agent.steps[agent.steps.index(found)] = step
        return NOTHING

    def _back(self, agent: Agent, moment: Moment, step: int, *, paused: bool) -> Findings:
        """Take a step whose number does not grow: a resumed run counts anew, or another run has begun, or neither."""
        if paused:
            agent.steps = [step]
            return NOTHING
        top = max(each or 0 for each in agent.steps)
        finding = moment.finding("ORD006", f"{moment.kind} is step {step}, after step {top}")
        if len(agent.steps) == _MAX_RUNS:
            return (finding,)
        agent.back.append(finding)
        agent.steps.append(step)
        return NOTHING

    def _ended(self, agent: Agent, moment: Moment, touch: Touch) -> Findings:
        status = agent.status
        agent.status = f"{moment.kind}:{touch.status}"
        if agent.steps:
            agent.last = agent.steps[0] if len(agent.steps) == 1 else max(agent.steps, key=_furthest)
            agent.steps.remove(agent.last)
            agent.ended += 1
            return NOTHING
        if not agent.ended:
            agent.ended = 1
            return self._first(moment)
        # Another kind of terminal may follow where the dialect says so, but none twice.
        if moment.kind in self._dialect.after and not status.startswith(f"{moment.kind}:"):
            return NOTHING
        agent.status = status
        moment.late = True
        return (moment.finding("TRM003", f"{moment.kind} is another terminal event of a run that has ended"),)

    def _inside(self, agent: Agent, moment: Moment, step: int | None = None) -> Findings:
        """Take an event outside every run: it is the first one, or it follows a terminal."""
        if not agent.ended:
            agent.steps = [step]
            agent.implied = True
            return self._first(moment)
        return NOTHING if moment.kind in self._dialect.after else self._after(agent, moment, sure=step is not None)

    def _first(self, moment: Moment) -> Findings:
        if not self._has_opening or moment.kind in self._dialect.first:
            return NOTHING
        return (moment.finding("ORD009", f"{moment.kind} comes before the event that begins a run"),)

    def _after(self, agent: Agent, moment: Moment, *, sure: bool = True) -> Findings:
        """Return that an event follows the terminal one, once. Unless it is sure, the next step may begin a run."""
        moment.late = True
        finding = moment.finding("TRM002", f"{moment.kind} follows the terminal event of its run")
        if agent.warned:
            return NOTHING
        if not (sure or self._has_opening):
            agent.late = agent.late or finding
            return NOTHING
        agent.warned, first, agent.late = True, agent.late, None
        return (first or finding,)

    def _judged(self, agent: Agent) -> Iterable[Finding]:
        """Return what only the end decides: whether steps back and an event behind the end were another run's.

        A step back that was a run's first step has a terminal event for it. A stream that was not read to its end may
        lack the terminal event of one run.
        """
        count = min(len(agent.steps) - (not agent.ended), len(agent.back))
        return [*([agent.late] if agent.late else []), *(agent.back[-count:] if count > 0 else [])]

    def _contradicted(self, agent: Agent, end: str) -> Iterable[Finding]:
        """Return that a run's terminal event says other things than what is known of its end."""
        told = f"the run ends with {agent.status!r}"
        if end == "complete" and agent.status in self._dialect.raises:
            return (Finding("TRM005", f"{told}, and no exception came"),)
        if end == "error" and agent.ended and self._dialect.raises and agent.status not in self._dialect.cuts:
            return (Finding("TRM005", f"{told}, and an exception came"),)
        return NOTHING

    def _is_open(self, agent: Agent) -> bool:
        """Say whether an agent that took steps is under way still."""
        under_way = agent.steps if self._has_opening else any(agent.steps)
        return bool(under_way) and len(agent.steps) > len(agent.back) + agent.extra


def _furthest(step: int | None) -> int:
    return -1 if step is None else step
