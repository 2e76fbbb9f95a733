"""The school's provider of accounts, by OpenID Connect: the authorization code flow with PKCE, state and nonce.

`ask` says where a browser goes, and `answered` makes of what it comes back with who the provider says the person is.
Nothing here reads or writes the database, and what the provider hands out (code, tokens) is forgotten at once.
"""

import logging
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, cast
from urllib.parse import urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from django.conf import settings
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from accounts.school_provider import Asked, Identity
from core import errors

logger = logging.getLogger(__name__)

#: Seconds to connect, and for each part of an answer.
TIMEOUT = (3.0, 5.0)
#: What the provider says of itself is asked for anew after this long, seconds.
LASTS = 3600.0
#: After a failure nobody waits for the provider for this long, seconds.
PAUSE = 5.0
#: Seconds by which the provider's clock may differ.
LEEWAY = 120

_SCOPE = "openid email profile"
#: Signatures that are made with the provider's private key; whoever knows the client's secret makes none.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
_GOOGLE = "https://accounts.google.com"
#: The provider's errors that the settings here, or there, bring about.
_OUR_FAULT = ("invalid_client", "unauthorized_client", "invalid_request", "invalid_scope", "unsupported_response_type")
_ERRORS = (*_OUR_FAULT, "invalid_grant", "access_denied", "login_required", "consent_required", "interaction_required")
#: How providers say yes; Entra's `xms_edov` is a number, a text or a boolean.
_YES = (True, 1, "1", "true", "True")


def ask(*, back: str) -> tuple[str, Asked]:
    """Where the browser goes to sign in, and what it keeps. `back`: the address that it comes back to.

    Raises `SchoolSignInUnavailable`.
    """
    asked = Asked(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    with _calling():
        about = _provider().about
        url, _ = _client(about, back).create_authorization_url(
            about["authorization_endpoint"], state=asked.state, nonce=asked.nonce, code_verifier=asked.verifier
        )
    return str(url), asked


def answered(answer: Mapping[str, str], asked: Asked, *, back: str) -> Identity:
    """Who has signed in at the provider. `answer`: the parameters with which the browser came back.

    Raises `SchoolSignInStale`, `SchoolSignInRefused`, `SchoolAddressUnproved`, `SchoolSignInUnavailable`.
    """
    if not secrets.compare_digest(answer.get("state", "").encode(), asked.state.encode()):
        raise errors.SchoolSignInStale
    if "error" in answer:
        _refused(answer["error"])
    with _calling():
        provider = _provider()
        with _client(provider.about, back) as client:
            try:
                token = client.fetch_token(
                    provider.about["token_endpoint"], code=answer.get("code", ""), code_verifier=asked.verifier
                )
            except OAuthError as refusal:
                _refused(refusal.error or "")
            claims = provider.claims_of(token, asked)
            if not {"email", "email_verified", "name", settings.OIDC_CLAIM.partition(".")[0]} <= claims.keys():
                claims = {**_more(client, provider.about, str(claims["sub"])), **claims}
    return _identity(claims)


def offers_sign_out() -> bool:
    """Whether the provider, as far as it is known by now, has a sign-out of its own."""
    return _known is not None and isinstance(_known.about.get("end_session_endpoint"), str)


def sign_out_url(*, back: str) -> str | None:
    """Where a browser signs out of the provider as well; None where the provider has no such address.

    No token is kept to show there, so a provider may ask the person. Raises `SchoolSignInUnavailable`.
    """
    with _calling():
        address = _provider().about.get("end_session_endpoint")
    if not isinstance(address, str):
        return None
    query = urlencode({"client_id": settings.OIDC_CLIENT_ID, "post_logout_redirect_uri": back})
    return f"{address}{'&' if '?' in address else '?'}{query}"


class _Provider:
    """What the provider says of itself, and its keys."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.about: dict[str, Any] = _read(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if self.about.get("issuer") != issuer:
            raise ValueError(f"OIDC_ISSUER is {issuer}, and the provider there calls itself {self.about.get('issuer')}")
        self.keys = self._keys()
        self.read_at = time.monotonic()

    def _keys(self) -> KeySet:
        return KeySet.import_key_set(cast(Any, _read(self.about["jwks_uri"])))

    def claims_of(self, token: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
        """The claims of the token that says who signed in: signed by the provider, for us, for this sign-in, now."""
        shown = str(token.get("id_token") or "")
        try:
            try:
                read = jwt.decode(shown, self.keys, algorithms=_ALGORITHMS)
            except InvalidKeyIdError:  # the provider has new keys
                self.keys = self._keys()
                read = jwt.decode(shown, self.keys, algorithms=_ALGORITHMS)
            options = {"iss": {"essential": True, "value": self.issuer}, "aud": {"value": settings.OIDC_CLIENT_ID}}
            known = {"nonce": asked.nonce, "client_id": settings.OIDC_CLIENT_ID, "access_token": token["access_token"]}
            CodeIDToken(read.claims, read.header, options, known).validate(leeway=LEEWAY)
        except (JoseError, AuthlibBaseError, KeyError, ValueError) as fault:
            logger.warning("The provider's token is not good: %s.", type(fault).__name__)
            raise errors.SchoolSignInStale from None
        return dict(read.claims)


_lock = threading.Lock()
_known: _Provider | None = None
#: Nobody waits for the provider until then, by `time.monotonic`.
_paused_until = 0.0


def _provider() -> _Provider:
    global _known  # noqa: PLW0603  one provider a process
    with _lock:
        if _known is None or _known.issuer != settings.OIDC_ISSUER or time.monotonic() - _known.read_at > LASTS:
            _known = _Provider(settings.OIDC_ISSUER)
        return _known


@contextmanager
def _calling() -> Iterator[None]:
    """Around what asks the provider. One that does not answer keeps few threads waiting, and says so in the log."""
    global _paused_until  # noqa: PLW0603
    if time.monotonic() < _paused_until:
        raise errors.SchoolSignInUnavailable
    try:
        yield
    except (requests.RequestException, ValueError, KeyError, JoseError, AuthlibBaseError) as fault:
        _paused_until = time.monotonic() + PAUSE
        # The words of a failed connection have the address alone; others may have parts of an answer.
        is_plain = isinstance(fault, requests.ConnectionError | requests.Timeout) or type(fault) is ValueError
        logger.error("The provider of OIDC_ISSUER fails: %s.", fault if is_plain else type(fault).__name__)
        raise errors.SchoolSignInUnavailable from None


def _client(about: Mapping[str, Any], back: str) -> OAuth2Session:
    ways = about.get("token_endpoint_auth_methods_supported", ())
    return OAuth2Session(
        settings.OIDC_CLIENT_ID,
        settings.OIDC_CLIENT_SECRET,
        scope=_SCOPE,
        redirect_uri=back,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_post" if "client_secret_post" in ways else "client_secret_basic",
        default_timeout=TIMEOUT,
    )


def _read(address: str) -> dict[str, Any]:
    answer = requests.get(address, timeout=TIMEOUT)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{address} is no JSON object")
    return found


def _more(client: OAuth2Session, about: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """What the provider says of the person besides its token. Of somebody else it says nothing here."""
    if "userinfo_endpoint" not in about:
        return {}
    answer = client.get(about["userinfo_endpoint"])
    answer.raise_for_status()
    found = answer.json()
    return found if isinstance(found, dict) and found.get("sub") == subject else {}


def _refused(error: str) -> NoReturn:
    """Raises what the provider's error means for the person. The log has the error's name alone."""
    logger.warning("The provider of OIDC_ISSUER answers: %s.", error if error in _ERRORS else "an error")
    if error == "invalid_grant":  # the code was used, or is too old
        raise errors.SchoolSignInStale
    if error in _OUR_FAULT:
        logger.error("The provider does not take what OIDC_CLIENT_ID, OIDC_CLIENT_SECRET or the address back say.")
        raise errors.SchoolSignInUnavailable
    if error in ("server_error", "temporarily_unavailable"):
        raise errors.SchoolSignInUnavailable
    raise errors.SchoolSignInRefused


def _identity(claims: Mapping[str, Any]) -> Identity:
    email, subject = claims.get("email"), str(claims["sub"])
    vouched = claims.get("email_verified", claims.get("xms_edov"))
    if not isinstance(email, str) or vouched not in _YES or len(subject) > 255:
        raise errors.SchoolAddressUnproved
    return Identity(
        issuer=settings.OIDC_ISSUER,
        subject=subject,
        email=email,
        name=_name(claims) or email.partition("@")[0],
        groups=_groups(claims),
        hosted=_hosted(claims),
    )


def _name(claims: Mapping[str, Any]) -> str:
    whole = str(claims.get("name") or f"{claims.get('given_name', '')} {claims.get('family_name', '')}")
    return whole.replace("\0", "").strip()[:255]


def _groups(claims: Mapping[str, Any]) -> frozenset[str]:
    """The values of OIDC_CLAIM, which names a claim or, with dots, a claim inside of a claim."""
    found: Any = claims.get(settings.OIDC_CLAIM)
    if found is None:
        found = claims
        for part in settings.OIDC_CLAIM.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [found]
    return frozenset(value for value in values if isinstance(value, str))


def _hosted(claims: Mapping[str, Any]) -> str:
    """Of Google's accounts those without `hd` are nobody's school's, whatever address they have once confirmed."""
    if settings.OIDC_ISSUER != _GOOGLE:
        return ""
    return str(claims.get("hd") or urlsplit(_GOOGLE).hostname)
