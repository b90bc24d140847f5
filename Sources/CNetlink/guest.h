#ifndef CNL_GUEST_H
#define CNL_GUEST_H

// What the files of the guest's first process share.

/// Says on the console why the guest ends, and ends it. The host shows the console's last lines.
void cnl_guest_fail(const char *what, const char *which);

/// Mounts the host's work folder where the command will not see it, and opens it.
int cnl_guest_open_work(const char *folder);

/// Makes the root private and writable, these folders of the host writable for real, and the kernel ready for networks.
void cnl_guest_set_up(char *const writable[]);
#endif
