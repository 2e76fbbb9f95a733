#!/usr/bin/env bash
# icalendar 7.3.2; Python 3.11; seen on 2026-11-29.
#
# A calendar file brings its own time zones (VTIMEZONE), under names that mean something in this file alone: Outlook calls
# zones of any part of the world "Customized Time Zone". icalendar keeps a zone that it has read for the whole process. The
# next file's zone of the same name is not looked at: its lessons come at the first file's time, and no error is noted. Which
# time a file has depends on what was read before it.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check icalendar==7.3.2 python-dateutil==2.9.0.post0 tzdata==2026.6

cat > "$folder/seen" << 'END'
a process that reads +0100 alone: 2025-03-03 09:00:00+01:00, errors []
a process that reads +0530 alone: 2025-03-03 09:00:00+05:30, errors []
a process that reads +0100, then +0530: 2025-03-03 09:00:00+01:00, errors []
a process that reads +0530, then +0100: 2025-03-03 09:00:00+05:30, errors []
END

cat > "$folder/look.py" << 'END'
import sys

from icalendar import Calendar

FILE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//school//timetable//EN
BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:physics
DTSTAMP:20250101T000000Z
DTSTART;TZID=Customized Time Zone:20250303T090000
SUMMARY:Physics
END:VEVENT
END:VCALENDAR
"""

offsets = sys.argv[1:]
for offset in offsets:
    calendar = Calendar.from_ical(FILE.format(offset=offset).replace("\n", "\r\n"))
lesson = calendar.walk("VEVENT")[0]
files = ", then ".join(offsets) if len(offsets) > 1 else f"{offsets[0]} alone"
print(f"a process that reads {files}: {lesson['DTSTART'].dt}, errors {calendar.errors + lesson.errors}")
END

for offsets in +0100 +0530 "+0100 +0530" "+0530 +0100"; do
  # shellcheck disable=SC2086
  "$folder/venv/bin/python" "$folder/look.py" $offsets
done > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
