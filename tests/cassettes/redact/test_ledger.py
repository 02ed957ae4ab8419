"""Numbers of placeholders."""

from playhead.cassettes.redact.ledger import PLACEHOLDER, Ledger


def test_equal_secrets_get_equal_placeholders() -> None:
    """Numbers follow the order of the first meeting, for each kind on its own, and every meeting counts."""
    ledger = Ledger()
    met = [ledger.placeholder(secret, kind="openai-key") for secret in ("a", "b", "a")]
    assert met == ["<openai-key-1>", "<openai-key-2>", "<openai-key-1>"]
    assert ledger.placeholder("c", kind="jwt") == "<jwt-1>"
    assert ledger.hits == {"openai-key": 3, "jwt": 1}


def test_a_secret_keeps_the_kind_that_it_was_first_met_as() -> None:
    """A key in a header and the same key in a text are one key."""
    ledger = Ledger()
    assert ledger.placeholder("a", kind="openai-key") == ledger.placeholder("a", kind="authorization")


def test_a_user_called_like_his_password_is_two_things() -> None:
    """Users, addresses, cards and homes are numbered apart from credentials, which would give those away."""
    ledger = Ledger()
    assert ledger.placeholder("root", kind="url-password") == "<url-password-1>"
    assert ledger.placeholder("root", kind="user") == "<user-1>"


def test_numbers_that_a_text_has_are_not_given_again() -> None:
    """A placeholder from elsewhere stands for a secret that is not known here."""
    ledger = Ledger()
    ledger.reserve("see <jwt-4>, <jwt-2> and <not a placeholder-9>")
    assert ledger.placeholder("a", kind="jwt") == "<jwt-5>"


def test_every_placeholder_is_recognised() -> None:
    """The pattern of placeholders fits what the ledger makes, and the ledger shows no secret when it is printed."""
    ledger = Ledger()
    assert PLACEHOLDER.fullmatch(ledger.placeholder("hunter2", kind="cookie2"))
    assert "hunter2" not in repr(ledger)
