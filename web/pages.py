"""Long lists, a page at a time."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator

#: So many rows stand on one page of a list.
ROWS = 50


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of one page of a list, and the numbers of the pages before and after it, None where there is none."""

    rows: list[Any]
    number: int
    last: int

    @classmethod
    def of(cls, rows: Any, wanted: str | None) -> "Slice":
        """The page that a query asks for; the first or the last one for a number that does not exist."""
        page = Paginator(rows, ROWS).get_page(wanted)
        return cls(list(page.object_list), page.number, page.paginator.num_pages)

    @property
    def before(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        return self.number + 1 if self.number < self.last else None
