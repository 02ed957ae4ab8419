"""Where programs are led to, and where what they ask goes on to."""

from urllib.parse import urlsplit

import pytest

from playhead.cli.upstreams import (
    DUMMY_KEY,
    PROVIDERS,
    base_urls,
    dummy_keys,
    led_to,
    made_of,
    mounts_of,
    origins_of,
    recorded_mounts,
    upstreams_of,
)
from playhead.errors import UsageError

PROXY = "http://127.0.0.1:7"


def test_without_a_word_the_providers_are_asked() -> None:
    """The usual upstreams are the providers; those that a program is always told of are left alone."""
    found = upstreams_of((), {})
    assert found["openai"] == "https://api.openai.com/v1"
    assert found["anthropic"] == "https://api.anthropic.com"
    assert found["gemini"] == "https://generativelanguage.googleapis.com"
    assert not {"ollama", "vertex"} & set(found)
    assert upstreams_of((), {"OLLAMA_BASE_URL": "http://there/v1"})["ollama"] == "http://there/v1"


def test_every_provider_can_be_told_apart() -> None:
    """No name, and no variable, stands for two."""
    names = [each.name for each in PROVIDERS]
    variables = [variable for each in PROVIDERS for variable in each.base_urls]
    assert len(set(names)) == len(names)
    assert len(set(variables)) == len(variables)
    assert all(urlsplit(each.url).scheme and not each.url.endswith("/") for each in PROVIDERS)


def test_what_the_environment_says_is_asked() -> None:
    """A base URL that is set already is where questions go on to; an empty one is none."""
    found = upstreams_of((), {"OPENAI_BASE_URL": "http://intern:1/v2", "ANTHROPIC_BASE_URL": ""})
    assert (found["openai"], found["anthropic"]) == ("http://intern:1/v2", "https://api.anthropic.com")
    assert upstreams_of((), {"OPENAI_API_BASE": "http://old:1"})["openai"] == "http://old:1"


def test_an_upstream_can_be_named() -> None:
    """`NAME=URL` is one upstream, and its URL is what would stand in its variable; names may be new."""
    found = upstreams_of(["openai=http://a:1/", "my-own=http://b:2/v1?x=y"], {"OPENAI_BASE_URL": "http://intern:1"})
    assert (found["openai"], found["my-own"]) == ("http://a:1", "http://b:2/v1?x=y")
    assert found["anthropic"] == "https://api.anthropic.com"


def test_one_upstream_can_stand_for_all() -> None:
    """A URL alone is every provider; one without a path gets the path that each has."""
    assert upstreams_of(["http://a:1"], {})["openai"] == "http://a:1/v1"
    assert upstreams_of(["http://a:1/"], {})["anthropic"] == "http://a:1"
    assert upstreams_of(["http://a:1/api?key=value"], {})["openai"] == "http://a:1/api?key=value"


@pytest.mark.parametrize("given", ["api.openai.com", "openai=api.openai.com", "ftp://a", "http:///v1", ""])
def test_what_is_no_url_is_refused(given: str) -> None:
    """A URL has a scheme and a host."""
    with pytest.raises(UsageError, match=r"^--upstream '.*': give a URL such as https://api\.openai\.com/v1, or NAME="):
        upstreams_of([given], {})


def test_the_path_stays_with_the_program() -> None:
    """The proxy is told origins, and programs the paths: then a path on the tape is the provider's."""
    upstreams = {"openai": "https://user:word@a:1/v1", "mine": "http://b/x/"}
    assert origins_of(upstreams) == {"openai": "https://user:word@a:1", "mine": "http://b"}
    assert mounts_of(upstreams) == {"openai": "/v1", "mine": "/x"}


def test_a_header_says_only_which_mounts_are_unusual() -> None:
    """A replay finds the mounts again; hosts, and what may stand in them, are not kept."""
    mounts = {"openai": "", "anthropic": "", "gemini": "/g", "mine": "/x"}
    made = made_of(mounts)
    assert made == {"mount.openai": "", "mount.gemini": "/g", "mount.mine": "/x"}
    assert recorded_mounts({"python": "3.11", **made}).items() >= mounts.items()
    assert recorded_mounts({})["openai"] == "/v1"


def test_each_variable_of_a_provider_is_set() -> None:
    """Variables are those of the table, or made of the name."""
    assert base_urls(PROXY, {"openai": "/v1", "my-own": ""}) == {
        "OPENAI_BASE_URL": f"{PROXY}/openai/v1",
        "OPENAI_API_BASE": f"{PROXY}/openai/v1",
        "MY_OWN_BASE_URL": f"{PROXY}/my-own",
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "a,b", "no_proxy": "b,c"}, "a,b,c,127.0.0.1,localhost"),
        ({"no_proxy": "localhost"}, "localhost,127.0.0.1"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_no_proxy_stands_between(before: dict[str, str], after: str) -> None:
    """This machine is added to what is reached without a proxy, in both spellings; the rest stays."""
    found = led_to(PROXY, {}, {"HOME": "/h", **before})
    assert found == {"HOME": "/h", "NO_PROXY": after, "no_proxy": after}


def test_a_provider_without_a_key_gets_a_dummy() -> None:
    """One of a provider's keys is enough; where there is none, the first one is set."""
    found = dummy_keys({"GOOGLE_API_KEY": "own", "OPENAI_API_KEY": ""})
    assert found["OPENAI_API_KEY"] == found["ANTHROPIC_API_KEY"] == DUMMY_KEY
    assert not {"GEMINI_API_KEY", "GOOGLE_API_KEY", "ANTHROPIC_AUTH_TOKEN"} & set(found)
