"""How long one socket's messages keep the others waiting. What an account may send is in `core.limits`."""

#: So many messages of one socket are handled before other sockets have their turn.
MESSAGES_A_TURN = 8
#: A message that took longer than this is the last of its socket's turn, seconds.
TURN = 0.001

#: Marks in one request or message.
MARKS_A_MESSAGE = 1000
