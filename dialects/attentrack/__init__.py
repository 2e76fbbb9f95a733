"""AttenTrack: a mobile app's protocol. Students by roll number, bare JSON, mailed codes, a place and a range.

REST under `/api/student`, `/api/teacher`, `/api/attendance`, `/api/class`, `/api/superadmin`; `/setAttendance` and
`/getAttendance`; a WebSocket at `/` and `/attentrack`. What it calls an attendance record is a finished session of
ours, what it calls live is the session that has the focus. `ATTENTRACK_OPEN` opens what the published app calls
without a token.
"""
