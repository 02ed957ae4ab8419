"""Whether a match is a secret, where its pattern alone cannot say.

Knows how words, templates, cursors and card numbers differ from drawn characters. Does not know where they were found.
"""

import math
import re
from collections import Counter

_TEMPLATE = re.compile(r"[$%{]|\.{2,}$|[*xX.\u2022_-]+$")
_CODED = re.compile(r"[0-9!@#$%^*+=?]|[a-z][A-Z]")
_HEXADECIMAL = re.compile("[0-9a-f]{24}")
_PAGE = re.compile(r"\.(?:html?|php|aspx?|jsp)$")
_NOBODY = frozenset(("shared", "public", "default", "linuxbrew"))
_MIN_RANDOM = 16
# A longer run is no key but data, such as an image in base64 of the URL alphabet.
_MAX_KEY = 256
_MIN_BITS = 3.0


def anything(_secret: str) -> bool:
    """Accept every match: its pattern says enough."""
    return True


def is_given(secret: str) -> bool:
    """Accept everything but a template, which only says where a secret belongs: `$TOKEN`, `{token}`, `%s`, `***`."""
    return not _TEMPLATE.match(secret)


def is_coded(secret: str) -> bool:
    """Tell a password or an encoded value from a word: it has digits, signs or capitals inside."""
    return is_given(secret) and _CODED.search(secret) is not None


def is_mixed(secret: str) -> bool:
    """Tell a key from words joined by dashes and from data: digits and both cases, or a long hexadecimal number."""
    mixed = _has(secret, "[0-9]", "[a-z]", "[A-Z]") or _HEXADECIMAL.search(secret) is not None
    return mixed and len(secret) <= _MAX_KEY


def is_random(secret: str) -> bool:
    """Tell whether a value was drawn, not written: 16 characters, letters and digits, 3 bits of entropy in each."""
    if len(secret) < _MIN_RANDOM or not _has(secret, "[A-Za-z]", "[0-9]") or not is_given(secret):
        return False
    shares = [count / len(secret) for count in Counter(secret).values()]
    return -sum(share * math.log2(share) for share in shares) >= _MIN_BITS


def is_user(name: str) -> bool:
    """Tell a person's folder from a web page and from the folders that belong to nobody."""
    return name.lower() not in _NOBODY and _PAGE.search(name) is None


def is_card(secret: str) -> bool:
    """Tell a card number from other digits by its last one (Luhn; ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in secret if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _has(secret: str, *classes: str) -> bool:
    return all(re.search(each, secret) for each in classes)
