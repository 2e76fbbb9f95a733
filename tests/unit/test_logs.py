"""core.logs: no token and no password leaves through a log line, in whatever form it came."""

import io
import logging
import sys
from collections.abc import Iterator

import jwt
import pytest

from core.logs import RedactTokens, redact

SECRET = "s3cr3t-v4lu3"
JWT = jwt.encode({"userId": "a" * 24}, "a secret for this test, long enough", "HS256")


@pytest.mark.parametrize(
    "line",
    [
        "GET /ws?token={} HTTP/1.1",
        "Internal Server Error: /invitation/{}",
        "POST /invitation/{}/accept HTTP/1.1",
        "GET /ws?x=1&token={}&y=2",
        "GET /ws?TOKEN={}",
        "ws://localhost/ws?access_token={}",
        "Authorization: {}",
        "Authorization: Bearer {}",
        "authorization:Bearer  {}",
        "AUTHORIZATION=Token {}",
        "HTTP_AUTHORIZATION: 'Bearer {}'",
        "{{'Authorization': 'Bearer {}', 'Host': 'x'}}",
        '{{"authorization": "{}"}}',
        "password={}",
        "password: {}",
        '{{"email": "a@example.com", "password": "{}"}}',
        '{{"password": "two words {}"}}',
        '{{"password": "a \\" quote {}"}}',
        "{{'password': \"it's {}\"}}",
        "password='{}'",
        '{{"password": "half {}',
        "password=a,b}} {}",
    ],
)
def test_a_secret_after_its_name_is_gone(line: str) -> None:
    clean = redact(line.format(SECRET))
    assert SECRET not in clean
    assert "[redacted]" in clean


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "Bearer {}",
        "Sec-WebSocket-Protocol: attendance.v1, {}",
        "(b'authorization', b'{}')",
        "token {} is bad",
        "Bearer%20{}",
        "x_{}",
        "['{}']",
        '{{"success":true,"data":{{"token":"{}"}}}}',
    ],
)
def test_a_jwt_is_gone_wherever_it_stands(line: str) -> None:
    clean = redact(line.format(JWT))
    for part in JWT.split("."):
        assert part not in clean


def test_several_secrets_in_one_line_are_all_gone() -> None:
    clean = redact(f"token={SECRET}1&x=2 {JWT} Authorization: Bearer {SECRET}2")
    assert SECRET not in clean
    assert "eyJ" not in clean
    assert "x=2" in clean


@pytest.mark.parametrize(
    "line",
    [
        "",
        "GET /class/5 200",
        "Listening on http://127.0.0.1:3000",
        "the tokens are 5",
        "eyJ is how they start",
        "50 %s",
    ],
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert redact(line) == line


def test_what_follows_a_token_in_a_url_stays() -> None:
    assert redact("GET /ws?token=abc&classId=5 done") == "GET /ws?token=[redacted]&classId=5 done"
    assert redact('{"password": "abc", "role": "x"}') == '{"password": [redacted], "role": "x"}'


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger with the filter on its handler, as the settings have it, and what it writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactTokens())
    logger = logging.getLogger("tests.redaction")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, stream
    logger.removeHandler(handler)
    logger.propagate = True


def test_arguments_are_redacted_and_lines_without_secrets_keep_theirs(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, stream = log
    logger.error("%s asked for %s", "somebody", f"/ws?token={SECRET}")
    logger.error("100 %% of %d", 5)
    logger.error({"password": SECRET})
    assert stream.getvalue().splitlines() == [
        "somebody asked for /ws?token=[redacted]",
        "100 % of 5",
        "{'password': [redacted]}",
    ]


def test_a_traceback_is_redacted_and_kept(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    try:
        raise ValueError(f"bad token={SECRET} {JWT}")
    except ValueError:
        logger.exception("It failed.")
    written = stream.getvalue()
    assert "Traceback" in written
    assert "ValueError" in written
    assert SECRET not in written
    assert JWT.split(".")[1] not in written


def test_a_traceback_that_another_handler_put_into_words_is_redacted_too() -> None:
    try:
        raise ValueError(f"token={SECRET}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "It failed.", (), sys.exc_info())
    logging.Formatter().format(record)
    assert SECRET in str(record.exc_text)
    assert RedactTokens().filter(record) is True
    assert SECRET not in str(record.exc_text)
