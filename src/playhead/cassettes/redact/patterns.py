"""What a secret looks like: one row for each kind.

Knows the keys of the usual providers, tokens, private keys, secrets in URLs, beside telling names and in headers, and
where a path has the name of a person. Does not know JSON, streams or numbering. A new kind of secret is a new row.
"""

import re

from playhead.cassettes.redact.judges import is_card, is_coded, is_given, is_mixed, is_random, is_user
from playhead.cassettes.redact.rows import ALNUM, WORD, Row, beginnings, beside, cases, prefixed

_PROVIDERS = (
    prefixed("anthropic-key", "sk-ant-", run=WORD),
    prefixed("openai-key", "sk-", run=WORD, is_secret=is_mixed),
    prefixed("google-key", "AIza", run=WORD, at_least=30),
    prefixed(
        "aws-key-id",
        "A[KS]IA",
        anchors=("AKIA", "ASIA"),
        run="[A-Z0-9]",
        at_least=16,
        ends=f"(?!{ALNUM})",
    ),
    prefixed("github-token", "gh[pousr]_", anchors=("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), at_least=30),
    prefixed("github-token", "github_pat_", run="[A-Za-z0-9_]", at_least=40),
    prefixed("slack-token", "xox[abeoprs]-", anchors=("xox",), run="[A-Za-z0-9-]", at_least=16, is_secret=is_random),
    prefixed("slack-token", "xapp-", run="[A-Za-z0-9-]", at_least=30, is_secret=is_random),
    prefixed("stripe-key", "[rs]k_live_", anchors=("k_live_",), at_least=16),
    prefixed("stripe-key", "[rs]k_test_", anchors=("k_test_",), at_least=16),
    prefixed("stripe-webhook-secret", "whsec_", run="[A-Za-z0-9+/=]", at_least=24),
    # Three letters are often met in base64 of the URL alphabet, so what follows must not look like more of it.
    prefixed("huggingface-token", "hf_", at_least=30, ends=f"(?!{WORD})"),
    prefixed("groq-key", "gsk_", at_least=30),
    prefixed("xai-key", "xai-", at_least=40),
    prefixed("nvidia-key", "nvapi-", run=WORD, at_least=40),
    prefixed("perplexity-key", "pplx-", at_least=40),
    prefixed("tavily-key", "tvly-", run=WORD, is_secret=is_mixed),
    prefixed("gitlab-token", "glpat-", run=WORD, is_secret=is_mixed),
    prefixed("npm-token", "npm_", at_least=36),
)

_JWT = Row(
    "jwt",
    "jwt",
    ("eyJ",),
    secret=rf"eyJ{WORD}{{8,512}}\.ey{WORD}{{8,}}(?:\.{WORD}+)?",
    opening=beginnings("eyJ", rf"{WORD}*(?:\.{WORD}*)?(?:\.{WORD}*)?"),
    gate=rf"eyJ{WORD}{{8,512}}\.ey",
    rest=rf"(?!(?:{WORD}|\.))",
    head="eyJ",
)

# The dashes of the next line end a key that has no END of its own; a key without any is at most a run of base64.
_PEM_BODY = r"(?:-{0,4}[^-]){0,16384}-{0,4}"
# In a query a blank is a plus, or percent-encoded.
_PEM_WORDS = "[A-Z0-9 %+]"
_PEM_NAME = r"PRIVATE(?: |%20|[+])KEY(?:(?: |%20|[+])BLOCK)?"
_PEM_END = f"-----END{_PEM_WORDS}{{0,60}}-----"
_PRIVATE_KEY = Row(
    "private-key",
    "private-keys",
    ("PRIVATE KEY", "PRIVATE%20KEY", "PRIVATE+KEY"),
    secret=rf"-----BEGIN{_PEM_WORDS}{{0,40}}{_PEM_NAME}-----(?:{_PEM_BODY}{_PEM_END}|[A-Za-z0-9+/=%\\\r\n]*)",
    opening=beginnings(
        "-----BEGIN",
        rf"{_PEM_WORDS}{{0,60}}(?:-{{1,4}}|{_PEM_NAME}-----(?:-{{0,4}}[^-])*-{{0,5}}(?:[A-Z]{_PEM_WORDS}{{0,60}}-{{0,4}})?)?",
    ),
    gate="PRIVATE(?: |%20|[+])KEY",
    rest=_PEM_END,
    starts=False,
)

_JSON_GAP = r"""(?:["'\\ \t]|\\[nrt]){0,12}"""
_COLON = r"""["'\\]{0,8}[ \t]{0,4}[:=]{1,2}>?[ \t]{0,4}["'\\]{0,8}"""
_JSON_COLON = rf"{_JSON_GAP}[:=]{{1,2}}>?{_JSON_GAP}"
_JSON_VALUE = r"""[^ \t\r\n"'`<]"""

_KEY_NAMES = (
    "(?:(?:api|access|account|auth|encryption|master|private|secret|shared|signing|subscription)[_ -]?key"
    "|secret|token|credentials?)"
)
_KEY_ANCHORS = (
    *("_key", "-key", "apikey", "pi key", "PI key", "accesskey", "Key", "KEY"),
    *cases("oken", "ecret", "redential"),
)
_PASSWORD_NAMES = "(?:passw(?:or)?d|passphrase|pwd)"
_PASSWORD_ANCHORS = (*cases("assw", "assphrase", "pwd"), "Pwd")
# The place in a list, which servers hand out to be handed back.
_CURSOR = "".join(
    f"(?<!{word}{joint})" for word in ("[Pp]age", "[Nn]ext", "[Ss]ync", "[Cc]ontinuation") for joint in ("", "[_-]")
)

_BESIDE_NAMES = (
    # It has no look of its own, but those who hold it write its id before it.
    beside(
        "aws-secret-key",
        "keys",
        "A[KS]IA[A-Z0-9]{16}[\"' ,:;|\\t\\r\\n]{1,4}",
        anchors=("AKIA", "ASIA"),
        gate='A[KS]IA[A-Z0-9]{16}(?:[ ,:;|\\t\\r\\n\'"]|\\\\["nrt]){1,4}[A-Za-z0-9+/\\\\]{40}',
        run="[A-Za-z0-9+/]",
        at_least=40,
        starts=True,
        is_secret=is_mixed,
    ),
    beside(
        "azure-key",
        "keys",
        "(?i:accountkey|sharedaccesskey)=",
        anchors=("ccountKey=", "ccountkey=", "ccessKey=", "ccesskey="),
        gate="(?i:accountkey|sharedaccesskey)=[A-Za-z0-9+/\\\\]{40}",
        run="[A-Za-z0-9+/=]",
        at_least=40,
    ),
    beside(
        "slack-webhook",
        "keys",
        "hooks[.]slack[.]com/(?:services|workflows|triggers)/",
        anchors=("hooks.slack.com",),
        gate="hooks[.]slack[.]com",
        run="[A-Za-z0-9/_-]",
        at_least=16,
    ),
    beside(
        "bearer-token",
        "bearer",
        "(?i:bearer)(?:[ \\t]|%20){1,4}",
        anchors=cases("earer"),
        gate="(?i:bearer)(?:[ \\t]|%20|\\\\t){1,4}[A-Za-z0-9._~+/=\\\\-]{16}",
        run="[A-Za-z0-9._~+/=-]",
        at_least=16,
        is_secret=is_random,
    ),
    beside(
        "secret",
        "entropy",
        f"(?i:{_KEY_NAMES}){_COLON}",
        anchors=_KEY_ANCHORS,
        gate=f"(?i:{_KEY_NAMES}){_JSON_COLON}{_JSON_VALUE}{{12}}",
        unless=_CURSOR,
        at_least=16,
        is_secret=is_random,
    ),
    beside(
        "password",
        "entropy",
        f"(?i:{_PASSWORD_NAMES}){_COLON}",
        anchors=_PASSWORD_ANCHORS,
        gate=f"(?i:{_PASSWORD_NAMES}){_JSON_COLON}{_JSON_VALUE}{{6}}",
        is_secret=is_coded,
    ),
)

_HEADERS = (
    beside(
        "authorization",
        "headers",
        f"(?i:authorization){_COLON}(?i:basic|bearer|token|apikey|negotiate)[ \\t]{{1,4}}",
        anchors=cases("uthorization"),
        gate=f"(?i:authorization){_JSON_GAP}[:=,]",
        is_secret=is_coded,
    ),
    beside(
        "cookie",
        "headers",
        f"(?i:cookie){_COLON}(?i:[a-z0-9_.-]{{1,64}})=",
        anchors=cases("ookie"),
        gate=f"(?i:cookie2?){_JSON_GAP}[:=,]",
        run="[^\\r\\n\"'<>\\\\]",
        at_least=4,
        is_secret=is_given,
    ),
)

_IN_URL = "[^ \\t\\r\\n\"'`<>&#\\\\;,)]"
_URLS = (
    beside(
        "url-secret",
        "urls",
        "[?&;](?i:api[_-]?key|(?:access|refresh|id|auth)[_-]?token|client[_-]?secret|password|(?:x-(?:amz|goog)-)?"
        "(?:signature|credential|security-token))=",
        anchors=("key=", "Key=", "oken", "ecret", "assword", "ignature=", "redential"),
        gate="(?i:key|token|secret|password|signature|credential)=[^ \\t\\r\\n\"'<>&#]{6}",
        run=_IN_URL,
        at_least=6,
        is_secret=is_given,
    ),
    beside(
        "url-secret",
        "urls",
        "[?&;](?i:key|token|sig|secret)=",
        anchors=("key=", "oken", "sig=", "ecret"),
        gate="(?i:key|token|sig|secret)=[^ \\t\\r\\n\"'<>&#]{16}",
        run=_IN_URL,
        at_least=16,
        is_secret=is_random,
    ),
    Row(
        "url-password",
        "urls",
        ("://", ":\\/"),
        before="://[^ \\t\\r\\n\"'`<>/@:\\\\]{0,64}:",
        secret="[^ \\t\\r\\n\"'`<>/@\\\\]{1,256}",
        ends="(?=@)",
        opening="[^ \\t\\r\\n\"'`<>/@\\\\]{1,256}",
        gate="://[^ \\t\\r\\n\"'<>/@:]{0,64}:[^ \\t\\r\\n\"'<>/@]{1,256}@",
        rest="(?![^ \\t\\r\\n\"'`<>/@\\\\])",
        starts=False,
        is_secret=is_given,
    ),
)

_PERSON = "[^ \\t\\r\\n\\f\\v\"'`<>|:;,*?$(){}\\[\\]&=!#%/\\\\@]"
_PERSON_END = _PERSON.replace("[^", "[^._~+\\-")


def _home(before: str, anchors: tuple[str, ...], gate: str, *, head: str = "") -> Row:
    return Row(
        "user",
        "home",
        anchors,
        before=before,
        secret=f"{_PERSON}{{0,63}}{_PERSON_END}",
        opening=f"{_PERSON}{{1,64}}",
        gate=gate,
        rest=f"(?!{_PERSON})",
        head=head,
        is_secret=is_user,
    )


_HOMES = (
    _home("/home/", ("/home",), "/home/[^<]", head="/home/"),
    _home("/Users/", ("/Users",), "/Users/[^<]", head="/Users/"),
    _home(r"[A-Za-z]:[\\/]{1,8}Users[\\/]{1,8}", (r"\Users", "/Users"), r"[A-Za-z]:[\\/]{1,32}Users[\\/]{1,32}[^<\\/]"),
)

_EMAIL = "[A-Za-z0-9._%+-]"
_ON_REQUEST = (
    Row(
        "email",
        "email",
        ("@",),
        secret=rf"{_EMAIL}{{1,64}}@[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}}){{1,4}}",
        opening=rf"{_EMAIL}{{1,64}}(?:@[A-Za-z0-9.-]*)?",
        gate=f"{_EMAIL}{{1,64}}@{ALNUM}",
        rest="(?![A-Za-z0-9.-])",
    ),
    Row(
        "card",
        "cards",
        (),
        secret="[0-9](?:[ -]?[0-9]){12,18}",
        ends="(?![0-9])",
        opening="[0-9](?:[ -]?[0-9]){0,18}[ -]?",
        gate="[0-9](?:[ -]?[0-9]){12}",
        rest="(?![0-9])",
        is_secret=is_card,
    ),
)

ROWS: tuple[Row, ...] = (*_PROVIDERS, _JWT, _PRIVATE_KEY, *_BESIDE_NAMES, *_HEADERS, *_URLS, *_HOMES, *_ON_REQUEST)
"""Every kind of secret. Where two overlap, the one that stands first here gives its name."""

RULES: tuple[str, ...] = tuple(dict.fromkeys(row.group for row in ROWS))
"""The names of all rules."""

DEFAULT_RULES: tuple[str, ...] = tuple(rule for rule in RULES if rule not in {"email", "cards"})
"""The rules that are on unless a caller says otherwise. E-mail addresses and card numbers are redacted on request."""

SECRET_HEADERS: frozenset[str] = frozenset(
    (
        "api-key",
        "authorization",
        "cf-access-client-secret",
        "cookie",
        "cookie2",
        "dd-api-key",
        "ocp-apim-subscription-key",
        "private-token",
        "proxy-authorization",
        "set-cookie",
        "x-access-token",
        "x-amz-security-token",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
        "x-functions-key",
        "x-gitlab-token",
        "x-goog-api-key",
        "x-goog-iam-authorization-token",
        "x-vault-token",
        "x-xsrf-token",
    )
)
"""The headers whose whole value is secret, in lower case."""

HEADER_GATE = f"(?i:{'|'.join(sorted(SECRET_HEADERS))}){_JSON_GAP}[:=,]"
"""What matches JSON or text in which one of those headers has a value."""

HEADER_ANCHORS = (*cases("uthorization", "ookie", "api-key", "apikey", "oken", "ecret", "-key"), "-Key", "Api-Key")
"""Literals of which one is in the name of each of those headers, as people write them."""


def directory(path: str) -> Row:
    """Return the row of a home directory that the caller names. The whole path becomes `<home-1>`."""
    return _literal("home", path.rstrip("/\\"), ends="(?![A-Za-z0-9_-])")


def person(name: str) -> Row:
    """Return the row of a user name. It is redacted as a part of a path, never as a bare word."""
    return _literal("user", name, before=r"[/\\]", ends=r"(?=[/\\]|\Z)")


def _literal(kind: str, text: str, *, before: str = "", ends: str) -> Row:
    return Row(
        kind,
        "home",
        tuple(sorted(re.findall("[A-Za-z0-9_-]+", text), key=len)[-1:]),
        before=before,
        secret=re.escape(text),
        opening=beginnings(re.escape(text), ""),
        gate=before + "".join(map(_in_json, text)),
        rest="",
        ends=ends,
        starts=not before,
    )


def _in_json(character: str) -> str:
    if character == "\\":
        return r"\\{1,16}"
    return re.escape(character) if character.isascii() else r"(?:[^ -~]|\\u[0-9A-Fa-f]{4}){1,2}"
