"""What the queries of several routes have in common."""

from collections.abc import Mapping
from datetime import date

from rest_framework.exceptions import ValidationError

from core.errors import InvalidSchema
from core.rest.serializers import StrictDay


def day_asked(query: Mapping[str, str], name: str) -> date | None:
    """The day that the query names by `name`, None if it names none. Raises `InvalidSchema`."""
    text = query.get(name)
    if text is None:
        return None
    try:
        day: date = StrictDay().run_validation(text)
    except ValidationError as failure:
        raise InvalidSchema({name: [str(word) for word in failure.detail]}) from None
    return day
