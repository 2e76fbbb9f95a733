#!/usr/bin/env bash
# icalendar 7.3.2, with recurring-ical-events 3.8.2, beside python-dateutil 2.9.0; Python 3.11; seen on 2026-11-29.
#
# A rule that is made in Python has an `until`, a moment with its zone. RFC 5545 wants UNTIL in UTC where the start has a
# zone. icalendar writes the moment's local time and leaves the zone away, so whoever reads it takes it for another moment.
# recurring-ical-events asks icalendar for the rule as text, and loses the last lesson: west of Greenwich the hours behind
# UTC are missing. That is so before anything is written to a file. In UTC `until` comes out right.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  icalendar==7.3.2 recurring-ical-events==3.8.2 x-wr-timezone==2.0.1 python-dateutil==2.9.0.post0 tzdata==2026.6

cat > "$folder/seen" << 'END'
dateutil, the same rule: lessons on 3, 4, 5 March
until in New York: RRULE:FREQ=DAILY;UNTIL=20250305T200000; lessons on 3, 4 March
until in UTC: RRULE:FREQ=DAILY;UNTIL=20250306T010000Z; lessons on 3, 4, 5 March
END

cat > "$folder/look.py" << 'END'
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, rrule
from icalendar import Calendar, Event
from recurring_ical_events import of

ZONE = ZoneInfo("America/New_York")
START, LAST = (datetime(2025, 3, day, 20, tzinfo=ZONE) for day in (3, 5))


def days(moments):
    return f"lessons on {', '.join(str(moment.day) for moment in sorted(moments))} March"


def seen(until):
    event = Event()
    event.add("UID", "physics")
    event.add("DTSTAMP", datetime(2025, 1, 1, tzinfo=UTC))
    event.add("DTSTART", START)
    event.add("RRULE", {"FREQ": "DAILY", "UNTIL": until})
    calendar = Calendar()
    calendar.add_component(event)
    rule = next(line for line in event.to_ical().decode().splitlines() if line.startswith("RRULE"))
    lessons = of(calendar).between(datetime(2025, 3, 1), datetime(2025, 3, 31))
    return f"{rule}; {days(lesson['DTSTART'].dt for lesson in lessons)}"


print(f"dateutil, the same rule: {days(rrule(DAILY, dtstart=START, until=LAST))}")
print(f"until in New York: {seen(LAST)}")
print(f"until in UTC: {seen(LAST.astimezone(UTC))}")
END

"$folder/venv/bin/python" "$folder/look.py" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
