#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

// What the guest's first process does before it runs a command: the read-only root of the host becomes a private, writable
// one, and the kernel learns what it needs for networks.

#define NEW_ROOT "/mnt/root"

static struct utsname kernel;

static void make_folders(const char *path) {
  char partial[PATH_MAX];
  snprintf(partial, sizeof partial, "%s", path);
  for (char *slash = partial; (slash = strchr(slash + 1, '/'));) {
    *slash = 0;
    mkdir(partial, 0755);
    *slash = '/';
  }
  mkdir(partial, 0755);
}

static void mount_new(const char *type, const char *at, const char *options) {
  make_folders(at);
  if (mount(type, at, type, 0, options) != 0) cnl_guest_fail("mount", at);
}

static void move_mount_to(const char *from, const char *to) {
  if (mount(from, to, NULL, MS_MOVE, NULL) != 0) cnl_guest_fail("move mount", to);
}

static void load_overlay_module(void) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "/usr/lib/uml/modules/%s/kernel/fs/overlayfs/overlay.ko", kernel.release);
  int module = open(path, O_RDONLY | O_CLOEXEC);
  if (module < 0 || (syscall(SYS_finit_module, module, "", 0) != 0 && errno != EEXIST)) cnl_guest_fail("load", path);
  close(module);
}

int cnl_guest_open_work(const char *folder) {
  mount_new("proc", "/proc", NULL);
  mount_new("tmpfs", "/mnt", "size=60%,mode=755");
  mount_new("hostfs", "/mnt/work", folder);
  int work = open("/mnt/work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (work < 0) cnl_guest_fail("open", folder);
  return work;
}

static void build_root(char *const writable[]) {
  load_overlay_module();
  mkdir("/mnt/upper", 0755);
  mkdir("/mnt/scratch", 0755);
  mount_new("overlay", NEW_ROOT, "lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/scratch");
  move_mount_to("/dev", NEW_ROOT "/dev");
  move_mount_to("/proc", NEW_ROOT "/proc");
  mount_new("sysfs", NEW_ROOT "/sys", NULL);
  mount_new("tmpfs", NEW_ROOT "/dev/shm", "mode=1777");
  mount_new("devpts", NEW_ROOT "/dev/pts", "newinstance,ptmxmode=0666,mode=0620");
  mount_new("tmpfs", NEW_ROOT "/run", "mode=755");
  mount_new("tmpfs", NEW_ROOT "/tmp", "mode=1777");
  mkdir(NEW_ROOT "/run/lock", 01777);

  char path[PATH_MAX];
  for (; *writable; writable++) {
    snprintf(path, sizeof path, NEW_ROOT "%s", *writable);
    mount_new("hostfs", path, *writable);
  }
}

static void enter_root(void) {
  // pivot_root, because user namespaces are refused in a chroot.
  if (chdir(NEW_ROOT) != 0 || syscall(SYS_pivot_root, ".", "mnt") != 0) cnl_guest_fail("pivot_root", NEW_ROOT);
  if (umount2("/mnt", MNT_DETACH) != 0) cnl_guest_fail("umount", "/mnt");
}

static void make_links(void) {
  unlink("/dev/ptmx");
  symlink("pts/ptmx", "/dev/ptmx");
  symlink("/proc/self/fd", "/dev/fd");
  symlink("/proc/self/fd/0", "/dev/stdin");
  symlink("/proc/self/fd/1", "/dev/stdout");
  symlink("/proc/self/fd/2", "/dev/stderr");
  chmod("/dev/net/tun", 0666);
  // Where modprobe looks, so that the kernel loads what a command needs by itself.
  char modules[PATH_MAX], here[PATH_MAX];
  snprintf(modules, sizeof modules, "/usr/lib/uml/modules/%s", kernel.release);
  snprintf(here, sizeof here, "/lib/modules/%s", kernel.release);
  make_folders("/lib/modules");
  symlink(modules, here);
}

/// The kernel was built to start a program for each device that comes or goes, although hardly any system has one: that
/// was three quarters of the time it took to make a lab.
static void disable_hotplug_helper(void) {
  int setting = open("/proc/sys/kernel/hotplug", O_WRONLY | O_CLOEXEC);
  if (setting < 0 && errno == ENOENT) return;
  if (setting < 0 || write(setting, "\n", 1) != 1) cnl_guest_fail("write", "/proc/sys/kernel/hotplug");
  close(setting);
}

static int run_to_end(char *const arguments[]) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    execv(arguments[0], arguments);
    _exit(127);
  }
  waitpid(child, &status, 0);
  return status;
}

static void start_network(void) {
  sethostname("sandbox", strlen("sandbox"));
  struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (ioctl(any, SIOCSIFFLAGS, &loopback) != 0) cnl_guest_fail("set up", "lo");
  close(any);
  // The sysctls of IPv6 must be there before anybody asks for them. The rest would load at its first use, but each would
  // cost a process.
  char *const modprobe[] = {"/sbin/modprobe", "-a", "ipv6", "veth", "bridge", "8021q", "sch_netem", "sch_tbf", NULL};
  if (run_to_end(modprobe) != 0) fprintf(stderr, "netlab sandbox: modprobe failed\n");
}

void cnl_guest_set_up(char *const writable[]) {
  uname(&kernel);
  build_root(writable);
  enter_root();
  make_links();
  disable_hotplug_helper();
  start_network();
}
