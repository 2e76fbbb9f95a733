/* The load of `make bench ARGS=--storm`: very many WebSocket clients that keep up with one session, whatever happens.
 *
 *   cc -O2 -o storm storm.c
 *   ./storm PORT TOKENS SOCKETS NUMBER
 *
 * PORT     the server's, on 127.0.0.1
 * TOKENS   a file with a token on each line; client i uses line i, and begins again after the last one
 * SOCKETS  how many clients there are
 * NUMBER   this load's among several, from 0: its clients have addresses of their own, 127.1.NUMBER.1 and on, because
 *          one address has fewer ports than there are clients
 *
 * Each client connects, sends SYNC with the last seq that it has, and hears marks from then on. A client that is cut off
 * does the same again. What it is told must go on from what it has: a seq that it had is counted as doubled, and one
 * that it never had as lost. WINDOW clients open at one time.
 *
 * For each line on the standard input it prints one JSON object: how many clients are in step now, the lowest and the
 * highest seq among all, and what was counted since the start. It ends with its input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW = 128, EVENTS = 512, READ_SIZE = 64 * 1024, PORTS_USED = 20000, CONTROL_SIZE = 125 };
enum { TEXT = 0x1, CLOSE = 0x8, PING = 0x9, PONG = 0xA };
#define PAUSE 0.2 /* before the next try after one that was refused, seconds */
#define LIMIT 20  /* for an opening, seconds */

typedef enum { AWAY, CONNECTING, SHAKING, SYNCING, LIVE } State;

typedef struct {
  int fd;
  State state;
  long seq; /* the last that it has */
  double since;
  unsigned char *rest; /* the beginning of an answer or of a frame */
  size_t length;
} Client;

static struct {
  char **lines;
  long count;
} tokens;
static Client *clients;
static long count, opening;
static int poller, port, number;
static struct {
  long live, opened, cut, refused, lost, doubled, errors, marks;
} seen;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static void fail(const char *why) {
  printf("{\"error\": \"%s: %s\"}\n", why, strerror(errno));
  exit(1);
}

static void read_tokens(const char *path) {
  char *line = NULL;
  size_t size = 0;
  FILE *file = fopen(path, "r");
  if (!file) fail(path);
  while (getline(&line, &size, file) > 0) {
    line[strcspn(line, "\r\n")] = '\0';
    if (!*line) continue;
    tokens.lines = realloc(tokens.lines, (tokens.count + 1) * sizeof *tokens.lines);
    tokens.lines[tokens.count++] = strdup(line);
  }
  free(line);
  fclose(file);
  if (!tokens.count) fail("no tokens");
}

static void become(Client *client, State state) {
  bool was_opening = client->state > AWAY && client->state < LIVE, is_opening = state > AWAY && state < LIVE;
  opening += is_opening - was_opening;
  seen.live += (state == LIVE) - (client->state == LIVE);
  client->state = state;
}

static void leave(Client *client, double now) {
  if (client->state == LIVE) seen.cut++;
  else seen.refused++;
  close(client->fd);
  free(client->rest);
  client->rest = NULL;
  client->length = 0;
  client->since = client->state == LIVE ? 0 : now;
  become(client, AWAY);
}

static void connect_client(Client *client, double now) {
  long at = client - clients;
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port)}, own = {.sin_family = AF_INET};
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  own.sin_addr.s_addr = htonl(0x7F010001 + (number << 8) + at / PORTS_USED);
  int on = 1;
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (client->fd < 0) fail("socket");
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(client->fd, (struct sockaddr *)&own, sizeof own)) fail("bind");
  client->since = now;
  become(client, CONNECTING);
  if (connect(client->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
    leave(client, now);
    return;
  }
  struct epoll_event interest = {.events = EPOLLOUT, .data.ptr = client};
  epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &interest);
}

static bool say(Client *client, const void *bytes, size_t length) {
  return send(client->fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static bool shake(Client *client) {
  static char request[READ_SIZE];
  int failure = 0;
  socklen_t size = sizeof failure;
  getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure) return false;
  int length = snprintf(request, sizeof request,
                        "GET /ws?token=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\n"
                        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n",
                        tokens.lines[(client - clients) % tokens.count], port);
  struct epoll_event interest = {.events = EPOLLIN, .data.ptr = client};
  epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &interest);
  become(client, SHAKING);
  return say(client, request, length);
}

static bool ask(Client *client) {
  unsigned char frame[128] = {0x80 | TEXT};
  int length = snprintf((char *)frame + 6, sizeof frame - 6, "{\"event\":\"SYNC\",\"data\":{\"since\":%ld}}", client->seq);
  frame[1] = 0x80 | length; /* the mask is zero, which leaves the text as it is */
  memset(frame + 2, 0, 4);
  become(client, SYNCING);
  return say(client, frame, 6 + length);
}

/* The number after the next `"seq":` from `*at` on, and `*at` behind it; -1 if there is none. */
static long next_seq(const char **at, const char *end) {
  const char *found = memmem(*at, end - *at, "\"seq\":", 6);
  if (!found) return -1;
  char *behind;
  long seq = strtol(found + 6, &behind, 10);
  *at = behind;
  return seq;
}

static void hear(Client *client, long seq) {
  if (seq <= client->seq) {
    seen.doubled++;
    return;
  }
  seen.lost += seq - client->seq - 1;
  client->seq = seq;
  seen.marks++;
}

static void take_text(Client *client, const char *text, size_t length) {
  const char *at = text, *end = text + length;
  if (memmem(text, length < 32 ? length : 32, "\"SYNC\"", 6)) {
    long last = next_seq(&at, end);
    for (long seq; (seq = next_seq(&at, end)) >= 0;) hear(client, seq);
    if (client->seq != last) seen.errors++;
    if (client->state == SYNCING) seen.opened++;
    become(client, LIVE);
  } else if (memmem(text, length < 32 ? length : 32, "\"ATTENDANCE_MARKED\"", 19)) {
    long seq = next_seq(&at, end);
    if (seq >= 0) hear(client, seq); /* without one: it came before the answer to SYNC, which has it */
  } else {
    seen.errors++;
    fprintf(stderr, "%.*s\n", (int)length, text);
  }
}

/* Takes every whole frame; how many bytes those were. */
static size_t take_frames(Client *client, const unsigned char *bytes, size_t length) {
  size_t at = 0;
  while (length - at >= 2) {
    const unsigned char *frame = bytes + at;
    size_t size = frame[1] & 0x7F, head = size == 126 ? 4 : size == 127 ? 10 : 2;
    if (length - at < head) break;
    if (head > 2) {
      size = 0;
      for (size_t place = 2; place < head; place++) size = size << 8 | frame[place];
    }
    if (length - at - head < size) break;
    int opcode = frame[0] & 0x0F;
    if (opcode == TEXT) take_text(client, (const char *)frame + head, size);
    if (opcode == PING && size <= CONTROL_SIZE) {
      unsigned char pong[6 + CONTROL_SIZE] = {0x80 | PONG, 0x80 | size};
      memcpy(pong + 6, frame + head, size);
      if (!say(client, pong, 6 + size)) seen.errors++;
    }
    at += head + size;
  }
  return at;
}

static bool take(Client *client, unsigned char *bytes, size_t length) {
  size_t taken = 0;
  if (client->state == SHAKING) {
    unsigned char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return true;
    if (!memmem(bytes, 16, " 101 ", 5) || !ask(client)) return false;
    taken = end + 4 - bytes;
  }
  taken += take_frames(client, bytes + taken, length - taken);
  unsigned char *rest = NULL;
  if (taken < length) {
    rest = malloc(length - taken);
    memcpy(rest, bytes + taken, length - taken);
  }
  free(client->rest);
  client->rest = rest;
  client->length = length - taken;
  return true;
}

static bool receive(Client *client) {
  static unsigned char bytes[1 << 20];
  if (client->length + READ_SIZE > sizeof bytes) return false;
  memcpy(bytes, client->rest, client->length);
  ssize_t more = recv(client->fd, bytes + client->length, READ_SIZE, 0);
  if (more < 0) return errno == EAGAIN || errno == EINTR;
  return more > 0 && take(client, bytes, client->length + more);
}

static void tell(void) {
  long lowest = clients[0].seq, highest = clients[0].seq;
  for (long at = 0; at < count; at++) {
    if (clients[at].seq < lowest) lowest = clients[at].seq;
    if (clients[at].seq > highest) highest = clients[at].seq;
  }
  printf("{\"live\": %ld, \"lowest\": %ld, \"highest\": %ld, \"opened\": %ld, \"cut\": %ld, \"refused\": %ld, "
         "\"lost\": %ld, \"doubled\": %ld, \"errors\": %ld, \"marks\": %ld}\n",
         seen.live, lowest, highest, seen.opened, seen.cut, seen.refused, seen.lost, seen.doubled, seen.errors,
         seen.marks);
  fflush(stdout);
}

/* Opens clients that are away, and ends openings that take too long. */
static void look_after(double now) {
  static long next;
  for (long tried = 0; tried < count && opening < WINDOW; tried++) {
    Client *client = &clients[next];
    next = (next + 1) % count;
    if (client->state == AWAY && now - client->since >= PAUSE) connect_client(client, now);
  }
  for (long at = 0; opening && at < count; at++) {
    Client *client = &clients[at];
    if (client->state > AWAY && client->state < LIVE && now - client->since > LIMIT) leave(client, now);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: storm PORT TOKENS SOCKETS NUMBER\n");
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  port = atoi(argv[1]);
  read_tokens(argv[2]);
  count = atol(argv[3]);
  number = atoi(argv[4]);
  clients = calloc(count, sizeof *clients);
  poller = epoll_create1(0);
  struct epoll_event interest = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &interest);

  struct epoll_event events[EVENTS];
  double looked = 0;
  for (;;) {
    int ready = epoll_wait(poller, events, EVENTS, seen.live < count ? 20 : 1000);
    double now = seconds();
    for (int at = 0; at < ready; at++) {
      Client *client = events[at].data.ptr;
      if (!client) {
        char line[16];
        ssize_t length = read(STDIN_FILENO, line, sizeof line);
        if (length <= 0) return 0;
        tell();
      } else if (client->state == CONNECTING ? !shake(client) : !receive(client)) {
        leave(client, now);
      }
    }
    if (seen.live < count && (now - looked > 0.02 || opening < WINDOW / 2)) {
      look_after(now);
      looked = now;
    }
  }
}
