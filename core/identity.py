"""Who is asking: roles, and the actor that a token stands for."""

from dataclasses import dataclass
from typing import Literal

from django.db import models


class Role(models.TextChoices):
    """What a person is. The values are what the contracts' answers show."""

    TEACHER = "teacher"
    STUDENT = "student"


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person, read from the database when the token was checked."""

    id: str
    role: Role
    name: str
    email: str
    is_superuser: bool = False

    #: Django and DRF read this of `request.user`.
    is_authenticated: Literal[True] = True
