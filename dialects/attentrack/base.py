"""The base of AttenTrack's views: bare JSON, the dialect's own words for failures, and the two trust modes."""

from typing import Any, ClassVar

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.renderers import JSONRenderer

from attendance import selectors
from classes.selectors import class_teacher
from core import errors
from core.identity import Actor
from core.rest.views import ApiView
from dialects.attentrack.failures import Failures, worded


class BareJson(JSONRenderer):
    """Renders the view's answer as it is, without an envelope."""

    charset = "utf-8"


class AttenTrackView(ApiView):
    """A route for its `audience`. With ATTENTRACK_OPEN the route is for everybody, unless `opens` is False."""

    renderer_classes = (BareJson,)
    protocol = "attentrack"
    opens: ClassVar[bool] = True
    #: The statuses that this route gives in its own way.
    failures: ClassVar[Failures] = {}

    def worded(self, error: errors.ApiError) -> tuple[int, Any]:
        return worded(error, self.failures)

    @property
    def is_open(self) -> bool:
        """Whether the route asks nobody for a token; a token that a request brings along is not read then."""
        return self.opens and bool(settings.ATTENTRACK_OPEN)

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.is_open else super().get_authenticators()

    def get_permissions(self) -> Any:
        return [] if self.is_open else super().get_permissions()

    @property
    def reader(self) -> Actor | None:
        """The person who asks, or None on an open route."""
        return None if self.is_open else self.actor

    def only(self, user_id: str) -> None:
        """Raises `Forbidden` unless this person asks, or the route is open."""
        if not self.is_open and self.actor.id != user_id:
            raise errors.Forbidden

    def teacher_of(self, class_id: str) -> Actor:
        """In whose name a class's route works: the person who asks, or on an open route the class's teacher."""
        return class_teacher(class_id) if self.is_open else self.actor

    def teacher_of_record(self, record_id: str) -> Actor:
        """The same for the route of a record."""
        return self.teacher_of(selectors.session_class_id(record_id)) if self.is_open else self.actor


def read_query(request: Any, name: str) -> str:
    """The value of a parameter of the query. Raises `InvalidSchema` if the query does not have it."""
    value = request.query_params.get(name)
    if not value:
        raise errors.InvalidSchema
    return str(value)
