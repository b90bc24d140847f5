// The clients of a keeper. A request and its answer are each one message: fields, each ended by NUL, of which the first says
// what it is. None of them can make the keeper wait: who does not take its answers is dropped.
//
//     hello                           ok, with the namespaces of the world as descriptors, if there is one
//     start NAME OPTION=… "" N WORD… VARIABLE=…      ok PID | error WHY     once it runs, or cannot be run
//     stop NAME                       ok | error WHY                        once all of it is gone
//     next ID                         daemon ID NAME STATE PID STARTED ENDED STATUS RESTARTS DEFINITION | end
//                                     the first daemon with a higher id
//     watch                           ok, and from then on: event NAME ended|pausing|restarted STATUS
//     adopt PID SENDER [contained]    ended STATUS, when that process has ended
//     signal NUMBER                   nothing: the adopted command gets it
//     commands                        ok (PID SENDER)…                      what was adopted and has not ended
//     strays                          ok (PID COMMAND)…                     what such have left, as /proc numbers it
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper.h"

// MARK: - Coming and going

bool welcome(struct keeper *keeper) {
  while (keeper->client_count < CLIENT_LIMIT) {
    int client = accept4(keeper->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    keeper->clients[keeper->client_count++] = (struct client){.socket = client};
  }
  return false;
}

void serve_all_clients(struct keeper *keeper) {
  welcome(keeper);
  for (int i = 0; i < keeper->client_count; i++)
    if (keeper->clients[i].socket >= 0 && keeper->clients[i].waits_for == 0) serve_client(keeper, &keeper->clients[i]);
}

/// Its command ends with it: the command itself, if it is not contained, or else it is only to be able to.
static void drop(struct client *client) {
  close(client->socket);
  client->socket = -1;
  if (client->command > 0) kill(client->command, client->is_contained ? SIGCONT : SIGKILL);
}

void forget_clients(struct keeper *keeper) {
  int kept = 0;
  for (int i = 0; i < keeper->client_count; i++)
    if (keeper->clients[i].socket >= 0) keeper->clients[kept++] = keeper->clients[i];
  keeper->client_count = kept;
}

// MARK: - Answers

static void tell(struct client *client, const char *bytes, size_t size) {
  if (client->socket >= 0 && send_message(client->socket, bytes, size, NULL, 0, MSG_DONTWAIT) != 0) drop(client);
}

/// Sends two fields.
static void answer(struct client *client, const char *word, const char *text) {
  char bytes[4200];
  int size = snprintf(bytes, sizeof bytes, "%s%c%s", word, 0, text);
  tell(client, bytes, (size_t)size < sizeof bytes ? (size_t)size + 1 : sizeof bytes);
}

void answer_waiting(struct keeper *keeper, unsigned id, const char *word, const char *text) {
  for (struct client *client = keeper->clients; client < keeper->clients + keeper->client_count; client++) {
    if (client->waits_for != id) continue;
    client->waits_for = 0;
    answer(client, word, text);
  }
}

void announce(struct keeper *keeper, const struct daemon *daemon, const char *event) {
  char bytes[512];
  int size = snprintf(bytes, sizeof bytes, "event%c%s%c%s%c%d", 0, daemon->name, 0, event, 0, daemon->status);
  for (struct client *client = keeper->clients; client < keeper->clients + keeper->client_count; client++)
    if (client->watches) tell(client, bytes, size + 1);
}

void report_command(struct keeper *keeper, pid_t command, int status) {
  for (struct client *client = keeper->clients; client < keeper->clients + keeper->client_count; client++) {
    if (client->command != command) continue;
    client->command = 0;
    char text[16];
    snprintf(text, sizeof text, "%d", status);
    answer(client, "ended", text);
  }
}

// MARK: - Requests

static void hand_out(struct keeper *keeper, struct client *client) {
  static const char ok[] = "ok";
  if (send_message(client->socket, ok, sizeof ok, keeper->world, keeper->namespace_count, MSG_DONTWAIT) != 0) drop(client);
}

/// Room for a long answer.
static char text[MESSAGE_LIMIT];

static void list_next(struct keeper *keeper, struct client *client, unsigned id) {
  const struct daemon *daemon = keeper->daemons;
  while (daemon && daemon->id <= id) daemon = daemon->next;
  if (daemon) tell(client, text, describe_daemon(daemon, text, sizeof text));
  else answer(client, "end", "");
}

static void list_commands(const struct keeper *keeper, struct client *asker) {
  size_t size = sprintf(text, "ok") + 1;
  for (const struct client *client = keeper->clients; client < keeper->clients + keeper->client_count; client++)
    if (client->command > 0) size += sprintf(text + size, "%d%c%d", client->command, 0, client->sender) + 1;
  tell(asker, text, size);
}

static void answer_strays(const struct keeper *keeper, struct client *client) {
  size_t size = sprintf(text, "ok") + 1;
  tell(client, text, size + list_strays(keeper, text + size, sizeof text - size));
}

static void stop(struct keeper *keeper, struct client *client, const char *name) {
  struct daemon *daemon = find_daemon(keeper, name);
  if (!daemon) return answer(client, "error", "there is no such daemon");
  unsigned id = daemon->id;
  if (stop_daemon(keeper, daemon)) client->waits_for = id;
  else answer(client, "ok", "");
}

static void adopt(struct client *client, pid_t command, pid_t sender, bool is_contained) {
  if (client->command > 0 || command <= 1 || kill(command, 0) != 0)
    return answer(client, "error", "there is no such process to adopt");
  client->command = command;
  client->sender = sender;
  client->is_contained = is_contained;
}

static void start(struct keeper *keeper, struct client *client, const char *fields, size_t size) {
  const char *problem;
  client->waits_for = start_daemon(keeper, fields, size, &problem);
  if (client->waits_for == 0) answer(client, "error", problem);
}

void serve_client(struct keeper *keeper, struct client *client) {
  static char request[MESSAGE_LIMIT + 4];
  struct iovec data = {request, MESSAGE_LIMIT};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  ssize_t size = recvmsg(client->socket, &message, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return drop(client);
  // A field that is not there is empty.
  memset(request + size, 0, 4);
  const char *first = request + strlen(request) + 1, *second = first + (first < request + size ? strlen(first) + 1 : 0);
  const char *third = second + (second < request + size ? strlen(second) + 1 : 0);
  if (message.msg_flags & MSG_TRUNC || request[size - 1] != 0) return answer(client, "error", "the request has no end");
  if (strcmp(request, "hello") == 0) return hand_out(keeper, client);
  if (strcmp(request, "start") == 0) return start(keeper, client, first, first < request + size ? request + size - first : 0);
  if (strcmp(request, "stop") == 0) return stop(keeper, client, first);
  if (strcmp(request, "next") == 0) return list_next(keeper, client, strtoul(first, NULL, 10));
  if (strcmp(request, "commands") == 0) return list_commands(keeper, client);
  if (strcmp(request, "strays") == 0) return answer_strays(keeper, client);
  if (strcmp(request, "adopt") == 0) return adopt(client, atoi(first), atoi(second), strcmp(third, "contained") == 0);
  if (strcmp(request, "signal") == 0) {
    int number = atoi(first);
    if (client->command > 0 && number > 0 && number < NSIG) kill(client->command, number);
    return;
  }
  if (strcmp(request, "watch") != 0) return answer(client, "error", "the keeper does not know that request");
  client->watches = true;
  answer(client, "ok", "");
}
