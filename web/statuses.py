"""How pages show statuses: a word, a letter and a shape for each, besides its colour in the stylesheet."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from attendance.enums import Method, Status

#: The order in which pages offer them.
ORDER = (Status.PRESENT, Status.LATE, Status.ABSENT, Status.EXCUSED)
#: None stands for a student without a mark.
WORDS = {
    Status.PRESENT: _("Present"),
    Status.LATE: _("Late"),
    Status.ABSENT: _("Absent"),
    Status.EXCUSED: _("Excused"),
    None: _("Not yet"),
}
LETTERS = {
    Status.PRESENT: pgettext_lazy("one letter", "P"),
    Status.LATE: pgettext_lazy("one letter", "L"),
    Status.ABSENT: pgettext_lazy("one letter", "A"),
    Status.EXCUSED: pgettext_lazy("one letter", "E"),
    None: "–",
}
#: Inside of an SVG of 16 by 16; the stylesheet says how its lines are drawn.
SHAPES = {
    Status.PRESENT: '<path d="M3 8.5l3.5 3.5L13 4.5"/>',
    Status.LATE: '<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 2"/>',
    Status.ABSENT: '<path d="M4 4l8 8M12 4l-8 8"/>',
    Status.EXCUSED: '<path d="M3 8h10"/>',
    None: '<circle cx="8" cy="8" r="5"/>',
}
#: How a mark came about.
METHODS = {
    Method.TEACHER: _("by the teacher"),
    Method.BULK: _("with many others"),
    Method.SELF: _("checked in"),
    Method.IMPORT: _("imported"),
    Method.AUTO: _("absent without a mark"),
    Method.CORRECTION: _("corrected afterwards"),
}
