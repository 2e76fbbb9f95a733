"""How long a sign-in of a browser lasts: 12 hours; at the admin also no longer than an hour without use.

The pages' tokens end with it (`page_token`): other tabs of the browser may still be open.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.db import SessionStore
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import tokens
from accounts.models import User
from audit.trail import on_pruning
from core.database.unit_of_work import unit_of_work

#: A working day. The session's cookie lives as long (SESSION_COOKIE_AGE).
LIFETIME = timedelta(hours=12)
#: Whoever has left the desk is signed out.
IDLE = timedelta(hours=1)

#: The last use is noted at most so often, because noting it is a write. Seconds.
_NOTED_EVERY = 60
#: A clock that is set back by no more than this signs nobody out, seconds.
_CLOCK_SKEW = 5 * 60

_BEGAN, _SEEN = "signed in at", "seen at"
#: What the tokens of the browser's pages share, for as long as somebody is signed in.
_BROWSER = "browser"


@receiver(user_logged_in)
def session_begin(request: HttpRequest, **kwargs: Any) -> None:
    request.session[_BEGAN] = request.session[_SEEN] = int(time.time())
    request.session[_BROWSER] = secrets.token_urlsafe(16)


def page_token(request: HttpRequest, user: User) -> str:
    """A token for a page of `user`, who is signed in in this browser. It ends with the sign-in."""
    # A sign-in from before there were such tokens has nothing yet.
    return tokens.issue_to_page(user, request.session.setdefault(_BROWSER, secrets.token_urlsafe(16)))


@receiver(user_logged_out)
def page_tokens_end(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """The sign-in of this browser is about to end: its pages' tokens do, and their sockets."""
    browser = request.session.get(_BROWSER)
    if user is not None and browser is not None:
        tokens.void_pages(user.pk, browser)


@contextmanager
def another_sign_in(request: HttpRequest) -> Iterator[None]:
    """Where somebody signs in meanwhile, the tokens of who was signed in before end. Django tells of no end there."""
    user_id = request.user.pk
    browser = request.session.get(_BROWSER)
    yield
    if user_id is not None and browser is not None and request.session.get(_BROWSER) != browser:
        tokens.void_pages(user_id, browser)


def session_is_over(request: HttpRequest) -> bool:
    """Whether the sign-in has lasted for too long, and has therefore just ended. Otherwise notes that it is used."""
    moment = int(time.time())
    began, seen = request.session.get(_BEGAN, 0), request.session.get(_SEEN, 0)
    fresh = _within(moment - began, LIFETIME) and _within(moment - seen, IDLE)
    if not fresh:
        logout(request)
    elif moment - seen >= _NOTED_EVERY or moment < seen:
        request.session[_SEEN] = moment
    return not fresh


def _within(passed: int, limit: timedelta) -> bool:
    return -_CLOCK_SKEW <= passed < limit.total_seconds()


@unit_of_work
def sign_ins_forget() -> None:
    """Deletes the rows of browsers' sign-ins that are over. Few people sign out."""
    SessionStore.clear_expired()


on_pruning(sign_ins_forget)
