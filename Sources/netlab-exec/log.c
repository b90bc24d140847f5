// What a daemon prints goes to NAME.log; when that is full it becomes NAME.log.1, and a new one begins. So the last mebibyte
// is always there, and nobody who prints too much fills a disk.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"

enum { LOG_LIMIT = 1 << 20 };

static int open_file(struct log *log, int flags) {
  log->file = openat(log->folder, log->name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
  struct stat status;
  log->size = log->file >= 0 && fstat(log->file, &status) == 0 ? status.st_size : 0;
  return log->file < 0 ? -1 : 0;
}

int open_log(struct log *log, const char *folder, const char *name) {
  snprintf(log->name, sizeof log->name, "%s.log", name);
  log->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return log->folder < 0 ? -1 : open_file(log, 0);
}

static void turn_over(struct log *log) {
  char full[sizeof log->name + 2];
  snprintf(full, sizeof full, "%s.1", log->name);
  close(log->file);
  renameat(log->folder, log->name, log->folder, full);
  open_file(log, O_TRUNC);
}

bool take_output(struct log *log, int output) {
  static char bytes[64 << 10];
  ssize_t length = read(output, bytes, sizeof bytes);
  if (length <= 0) return false;
  if (log->file >= 0 && log->size + length > LOG_LIMIT) turn_over(log);
  // A full disk costs the lines, and not the daemon.
  if (log->file >= 0 && write(log->file, bytes, length) == length) log->size += length;
  return true;
}

void close_log(struct log *log) {
  if (log->file >= 0) close(log->file);
  if (log->folder >= 0) close(log->folder);
}
