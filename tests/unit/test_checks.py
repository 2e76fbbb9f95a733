"""What the system checks say about several processes and lifted limits."""

import pytest
from django.core import checks
from django.db import connection
from django.test import override_settings

from accounts.checks import check_proofs_can_be_mailed, check_signup_fits_the_network
from attendance.checks import check_one_live_session_fits_the_school
from core.checks import check_limits_are_on, check_several_workers_have_redis, check_sqlite_is_on_one_machine


@pytest.mark.parametrize(("workers", "url"), [(1, ""), (1, "redis://127.0.0.1"), (3, "redis://127.0.0.1")])
def test_one_worker_needs_nothing_and_several_are_fine_with_redis(workers: int, url: str) -> None:
    with override_settings(WORKERS=workers, REDIS_URL=url):
        assert check_several_workers_have_redis(None) == []


def test_several_workers_without_redis_are_an_error() -> None:
    with override_settings(WORKERS=3, REDIS_URL=""):
        (error,) = check_several_workers_have_redis(None)
    assert isinstance(error, checks.Error)
    assert "3 workers need Redis" in error.msg


@pytest.mark.parametrize("url", ["", "redis://localhost:6379", "redis://[::1]:6379/1", "unix:///run/redis.sock"])
def test_sqlite_and_a_redis_on_this_machine_are_fine(url: str) -> None:
    with override_settings(REDIS_URL=url):
        assert check_sqlite_is_on_one_machine(None) == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_sqlite_and_a_redis_elsewhere_are_doubted_without_showing_the_password() -> None:
    with override_settings(REDIS_URL="rediss://user:hidden@cache.school.example:6379"):
        (warning,) = check_sqlite_is_on_one_machine(None)
    assert isinstance(warning, checks.Warning)
    assert "cache.school.example" in warning.msg
    assert "hidden" not in str(warning)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_open_sign_up_is_fine_where_nobody_else_reaches_the_server(host: str) -> None:
    with override_settings(SIGNUP="open", HOST=host):
        assert check_signup_fits_the_network(None) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "attendance.school.example"])
def test_open_sign_up_for_a_network_is_a_warning_that_says_what_it_means(host: str) -> None:
    with override_settings(SIGNUP="open", HOST=host):
        (warning,) = check_signup_fits_the_network(None)
    assert isinstance(warning, checks.Warning)
    assert f"listens on {host}: whoever reaches it can sign up as a teacher" in warning.msg
    assert "SIGNUP" in str(warning.hint)
    with override_settings(SIGNUP="invited", HOST=host):
        assert check_signup_fits_the_network(None) == []


def test_one_live_session_is_a_warning_where_several_teachers_may_be() -> None:
    with override_settings(LIVE_SESSIONS="single", HOST="127.0.0.1"):
        assert check_one_live_session_fits_the_school(None) == []
    with override_settings(LIVE_SESSIONS="single", HOST="0.0.0.0"):
        (warning,) = check_one_live_session_fits_the_school(None)
    assert isinstance(warning, checks.Warning)
    assert "LIVE_SESSIONS=per-class" in str(warning.hint)
    with override_settings(LIVE_SESSIONS="per-class", HOST="0.0.0.0"):
        assert check_one_live_session_fits_the_school(None) == []


@pytest.mark.parametrize("policy", ["students", "domains"])
def test_a_policy_that_needs_proofs_without_a_mail_server_is_a_warning(policy: str) -> None:
    nowhere, smtp = "accounts.console_mail.EmailBackend", "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(SIGNUP=policy, EMAIL_BACKEND=nowhere, DEBUG=False):
        (warning,) = check_proofs_can_be_mailed(None)
    assert f"SIGNUP={policy} without a mail server" in warning.msg
    for fine in ({"EMAIL_BACKEND": smtp}, {"DEBUG": True}, {"SIGNUP": "open"}, {"SIGNUP": "invited"}):
        with override_settings(**{"SIGNUP": policy, "EMAIL_BACKEND": nowhere, "DEBUG": False, **fine}):
            assert check_proofs_can_be_mailed(None) == []


def test_lifted_limits_are_a_warning() -> None:
    assert check_limits_are_on(None) == []
    with override_settings(LIMITS=False):
        (warning,) = check_limits_are_on(None)
    assert isinstance(warning, checks.Warning)
    assert "LIMITS=0" in warning.msg
