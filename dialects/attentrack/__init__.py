"""AttenTrack: a mobile app's protocol. Students by roll number, bare JSON, mailed codes, a place and a range.

Its routes are under `/api/student`, `/api/teacher`, `/api/attendance`, `/api/class` and `/api/superadmin`, and at
`/setAttendance` and `/getAttendance`; its WebSocket is at `/` and `/attentrack`. An attendance record of the app is a
finished session of ours, and its live attendance is the session that has the focus. `ATTENTRACK_OPEN` opens the routes
that the published app calls without a token.
"""
