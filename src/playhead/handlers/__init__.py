"""What a stream of events is delivered to: consoles, event streams for HTTP, buffers, logs, and their compositions.

Every handler here takes any object with an `event_type`. Import each from its own module.
"""
