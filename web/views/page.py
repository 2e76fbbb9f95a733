"""The base of every page: who may see it, who is looking, and what goes wrong as a page."""

from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import resolve, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.functional import cached_property
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from accounts.selectors import actor_of
from core import errors
from core.identity import Actor, Role
from core.refusals import tell_refusal
from core.rest.envelope import to_api_error
from core.rest.permissions import Audience
from core.words import sentence_of
from web import failures


class Page(View):
    """A page that names its `audience`. Services and selectors check the rest, such as whose a class is.

    An error that they raise becomes a page that says it in words; a page with a form says it in the form (`refuse`).
    """

    audience: ClassVar[Audience]
    #: The part of the navigation that the page belongs to.
    section: ClassVar[str] = ""
    #: Whether a POST takes long (`core.rest.routes.is_slow`).
    slow: ClassVar[bool] = False
    #: Whether the page takes long to reckon (`core.rest.routes.is_heavy`).
    heavy: ClassVar[bool] = False

    @cached_property
    def actor(self) -> Actor:
        """The person who is signed in. Only for pages that are not for anyone."""
        return actor_of(cast(Any, self.request.user))

    @property
    def person(self) -> Actor | None:
        """The person who is signed in, if somebody is."""
        return self.actor if self.request.user.is_authenticated else None

    @property
    def address(self) -> str | None:
        """The address that the request comes from, or None if it is not known."""
        return self.request.META.get("REMOTE_ADDR")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = self._answer(request, *args, **kwargs)
        except Exception as failure:
            error = to_api_error(failure)
            if error is None:
                raise
            person = self._person_if_known(error)
            tell_refusal(error, account=person.id if person is not None else None)
            response = failures.page(request, error, person=person)
        # A shared computer shows nobody's page to whoever comes next.
        add_never_cache_headers(response)
        return response

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.audience is not Audience.ANYONE and not request.user.is_authenticated:
            goal = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("web:home")
            return redirect_to_login(goal, reverse("web:sign-in"))
        self._check_audience()
        self.check_access()
        return super().dispatch(request, *args, **kwargs)

    def _person_if_known(self, error: errors.ApiError) -> Actor | None:
        """For the page of an error: without the database nobody is known."""
        return None if isinstance(error, errors.DatabaseUnavailable) else self.person

    def check_access(self) -> None:
        """Raises what keeps the person from the page, before anything of the request is read."""

    def _check_audience(self) -> None:
        if self.audience is Audience.TEACHER and self.actor.role != Role.TEACHER:
            raise errors.TeacherOnly
        if self.audience is Audience.STUDENT and self.actor.role != Role.STUDENT:
            raise errors.StudentOnly
        if self.audience is Audience.SUPERUSER and not self.actor.is_superuser:
            raise errors.SuperuserOnly

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        raise errors.MethodNotAllowed

    def show(self, template: str, context: dict[str, Any] | None = None, status: int = HTTPStatus.OK) -> HttpResponse:
        """The page of a template. Where a form of the context was refused, the status says so."""
        content = {"person": self.person, "section": self.section, **(context or {})}
        refused = next((form for form in content.values() if isinstance(form, Form) and form.errors), None)
        if refused is not None:
            status = getattr(refused, "status", HTTPStatus.BAD_REQUEST)
        response = render(self.request, f"web/{template}", content, status=status)
        if wait := getattr(refused, "retry_after", None):
            response["Retry-After"] = str(wait)
        return response

    def refuse(self, form: Any, error: errors.ApiError, field: str | None = None) -> None:
        """Says in the form what went wrong, beside `field` or above all of them."""
        tell_refusal(error, account=self.person.id if self.person is not None else None)
        form.add_error(field, sentence_of(error, reader=self.person))
        form.status = error.status
        if isinstance(error, errors.TooManyRequests):
            form.retry_after = error.retry_after

    def done(self, said: str, name: str, **arguments: str) -> HttpResponse:
        """Leads on to the page `name`, which says what was done."""
        messages.success(self.request, said)
        return redirect(reverse(f"web:{name}", kwargs=arguments))

    def goal(self) -> str:
        """Where a sign-in leads to: inside these pages alone."""
        goal = self.request.POST.get("next") or self.request.GET.get("next") or ""
        inside = goal.startswith("/app/") and url_has_allowed_host_and_scheme(
            goal, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )
        return goal if inside else reverse("web:home")


class Nothing(Page):
    """Every address that is none of the pages'. The page says so, and knows who is signed in."""

    audience = Audience.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        path = request.path.rstrip("/") if request.path.endswith("/") else f"{request.path}/"
        if resolve(path).url_name != "nothing":
            return redirect(path)  # the same page, but for the slash
        raise errors.NotFound

    def post(self, request: HttpRequest) -> HttpResponse:
        raise errors.NotFound
