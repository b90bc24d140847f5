#ifndef CNL_SANDBOX_H
#define CNL_SANDBOX_H

#include <stddef.h>
#include <sys/types.h>

// The sandbox is a User-Mode-Linux kernel. On the host a keeper process guards it (sandbox.c); inside, the
// program that started it is the first process (sandbox_guest.c).

/// Starts a User-Mode-Linux kernel under a keeper process, and returns the keeper's process id.
///
/// The keeper kills the kernel and all of its helpers, then exits, when the kernel ends or when the other end of
/// `*control` is shut down or closed; in the latter case, which is also the caller's death, it removes `folder`.
///
/// - arguments: the kernel's path and its arguments, each ended by a NUL, `size` bytes in all.
/// - memory_folder: where the guest's memory file goes: room for it, and no `noexec`.
/// - console: open for writing; becomes the kernel's standard output and error.
/// - channel: becomes the kernel's descriptor 3, or -1.
/// - Returns -1 and sets errno when nothing was started.
pid_t cnl_sandbox_start(const char *arguments, size_t size, const char *folder, const char *memory_folder,
                        int console, int channel, int *control);

/// Kills what `cnl_sandbox_start` started, waits until it is gone, and closes `control`.
void cnl_sandbox_stop(pid_t keeper, int control);

/// Opens a pseudo-terminal in raw mode; returns the near end, or -1 and errno.
int cnl_sandbox_open_terminal(int *guest_end);

/// Gives the terminal `to` the window size of the terminal `from`.
void cnl_sandbox_copy_window_size(int from, int to);

#endif
