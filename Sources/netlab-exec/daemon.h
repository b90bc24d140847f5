#pragma once
#include <stdint.h>

#include "helper.h"

/// The file that takes what a daemon prints, and the one before it.
struct log {
  int folder, file;
  char name[256];
  off_t size;
};

/// Opens NAME.log in a folder; -1 and errno.
int open_log(struct log *log, const char *folder, const char *name);

/// Takes what can be read without waiting, but not more than a little; whether there was anything.
bool take_output(struct log *log, int output);

void close_log(struct log *log);

/// A process that belongs to the lab: what was asked for, and what became of it.
struct daemon {
  struct daemon *next;
  /// The later, the higher.
  unsigned id;
  /// What was asked for, which the strings below point into.
  char *request;
  const char *name, *definition, *directory, *logs;
  struct place place;
  struct command command;
  char **environment;
  enum { NEVER, ON_FAILURE, ALWAYS } restart;
  struct order stop;

  enum { STARTING, RUNNING, PAUSING, ENDED } state;
  bool is_stopping;
  pid_t supervisor, process;
  /// Why its command could not be run, when that happened last; NULL if it never did.
  char *failure;
  /// A wait status.
  int status;
  unsigned restarts;
  /// Milliseconds since 1970.
  int64_t started, ended;
  /// Of the monotonic clock, in milliseconds: when it was started, and when it is to be started again.
  int64_t since, due;
  int pause;
  /// The reading and the writing end of the pipe that all of it prints to.
  int output[2];
  /// The way to its supervisor.
  int control;
  struct log log;
};

/// Makes a daemon from the fields of a request, without starting it; NULL with `problem` in words.
struct daemon *read_daemon(const char *fields, size_t size, const char **problem);

/// Writes what is known of a daemon as the fields of a message: how long it is.
size_t describe_daemon(const struct daemon *daemon, char *text, size_t size);

void free_daemon(struct daemon *daemon);

/// Starts it, below a supervisor of its own; -1 and errno.
int launch_daemon(struct daemon *daemon);

/// What a supervisor says once its command runs, or cannot be run, which `text` says why.
struct launch_report {
  pid_t process;
  char text[4000];
};

int64_t monotonic_milliseconds(void);
int64_t wall_milliseconds(void);

/// The limit of descriptors that the keeper's children have, while it has a higher one itself.
extern struct rlimit descriptor_limit;

/// The keeper's command line, one argument behind the other in memory.
extern char *const *keeper_arguments;
