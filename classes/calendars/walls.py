"""Moments on the school's clock."""

from datetime import datetime, tzinfo


def wall(moment: datetime, school: tzinfo) -> datetime:
    """The time on the school's clock. A time that a clock of the same zone skips stays as it is written."""
    written = moment.replace(tzinfo=None)
    if written.replace(tzinfo=school).utcoffset() == moment.utcoffset():
        return written
    return moment.astimezone(school).replace(tzinfo=None)
