"""What is known of the school's provider of accounts without asking it; `accounts.openid` asks.

Few schools have a provider, and what speaks with one takes a tenth of a start: `accounts.openid` is imported where a
sign-in needs it.
"""

from dataclasses import asdict, dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says the person is: its `subject` for good, and an address that it vouches for.

    `groups`: what the claim OIDC_CLAIM names. `hosted`: the domain of the school whose account it is, where the
    provider has accounts of others as well; else "".
    """

    issuer: str
    subject: str
    email: str
    name: str
    groups: frozenset[str]
    hosted: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What this browser has asked for; it keeps this until it is back."""

    state: str
    nonce: str
    verifier: str

    def kept(self) -> dict[str, str]:
        return asdict(self)


def is_offered() -> bool:
    """Whether the school has a provider."""
    return bool(settings.OIDC_ISSUER)
