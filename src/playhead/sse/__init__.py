"""Server-Sent Events as bytes in and values out: messages, their parser, and the headers of a response.

The package follows the WHATWG HTML standard, section 9.2. It does not know what an agent is, and it opens no socket.
"""
