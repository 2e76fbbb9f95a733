/* The floor of the benchmarks: what the kernel alone takes for telling a mark to every socket.
 *
 *   cc -O2 -o floor floor.c
 *   ./floor        (PORT in the environment)
 *
 * A server that does the least that can be heard as one: it upgrades whoever connects to 127.0.0.1, knows nobody, stores
 * nothing, and sends the text of each frame that comes to all sockets, by one call of send each. Frames that come
 * together go out together. The load measures it like every other server, so that their figures can be compared.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EVENTS = 256, READ_SIZE = 64 * 1024, REST_SIZE = 4096, BACKLOG = 4096 };

typedef struct {
  int fd;
  bool upgraded;
  size_t place;             /* in `sockets` */
  size_t length;            /* of `rest` */
  unsigned char *rest;      /* a request or a frame of which more is to come */
} Socket;

static Socket **sockets;
static size_t socket_count, socket_capacity;
static int poller;

static void fail(const char *why) {
  perror(why);
  exit(1);
}

static void add(int fd) {
  int on = 1;
  Socket *added = calloc(1, sizeof *added);
  added->fd = fd;
  added->rest = malloc(REST_SIZE);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (socket_count == socket_capacity) {
    socket_capacity = socket_capacity ? 2 * socket_capacity : 1024;
    sockets = realloc(sockets, socket_capacity * sizeof *sockets);
  }
  added->place = socket_count;
  sockets[socket_count++] = added;
  struct epoll_event interest = {.events = EPOLLIN, .data.ptr = added};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &interest)) fail("epoll_ctl");
}

static void drop(Socket *dropped) {
  Socket *last = sockets[--socket_count];
  last->place = dropped->place;
  sockets[last->place] = last;
  close(dropped->fd);
  free(dropped->rest);
  free(dropped);
}

/* Returns how many bytes the request takes; 0: more of it is to come. */
static size_t upgrade(Socket *socket, const unsigned char *bytes, size_t length) {
  /* The key is not answered as the protocol asks: the load does not look. */
  static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  const unsigned char *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (!end) return 0;
  send(socket->fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
  socket->upgraded = true;
  return end + 4 - bytes;
}

/* Adds the whole frames in `bytes` to `out`, without their masks; returns how many bytes they take. */
static size_t unmask(const unsigned char *bytes, size_t length, unsigned char *out, size_t *out_length) {
  size_t at = 0;
  while (length - at >= 8) {
    const unsigned char *frame = bytes + at;
    size_t size = frame[1] & 0x7F, head = 2;
    if (size == 127) fail("a frame of more than 64 KiB");
    if (size == 126) {
      size = (size_t)frame[2] << 8 | frame[3];
      head = 4;
    }
    if (length - at < head + 4 + size) break;
    unsigned char *to = out + *out_length;
    memcpy(to, frame, head);
    to[1] &= 0x7F;
    for (size_t place = 0; place < size; place++)
      to[head + place] = frame[head + 4 + place] ^ frame[head + place % 4];
    *out_length += head + size;
    at += head + 4 + size;
  }
  return at;
}

static void hear(Socket *socket) {
  static unsigned char bytes[REST_SIZE + READ_SIZE], out[REST_SIZE + READ_SIZE];
  ssize_t more = recv(socket->fd, bytes + socket->length, READ_SIZE, MSG_DONTWAIT);
  if (more < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (more <= 0) {
    drop(socket);
    return;
  }
  memcpy(bytes, socket->rest, socket->length);
  size_t length = socket->length + more, taken = 0, out_length = 0;
  if (!socket->upgraded) taken = upgrade(socket, bytes, length);
  if (socket->upgraded) taken += unmask(bytes + taken, length - taken, out, &out_length);
  socket->length = length - taken;
  if (socket->length > REST_SIZE) fail("a request or a frame that is too long");
  memcpy(socket->rest, bytes + taken, socket->length);
  if (!out_length) return;
  for (size_t at = 0; at < socket_count; at++)
    if (sockets[at]->upgraded) send(sockets[at]->fd, out, out_length, MSG_NOSIGNAL);
}

int main(void) {
  const char *port = getenv("PORT");
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 0)};
  struct rlimit files;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address)) fail("bind");
  if (listen(listener, BACKLOG)) fail("listen");
  poller = epoll_create1(0);
  struct epoll_event events[EVENTS], interest = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &interest);
  for (;;) {
    int ready = epoll_wait(poller, events, EVENTS, -1);
    for (int at = 0; at < ready; at++) {
      if (events[at].data.ptr) {
        hear(events[at].data.ptr);
      } else {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0) add(fd);
      }
    }
  }
}
