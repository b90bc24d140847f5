// Starts a command in a network namespace: enters it, and then becomes the command.
//
//     netlab-exec [--parent PID] [--world | --join SOCKET | --start SOCKET] [--keeper SOCKET] [--netns PATH] [--etc DIR]
//                 [--hostname NAME] [--contain] [--user UID:GID]
//                 [--workshop [--silent] [--hide DIR] [--show DIR]… [--write DIR]…]
//                 [--limit-cpu SECONDS] [--limit-memory BYTES] [--limit-file BYTES] [--limit-processes N] -- CMD …
//     netlab-exec --parent PID --found SOCKET
//     netlab-exec [--world] --keeper SOCKET
//
// --world, --join, --start: make an ordinary user root, in a world that ends with the command, in one that is kept, or in
// one that is kept from now on (world.c, founder.c); 3 when the machine refuses it, 2 when nobody keeps one.
//
// --netns: like `ip netns exec`, the command gets a mount namespace of its own, in which /sys shows that network namespace
// and the files of /etc/netns/<name>/ cover those of /etc; those of --etc cover them after that (place.c). --parent: be killed
// when that process, which must be the parent, dies. --contain: no descendant outlives the command. --workshop: the command
// is a lab's code (workshop.c). --keeper: the command is among the processes of a lab (visitor.c). On failure, one line on standard error, and 127 when the command does not exist,
// 126 for everything else, 125 for bad arguments.
//
// --found: makes sure that a lab has a keeper, which stays as long as the parent does. --keeper without a command: be one.
//
// It is a program of its own, in C, because netlab takes several times as long to start: its Swift libraries have to be
// loaded first. A lab's checks start dozens of commands.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "helper.h"

int complaints = STDERR_FILENO;

int fail(const char *attempt, const char *object) {
  dprintf(complaints, "netlab: cannot %s %s: %s\n", attempt, object, strerror(errno));
  return CANNOT_EXECUTE;
}

// MARK: - The command line

struct options {
  struct place place;
  struct command command;
  struct workshop workshop;
  const char *kept_world, *keeper, *founded;
  long parent;
  bool contain, own_world, starts_world;
};

static int parse_number(const char *text, char end, long *value, const char **rest) {
  char *stop;
  errno = 0;
  *value = strtol(text, &stop, 10);
  if (rest) *rest = stop + 1;
  return errno == 0 && stop != text && *stop == end && *value >= 0 ? 0 : BAD_ARGUMENTS;
}

static int add_path(const char *paths[PATHS], int *count, const char *path) {
  if (*count == PATHS) return BAD_ARGUMENTS;
  paths[(*count)++] = path;
  return 0;
}

/// The flag of an option without an argument; NULL for all others.
static bool *find_flag(struct options *options, const char *name) {
  if (strcmp(name, "--contain") == 0) return &options->contain;
  if (strcmp(name, "--world") == 0) return &options->own_world;
  if (strcmp(name, "--workshop") == 0) return &options->workshop.is_wanted;
  return strcmp(name, "--silent") == 0 ? &options->workshop.is_silent : NULL;
}

/// The limit that an option sets; NULL for all others.
static long *find_limit(struct options *options, const char *name) {
  if (strcmp(name, "--limit-cpu") == 0) return &options->command.cpu;
  if (strcmp(name, "--limit-memory") == 0) return &options->command.memory;
  if (strcmp(name, "--limit-file") == 0) return &options->command.file_size;
  return strcmp(name, "--limit-processes") == 0 ? &options->command.processes : NULL;
}

/// Reads the options, and the command behind "--"; not 0 when they make no sense.
static int parse(char *const argv[], struct options *options) {
  for (; *argv; argv++) {
    const char *name = *argv, *group;
    struct workshop *workshop = &options->workshop;
    if (strcmp(name, "--") == 0) {
      options->command.argv = argv + 1;
      return argv[1] ? 0 : BAD_ARGUMENTS;
    }
    bool *flag = find_flag(options, name);
    if (flag) {
      *flag = true;
      continue;
    }
    if (!*++argv) return BAD_ARGUMENTS;
    if (strcmp(name, "--netns") == 0) {
      options->place.netns = *argv;
    } else if (strcmp(name, "--etc") == 0) {
      options->place.etc = *argv;
    } else if (strcmp(name, "--hostname") == 0) {
      options->place.hostname = *argv;
    } else if (strcmp(name, "--join") == 0 || strcmp(name, "--start") == 0) {
      options->kept_world = *argv;
      options->starts_world = strcmp(name, "--start") == 0;
    } else if (strcmp(name, "--keeper") == 0) {
      options->keeper = *argv;
    } else if (strcmp(name, "--found") == 0) {
      options->founded = *argv;
    } else if (strcmp(name, "--parent") == 0) {
      if (parse_number(*argv, 0, &options->parent, NULL)) return BAD_ARGUMENTS;
    } else if (strcmp(name, "--user") == 0) {
      if (parse_number(*argv, ':', &options->command.user, &group)) return BAD_ARGUMENTS;
      if (parse_number(group, 0, &options->command.group, NULL)) return BAD_ARGUMENTS;
    } else if (strcmp(name, "--hide") == 0) {
      workshop->hidden = *argv;
    } else if (strcmp(name, "--show") == 0) {
      if (add_path(workshop->shown, &workshop->shown_count, *argv)) return BAD_ARGUMENTS;
    } else if (strcmp(name, "--write") == 0) {
      if (add_path(workshop->writable, &workshop->writable_count, *argv)) return BAD_ARGUMENTS;
    } else if (find_limit(options, name)) {
      if (parse_number(*argv, 0, find_limit(options, name), NULL)) return BAD_ARGUMENTS;
    } else {
      return BAD_ARGUMENTS;
    }
  }
  return options->founded ? options->parent < 0 : !options->keeper;
}

static int die_with(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return getppid() == parent ? 0 : CANNOT_EXECUTE;  // It died before prctl.
}

static int enter_world(const struct options *options) {
  if (!options->own_world && !options->kept_world) return 0;
  int status = options->kept_world ? join_world(options->kept_world, options->starts_world) : make_world();
  if (status == 0) accept_user_changes();
  return status;
}

/// Enters the place where the command is to run, and the processes among which it is; not 0 in those that stay behind.
static int enter(struct options *options) {
  struct place *place = &options->place;
  if (options->workshop.is_wanted) return enter_workshop(&options->workshop, &options->command);
  if (options->keeper) {
    place->has_processes = true;
    return visit(options->keeper, place, options->contain, options->parent < 0);
  }
  int status = place->netns || place->etc || place->hostname ? enter_place(place) : 0;
  return status == 0 && options->contain ? contain() : status;
}

/// A Swift task runs on a thread that blocks nearly all signals, and what it becomes by exec would go on doing so: Ctrl-C
/// would not end it.
static void unblock_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int count, char *argv[]) {
  (void)count;
  unblock_signals();
  struct options options = {.parent = -1, .command = {.user = -1}};
  if (parse(argv + 1, &options) != 0) {
    fprintf(stderr, "netlab-exec: started by netlab, not by hand\n");
    return BAD_ARGUMENTS;
  }
  int status = options.parent >= 0 ? die_with(options.parent) : 0;
  if (status != 0) return status;
  if (options.founded) return found(options.founded, options.parent);
  if (!options.command.argv) return keep(argv, options.keeper, options.own_world);
  status = enter_world(&options);
  if (status == 0) status = enter(&options);
  return status != 0 ? status : become_command(&options.command);
}
