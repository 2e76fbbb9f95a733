/* The load of the benchmarks: many WebSocket clients that listen, the first of which also marks.
 *
 *   cc -O2 -o fanout fanout.c
 *   ./fanout PORT TOKENS STUDENTS SOCKETS MARKS GAP PID[,PID...]
 *
 * PORT      the server's, on 127.0.0.1
 * TOKENS    a file with a token on each line; client i uses line i, and begins again after the last one;
 *           the first is the teacher's
 * STUDENTS  a file with a student's id on each line; mark k is of student k, and begins again after the last one.
 *           The status changes each time round, so that no mark repeats what is known.
 * SOCKETS   how many clients there are
 * MARKS     how many marks the teacher sends
 * GAP       microseconds between the arrival of a mark at the last client and the next mark; 0: all marks at once
 * PID       the server's processes, whose CPU time and memory are read from /proc
 *
 * Prints one JSON object. The CPU time is that of the server's threads while the marks were under way; that of the
 * opening of the connections is apart. Latencies are those from sending a mark until the last client has it, and 0 where GAP is 0.
 * A mark that has not arrived everywhere within PATIENCE seconds is lost. After ten minutes the program gives up.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 5, TEN_MINUTES = 600, EVENTS = 256, READ_SIZE = 64 * 1024, MARK_SIZE = 512, OPENING = 64 };
enum { TEXT = 0x1, PING = 0x9, PONG = 0xA };
enum { CONTROL_SIZE = 125 }; /* the most that the protocol allows in a ping */

typedef struct {
  char **lines;
  long count;
} Lines;

/* Bytes that wait: those of a frame of which the rest has yet to come, or those that the socket did not take. */
typedef struct {
  unsigned char *bytes;
  size_t length, capacity;
} Buffer;

typedef struct {
  int fd;
  bool open;
  long heard; /* marks so far, so the number of the next one */
  Buffer rest;
} Client;

static Lines tokens, students;
static Client *clients;
static long client_count;
static int poller;
static struct {
  long delivered, out_of_order, errors, closed;
} seen;

static void fail(const char *why) {
  printf("{\"error\": \"%s: %s\"}\n", why, strerror(errno));
  exit(1);
}

static void out_of_time(int signal_number) {
  static const char text[] = "{\"error\": \"ten minutes are over\"}\n";
  (void)signal_number;
  if (write(STDOUT_FILENO, text, sizeof text - 1) < 0) _exit(2);
  _exit(1);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static Lines lines_of(const char *path) {
  Lines found = {0};
  char *line = NULL;
  size_t size = 0;
  FILE *file = fopen(path, "r");
  if (!file) fail(path);
  while (getline(&line, &size, file) > 0) {
    line[strcspn(line, "\r\n")] = '\0';
    if (!*line) continue;
    found.lines = realloc(found.lines, (found.count + 1) * sizeof *found.lines);
    found.lines[found.count++] = strdup(line);
  }
  free(line);
  fclose(file);
  if (!found.count) fail(path);
  return found;
}

/* The server's processes */

static double cpu_seconds(const char *pids) {
  double nanoseconds = 0;
  char *list = strdup(pids), *place = NULL;
  for (char *pid = strtok_r(list, ",", &place); pid; pid = strtok_r(NULL, ",", &place)) {
    char path[320];
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *threads = opendir(path);
    if (!threads) continue;
    struct dirent *thread;
    while ((thread = readdir(threads))) {
      double on_a_core;
      if (thread->d_name[0] == '.') continue; /* `..` has a schedstat too, that of the first thread */
      snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, thread->d_name);
      FILE *file = fopen(path, "r");
      if (!file) continue;
      if (fscanf(file, "%lf", &on_a_core) == 1) nanoseconds += on_a_core;
      fclose(file);
    }
    closedir(threads);
  }
  free(list);
  return nanoseconds / 1e9;
}

static double memory_kib(const char *pids) {
  double pages = 0;
  char *list = strdup(pids), *place = NULL;
  for (char *pid = strtok_r(list, ",", &place); pid; pid = strtok_r(NULL, ",", &place)) {
    char path[64];
    double all, resident;
    snprintf(path, sizeof path, "/proc/%s/statm", pid);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    if (fscanf(file, "%lf %lf", &all, &resident) == 2) pages += resident;
    fclose(file);
  }
  free(list);
  return pages * sysconf(_SC_PAGESIZE) / 1024;
}

/* Marks */

static const char *student_of(long mark) { return students.lines[mark % students.count]; }

static const char *status_of(long mark) { return mark / students.count % 2 ? "\"absent\"" : "\"present\""; }

/* Writes mark `number` as a frame that a client may send. Its mask is zero, which leaves the payload as it is. */
static size_t mark_frame(unsigned char *to, long number) {
  char payload[MARK_SIZE - 8];
  int length = snprintf(payload, sizeof payload,
                        "{\"event\":\"ATTENDANCE_MARKED\",\"data\":{\"studentId\":\"%s\",\"status\":%s}}",
                        student_of(number), status_of(number));
  size_t head = 0;
  to[head++] = 0x80 | TEXT;
  if (length < 126) {
    to[head++] = 0x80 | length;
  } else {
    to[head++] = 0x80 | 126;
    to[head++] = length >> 8;
    to[head++] = length & 0xFF;
  }
  memset(to + head, 0, 4);
  memcpy(to + head + 4, payload, length);
  return head + 4 + length;
}

static bool contains(const unsigned char *payload, size_t length, const char *word) {
  return memmem(payload, length, word, strlen(word)) != NULL;
}

static void take(Client *client, int opcode, const unsigned char *payload, size_t length) {
  if (opcode == PING && length <= CONTROL_SIZE) {
    unsigned char pong[6 + CONTROL_SIZE] = {0x80 | PONG, 0x80 | length};
    memcpy(pong + 6, payload, length);
    if (send(client->fd, pong, 6 + length, MSG_NOSIGNAL) < 0) seen.errors++;
    return;
  }
  if (opcode != TEXT) return;
  if (!contains(payload, length, "\"ATTENDANCE_MARKED\"")) {
    fprintf(stderr, "%.*s\n", (int)length, (const char *)payload);
    seen.errors++;
    return;
  }
  if (!contains(payload, length, student_of(client->heard)) || !contains(payload, length, status_of(client->heard)))
    seen.out_of_order++;
  client->heard++;
  seen.delivered++;
}

/* Frames */

/* Takes every whole frame in `bytes`; returns how many bytes those were. */
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
    take(client, frame[0] & 0x0F, frame + head, size);
    at += head + size;
  }
  return at;
}

static void keep(Buffer *buffer, const unsigned char *bytes, size_t length) {
  if (buffer->length + length > buffer->capacity) {
    buffer->capacity = 2 * (buffer->length + length);
    buffer->bytes = realloc(buffer->bytes, buffer->capacity);
  }
  memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
}

static void receive(Client *client, const unsigned char *bytes, size_t length) {
  Buffer *rest = &client->rest;
  if (!rest->length) {
    size_t taken = take_frames(client, bytes, length);
    if (taken < length) keep(rest, bytes + taken, length - taken);
    return;
  }
  keep(rest, bytes, length);
  size_t taken = take_frames(client, rest->bytes, rest->length);
  rest->length -= taken;
  memmove(rest->bytes, rest->bytes + taken, rest->length);
}

/* Reads what the clients are sent; waits for it at most so many milliseconds. */
static void listen_for(int milliseconds) {
  static unsigned char bytes[READ_SIZE];
  struct epoll_event events[EVENTS];
  int ready = epoll_wait(poller, events, EVENTS, milliseconds);
  for (int at = 0; at < ready; at++) {
    Client *client = events[at].data.ptr;
    ssize_t length = recv(client->fd, bytes, sizeof bytes, 0);
    if (length > 0) {
      receive(client, bytes, length);
    } else if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
      epoll_ctl(poller, EPOLL_CTL_DEL, client->fd, NULL);
      client->open = false;
      seen.closed++;
    }
  }
}

static void listen_until(double end) {
  for (double left; (left = end - seconds()) > 0;) listen_for(left * 1e3 < 1 ? 1 : (int)(left * 1e3));
}

/* Opening */

static void ask_to_open(Client *client, int port, const char *token) {
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port)};
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct timeval limit = {.tv_sec = 4 * PATIENCE};
  int on = 1;
  client->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (client->fd < 0) fail("socket");
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(client->fd, (struct sockaddr *)&server, sizeof server)) fail("connect");

  char *request;
  int size = asprintf(&request,
                      "GET /ws?token=%s HTTP/1.1\r\n"
                      "Host: 127.0.0.1:%d\r\n"
                      "Connection: Upgrade\r\n"
                      "Upgrade: websocket\r\n"
                      "Sec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n",
                      token, port);
  if (size < 0 || send(client->fd, request, size, MSG_NOSIGNAL) != size) fail("sending the handshake");
  free(request);
}

static void hear_it_open(Client *client) {
  static unsigned char answer[READ_SIZE];
  size_t length = 0;
  unsigned char *end = NULL;
  while (!end) {
    ssize_t more = recv(client->fd, answer + length, sizeof answer - length, 0);
    if (more <= 0) fail("reading the handshake");
    length += more;
    end = memmem(answer, length, "\r\n\r\n", 4);
  }
  if (!contains(answer, strcspn((char *)answer, "\r"), " 101 ")) fail("the server does not open the socket");
  client->open = true;
  fcntl(client->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event interest = {.events = EPOLLIN, .data.ptr = client};
  epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &interest);
  unsigned char *frames = end + 4;
  if (frames < answer + length) receive(client, frames, answer + length - frames);
}

/* As clients do that come at once: OPENING of them ask, before the first of them hears the answer. */
static void open_clients(int port) {
  for (long from = 0; from < client_count; from += OPENING) {
    long to = from + OPENING < client_count ? from + OPENING : client_count;
    for (long at = from; at < to; at++) ask_to_open(&clients[at], port, tokens.lines[at % tokens.count]);
    for (long at = from; at < to; at++) hear_it_open(&clients[at]);
  }
}

/* The two loads */

static void mark_one_by_one(long marks, long gap, double *latencies) {
  unsigned char frame[MARK_SIZE];
  for (long number = 0; number < marks; number++) {
    size_t size = mark_frame(frame, number);
    double sent = seconds();
    if (send(clients[0].fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size) fail("sending a mark");
    while (seen.delivered < (number + 1) * client_count && seconds() - sent < PATIENCE) listen_for(100);
    latencies[number] = seconds() - sent;
    usleep(gap);
  }
}

static void mark_at_once(long marks) {
  unsigned char frame[MARK_SIZE];
  Buffer unsent = {0};
  for (long number = 0; number < marks; number++) keep(&unsent, frame, mark_frame(frame, number));
  size_t sent = 0;
  long before = 0;
  double last = seconds();
  while (seen.delivered < marks * client_count && seconds() - last < PATIENCE) {
    if (sent < unsent.length) {
      ssize_t more = send(clients[0].fd, unsent.bytes + sent, unsent.length - sent, MSG_NOSIGNAL);
      if (more > 0) sent += more;
    }
    listen_for(sent < unsent.length ? 1 : 100);
    if (seen.delivered > before) {
      before = seen.delivered;
      last = seconds();
    }
  }
}

static int ascending(const void *one, const void *other) {
  double left = *(const double *)one, right = *(const double *)other;
  return (left > right) - (left < right);
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: fanout PORT TOKENS STUDENTS SOCKETS MARKS GAP PID[,PID...]\n");
    return 2;
  }
  signal(SIGALRM, out_of_time);
  alarm(TEN_MINUTES);
  int port = atoi(argv[1]);
  tokens = lines_of(argv[2]);
  students = lines_of(argv[3]);
  client_count = atol(argv[4]);
  long marks = atol(argv[5]), gap = atol(argv[6]);
  const char *pids = argv[7];

  poller = epoll_create1(0);
  clients = calloc(client_count, sizeof *clients);
  double memory = memory_kib(pids), opening = cpu_seconds(pids);
  open_clients(port);
  listen_until(seconds() + 0.5); /* what a server does after an opening is not to count as a mark's */
  memory = memory_kib(pids) - memory;
  opening = cpu_seconds(pids) - opening;

  double *latencies = calloc(marks, sizeof *latencies);
  double began = seconds(), cpu = cpu_seconds(pids);
  if (gap)
    mark_one_by_one(marks, gap, latencies);
  else
    mark_at_once(marks);
  cpu = cpu_seconds(pids) - cpu;
  double took = seconds() - began;

  qsort(latencies, marks, sizeof *latencies, ascending);
  printf("{\"sockets\": %ld, \"marks\": %ld, \"frames\": %ld, \"lost\": %ld, \"out_of_order\": %ld, \"errors\": %ld, "
         "\"closed\": %ld, \"seconds\": %.3f, \"cpu_us_per_frame\": %.4f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
         "\"kib_per_socket\": %.1f, \"opening_cpu_us\": %.1f}\n",
         client_count, marks, seen.delivered, marks * client_count - seen.delivered, seen.out_of_order, seen.errors,
         seen.closed, took, seen.delivered ? 1e6 * cpu / seen.delivered : 0, 1e3 * latencies[marks / 2],
         1e3 * latencies[marks * 99 / 100], memory / client_count, 1e6 * opening / client_count);
  return 0;
}
