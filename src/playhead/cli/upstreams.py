"""Which providers there are, and the environment that leads a program to the loopback proxy instead of to them.

Knows the variables that clients read, as a table. Does not know how anything is served.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from playhead.errors import UsageError


@dataclass(frozen=True, slots=True)
class Provider:
    """Say where clients of a provider find it.

    `base_urls` are the variables that hold its base URL, and `url` is where a client goes without them. One of `keys`
    must be set. Where `is_told`, no program goes there unless it is told to, and so none is led there unasked.
    """

    name: str
    url: str
    base_urls: tuple[str, ...]
    keys: tuple[str, ...] = ()
    is_told: bool = False

    @property
    def path(self) -> str:
        """Return what its base URL ends with."""
        return urlsplit(self.url).path


def _through_locus(name: str, url: str) -> Provider:
    prefix = name.upper()
    return Provider(name, url, (f"LOCUS_{prefix}_BASE_URL",), (f"{prefix}_API_KEY",))


PROVIDERS: Final = (
    Provider("openai", "https://api.openai.com/v1", ("OPENAI_BASE_URL", "OPENAI_API_BASE"), ("OPENAI_API_KEY",)),
    Provider(
        "anthropic",
        "https://api.anthropic.com",
        ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
        ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    ),
    Provider(
        "gemini",
        "https://generativelanguage.googleapis.com",
        ("GOOGLE_GEMINI_BASE_URL",),
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    Provider("vertex", "https://aiplatform.googleapis.com", ("GOOGLE_VERTEX_BASE_URL",), is_told=True),
    Provider("groq", "https://api.groq.com", ("GROQ_BASE_URL",), ("GROQ_API_KEY",)),
    Provider("ollama", "http://localhost:11434/v1", ("OLLAMA_BASE_URL",), is_told=True),
    # Those that speak like OpenAI, as Locus finds them.
    Provider("gemini-openai", "https://generativelanguage.googleapis.com/v1beta/openai", ("GEMINI_BASE_URL",)),
    Provider("groq-openai", "https://api.groq.com/openai/v1", ("LOCUS_GROQ_BASE_URL",)),
    _through_locus("cerebras", "https://api.cerebras.ai/v1"),
    _through_locus("deepseek", "https://api.deepseek.com/v1"),
    _through_locus("fireworks", "https://api.fireworks.ai/inference/v1"),
    _through_locus("mistral", "https://api.mistral.ai/v1"),
    _through_locus("nvidia", "https://integrate.api.nvidia.com/v1"),
    _through_locus("openrouter", "https://openrouter.ai/api/v1"),
    _through_locus("perplexity", "https://api.perplexity.ai"),
    _through_locus("together", "https://api.together.xyz/v1"),
    _through_locus("xai", "https://api.x.ai/v1"),
)
"""The providers whose clients are led to the proxy without being named."""

MOUNT: Final = "mount."
"""What the key of a mount begins with, in a cassette's header. Its value is the path of the base URL."""

DUMMY_KEY: Final = "playhead-replays-this"
"""What stands for an API key where there is none: clients want one even to ask a tape."""

_LOOPBACK: Final = ("127.0.0.1", "localhost")


def upstreams_of(given: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the base URL of each upstream by its mount.

    `given` are `URL`, for every provider, or `NAME=URL`; without any, it is what the environment says, or the provider
    itself. Raises `UsageError` for what is no URL.
    """
    known = {each.name: _set_to(each.base_urls, environment) or each.url * (not each.is_told) for each in PROVIDERS}
    found = {name: url for name, url in known.items() if url}
    for text in given:
        name, separator, url = text.partition("=")
        if not separator or "/" in name:
            found |= {each.name: _checked(text, text, default_path=each.path) for each in PROVIDERS}
        else:
            found[name] = _checked(url, text)
    return found


def mounts_of(upstreams: Mapping[str, str]) -> dict[str, str]:
    """Return the path of each upstream's base URL: what follows its mount in the base URL that a program is given."""
    return {name: urlsplit(url).path.rstrip("/") for name, url in upstreams.items()}


def origins_of(upstreams: Mapping[str, str]) -> dict[str, str]:
    """Return each upstream without the path of its base URL."""
    return {name: urlsplit(url)._replace(path="", query="", fragment="").geturl() for name, url in upstreams.items()}


def made_of(mounts: Mapping[str, str]) -> dict[str, str]:
    """Return what a cassette's header has to say of mounts: those that are not as they usually are."""
    usual = _usual_mounts()
    return {f"{MOUNT}{name}": path for name, path in mounts.items() if usual.get(name) != path}


def recorded_mounts(made: Mapping[str, str]) -> dict[str, str]:
    """Return the mounts that a program needs again, from a cassette's header."""
    unusual = {key.removeprefix(MOUNT): path for key, path in made.items() if key.startswith(MOUNT)}
    return _usual_mounts() | unusual


def base_urls(url: str, mounts: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that lead programs to a proxy at `url`."""
    variables = {each.name: each.base_urls for each in PROVIDERS}
    return {
        variable: f"{url}/{name}{path}"
        for name, path in mounts.items()
        for variable in variables.get(name, (f"{name.upper().replace('-', '_')}_BASE_URL",))
    }


def led_to(url: str, mounts: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that leads a program to a proxy at `url`, past any other proxy."""
    past = [host for name in ("NO_PROXY", "no_proxy") for host in environment.get(name, "").split(",") if host]
    no_proxy = "*" if "*" in past else ",".join(dict.fromkeys((*past, *_LOOPBACK)))
    return {**environment, **base_urls(url, mounts), "NO_PROXY": no_proxy, "no_proxy": no_proxy}


def dummy_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an API key for each provider that has none in the environment."""
    return {each.keys[0]: DUMMY_KEY for each in PROVIDERS if each.keys and not _set_to(each.keys, environment)}


def _usual_mounts() -> dict[str, str]:
    return {each.name: each.path for each in PROVIDERS}


def _set_to(names: Sequence[str], environment: Mapping[str, str]) -> str:
    return next((value for name in names if (value := environment.get(name))), "")


def _checked(url: str, given: str, *, default_path: str = "") -> str:
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.netloc:
        raise UsageError(f"--upstream {given!r}: give a URL such as https://api.openai.com/v1, or NAME=URL")
    return url.rstrip("/") + ("" if split.path.strip("/") else default_path)
