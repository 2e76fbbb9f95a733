"""Tags of the pages' templates."""

import re
from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.dates import WEEKDAYS
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from attendance.enums import Status
from web import files
from web.statuses import LETTERS, SHAPES, WORDS

register = template.Library()


@register.simple_tag
def script(name: str) -> SafeString:
    """The element of a page's script, joined with the modules that it imports: `{% script "board" %}`."""
    return format_html('<script type="module" src="{}"></script>', _file(name, "js").address)


@register.simple_tag
def style(name: str) -> SafeString:
    """The element of a page's style, joined with those that it imports."""
    return format_html('<link rel="stylesheet" href="{}">', _file(name, "css").address)


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    """The languages with their own names, because somebody who reads one of them alone looks for that name."""
    return list(settings.LANGUAGES)


@register.simple_tag
def hours() -> str:
    """How the reader's language counts hours, for scripts: `h12` or `h23`."""
    return "h23" if "H" in formats.get_format("TIME_FORMAT") else "h12"


@register.simple_tag
def icon() -> SafeString:
    """The element of the icon."""
    return format_html('<link rel="icon" href="{}" type="image/svg+xml">', files.icon_address())


def _file(name: str, kind: str) -> files.PageFile:
    found = files.page_file(name, kind)
    if found is None:
        raise template.TemplateSyntaxError(f"there is no {name}.{kind}")
    return found


@register.simple_tag
def status(value: str | None, number: Any = None) -> SafeString:
    """A status with its colour, its shape and its word, and with `number` how many have it."""
    found = Status(value) if value else None
    kind = found.value if found else "unmarked"
    counted = "" if number is None else format_html(" <b>{}</b>", number)
    return format_html(
        '<span class="status status-{}">{}<span class="word">{}</span>{}</span>',
        kind,
        shape(value),
        WORDS[found],
        counted,
    )


@register.simple_tag
def status_heading(value: str) -> SafeString:
    """The word of a status above a narrow column; on a phone its letter is seen."""
    one = Status(value)
    return format_html(
        '<span class="word">{}</span><span class="letter" aria-hidden="true">{}</span>', WORDS[one], LETTERS[one]
    )


@register.simple_tag
def shape(value: str | None) -> SafeString:
    """The shape of a status."""
    drawn = SHAPES[Status(value) if value else None]
    return mark_safe(  # noqa: S308  of constants
        f'<svg viewBox="0 0 16 16" aria-hidden="true" class="shape"><g>{drawn}</g></svg>'
    )


@register.simple_tag
def letter(value: str | None) -> str:
    """The letter of a status, in the reader's language."""
    return str(LETTERS[Status(value) if value else None])


@register.simple_tag
def word(value: str | None) -> str:
    """The word of a status."""
    return str(WORDS[Status(value) if value else None])


@register.simple_tag
def weekday(number: int) -> str:
    """The name of a day of the week; 1 is Monday."""
    return str(WEEKDAYS[number - 1])


@register.filter
def day_and_month(at: datetime) -> str:
    """The local day in the short form of the reader's language, without its year: for headings of narrow columns."""
    short = formats.get_format("SHORT_DATE_FORMAT")
    return formats.date_format(timezone.localtime(at), re.sub(r"[^\w.]*[Yy][^\w.]*", "", short))


@register.simple_tag
def heat(value: str | None, column: int, lessons: Any) -> SafeString:
    """A cell of students and lessons, which leads to its lesson. The headings' links are the keyboard's."""
    if not value:
        return mark_safe("<td></td>")
    found = Status(value)
    return format_html(
        '<td class="status-{}"><a href="{}" tabindex="-1" title="{}">{}</a></td>',
        found.value,
        reverse("web:session", args=[lessons[column].id]),
        WORDS[found],
        LETTERS[found],
    )
