"""What one client may ask of the live server. `LIMITS=0` lifts all of this: for benchmarks and crash tests."""

#: Marks of one session's journal, for each student on its roster. A teacher who corrects a student in every minute of a
#: lesson stays below. A journal is held in memory by every process, and is what SYNC answers with.
JOURNAL_MARKS_A_STUDENT = 50
#: A session's journal may have this many marks, however few students it has.
JOURNAL_MARKS = 1000

#: So many messages of one socket are handled before other sockets have their turn.
MESSAGES_A_TURN = 8
#: A message that took longer than this is the last of its socket's turn, seconds.
TURN = 0.001
