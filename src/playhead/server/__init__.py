"""What a browser talks to: an agent as a server of event streams, each run of it on a tape.

Needs starlette, uvicorn and websockets: `pip install 'playhead[server]'`.
"""
