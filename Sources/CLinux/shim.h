#ifndef RECONCILER_CLINUX_SHIM_H
#define RECONCILER_CLINUX_SHIM_H

// What Swift's Glibc module does not show: variadic calls and GNU extensions that the pod runner needs.

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc >= 2.29 and >= 2.34; declared here because they hide behind _GNU_SOURCE.
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern long syscall(long number, ...);

/// `POSIX_SPAWN_SETSID | SETSIGMASK | SETSIGDEF` (spawn.h).
static inline short linux_spawn_flags(void) { return 0x80 | 0x08 | 0x04; }

/// A descriptor that becomes readable when the process ends; -1 with errno. See pidfd_open(2).
static inline int linux_pidfd_open(pid_t pid) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    return (int)syscall(434, pid, 0);
#endif
}

/// Gives the file's blocks in the range back to the file system; the size stays. See fallocate(2).
static inline int linux_punch_hole(int file, int64_t offset, int64_t length) {
    return (int)syscall(SYS_fallocate, file, 0x01 | 0x02, offset, length);
}

static inline int linux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

/// 1 when the child has ended and was reaped (`code` and `is_signal` are set), 0 when it still runs, -1 when it is no child of ours.
static inline int linux_reap(pid_t pid, int *code, int *is_signal) {
    int status = 0;
    pid_t result;
    do { result = waitpid(pid, &status, WNOHANG); } while (result < 0 && errno == EINTR);
    if (result < 0) return -1;
    if (result == 0) return 0;
    *is_signal = WIFSIGNALED(status) ? 1 : 0;
    *code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return 1;
}

/// How much a heap grows by at least, and from which size on a block is mapped on its own, in bytes. See mallopt(3).
static inline void linux_set_heap_steps(int growth, int mapped) {
    mallopt(M_TOP_PAD, growth);
    mallopt(M_MMAP_THRESHOLD, mapped);
}

/// Bytes that were asked of the allocator and not given back, its own headers included. See mallinfo(3).
static inline size_t linux_allocated_bytes(void) {
    struct mallinfo2 facts = mallinfo2();
    return facts.uordblks + facts.hblkhd;
}

#endif
