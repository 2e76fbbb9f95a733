"""How long one socket's messages keep the others waiting. What an account may send is in `core.limits`."""

#: So many messages of one socket are handled before other sockets have their turn.
MESSAGES_A_TURN = 8
#: A message that took longer than this is the last of its socket's turn, seconds.
TURN = 0.001
#: A socket whose message was refused because its account has sent too much waits this long, seconds. Then its client
#: waits, too, because the socket is not read meanwhile. So a flood of refusals costs no more than other messages.
PAUSE = 0.02

#: Marks in one request or message.
MARKS_A_MESSAGE = 1000
