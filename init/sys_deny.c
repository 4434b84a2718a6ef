/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seccomp(2), landlock(7). */
#include "sys_deny.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>

#include "util.h"

/* The appliance's, or that of a build machine that runs the tests. */
#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* prctl(2): newer than the headers of the C library. */
enum { SET_MDWE = 65, MDWE_REFUSE_EXEC_GAIN = 1 };
/* memfd_create(2), Linux 6.3. */
enum { MEMFD_EXEC = 0x10 };

/* --- system calls --- */

struct call {
	int nr;
	const char *name;
};

#define CALL(name)                \
	{                         \
		SYS_##name, #name \
	}

/* QEMU tries these at each start and goes on without: nothing to tell of. */
static const struct call io_uring[] = {
	CALL(io_uring_setup),
	CALL(io_uring_enter),
	CALL(io_uring_register),
};

static const struct call denied[] = {
	/* The kernel's insides. */
	CALL(bpf),
	CALL(perf_event_open),
	CALL(userfaultfd),
	CALL(init_module),
	CALL(finit_module),
	CALL(delete_module),
	CALL(kexec_load),
	CALL(kexec_file_load),
	CALL(reboot),
	CALL(syslog),
	/* Other processes. */
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(kcmp),
	CALL(pidfd_getfd),
	CALL(process_madvise),
	/* Keys. */
	CALL(add_key),
	CALL(request_key),
	CALL(keyctl),
	/* Where it is. */
	CALL(mount),
	CALL(umount2),
	CALL(pivot_root),
	CALL(chroot),
	CALL(unshare),
	CALL(setns),
	CALL(fsopen),
	CALL(fsconfig),
	CALL(fsmount),
	CALL(fspick),
	CALL(open_tree),
	CALL(move_mount),
	CALL(mount_setattr),
	CALL(name_to_handle_at),
	CALL(open_by_handle_at),
	CALL(mknodat),
	/* The machine's settings. */
	CALL(swapon),
	CALL(swapoff),
	CALL(acct),
	CALL(quotactl),
	CALL(settimeofday),
	CALL(clock_settime),
	CALL(adjtimex),
	CALL(clock_adjtime),
	CALL(sethostname),
	CALL(setdomainname),
	CALL(vhangup),
};

/*
 * Calls that QEMU needs, and values of an argument that it does not: sockets of other families reach
 * the network's code, and hear of the machine's devices (uevents are told in every network namespace);
 * a tap must not outlive its VM or change hands; memory files that are programs. A listener of its own
 * could let pass what ours refuses, were ours ever gone.
 */
static const unsigned tap_ioctls[] = {
	TUNSETDEBUG,	TUNSETIFF,	 TUNSETPERSIST,	  TUNSETOWNER,	 TUNSETLINK, TUNSETGROUP,
	TUNSETTXFILTER, TUNATTACHFILTER, TUNDETACHFILTER, SIOCSIFHWADDR, TIOCSTI,
};

static const struct call by_argument[] = { CALL(socket), CALL(ioctl), CALL(memfd_create) };

unsigned sys_denied_calls(bool allow_io_uring)
{
	return ARRAY_SIZE(denied) + (allow_io_uring ? 0 : ARRAY_SIZE(io_uring));
}

int sys_deny_new_code(void)
{
	return prctl(SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
}

static void put(struct sock_filter *filter, unsigned *n, struct sock_filter instruction)
{
	filter[(*n)++] = instruction;
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(how, value, yes, no) BPF_JUMP(BPF_JMP | (how) | BPF_K, (unsigned)(value), yes, no)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define PUT(...) put(filter, &n, (struct sock_filter)__VA_ARGS__)

static unsigned add(struct sock_filter *filter, unsigned n, const struct call *calls, size_t count,
		    unsigned action)
{
	for (size_t i = 0; i < count; i++) {
		PUT(IF(BPF_JEQ, calls[i].nr, 0, 1));
		PUT(RETURN(action));
	}
	return n;
}

/*
 * The low half of an argument is all of an int, as long as the machine is little-endian. What is none
 * of these goes on behind them.
 */
static unsigned add_by_argument(struct sock_filter *filter, unsigned n, unsigned action)
{
	PUT(IF(BPF_JEQ, SYS_socket, 0, 4));
	PUT(LOAD(args[0]));
	PUT(IF(BPF_JEQ, AF_UNIX, 0, 1));
	PUT(RETURN(SECCOMP_RET_ALLOW));
	PUT(RETURN(action));
	PUT(IF(BPF_JEQ, SYS_memfd_create, 0, 4));
	PUT(LOAD(args[1]));
	PUT(IF(BPF_JSET, MEMFD_EXEC, 0, 1));
	PUT(RETURN(action));
	PUT(RETURN(SECCOMP_RET_ALLOW));
	PUT(IF(BPF_JEQ, SYS_seccomp, 0, 4));
	PUT(LOAD(args[1]));
	PUT(IF(BPF_JSET, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 1));
	PUT(RETURN(SECCOMP_RET_ERRNO | EPERM));
	PUT(RETURN(SECCOMP_RET_ALLOW));
	PUT(IF(BPF_JEQ, SYS_ioctl, 0, 2 + 2 * ARRAY_SIZE(tap_ioctls)));
	PUT(LOAD(args[1]));
	for (size_t i = 0; i < ARRAY_SIZE(tap_ioctls); i++) {
		PUT(IF(BPF_JEQ, tap_ioctls[i], 0, 1));
		PUT(RETURN(action));
	}
	PUT(RETURN(SECCOMP_RET_ALLOW));
	return n;
}

/* Of the calls in the table, action is what becomes; of all others that are denied, EPERM. */
static int install(bool allow_io_uring, unsigned action, unsigned flags)
{
	enum {
		FRAME = 32,
		PAIRS = ARRAY_SIZE(denied) + ARRAY_SIZE(io_uring) + ARRAY_SIZE(tap_ioctls)
	};
	struct sock_filter filter[FRAME + 2 * PAIRS];
	struct sock_fprog program = { .filter = filter };
	unsigned n = 0;

	PUT(LOAD(arch));
	/* Another architecture's calls have other numbers: none of them. */
	PUT(IF(BPF_JEQ, ARCH, 1, 0));
	PUT(RETURN(SECCOMP_RET_ERRNO | EPERM));
	PUT(LOAD(nr));
	/* First: the kernel remembers which of the others are allowed, but has to look at arguments. */
	n = add_by_argument(filter, n, action);
	n = add(filter, n, denied, ARRAY_SIZE(denied), action);
	if (!allow_io_uring)
		n = add(filter, n, io_uring, ARRAY_SIZE(io_uring), SECCOMP_RET_ERRNO | EPERM);
	PUT(RETURN(SECCOMP_RET_ALLOW));
	program.len = (unsigned short)n;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

int sys_deny_calls(bool allow_io_uring, int *listener)
{
	*listener =
		install(allow_io_uring, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (*listener >= 0)
		return 0;
	/* An old kernel, or a container that listens already: denied all the same. */
	return install(allow_io_uring, SECCOMP_RET_ERRNO | EPERM, 0);
}

static const char *name_in(const struct call *calls, size_t count, int nr)
{
	for (size_t i = 0; i < count; i++)
		if (calls[i].nr == nr)
			return calls[i].name;
	return NULL;
}

const char *sys_call_name(int nr)
{
	const char *name = name_in(denied, ARRAY_SIZE(denied), nr);

	if (!name)
		name = name_in(by_argument, ARRAY_SIZE(by_argument), nr);
	return name ? name : "?";
}

int sys_denied_next(int listener)
{
	struct seccomp_notif asked = { 0 };
	struct seccomp_notif_resp answer = { .error = -EPERM };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked))
		return -errno;
	answer.id = asked.id;
	/* Whoever asked may have died since: then nobody needs the answer. */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	return asked.data.nr;
}

/* --- files, sockets, signals --- */

/* Of what the kernel's own headers may be too old for (landlock(7), ABI 2 to 6). */
enum {
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
	FS_IOCTL_DEV = 1 << 15,
	NET_BIND_TCP = 1 << 0,
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
	ABI_REFER = 2,
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_IOCTL = 5,
	ABI_SCOPE = 6,
};

struct ruleset {
	uint64_t fs;
	uint64_t net; /* ABI 4 */
	uint64_t scoped; /* ABI 6 */
};

static int make_ruleset(const struct ruleset *attr, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

/* Everything that a kernel with this ABI knows. */
static struct ruleset strictest(int abi)
{
	const struct ruleset all = {
		.fs = (FS_REFER - 1) | (abi >= ABI_REFER ? FS_REFER : 0) |
		      (abi >= ABI_TRUNCATE ? FS_TRUNCATE : 0) |
		      (abi >= ABI_IOCTL ? FS_IOCTL_DEV : 0),
		.net = abi >= ABI_NET ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
		.scoped = abi >= ABI_SCOPE ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL : 0,
	};

	return all;
}

/* An older kernel refuses a structure that is larger than the one it knows. */
static size_t known_size(int abi)
{
	if (abi >= ABI_SCOPE)
		return sizeof(struct ruleset);
	return abi >= ABI_NET ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, net);
}

/* A rule may only name what its ruleset handles. */
static int allow(int ruleset, const struct ruleset *all, const char *path, uint64_t access)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);
	const struct landlock_path_beneath_attr rule = { .allowed_access = access & all->fs,
							 .parent_fd = fd };

	if (fd < 0)
		return -1;
	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int sys_landlock_abi(void)
{
	return make_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

int sys_deny_files(const char *const writable[])
{
	const uint64_t reads = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
			       LANDLOCK_ACCESS_FS_READ_DIR;
	const uint64_t writes = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				FS_IOCTL_DEV;
	int abi = sys_landlock_abi();
	const struct ruleset all = strictest(abi);
	_cleanup_fd_ int ruleset = abi < 0 ? -1 : make_ruleset(&all, known_size(abi), 0);

	if (ruleset < 0 || allow(ruleset, &all, "/", reads))
		return -1;
	for (; *writable; writable++)
		if (allow(ruleset, &all, *writable, writes) && errno != ENOENT)
			return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
