// Daemons as they are asked for and told about: fields, each ended by NUL.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

/// The fields of a message that are still to be read.
struct reader {
  char *next, *end;
};

/// The next field; NULL when there is none.
static char *read_field(struct reader *reader) {
  if (reader->next >= reader->end) return NULL;
  char *field = reader->next;
  reader->next += strlen(field) + 1;
  return field;
}

static bool read_number(const char *text, char end, long *value, const char **rest) {
  char *stop;
  errno = 0;
  *value = strtol(text, &stop, 10);
  *rest = stop + 1;
  return errno == 0 && stop != text && *stop == end && *value >= 0;
}

/// What follows NAME= if the field is that.
static const char *value_of(const char *field, const char *name) {
  size_t length = strlen(name);
  return strncmp(field, name, length) == 0 && field[length] == '=' ? field + length + 1 : NULL;
}

static bool read_restart(struct daemon *daemon, const char *word) {
  static const char *const words[] = {[NEVER] = "never", [ON_FAILURE] = "on-failure", [ALWAYS] = "always"};
  for (int i = NEVER; i <= ALWAYS; i++) {
    if (strcmp(word, words[i]) != 0) continue;
    daemon->restart = i;
    return true;
  }
  return false;
}

static bool read_option(struct daemon *daemon, const char *field) {
  const struct {
    const char *name, **text;
  } texts[] = {{"definition", &daemon->definition}, {"directory", &daemon->directory}, {"logs", &daemon->logs},
               {"netns", &daemon->place.netns},     {"etc", &daemon->place.etc},       {"hostname", &daemon->place.hostname}};
  const char *value, *rest;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (!(value = value_of(field, texts[i].name))) continue;
    *texts[i].text = value;
    return true;
  }
  long number;
  if ((value = value_of(field, "restart"))) return read_restart(daemon, value);
  if ((value = value_of(field, "user")))
    return read_number(value, ':', &daemon->command.user, &rest) && read_number(rest, 0, &daemon->command.group, &rest);
  if ((value = value_of(field, "signal"))) {
    bool is_good = read_number(value, 0, &number, &rest) && number > 0 && number < NSIG;
    daemon->stop.signal = number;
    return is_good;
  }
  if ((value = value_of(field, "grace"))) {
    bool is_good = read_number(value, 0, &number, &rest) && number <= 3600000;
    daemon->stop.grace = number;
    return is_good;
  }
  return false;
}

/// The rest of a request: how many words the command has, these, and the environment.
static bool read_command(struct daemon *daemon, struct reader *reader) {
  const char *field = read_field(reader), *rest;
  long count, room = 2;
  for (const char *byte = reader->next; byte < reader->end; byte++) room += *byte == 0;
  if (!field || !read_number(field, 0, &count, &rest) || count < 1 || count > room - 2) return false;
  char **words = calloc(room, sizeof *words);
  if (!words) return false;
  daemon->command.argv = words;
  for (long i = 0; i < count; i++) words[i] = read_field(reader);
  daemon->environment = words + count + 1;
  for (long i = count + 1; (words[i] = read_field(reader)); i++) {}
  return true;
}

static const char *fill(struct daemon *daemon, struct reader *reader) {
  daemon->name = read_field(reader);
  if (!daemon->name || !*daemon->name || *daemon->name == '.' || strchr(daemon->name, '/') || strlen(daemon->name) > 200)
    return "its name is none of a daemon's";
  const char *field;
  while ((field = read_field(reader)) && *field)
    if (!read_option(daemon, field)) return "there is an option that the keeper does not know";
  if (!daemon->logs) return "there is no folder for its log";
  if (!read_command(daemon, reader)) return "there is no command";
  if (open_log(&daemon->log, daemon->logs, daemon->name) != 0 || pipe2(daemon->output, O_CLOEXEC) != 0) return strerror(errno);
  fcntl(daemon->output[0], F_SETFL, O_NONBLOCK);
  return NULL;
}

struct daemon *read_daemon(const char *fields, size_t size, const char **problem) {
  struct daemon *daemon = calloc(1, sizeof *daemon);
  *problem = "there is no memory";
  if (!daemon) return NULL;
  daemon->definition = "";
  daemon->directory = "/";
  daemon->place.has_processes = true;
  daemon->command = (struct command){.user = -1};
  daemon->stop = (struct order){.signal = SIGTERM, .grace = 5000};
  daemon->control = daemon->output[0] = daemon->output[1] = daemon->log.file = daemon->log.folder = -1;
  if ((daemon->request = malloc(size + 1))) {
    memcpy(daemon->request, fields, size);
    struct reader reader = {daemon->request, daemon->request + size};
    *problem = fill(daemon, &reader);
  }
  if (!*problem) return daemon;
  free_daemon(daemon);
  return NULL;
}

size_t describe_daemon(const struct daemon *daemon, char *text, size_t size) {
  static const char *const words[] = {
      [STARTING] = "starting", [RUNNING] = "running", [PAUSING] = "pausing", [ENDED] = "ended"};
  int length = snprintf(text, size, "daemon%c%u%c%s%c%s%c%d%c%lld%c%lld%c%d%c%u%c%s", 0, daemon->id, 0, daemon->name, 0,
                        words[daemon->state], 0, daemon->process, 0, (long long)daemon->started, 0, (long long)daemon->ended, 0,
                        daemon->status, 0, daemon->restarts, 0, daemon->definition);
  return (size_t)length < size ? (size_t)length + 1 : size;
}

void free_daemon(struct daemon *daemon) {
  close_log(&daemon->log);
  for (int i = 0; i < 2; i++)
    if (daemon->output[i] >= 0) close(daemon->output[i]);
  if (daemon->control >= 0) close(daemon->control);
  free((void *)daemon->command.argv);
  free(daemon->failure);
  free(daemon->request);
  free(daemon);
}
