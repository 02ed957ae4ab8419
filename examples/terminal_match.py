"""Show a run on the terminal with one `match` over the classes of the native taxonomy.

Run it with `python examples/terminal_match.py`. `AgentEvent` is the union of all its classes, so a type checker sees
when one is forgotten: take a case away, and it reports `assert_never`. Whoever needs no look of their own takes
`ConsoleHandler`.
"""

from typing import assert_never

from playhead.events import locus
from playhead.events.base import OpaqueEvent
from playhead.events.locus import AgentEvent
from playhead.text import safe


def text_of(event: AgentEvent) -> str:
    """Return how an event reads; nothing for those that only machines need."""
    match event:
        case locus.ThinkEvent(iteration=step, tool_calls=[]):
            return f"[{step}] {event.reasoning}"
        case locus.ThinkEvent(iteration=step, tool_calls=calls):
            return f"[{step}] {event.reasoning} -> {', '.join(call.name for call in calls)}"
        case locus.ModelChunkEvent(content=str(content)):
            return f" ~  {content!r}"
        case locus.ToolStartEvent(tool_name=name, arguments=arguments):
            return f" >  {name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
        case locus.ToolProgressEvent(tool_name=name, progress=done, total=int(total) | float(total)):
            return f" .  {name} {done / total:.0%}"
        case locus.ToolProgressEvent(tool_name=name, progress=done):
            return f" .  {name} {done}"
        case locus.ToolCompleteEvent(tool_name=name, error=str(error)):
            return f" !  {name} failed: {error}"
        case locus.ToolCompleteEvent(tool_name=name, result=result):
            return f" <  {name}: {result}"
        case locus.SubagentEvent(tool_name=name, event=inner) if not isinstance(inner, OpaqueEvent):
            return f" |  {name} {text_of(inner).strip()}"
        case locus.ReflectEvent(assessment=assessment, new_confidence=confidence):
            return f" ?  {assessment}, {confidence:.0%} sure"
        case locus.GroundingEvent(score=score, ungrounded_claims=claims):
            return f" ?  {score:.0%} grounded, without proof: {', '.join(claims) or 'nothing'}"
        case locus.FinalAnswerVerificationEvent(passed=passed):
            return f" ?  answer {'verified' if passed else 'rejected'}"
        case locus.ModelRetryEvent(attempt=attempt, reason=reason):
            return f" !  attempt {attempt}: {reason}"
        case locus.CompactionEvent(tokens_before=before, tokens_after=after):
            return f" .  {before} tokens compacted to {after}"
        case locus.InterruptEvent(question=question, options=options):
            return f" ?  {question} ({' / '.join(options or ['answer freely'])})"
        case locus.SpecialistStartEvent(specialist_type=kind, task=task):
            return f" >  {kind}: {task}"
        case locus.SpecialistCompleteEvent(specialist_type=kind, result=result):
            return f" <  {kind}: {result}"
        case locus.OrchestratorDecisionEvent(decision=decision, specialists_selected=selected):
            return f" *  {decision}: {', '.join(selected)}"
        case locus.CausalNodeEvent(label=label, node_type=kind):
            return f" *  {label} ({kind})"
        case locus.CausalEdgeEvent(source_id=source, relationship=relationship, target_id=target):
            return f" *  {source} {relationship} {target}"
        case locus.CustomEvent(name=name, data=data):
            return f" *  {name} {data}"
        case locus.TerminateEvent(reason="complete", final_message=answer):
            return f"=== {answer}"
        case locus.TerminateEvent(reason=reason, error=error):
            return f"=== stopped: {reason} {error or ''}".rstrip()
        case (
            locus.ModelChunkEvent()
            | locus.ModelCompleteEvent()
            | locus.SubagentEvent()
            | locus.BeforeInvocationEvent()
            | locus.AfterInvocationEvent()
            | locus.BeforeToolCallEvent()
            | locus.AfterToolCallEvent()
        ):
            return ""
        case _:
            assert_never(event)


def a_run() -> list[AgentEvent]:
    """Return a run with a tool that fails, a sub-agent, and an answer that tries to steer the terminal."""
    name, call_id = "search", "call-1"
    call = locus.ToolCall(id=call_id, name=name)
    arguments = {"city": "Paris", "days": 2}
    inner = locus.ThinkEvent(iteration=1, reasoning="Trains or planes?")
    return [
        locus.BeforeInvocationEvent(prompt="Plan a trip to Paris."),
        locus.ThinkEvent(iteration=1, reasoning="Look it up.", tool_calls=[call]),
        locus.ToolStartEvent(tool_name=name, tool_call_id=call_id, arguments=arguments),
        locus.ToolProgressEvent(tool_name=name, tool_call_id=call_id, progress=1, total=4),
        locus.SubagentEvent(tool_name=name, tool_call_id=call_id, event=inner),
        locus.ToolCompleteEvent(tool_name=name, tool_call_id=call_id, error="timed out"),
        locus.ModelRetryEvent(attempt=2, delay_seconds=1.5, reason="rate limit", error="429"),
        locus.ReflectEvent(iteration=1, assessment="on_track", confidence_delta=0.2, new_confidence=0.8),
        locus.InterruptEvent(question="By train?", options=["yes", "no"], interrupt_id="1"),
        locus.ModelChunkEvent(content="Take the "),
        locus.ModelChunkEvent(content="train.", done=True),
        locus.TerminateEvent(
            reason="complete",
            iterations_used=1,
            final_confidence=0.8,
            total_tool_calls=1,
            final_message="Take the \x1b[5mtrain\x1b[0m.",
        ),
    ]


def main() -> None:
    """Print the run, a line an event. Nothing recorded reaches a terminal but through `safe`."""
    for event in a_run():
        if text := text_of(event):
            print(safe(text))


if __name__ == "__main__":
    main()
