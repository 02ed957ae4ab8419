"""Taking secrets out of JSON, text, bytes and headers."""

import base64
import json
import random
from pathlib import Path

import pytest
from hypothesis import given

from playhead.cassettes.redact import DEFAULT_RULES, RULES, Redactor
from playhead.errors import UsageError
from tests.cassettes.redact.fakes import BESIDE, ON_REQUEST, PROVIDER_KEYS
from tests.cassettes.redact.test_scanner import SUSPICIOUS

KEY = PROVIDER_KEYS["openai-key"][1](random.Random(11))
OTHER = PROVIDER_KEYS["openai-key"][1](random.Random(12))
DRAWN = BESIDE["secret"][0](random.Random(13))[1]
ALL_KEYS = [(kind, make(random.Random(14))) for kind, makers in PROVIDER_KEYS.items() for make in makers]


def redacted(value: object, *rules: str) -> object:
    """Return a JSON value as it comes out of a new redactor."""
    result: object = json.loads(Redactor(rules or None).json(json.dumps(value).encode()))
    return result


@pytest.mark.parametrize(("kind", "key"), ALL_KEYS)
def test_a_key_is_caught_in_every_disguise(kind: str, key: str) -> None:
    """A key is found in values, keys, nested JSON, escapes, addresses, shell lines, terminal colours and bytes."""
    escaped = "".join(f"\\u{ord(character):04x}" for character in key)
    flat = key.replace("\n", "\\n")
    disguises = [
        json.dumps({"text": f"my key is {key}, thanks."}),
        json.dumps({key: 1}),
        json.dumps([[[{"deep": key}]]]),
        json.dumps(json.dumps({"a": json.dumps([key])})),
        f'{{"text": "{escaped}"}}',
        json.dumps({"line": f"export KEY='{key}'"}),
        json.dumps({"colour": f"\x1b[32m{key}\x1b[0m"}),
        json.dumps({"log": f"\\n{flat}\\n"}),
        json.dumps({"form": f"q=1&k%3D{flat}"}),
        json.dumps({"code": f'key = "{key}"  # é\ud800'}),
    ]
    for text in disguises:
        redactor = Redactor()
        clean = redactor.json(text.encode())
        assert redactor.hits == {kind: 1}, text
        assert key[10:] not in str(json.loads(clean))
        assert f"<{kind}-1>".encode() in clean


@pytest.mark.parametrize(("kind", "key"), ALL_KEYS)
def test_what_is_not_caught(kind: str, key: str) -> None:
    """Spelled backwards, spaced out, in base64 or percent-encoded whole, a key passes: this is the limit."""
    spelled = (
        key[::-1],
        " ".join(key),
        base64.b64encode(key.encode()).decode(),
        "".join(f"%{ord(one):02X}" for one in key),
    )
    assert all(Redactor(("keys", "jwt", "private-keys")).text(text) is text for text in spelled), kind


def test_clean_json_is_the_same_object() -> None:
    """What has no secret is not copied, whatever made it look suspicious."""
    for text in ("{}", '{"usage":{"total_tokens":30}}', '{"a":"\\u0041 risk-based token: x"}', '{"k":"é token"}'):
        data = text.encode()
        assert Redactor().json(data) is data


def test_redacted_values_beside_names_are_clean() -> None:
    """A value that has a placeholder already is not taken for a secret as a whole."""
    data = b'{"token": "Server=db1;Pwd=<private-key-2>"}'
    assert Redactor().json(data) is data


def test_an_escaped_tab_hides_nothing() -> None:
    """Blanks between a name and its value may be spelled as escapes."""
    data = b'{"a": "api_key\\u0009:' + DRAWN.encode() + b'"}'
    assert Redactor().json(data) == b'{"a": "api_key\\t:<secret-1>"}'


def test_what_is_not_secret_keeps_its_bytes() -> None:
    """Numbers, blanks, escapes and the order of keys survive beside a secret."""
    data = b'{ "n": 1.50, "e":1E5,"u":"\\u00e9\\/","k":"%s" , "n":2}\n' % KEY.encode()
    assert Redactor().json(data) == data.replace(KEY.encode(), b"<openai-key-1>")


def test_equal_secrets_stay_equal() -> None:
    """Numbers follow the order of first occurrence, in all that one redactor sees."""
    redactor = Redactor()
    assert redactor.text(f"{OTHER} {KEY} {OTHER}") == "<openai-key-1> <openai-key-2> <openai-key-1>"
    assert redactor.json(json.dumps([KEY]).encode()) == b'["<openai-key-2>"]'
    assert redactor.headers([("Authorization", f"Bearer {KEY}")]) == [("Authorization", "Bearer <openai-key-2>")]
    assert redactor.hits == {"openai-key": 5}


def test_numbers_in_the_text_are_taken() -> None:
    """A replayed answer brings placeholders along, and a new secret does not get one of their numbers."""
    assert Redactor().text(f"{KEY} <openai-key-1>") == "<openai-key-2> <openai-key-1>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"headers": {"Authorization": "Bearer abc"}}, {"headers": {"Authorization": "Bearer <authorization-1>"}}),
        ({"h": [["x-api-key", "abc"], ["accept", "abc"]]}, {"h": [["x-api-key", "<x-api-key-1>"], ["accept", "abc"]]}),
        ({"h": [{"name": "Cookie", "value": "a=b"}]}, {"h": [{"name": "Cookie", "value": "<cookie-1>"}]}),
        ({"set-cookie": ["a=1", "b=2"]}, {"set-cookie": ["<set-cookie-1>", "<set-cookie-2>"]}),
        ({"cookie": "chocolate chip"}, {"cookie": "chocolate chip"}),
        ({"authorization": "Bearer ${TOKEN}"}, {"authorization": "Bearer ${TOKEN}"}),
        ({"authorization": {"type": "none"}, "x-api-key": ""}, {"authorization": {"type": "none"}, "x-api-key": ""}),
        ({"curl": "-H 'authorization: Basic dXNlcjpwYXNz'"}, {"curl": "-H 'authorization: Basic <authorization-1>'"}),
        ({"apiKey": DRAWN}, {"apiKey": "<secret-1>"}),
        ({"args": json.dumps({"OPENAI_API_KEY": DRAWN})}, {"args": json.dumps({"OPENAI_API_KEY": "<secret-1>"})}),
        ({"api_key": "see the vault"}, {"api_key": "see the vault"}),
        ({"digest": DRAWN, "id": DRAWN}, {"digest": DRAWN, "id": DRAWN}),
        ({"next_page_token": DRAWN}, {"next_page_token": DRAWN}),
        ({"password": "Tr0ub4dor&3"}, {"password": "<password-1>"}),
        ({"password": "a,b;c 1"}, {"password": "a,b;c 1"}),
        ({"DB_PASSWORD": "a,b;cd1"}, {"DB_PASSWORD": "<password-1>"}),
        ({"password": "required"}, {"password": "required"}),
        ({"dsn": "postgres://u:p@h/db"}, {"dsn": "postgres://u:<url-password-1>@h/db"}),
        ({"cwd": "/home/alice/x", "by": "alice"}, {"cwd": "/home/<user-1>/x", "by": "alice"}),
        ({"cwd": "C:\\Users\\Bob\\x"}, {"cwd": "C:\\Users\\<user-1>\\x"}),
        ({"see": "/c/Users/bob and /mnt/c/Users/bob"}, {"see": "/c/Users/<user-1> and /mnt/c/Users/<user-1>"}),
        ({"see": "/var/home/bob and a/home/bob"}, {"see": "/var/home/<user-1> and a/home/bob"}),
        ({"cwd": "/c/Users/bob"}, {"cwd": "/c/Users/<user-1>"}),
        ({"see": "/Users/bob."}, {"see": "/Users/<user-1>."}),
        (f"the command is: sk --key {KEY}", "the command is: sk --key <openai-key-1>"),
    ],
)
def test_surroundings_give_secrets_away(value: object, expected: object) -> None:
    """Headers in every form, telling names, addresses and paths: the secret goes, the rest stays."""
    assert redacted(value) == expected


def test_off_is_off() -> None:
    """Without rules everything passes untouched, and nothing is counted."""
    redactor = Redactor(())
    data = json.dumps({"authorization": KEY}).encode()
    assert redactor.json(data) is data
    assert redactor.text(KEY) is KEY
    assert redactor.headers([("cookie", "a=b")]) == [("cookie", "a=b")]
    assert redactor.opening(KEY) == len(KEY)
    assert (redactor.rules, redactor.hits) == ((), {})


def test_rules_are_switched_one_by_one() -> None:
    """A rule that is not named finds nothing."""
    value = {"a": KEY, "cwd": "/home/alice/x"}
    assert redacted(value, "home") == {"a": KEY, "cwd": "/home/<user-1>/x"}
    assert redacted(value, "keys") == {"a": "<openai-key-1>", "cwd": "/home/alice/x"}
    assert Redactor().rules == DEFAULT_RULES


@pytest.mark.parametrize("kind", ON_REQUEST)
def test_people_are_redacted_on_request(kind: str) -> None:
    """E-mail addresses and card numbers stay, unless their rule is on."""
    text = f"to {ON_REQUEST[kind][0](random.Random(2))} now"
    assert Redactor().text(text) is text
    assert Redactor(RULES).text(text) == f"to <{kind}-1> now"


def test_homes_and_names_of_the_caller() -> None:
    """What the caller knows about his machine is taken out of paths, never out of sentences."""
    redactor = Redactor(home=["/opt/ci-home/"], names=["mark"])
    data = json.dumps("mark: /opt/ci-home/x /srv/mark/y").encode()
    assert json.loads(redactor.json(data)) == "mark: <home-1>/x /srv/<user-1>/y"


def test_bytes_of_any_encoding() -> None:
    """Bytes that are no UTF-8 keep every byte that is not secret."""
    data = b"\xff\x00" + KEY.encode() + b"\xfe"
    assert Redactor().bytes(data) == b"\xff\x00<openai-key-1>\xfe"
    assert Redactor().bytes("é ".encode() + KEY.encode()) == "é <openai-key-1>".encode()
    clean = b"\xff"
    assert Redactor().bytes(clean) is clean


def test_json_that_is_not_utf8_is_refused() -> None:
    """JSON is UTF-8, and what cannot be read cannot be called clean."""
    with pytest.raises(UsageError, match="byte 2 of 4 begins no character"):
        Redactor().json(b'["\xff"')


@given(text=SUSPICIOUS)
def test_redacting_twice_is_redacting_once(text: str) -> None:
    """Redacted text and JSON have nothing left to find, for the same redactor and for a new one."""
    for spelled in (text, json.dumps({"a": text, "token": text}), json.dumps([json.dumps({"password": text})])):
        redactor = Redactor()
        once = redactor.text(spelled)
        data = redactor.json(spelled.encode("utf-8", "replace"))
        hits = redactor.hits
        assert redactor.text(once) is once
        assert redactor.json(data) is data
        assert redactor.hits == hits
        fresh = Redactor()
        assert fresh.text(once) is once
        assert fresh.json(data) is data
        assert fresh.hits == {}


@given(text=SUSPICIOUS)
def test_json_stays_json(text: str) -> None:
    """Whatever is replaced, the result parses to a value of the same shape."""
    value = {"a": [text, {text: text}], "n": 1}
    result = redacted(value)
    assert isinstance(result, dict)
    assert list(result) == ["a", "n"]
    assert [type(item) for item in result["a"]] == [str, dict]


def test_deep_nesting_ends() -> None:
    """Brackets and strings nested beyond all measure are taken as text."""
    deep = "[" * 100_000 + KEY
    assert redacted(deep) == "[" * 100_000 + "<openai-key-1>"


def test_nothing_secret_is_printed() -> None:
    """The representation of a redactor shows rules and counts, and no secret."""
    redactor = Redactor(("keys",))
    redactor.text(KEY)
    assert repr(redactor) == "Redactor(('keys',), hits={'openai-key': 1})"


def test_no_false_hits_on_real_runs(shared_data: Path) -> None:
    """In the recordings of real runs, only the password in one address is found."""
    redactor = Redactor()
    for path in sorted((shared_data / "runs").glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            assert redactor.json(line) is line or b"postgres://u:p@h/db" in line
    assert redactor.hits == {"url-password": 2}


def test_no_false_hits_on_real_wires(shared_data: Path) -> None:
    """The bytes that real servers sent, and the corpus of Server-Sent Events, have nothing secret."""
    redactor = Redactor()
    for path in sorted((shared_data / "wire").iterdir()):
        data = path.read_bytes()
        assert redactor.bytes(data) is data
    for line in (shared_data / "sse/corpus.jsonl").read_bytes().splitlines():
        data = base64.b64decode(json.loads(line)["input_b64"])
        assert redactor.bytes(data) is data
