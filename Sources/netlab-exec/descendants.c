// The descendants of this process, whatever sessions and process groups they have made for themselves.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper.h"

struct process {
  pid_t id, parent;
  bool descends;
};

pid_t parent_of(int process) {
  char text[512];
  int file = openat(process, "stat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  text[length > 0 ? length : 0] = 0;
  // Its name may hold anything.
  const char *name_end = strrchr(text, ')');
  int parent;
  return name_end && sscanf(name_end, ") %*c %d", &parent) == 1 ? parent : -1;
}

int open_process(int proc, pid_t id) {
  char name[16];
  snprintf(name, sizeof name, "%d", id);
  return openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/// All processes that /proc shows; how many.
static size_t list_processes(DIR *proc, struct process **processes) {
  size_t count = 0, room = 0;
  for (struct dirent *entry; (entry = readdir(proc));) {
    pid_t id = atoi(entry->d_name);
    if (id <= 0) continue;
    int folder = open_process(dirfd(proc), id);
    if (folder < 0) continue;
    if (count == room) {
      room = room * 2 + 256;
      struct process *larger = realloc(*processes, room * sizeof **processes);
      if (!larger) _exit(CANNOT_EXECUTE);
      *processes = larger;
    }
    (*processes)[count++] = (struct process){.id = id, .parent = parent_of(folder)};
    close(folder);
  }
  return count;
}

static void mark_descendants(struct process *processes, size_t count, pid_t ancestor) {
  for (bool found = true; found;) {
    found = false;
    for (size_t i = 0; i < count; i++) {
      if (processes[i].descends) continue;
      bool descends = processes[i].parent == ancestor;
      for (size_t j = 0; !descends && j < count; j++)
        descends = processes[j].descends && processes[j].id == processes[i].parent;
      processes[i].descends = descends;
      found |= descends;
    }
  }
}

void signal_descendants(int signal) {
  // /proc may be that of an outer PID namespace: identifiers from it are looked up in it alone.
  char self[16] = "";
  DIR *proc = opendir("/proc");
  if (!proc || readlinkat(dirfd(proc), "self", self, sizeof self - 1) < 0) return;
  struct process *processes = NULL;
  size_t count = list_processes(proc, &processes);
  pid_t ancestor = atoi(self);
  mark_descendants(processes, count, ancestor);
  for (size_t i = 0; i < count; i++) {
    if (!processes[i].descends) continue;
    // The folder stays that of this process, also when another one gets the same number.
    int folder = open_process(dirfd(proc), processes[i].id);
    if (folder < 0) continue;
    pid_t parent = parent_of(folder);
    // Its parent may have ended by the same signal, and left it to this process.
    if (parent == processes[i].parent || parent == ancestor) syscall(SYS_pidfd_send_signal, folder, signal, NULL, 0);
    close(folder);
  }
  free(processes);
  closedir(proc);
}
