// Strays: what a command that was sent here has left running. They have become children of the keeper.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"

/// As deep as the kernel lets PID namespaces be nested.
enum { LEVELS = 33 };

/// The beginning of a file of a process, ended by NUL; how long it is.
static size_t read_file(int process, const char *name, char *bytes, size_t size) {
  int file = openat(process, name, O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? 0 : read(file, bytes, size - 1);
  if (file >= 0) close(file);
  bytes[length > 0 ? length : 0] = 0;
  return length > 0 ? length : 0;
}

/// The numbers that a process has in the PID namespace of /proc and in those from there down to its own; how many.
static int read_numbers(int process, pid_t numbers[LEVELS]) {
  char status[4096], *rest;
  read_file(process, "status", status, sizeof status);
  char *next = strstr(status, "\nNSpid:");
  if (!next) return 0;
  next[strcspn(next + 1, "\n") + 1] = 0;
  next += strlen("\nNSpid:");
  int count = 0;
  for (long number; count < LEVELS && (number = strtol(next, &rest, 10)) > 0; next = rest) numbers[count++] = number;
  return count;
}

static bool is_known(const struct keeper *keeper, pid_t process) {
  for (const struct client *client = keeper->clients; client < keeper->clients + keeper->client_count; client++)
    if (client->command == process) return true;
  for (const struct daemon *daemon = keeper->daemons; daemon; daemon = daemon->next)
    if (daemon->supervisor == process) return true;
  return false;
}

/// Writes the fields of a process if it is a stray; how long they are.
static size_t describe(const struct keeper *keeper, int process, const char *number, int depth, char *text, size_t size) {
  pid_t numbers[LEVELS];
  if (read_numbers(process, numbers) < depth || is_known(keeper, numbers[depth - 1])) return 0;
  char command[256];
  size_t length = read_file(process, "cmdline", command, sizeof command);
  // One that has ended has no command line.
  if (length == 0) return 0;
  for (size_t i = 0; i + 1 < length; i++)
    if (command[i] == 0) command[i] = ' ';
  int written = snprintf(text, size, "%s%c%s", number, 0, command);
  return (size_t)written < size ? (size_t)written + 1 : 0;
}

size_t list_strays(const struct keeper *keeper, char *text, size_t size) {
  DIR *proc = opendir("/proc");
  char self[16] = "";
  if (!proc || readlinkat(dirfd(proc), "self", self, sizeof self - 1) < 0) return 0;
  pid_t own[LEVELS], number = atoi(self);
  int folder = open_process(dirfd(proc), number), depth = read_numbers(folder, own);
  close(folder);
  size_t length = 0;
  for (struct dirent *entry; depth > 0 && (entry = readdir(proc));) {
    pid_t id = atoi(entry->d_name);
    int process = id > 0 ? open_process(dirfd(proc), id) : -1;
    if (process < 0) continue;
    if (parent_of(process) == number)
      length += describe(keeper, process, entry->d_name, depth, text + length, size - length);
    close(process);
  }
  closedir(proc);
  return length;
}
