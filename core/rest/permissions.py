"""Who may use a route: every view names its audience, and one permission class checks it."""

from enum import Enum
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from core import errors
from core.identity import Role


class Audience(Enum):
    """Who may use a route. Services check the rest, such as who owns a class or is enrolled in it."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    TEACHER = "teacher"
    STUDENT = "student"
    SUPERUSER = "superuser"


class MayUse(BasePermission):
    """Refuses a client who does not belong to the view's `audience`: 401 without a good token, 403 for another role."""

    def has_permission(self, request: Request, view: Any) -> bool:
        audience: Audience = view.audience
        if audience is Audience.ANYONE or request.method == "OPTIONS":
            return True
        actor: Any = request.user  # core.identity.Actor, or None without a token
        if actor is None:
            raise errors.TokenMissing
        if audience is Audience.TEACHER and actor.role != Role.TEACHER:
            raise errors.TeacherOnly
        if audience is Audience.STUDENT and actor.role != Role.STUDENT:
            raise errors.StudentOnly
        if audience is Audience.SUPERUSER and not actor.is_superuser:
            raise errors.SuperuserOnly
        return True
