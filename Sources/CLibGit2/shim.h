#ifndef RECONCILER_CLIBGIT2_SHIM_H
#define RECONCILER_CLIBGIT2_SHIM_H

#include <fcntl.h>
#include <git2.h>
#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/stream.h>
#include <git2/sys/transport.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

// git_libgit2_opts is variadic, which Swift does not import: one function for each shape of arguments.
static inline int rc_git_option_int(int option, int value) { return git_libgit2_opts(option, value); }
static inline int rc_git_option_string(int option, const char *value) { return git_libgit2_opts(option, value); }
static inline int rc_git_option_level_string(int option, int level, const char *value) {
    return git_libgit2_opts(option, level, value);
}
static inline int rc_git_option_two_strings(int option, const char *first, const char *second) {
    return git_libgit2_opts(option, first, second);
}

// libgit2 hands a stream, a subtransport or its stream back by address: ours carry a pointer behind the public part.
typedef struct {
    git_stream parent;
    void *context;
} rc_git_stream;

typedef struct {
    git_smart_subtransport parent;
    void *context;
} rc_git_subtransport;

typedef struct {
    git_smart_subtransport_stream parent;
    void *context;
} rc_git_subtransport_stream;

// glibc declares these for _GNU_SOURCE only, which Swift's importer does not define.
static inline int rc_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */); }
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);
static inline int rc_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
static inline int rc_exchange(const char *one, const char *other) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2u /* RENAME_EXCHANGE */);
}

// These are macros.
static inline int rc_inflate_init(z_stream *stream) { return inflateInit(stream); }

#endif
