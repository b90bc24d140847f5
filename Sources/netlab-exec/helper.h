#pragma once

enum { LAB_WRONG = 2, MACHINE_LACKS = 3, BAD_ARGUMENTS = 125, CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

/// Prints what could not be done, with errno's words; CANNOT_EXECUTE.
int fail(const char *attempt, const char *object);

// Worlds of ordinary users: see world.c and keeper.c. All return 0 or an exit status, after one message.

/// Makes this process root of a new user namespace, with mounts and a network of its own.
int make_world(void);

/// Makes this process one of the world that is kept behind the socket at `path`; starts a keeper first if there is none
/// and `start` says so.
int join_world(const char *path, int start);

/// Makes a world and keeps it, until nobody is in it and no lab is up.
int keep_world(const char *path);

/// Lets programs that give up root believe that they did.
void accept_user_changes(void);
