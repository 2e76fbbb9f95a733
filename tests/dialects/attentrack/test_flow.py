"""AttenTrack's whole flow on a real server with a real mail server; neither traffic nor log shows a secret."""

from collections.abc import Callable

from accounts.models import OneTimeCode, User
from tests.e2e.attentrack_flow import run_flow, shows
from tests.support.clients import PASSWORD
from tests.support.server import Server
from tests.support.smtp import smtp_server


def test_the_flow_holds_and_shows_no_secret(make_server: Callable[..., Server]) -> None:
    with smtp_server() as (email_url, mailbox):
        server = make_server(EMAIL_URL=email_url, LOG_LEVEL="DEBUG")
        email = "boss@school.example"
        server.database.ask(lambda: User.objects.create_superuser(email, PASSWORD, name="Boss"))
        flow = run_flow(server.url, mailbox, email, PASSWORD)
        server.stop()
    stored = server.database.ask(
        lambda: [
            *User.objects.values_list("password", flat=True),
            *OneTimeCode.objects.values_list("code_hash", flat=True),
        ]
    )
    log = server.log_text()
    assert len(flow.secrets) == 7
    for secret in (*flow.secrets, *stored, PASSWORD):
        assert not shows(flow.traffic, secret)
        assert not shows(log, secret)
