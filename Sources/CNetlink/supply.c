#define _GNU_SOURCE
#include <errno.h>
#include <libmnl/libmnl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cnetlink.h"
#include "internal.h"

struct made {
  int namespace;
  struct mnl_socket *socket;
};

enum { MAX_THREADS = 4 };

struct cnl_supply {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int count, begun, taken;
  /// How many of the first are there, one after the other; and how many somebody waits for.
  int ready, awaited;
  /// So many are waited for at a time: each waking costs as much as several system calls.
  int portion;
  /// The first failure: its errno, then the system call.
  int error;
  const char *step;
  int thread_count;
  pthread_t threads[MAX_THREADS];
  struct made namespaces[];
};

/// Puts the thread into a new namespace; returns the system call that failed, or null.
static const char *make_one(struct made *made) {
  if (unshare(CLONE_NEWNET) != 0) return "unshare";
  made->namespace = cnl_open_current_namespace();
  if (made->namespace < 0) return "open /proc/thread-self/ns/net";
  made->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  return made->socket ? NULL : "socket";
}

static void *make_some(void *argument) {
  struct cnl_supply *s = argument;
  pthread_mutex_lock(&s->lock);
  while (s->error == 0 && s->begun < s->count) {
    int i = s->begun++;
    pthread_mutex_unlock(&s->lock);
    const char *failed = make_one(&s->namespaces[i]);
    int error = errno;
    pthread_mutex_lock(&s->lock);
    if (failed && s->error == 0) {
      s->error = error;
      s->step = failed;
    }
    while (s->ready < s->count && s->namespaces[s->ready].socket) s->ready++;
    if (s->error != 0 || s->ready >= s->awaited) pthread_cond_signal(&s->changed);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

struct cnl_supply *cnl_start_supply(int count) {
  struct cnl_supply *s = calloc(1, sizeof *s + (size_t)count * sizeof *s->namespaces);
  if (!s) return NULL;
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->changed, NULL);
  s->count = count;
  for (int i = 0; i < count; i++) s->namespaces[i].namespace = -1;
  // A thread that ends needs no way back, which saves a setns for each namespace. Making one is work of the kernel's that
  // mostly needs no lock, so it goes on while its owner does something else; if there is a processor for that.
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  s->portion = processors > 1 ? 8 : count;
  while (s->thread_count < count && s->thread_count < processors && s->thread_count < MAX_THREADS) {
    int error = pthread_create(&s->threads[s->thread_count], NULL, make_some, s);
    if (error == 0) {
      s->thread_count++;
      continue;
    }
    if (s->thread_count > 0) break;
    s->error = error;
    s->step = "pthread_create";
    break;
  }
  return s;
}

int cnl_supply_is_ready(struct cnl_supply *s) {
  pthread_mutex_lock(&s->lock);
  int result = s->ready > s->taken || s->error != 0;
  pthread_mutex_unlock(&s->lock);
  return result;
}

int cnl_take_namespace(struct cnl_supply *s, int *namespace, struct mnl_socket **socket, const char **step) {
  pthread_mutex_lock(&s->lock);
  if (s->ready <= s->taken) {
    int portion_end = s->taken + s->portion;
    s->awaited = portion_end < s->count ? portion_end : s->count;
    while (s->ready < s->awaited && s->error == 0) pthread_cond_wait(&s->changed, &s->lock);
  }
  int error = s->error;
  if (error == 0) {
    struct made *made = &s->namespaces[s->taken++];
    *namespace = made->namespace;
    *socket = made->socket;
  }
  *step = s->step;
  pthread_mutex_unlock(&s->lock);
  return error;
}

void cnl_end_supply(struct cnl_supply *s) {
  pthread_mutex_lock(&s->lock);
  s->begun = s->count;
  pthread_mutex_unlock(&s->lock);
  while (s->thread_count > 0) pthread_join(s->threads[--s->thread_count], NULL);
  for (int i = s->taken; i < s->count; i++) {
    if (s->namespaces[i].socket) mnl_socket_close(s->namespaces[i].socket);
    cnl_close(s->namespaces[i].namespace);
  }
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->changed);
  free(s);
}
