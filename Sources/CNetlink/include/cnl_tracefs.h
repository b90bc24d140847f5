#ifndef CNL_TRACEFS_H
#define CNL_TRACEFS_H

/// Opens the root of the kernel's tracefs, mounted where nobody else sees it; -1 and errno on failure.
int cnl_open_tracefs(void);

/// The number that the kernel's events tell the calling thread by.
int cnl_thread_id(void);
#endif
