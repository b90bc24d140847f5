// Starts a command in a network namespace: enters it, and then becomes the command.
//
//     netlab-exec [--parent PID] [--world | --join SOCKET | --start SOCKET] [--netns PATH] [--contain] [--user UID:GID]
//                 [--limit-cpu SECONDS] [--limit-memory BYTES] -- CMD …
//     netlab-exec --keeper SOCKET
//
// --world, --join, --start: make an ordinary user root, in a world that ends with the command, in one that is kept, or in
// one that is kept from now on (world.c, keeper.c); 3 when the machine refuses it, 2 when nobody keeps one.
//
// --netns: like `ip netns exec`, the command gets a mount namespace of its own, in which /sys shows that network namespace
// and the files of /etc/netns/<name>/ cover those of /etc. --parent: be killed when that process, which must be the parent,
// dies. --contain: run in a PID namespace, so that no descendant outlives the command. On failure, one line on standard
// error, and 127 when the command does not exist, 126 for everything else, 125 for bad arguments.
//
// It is a program of its own, in C, because netlab takes several times as long to start: its Swift libraries have to be
// loaded first. A lab's checks start dozens of commands.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

int fail(const char *attempt, const char *object) {
  fprintf(stderr, "netlab: cannot %s %s: %s\n", attempt, object, strerror(errno));
  return CANNOT_EXECUTE;
}

// MARK: - Entering a network namespace

/// Covers /etc/<file> by /etc/netns/<name>/<file>, for each such file; 0 or an exit status.
static int bind_etc(const char *name) {
  char directory[PATH_MAX];
  snprintf(directory, sizeof directory, "/etc/netns/%s", name);
  DIR *entries = opendir(directory);
  if (!entries) return errno == ENOENT ? 0 : fail("read", directory);
  int status = 0;
  for (struct dirent *entry; status == 0 && (entry = readdir(entries));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char source[2 * PATH_MAX], target[PATH_MAX];
    snprintf(source, sizeof source, "%s/%s", directory, entry->d_name);
    snprintf(target, sizeof target, "/etc/%s", entry->d_name);
    if (mount(source, target, "none", MS_BIND, NULL) != 0) status = fail("bind over", target);
  }
  closedir(entries);
  return status;
}

/// Mounts the /sys of the current network namespace in place of the old one, as read-only as that was.
static int remount_sys(void) {
  struct statvfs old;
  unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (statvfs("/sys", &old) == 0 && (old.f_flag & ST_RDONLY)) flags |= MS_RDONLY;
  if (umount2("/sys", MNT_DETACH) != 0 && errno != EINVAL) return fail("unmount", "/sys");
  // A container may forbid sysfs; the command can still do without it.
  if (mount("netlab", "/sys", "sysfs", flags, NULL) != 0 && errno != EPERM) return fail("mount", "/sys");
  return 0;
}

static int enter(const char *netns) {
  int descriptor = open(netns, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail("open the network namespace", netns);
  int entered = setns(descriptor, CLONE_NEWNET);
  if (entered != 0) fail("enter the network namespace", netns);
  close(descriptor);
  if (entered != 0) return CANNOT_EXECUTE;
  if (unshare(CLONE_NEWNS) != 0) return fail("make a mount namespace for", netns);
  if (mount("", "/", "none", MS_SLAVE | MS_REC, NULL) != 0) return fail("separate the mounts of", netns);
  int status = remount_sys();
  if (status != 0) return status;
  const char *slash = strrchr(netns, '/');
  return bind_etc(slash ? slash + 1 : netns);
}

static int execute(char *const argv[]) {
  execvp(argv[0], argv);
  int status = errno == ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
  fail("run", argv[0]);
  return status;
}

// MARK: - Containing a command

/// Passes the wait status of a child on as this process's own end.
static int end_like(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(WTERMSIG(status), SIG_DFL);
  raise(WTERMSIG(status));
  return 128 + WTERMSIG(status);
}

/// Process 1 of the command's PID namespace: when it ends, the kernel kills all that is left in there.
static void run_init(pid_t command, int report) {
  int status;
  for (pid_t ended; (ended = wait(&status)) != command;) {
    if (ended < 0 && errno != EINTR) _exit(CANNOT_EXECUTE);
  }
  _exit(write(report, &status, sizeof status) == sizeof status ? 0 : CANNOT_EXECUTE);
}

/// Moves what follows into a PID namespace: returns 0 in the process that is to become the command,
/// an exit status on failure, and does not return in the processes that wait for it.
static int contain(void) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return fail("make", "a pipe");
  if (unshare(CLONE_NEWPID) != 0) return fail("make", "a PID namespace");
  // Signals meant for the command go to the whole process group: those in front of it must survive them.
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  pid_t init = fork();
  if (init < 0) return fail("start", "a process");
  if (init > 0) {
    close(report[1]);
    int status;
    ssize_t length;
    do length = read(report[0], &status, sizeof status);
    while (length < 0 && errno == EINTR);
    // The kernel lets an init be reaped only once all other processes of its namespace are gone.
    while (waitpid(init, NULL, 0) < 0 && errno == EINTR) {}
    _exit(length == sizeof status ? end_like(status) : 128 + SIGKILL);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close(report[0]);
  struct pollfd waiting = {.fd = report[1]};
  if (poll(&waiting, 1, 0) > 0) _exit(CANNOT_EXECUTE);  // Nobody reads: the parent died before prctl.
  pid_t command = fork();
  if (command < 0) return fail("start", "a process");
  if (command > 0) run_init(command, report[1]);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  return 0;
}

// MARK: - The command line

struct options {
  const char *netns, *kept_world;
  long parent, user, group;
  rlim_t cpu, memory;
  bool contain, own_world, starts_world;
};

static int parse_number(const char *text, char end, long *value, const char **rest) {
  char *stop;
  errno = 0;
  *value = strtol(text, &stop, 10);
  if (rest) *rest = stop + 1;
  return errno == 0 && stop != text && *stop == end && *value >= 0 ? 0 : BAD_ARGUMENTS;
}

/// Reads the options up to and including "--"; NULL when they make no sense.
static char *const *parse(char *const argv[], struct options *options) {
  for (; *argv; argv++) {
    const char *name = *argv, *group;
    long value;
    if (strcmp(name, "--") == 0) return argv[1] ? argv + 1 : NULL;
    if (strcmp(name, "--contain") == 0) {
      options->contain = true;
      continue;
    }
    if (strcmp(name, "--world") == 0) {
      options->own_world = true;
      continue;
    }
    if (!*++argv) return NULL;
    if (strcmp(name, "--netns") == 0) {
      options->netns = *argv;
    } else if (strcmp(name, "--join") == 0 || strcmp(name, "--start") == 0) {
      options->kept_world = *argv;
      options->starts_world = strcmp(name, "--start") == 0;
    } else if (strcmp(name, "--parent") == 0) {
      if (parse_number(*argv, 0, &options->parent, NULL)) return NULL;
    } else if (strcmp(name, "--user") == 0) {
      if (parse_number(*argv, ':', &options->user, &group)) return NULL;
      if (parse_number(group, 0, &options->group, NULL)) return NULL;
    } else if (strcmp(name, "--limit-cpu") == 0) {
      if (parse_number(*argv, 0, &value, NULL)) return NULL;
      options->cpu = value;
    } else if (strcmp(name, "--limit-memory") == 0) {
      if (parse_number(*argv, 0, &value, NULL)) return NULL;
      options->memory = value;
    } else {
      return NULL;
    }
  }
  return NULL;
}

static int limit(int resource, rlim_t value) {
  struct rlimit old;
  if (getrlimit(resource, &old) != 0) return -1;
  if (value > old.rlim_max) value = old.rlim_max;
  return setrlimit(resource, &(struct rlimit){value, value});
}

static int become_user(const struct options *options) {
  gid_t group = options->group;
  if (setgroups(1, &group) != 0 || setresgid(group, group, group) != 0
      || setresuid(options->user, options->user, options->user) != 0)
    return fail("become", "the user that runs the lab");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail("give up", "privileges");
  return 0;
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

/// A Swift task runs on a thread that blocks nearly all signals, and what it becomes by exec would go on doing so: Ctrl-C
/// would not end it.
static void unblock_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int count, char *argv[]) {
  unblock_signals();
  if (count == 3 && strcmp(argv[1], "--keeper") == 0) return keep_world(argv[2]);
  struct options options = {.parent = -1, .user = -1, .cpu = RLIM_INFINITY, .memory = RLIM_INFINITY};
  char *const *command = parse(argv + 1, &options);
  if (!command) {
    fprintf(stderr, "netlab-exec: started by netlab, not by hand\n");
    return BAD_ARGUMENTS;
  }
  int status = options.parent >= 0 ? die_with(options.parent) : 0;
  if (status == 0) status = enter_world(&options);
  if (status == 0 && options.netns) status = enter(options.netns);
  if (status == 0 && options.contain) status = contain();
  if (status != 0) return status;
  if (options.cpu != RLIM_INFINITY || options.memory != RLIM_INFINITY) {
    if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_CPU, options.cpu) || limit(RLIMIT_AS, options.memory))
      return fail("limit", *command);
  }
  if (options.user >= 0) status = become_user(&options);
  // Changing the user cleared it.
  if (status == 0 && options.user >= 0 && !options.contain) prctl(PR_SET_PDEATHSIG, SIGKILL);
  return status != 0 ? status : execute(command);
}
