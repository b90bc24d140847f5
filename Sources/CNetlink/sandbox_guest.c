#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"

// The first process of the guest: it makes itself at home (guest_root.c), runs the command that the work folder
// describes, and leaves the exit status there.

static int work;  // the host's work folder, mounted nowhere the command could see

void cnl_guest_fail(const char *what, const char *which) {
  fprintf(stderr, "netlab sandbox: %s %s: %s\n", what, which, strerror(errno));
  sync();
  reboot(RB_POWER_OFF);
  _exit(1);
}

/// Reads a file of the work folder whole, with a NUL after it.
static char *load(const char *name, size_t *size) {
  int file = openat(work, name, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) cnl_guest_fail("open", name);
  char *bytes = calloc(1, (size_t)status.st_size + 1);
  *size = 0;
  for (ssize_t count; (count = read(file, bytes + *size, (size_t)status.st_size - *size)) > 0;)
    *size += (size_t)count;
  close(file);
  return bytes;
}

/// Reads a file of NUL-ended strings.
static char **load_list(const char *name) {
  size_t size, count = 0, index = 0;
  char *bytes = load(name, &size);
  for (size_t at = 0; at < size; at++) count += bytes[at] == 0;
  char **list = calloc(count + 1, sizeof *list);
  for (size_t at = 0; at < size; at += strlen(bytes + at) + 1) list[index++] = bytes + at;
  return list;
}

static int open_raw(const char *device) {
  struct termios settings;
  int line = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (line < 0 || tcgetattr(line, &settings) != 0) cnl_guest_fail("open", device);
  cfmakeraw(&settings);
  if (tcsetattr(line, TCSANOW, &settings) != 0) cnl_guest_fail("set", device);
  return line;
}

static int read_whole(int from, unsigned char *bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t count = read(from, bytes + done, size - done);
    if (count <= 0) return 0;
    done += (size_t)count;
  }
  return 1;
}

/// The caller's piped standard input: a process that unpacks what the host sends over the serial line, packets of
/// two bytes of length and the bytes, until an empty one.
static int start_input(void) {
  int ends[2], line = open_raw("/dev/ttyS0");
  if (pipe2(ends, O_CLOEXEC) != 0) cnl_guest_fail("pipe", "for the standard input");
  if (fork() == 0) {
    unsigned char length[2], bytes[65536];
    close(ends[0]);
    while (read_whole(line, length, 2)) {
      size_t size = length[0] | (size_t)length[1] << 8;
      if (size == 0 || !read_whole(line, bytes, size)) break;
      for (size_t done = 0; done < size;) {
        ssize_t count = write(ends[1], bytes + done, size - done);
        if (count < 0) _exit(0);
        done += (size_t)count;
      }
    }
    _exit(0);
  }
  close(ends[1]);
  return ends[0];
}

static int open_input(const char *kind) {
  if (strcmp(kind, "terminal") == 0) return open("/dev/tty1", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (strcmp(kind, "stream") == 0) return start_input();
  if (strcmp(kind, "file") == 0) return openat(work, "input", O_RDONLY | O_CLOEXEC);
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void become_command(int terminal, int input, int output, int error) {
  char **arguments = load_list("arguments"), **environment = load_list("environment");
  size_t size;
  char *folder = load("folder", &size), *mask = load("umask", &size);
  setsid();
  if (terminal >= 0) ioctl(terminal, TIOCSCTTY, 0);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(error, STDERR_FILENO);
  umask((mode_t)strtoul(mask, NULL, 8));
  clearenv();
  for (; *environment; environment++) putenv(*environment);
  struct utsname kernel;
  uname(&kernel);
  setenv("NETLAB_SANDBOX", kernel.release, 1);
  if (chdir(folder) != 0) {
    dprintf(STDERR_FILENO, "netlab sandbox: %s: %s\n", folder, strerror(errno));
    _exit(126);
  }
  execvp(arguments[0], arguments);
  int failure = errno;
  dprintf(STDERR_FILENO, "netlab sandbox: %s: %s\n", arguments[0], strerror(failure));
  _exit(failure == ENOENT ? 127 : 126);
}

static void report(int status) {
  int file = openat(work, "status.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  dprintf(file, "%d", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  close(file);
  sync();
  renameat(work, "status.new", work, "status");
}

/// One of the command's output streams: a pipe, because a command may open /dev/stdout or /dev/stderr anew, which
/// would cut a file short; and the file that the host reads.
struct stream {
  int command_end, near_end, file;
};

static struct stream open_stream(const char *name, int terminal) {
  struct stream stream = {.file = openat(work, name, O_WRONLY | O_APPEND | O_CLOEXEC)};
  int ends[2];
  if (stream.file < 0 && terminal >= 0) return (struct stream){terminal, -1, -1};
  if (stream.file < 0 || pipe2(ends, O_CLOEXEC) != 0) cnl_guest_fail("open", name);
  stream.near_end = ends[0];
  stream.command_end = ends[1];
  return stream;
}

static void copy_some(const struct stream *stream) {
  static char bytes[65536];
  ssize_t count = read(stream->near_end, bytes, sizeof bytes);
  for (ssize_t done = 0, step; done < count; done += step)
    if ((step = write(stream->file, bytes + done, (size_t)(count - done))) < 0)
      cnl_guest_fail("write", "the command's output");
}

/// Carries the command's output until it has ended and all of it is out; returns its wait status. A process that it
/// leaves running is not waited for, though it holds the streams.
static int attend(pid_t command, int children, const struct stream streams[2]) {
  int status = 0, has_ended = 0;
  struct pollfd events[] = {
      {children, POLLIN, 0}, {streams[0].near_end, POLLIN, 0}, {streams[1].near_end, POLLIN, 0}};
  for (;;) {
    // One round after the end takes all that a pipe can hold; what else keeps writing must not keep the guest.
    int is_last = has_ended;
    poll(events, 3, is_last ? 0 : -1);
    if (events[0].revents) {
      struct signalfd_siginfo information;
      if (read(children, &information, sizeof information) < 0) cnl_guest_fail("read", "signals");
      int ended_with;
      for (pid_t ended; (ended = waitpid(-1, &ended_with, WNOHANG)) > 0;) {
        if (ended != command) continue;
        status = ended_with;
        has_ended = 1;
      }
    }
    for (int index = 0; index < 2; index++) {
      if (events[index + 1].revents & POLLIN) copy_some(&streams[index]);
      else if (events[index + 1].revents) events[index + 1].fd = -1;
    }
    if (is_last) return status;
  }
}

static void run_guest(const char *folder, const char *input_kind) {
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  work = cnl_guest_open_work(folder);
  cnl_guest_set_up(load_list("writable"));

  int input = open_input(input_kind), terminal = strcmp(input_kind, "terminal") == 0 ? input : -1;
  if (input < 0) cnl_guest_fail("open the standard input", input_kind);
  // From here on the host may send input. A line tells nobody of what arrived before it was open.
  close(openat(work, "ready", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  struct stream streams[] = {open_stream("output", terminal), open_stream("error", terminal)};

  sigprocmask(SIG_BLOCK, &child_ended, NULL);
  int children = signalfd(-1, &child_ended, SFD_CLOEXEC);
  pid_t command = fork();
  if (command == 0) {
    sigprocmask(SIG_UNBLOCK, &child_ended, NULL);
    become_command(terminal, input, streams[0].command_end, streams[1].command_end);
  }
  for (int index = 0; index < 2; index++)
    if (streams[index].command_end != terminal) close(streams[index].command_end);
  int status = attend(command, children, streams);
  if (terminal >= 0) tcdrain(terminal);
  report(status);
  reboot(RB_POWER_OFF);
  _exit(0);
}

/// Whatever program links this file can be the first process of a sandbox, so a test bundle can be, too, and none
/// has to know where another is installed. The kernel passes its unknown arguments on as environment.
__attribute__((constructor)) static void be_first_process(void) {
  const char *folder = getenv("netlab_folder"), *input = getenv("netlab_input");
  if (getpid() == 1 && folder && input) run_guest(folder, input);
}
