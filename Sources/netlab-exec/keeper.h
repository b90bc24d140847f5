#pragma once
#include "daemon.h"

enum { CLIENT_LIMIT = 512, DAEMON_LIMIT = 1024 };

/// Somebody who is connected.
struct client {
  /// -1 once it is gone.
  int socket;
  bool watches;
  /// The daemon whose start or end is still to be answered; 0 if there is none.
  unsigned waits_for;
  /// The command that was sent here, and the process outside that sent it; 0 if there is none.
  pid_t command, sender;
  /// Whether the command ends by itself when its sender does.
  bool is_contained;
};

struct keeper {
  int listener;
  struct client clients[CLIENT_LIMIT];
  int client_count;
  /// In the order in which they were asked for.
  struct daemon *daemons;
  int daemon_count;
  unsigned last_id;
  int world[HANDED_OUT], namespace_count;
};

// MARK: - Clients: clients.c

/// Takes in all who have come; false when there is no room for more.
bool welcome(struct keeper *keeper);

/// Answers what a client asks for, or drops one that is gone.
void serve_client(struct keeper *keeper, struct client *client);

/// Answers what all clients have asked for by now, also those who have just come.
void serve_all_clients(struct keeper *keeper);

/// Takes out those that are gone.
void forget_clients(struct keeper *keeper);

/// Answers all that wait for a daemon.
void answer_waiting(struct keeper *keeper, unsigned id, const char *word, const char *text);

/// Tells all that watch what became of a daemon.
void announce(struct keeper *keeper, const struct daemon *daemon, const char *event);

/// Tells the sender of a command, if it has one, how it ended.
void report_command(struct keeper *keeper, pid_t command, int status);

// MARK: - Daemons: roster.c

struct daemon *find_daemon(const struct keeper *keeper, const char *name);

/// Starts a daemon; its id, or 0 with `problem` in words.
unsigned start_daemon(struct keeper *keeper, const char *fields, size_t size, const char **problem);

/// Has a daemon end, and be forgotten; false if that has been done at once.
bool stop_daemon(struct keeper *keeper, struct daemon *daemon);

/// Takes in what the supervisor of a daemon says.
void hear_supervisor(struct keeper *keeper, struct daemon *daemon);

/// Takes in who has ended.
void reap_all(struct keeper *keeper);

/// Starts those again whose time has come: milliseconds until that of the next, -1 if there is none.
int restart_due(struct keeper *keeper);

// MARK: - All others: strays.c

/// Writes the processes that nobody outside waits for and that belong to no daemon as fields: as /proc numbers them, and their
/// command lines. How long that is.
size_t list_strays(const struct keeper *keeper, char *text, size_t size);
