"""Keys that look right and open nothing, drawn when they are needed.

No file of the repository has a whole key in it, so that no host takes the tests for a leak: heads and bodies meet only
at run time.
"""

import base64
import json
import random
import string
from collections.abc import Callable

_LETTERS = string.ascii_letters + string.digits
_WORD = _LETTERS + "-_"
_HEX = "0123456789abcdef"


def _body(chance: random.Random, length: int, letters: str = _LETTERS) -> str:
    """Draw characters, with a digit and both cases among them, and end on a letter or digit."""
    drawn = "".join(chance.choices(letters, k=length - 4))
    alike = [[one for one in letters if one in kind] for kind in (string.digits, string.ascii_letters)]
    ends = [chance.choice(group or list(letters)) for group in (*alike, *alike)]
    if letters in (_LETTERS, _WORD):
        ends = [chance.choice(kind) for kind in (string.digits, string.ascii_lowercase, string.ascii_uppercase, "7")]
    return drawn + "".join(ends)


def _jwt(chance: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": _body(chance, 12), "iat": chance.randrange(10**9)}
    return ".".join((part({"alg": "HS" + "256", "typ": "JWT"}), part(claims), _body(chance, 43, _WORD)))


def _private_key(chance: random.Random) -> str:
    kind = chance.choice(("RSA ", "EC ", "OPENSSH ", ""))
    lines = [_body(chance, 64, _LETTERS + "+/") for _ in range(chance.randrange(2, 26))]
    dashes = "-" * 5
    return "\n".join((f"{dashes}BEGIN {kind}PRIVATE KEY{dashes}", *lines, f"{dashes}END {kind}PRIVATE KEY{dashes}"))


PROVIDER_KEYS: dict[str, tuple[Callable[[random.Random], str], ...]] = {
    "anthropic-key": (lambda chance: "sk-" + "ant-api03-" + _body(chance, 93, _WORD),),
    "openai-key": (
        lambda chance: "sk-" + _body(chance, 48),
        lambda chance: "sk-" + "proj-" + _body(chance, 120, _WORD),
        lambda chance: "sk-" + "svcacct-" + _body(chance, 120, _WORD),
        lambda chance: "sk-" + "or-v1-" + _body(chance, 64, _HEX),
        lambda chance: "sk-" + _body(chance, 32, _HEX),
    ),
    "google-key": (lambda chance: "AI" + "za" + _body(chance, 35, _WORD),),
    "aws-key-id": (
        lambda chance: "AK" + "IA" + _body(chance, 16, string.ascii_uppercase + "234567"),
        lambda chance: "AS" + "IA" + _body(chance, 16, string.ascii_uppercase + "234567"),
    ),
    "github-token": (
        *(lambda chance, kind=kind: f"gh{kind}" + "_" + _body(chance, 36) for kind in "pousr"),
        lambda chance: "github" + "_pat_" + _body(chance, 22) + "_" + _body(chance, 59),
    ),
    "slack-token": (
        lambda chance: "xo" + "xb-" + _body(chance, 12, string.digits) + "-" + _body(chance, 24),
        lambda chance: "xa" + "pp-1-A" + _body(chance, 10) + "-" + _body(chance, 13) + "-" + _body(chance, 64, _HEX),
    ),
    "stripe-key": (
        lambda chance: "sk_" + "live_" + _body(chance, 24),
        lambda chance: "rk_" + "live_" + _body(chance, 24),
        lambda chance: "sk_" + "test_" + _body(chance, 99),
    ),
    "stripe-webhook-secret": (lambda chance: "wh" + "sec_" + _body(chance, 32),),
    "huggingface-token": (lambda chance: "h" + "f_" + _body(chance, 34),),
    "groq-key": (lambda chance: "gs" + "k_" + _body(chance, 52),),
    "xai-key": (lambda chance: "xa" + "i-" + _body(chance, 80),),
    "nvidia-key": (lambda chance: "nv" + "api-" + _body(chance, 64, _WORD),),
    "perplexity-key": (lambda chance: "pp" + "lx-" + _body(chance, 48),),
    "tavily-key": (lambda chance: "tv" + "ly-dev-" + _body(chance, 32),),
    "gitlab-token": (lambda chance: "gl" + "pat-" + _body(chance, 20, _WORD),),
    "npm-token": (lambda chance: "np" + "m_" + _body(chance, 36),),
    "jwt": (_jwt,),
    "private-key": (_private_key,),
}
"""Makers of keys that their own look gives away, by kind."""

BESIDE: dict[str, tuple[Callable[[random.Random], tuple[str, str, str]], ...]] = {
    "aws-secret-key": (
        lambda chance: ("AK" + "IA" + "J7" * 8 + ",", _body(chance, 40, _LETTERS + "+/"), "\n"),
        lambda chance: ("AS" + "IA" + "Q2" * 8 + "': '", "k7" + _body(chance, 38), "'"),
    ),
    "azure-key": (
        lambda chance: ("AccountName=acme;AccountKey=", _body(chance, 86, _LETTERS + "+/") + "==", ";Suffix=x"),
    ),
    "slack-webhook": (
        lambda chance: (
            "https://hooks.slack.com/services/",
            f"T{_body(chance, 8)}/B{_body(chance, 8)}/{_body(chance, 24)}",
            " ",
        ),
    ),
    "bearer-token": (lambda chance: ("Bearer ", _body(chance, 40), "\n"),),
    "secret": (
        lambda chance: ("API_KEY=", _body(chance, 32, _HEX), "\n"),
        lambda chance: ("aws_secret_access_key = ", _body(chance, 40, _LETTERS + "+/"), "\n"),
        lambda chance: ("{'clientSecret': '", _body(chance, 40), "'}"),
        lambda chance: ('"api-key": "', _body(chance, 32, _HEX), '"'),
        lambda chance: ("GITHUB_TOKEN: ", _body(chance, 24), "\n"),
    ),
    "password": (
        lambda chance: ("PASSWORD=", "hunter" + _body(chance, 8), " "),
        lambda chance: ("Server=db;Pwd=", _body(chance, 10), ";"),
    ),
    "authorization": (lambda chance: ("Authorization: Basic ", _body(chance, 12) + "=", "\n"),),
    "cookie": (lambda chance: ("Set-Cookie: session=", _body(chance, 24) + "; Path=/", "\n"),),
    "url-secret": (
        lambda chance: ("https://api.example/v1?api_key=", _body(chance, 12), "&q=1"),
        lambda chance: ("https://api.example/v1?q=1&key=", _body(chance, 39), "#top"),
        lambda chance: ("https://blob.example/c/f.png?sig=", _body(chance, 43) + "%3D", " "),
    ),
    "url-password": (lambda chance: ("postgres://admin:", _body(chance, 6), "@db.example:5432/app"),),
    "user": (
        lambda chance: ("/home/", f"u{_body(chance, 6)}", "/project/main.py"),
        lambda chance: ("/Users/", f"u{_body(chance, 6)}", "/Library"),
        lambda chance: ("C:\\Users\\", f"u{_body(chance, 6)}", "\\Desktop"),
    ),
}
"""Makers of what only its surroundings give away, by kind: what stands before it, the secret, what follows."""

ON_REQUEST: dict[str, tuple[Callable[[random.Random], str], ...]] = {
    "email": (lambda chance: _body(chance, 8) + "@" + "mail.example.org",),
    "card": (lambda chance: _card(chance),),
}
"""Makers of what is redacted only on request."""


def _card(chance: random.Random) -> str:
    digits = [4, *chance.choices(range(10), k=14)]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[0::2]) + sum(digits[1::2])
    return "".join(map(str, (*digits, -doubled % 10)))
