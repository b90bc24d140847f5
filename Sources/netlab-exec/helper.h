#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { LAB_WRONG = 2, MACHINE_LACKS = 3, BAD_ARGUMENTS = 125, CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

/// Prints what could not be done, with errno's words; CANNOT_EXECUTE.
int fail(const char *attempt, const char *object);

/// Where that goes: to standard error, until it is told otherwise.
extern int complaints;

// Unless they say otherwise, all functions below return 0 or an exit status, after one message.

// MARK: - Places: place.c

/// Where a command runs. What is NULL is as it is outside.
struct place {
  /// The path of a network namespace.
  const char *netns;
  /// A folder of files, each of which covers that of the same name in /etc.
  const char *etc;
  const char *hostname;
  /// Whether /proc is to show the PID namespace of this process, and not the one it was mounted in.
  bool has_processes;
};

/// Moves this process to a place.
int enter_place(const struct place *place);

// MARK: - Commands: command.c

struct command {
  char *const *argv;
  /// Whom it runs as; -1: as this process does.
  long user, group;
  /// Limits: processor seconds, bytes of address space, bytes of a file, processes of its user. 0: none.
  long cpu, memory, file_size, processes;
};

/// Makes this process one of the command's user, who gets no other rights any more.
int become_user(struct command *command);

/// Becomes the command. Returns only on failure.
int become_command(struct command *command);

/// Moves what follows into a PID namespace: returns 0 in the process that is to become the command, an exit status on
/// failure, and does not return in the processes that wait for it.
int contain(void);

/// Passes the wait status of a child on as this process's own end; an exit status where that is not to be had.
int end_like(int status);

// MARK: - Workshops: workshop.c

enum { PATHS = 8 };

/// Where a lab's code is compiled or runs: the machine's files are read-only there.
struct workshop {
  bool is_wanted;
  /// Whether nothing is said where the machine refuses workshops.
  bool is_silent;
  /// A folder that is hidden; NULL for none.
  const char *hidden;
  /// Folders that stay what they are though they are in hidden ones, and those that can be written to as well.
  const char *shown[PATHS], *writable[PATHS];
  int shown_count, writable_count;
};

/// Moves what follows into a workshop, as the command's user: returns 0 in the process that is to become the command, also
/// where the machine refuses workshops, an exit status on failure, and does not return in the processes that wait for it.
int enter_workshop(const struct workshop *workshop, struct command *command);

// MARK: - Supervisors: supervisor.c, descendants.c

/// What a supervisor can be told.
struct order {
  int signal;
  /// Milliseconds after which what is left is killed.
  int grace;
};

/// Makes this process the one that orphaned descendants fall to.
void become_supervisor(void);

/// Waits until a child and all of its descendants are gone, which is when this process ends, as the child did. What the
/// child leaves behind is killed, or may live on if `may_fork_away` says so and it did not fail. Orders come through a
/// socket; when that closes, all are killed.
_Noreturn void supervise(pid_t child, int orders, bool may_fork_away);

/// Sends a signal to all descendants of this process.
void signal_descendants(int signal);

/// Opens the folder of a process in /proc; -1 and errno.
int open_process(int proc, pid_t id);

/// The parent of the process whose folder that is; -1 if it has ended.
pid_t parent_of(int process);

// MARK: - Worlds of ordinary users: world.c

/// Makes this process root of a new user namespace, with mounts and a network of its own.
int make_world(void);

/// Lets programs that give up root believe that they did.
void accept_user_changes(void);

// MARK: - Keepers: keeper.c; and those who come to them: founder.c, visitor.c

/// The namespaces that the keeper of a world hands out, in the order in which they are to be entered.
enum { USER, MOUNTS, NETWORK, HANDED_OUT };

/// The descriptors of a keeper that is started: where it tells its status once it can be reached or cannot be, and the
/// process for which it was started.
enum { READY = 3, STARTER = 4 };

/// Keeps a lab, and its world if it has one, as process 1 of a PID namespace; `argv` is the command line of this process.
int keep(char *const argv[], const char *path, bool has_world);

/// Makes sure that a lab is kept behind the socket at `path`, at least as long as a process runs.
int found(const char *path, pid_t starter);

/// Makes this process one of the world that is kept behind the socket at `path`; starts a keeper first if there is none
/// and `start` says so.
int join_world(const char *path, bool start);

/// Moves what follows to a place among the processes of a lab: returns 0 in the process that is to become the command, an
/// exit status on failure, and does not return in the processes that wait for it. When `parent` ends nothing is left.
int visit(const char *path, const struct place *place, bool contained, bool forwards_signals);

// MARK: - Sockets: connection.c

/// The most that a request or an answer may have.
enum { MESSAGE_LIMIT = 160 << 10 };

/// Opens the folder of a path, in which only the caller can have put anything; -1 after a message. `name` is the rest.
int open_private_folder(const char *path, const char **name);

/// Listens at a name in a folder; -1 and errno.
int listen_in(int folder, const char *name);

/// Connects to one of the same user who listens at a name in a folder; -1 and errno, ECONNREFUSED if nobody does any more.
int connect_in(int folder, const char *name);

/// Sends the fields of a message, and descriptors; -1 and errno.
int send_message(int socket, const char *bytes, size_t size, const int *descriptors, int count, int flags);

/// The namespaces of the world that is kept at the other end: how many, 0 if there is no world, -1 if nobody answers.
int ask_world(int server, int world[HANDED_OUT]);
