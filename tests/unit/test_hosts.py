"""The addresses that start-up lines and `demo` print are addresses that let people in."""

import pytest
from pytest_django import Settings

from core import hosts
from core.hosts import addresses_to_open


@pytest.fixture(autouse=True)
def _network(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(hosts, "network_address", lambda: "10.1.2.3")
    settings.PUBLIC_URL = ""


@pytest.mark.parametrize(
    ("host", "allowed", "expected"),
    [
        ("127.0.0.1", ["*"], ["http://127.0.0.1:80"]),
        ("::1", ["*"], ["http://[::1]:80"]),
        ("0.0.0.0", ["*"], ["http://localhost:80", "http://10.1.2.3:80"]),
        ("::", ["*"], ["http://localhost:80", "http://10.1.2.3:80"]),
        ("10.1.2.3", ["*"], ["http://10.1.2.3:80"]),
        ("127.0.0.1", ["localhost"], ["http://localhost:80"]),
        ("0.0.0.0", ["127.0.0.1"], ["http://127.0.0.1:80"]),
        ("0.0.0.0", ["10.1.2.3"], ["http://10.1.2.3:80"]),
        ("0.0.0.0", ["school.example", ".lan"], ["http://school.example:80", "http://lan:80"]),
        ("127.0.0.1", ["school.example"], ["http://school.example"]),
    ],
)
def test_an_address_that_is_printed_is_one_that_lets_people_in(
    settings: Settings, host: str, allowed: list[str], expected: list[str]
) -> None:
    settings.ALLOWED_HOSTS = allowed
    assert addresses_to_open(host, 80) == expected


def test_behind_a_proxy_it_is_the_public_address(settings: Settings) -> None:
    settings.ALLOWED_HOSTS, settings.PUBLIC_URL = ["school.example"], "https://school.example"
    assert addresses_to_open("127.0.0.1", 3000) == ["https://school.example"]


def test_without_a_network_there_is_no_address_of_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setattr(hosts, "network_address", lambda: None)
    assert addresses_to_open("0.0.0.0", 80) == ["http://localhost:80"]
