import CNetlink
import Netlink

/// Prepares the process for labs of any size. To be called while it has only one thread.
///
/// - The kernel's table of its file descriptors gets its final size. Growing it later, with other threads about, makes the
///   kernel wait each time until no processor looks at the old one: a hundred namespaces took 45 ms so in place of 22.
/// - Freed memory is kept for what comes next, in place of being given back and asked for again, page by page. In the
///   sandbox, where a page fault is slow, comparing a hundred VMs took 66 ms, and takes 10.
package func prepareProcess() { cnl_prepare_process() }
