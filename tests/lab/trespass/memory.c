/* SPDX-License-Identifier: GPL-2.0-or-later */
/* New code in its own process, and memory that is not its share. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trespass.h"
#include "util.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

enum { MEMFD_EXEC = 0x10 }; /* memfd_create(2), Linux 6.3 */
enum { PAGE = 4096, RWX = PROT_READ | PROT_WRITE | PROT_EXEC };

/* More than any of the test's VMs has, and less than their machine. */
static const size_t MUCH = (size_t)1 << 30;

static char *map(size_t size, int protection)
{
	return mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int try_write_text(void)
{
	uintptr_t page = (uintptr_t)try_write_text & ~(uintptr_t)(PAGE - 1);

	return outcome(mprotect((void *)page, PAGE, RWX)); // NOLINT(performance-no-int-to-ptr)
}

int try_code_page(void)
{
	return map(PAGE, RWX) == MAP_FAILED ? -errno : 0;
}

int try_late_code(void)
{
	char *page = map(PAGE, PROT_READ | PROT_WRITE);

	if (page == MAP_FAILED)
		return -errno;
	page[0] = 1;
	return outcome(mprotect(page, PAGE, PROT_READ | PROT_EXEC));
}

int try_map_data_as_code(void)
{
	_cleanup_fd_ int fd = open(FIRMWARE, O_RDONLY | O_CLOEXEC);

	return mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -errno :
											   0;
}

int try_program_in_memory(void)
{
	return outcome(syscall(SYS_memfd_create, "program", MEMFD_EXEC));
}

int try_offline_page(void)
{
	char *page = map(PAGE, PROT_READ | PROT_WRITE);

	if (page == MAP_FAILED)
		return -errno;
	page[0] = 1;
	return outcome(madvise(page, PAGE, MADV_SOFT_OFFLINE));
}

/* Locked when touched, so that nothing is. */
int try_lock_memory(void)
{
	char *much = map(MUCH, PROT_READ | PROT_WRITE);

	if (much == MAP_FAILED)
		return -errno;
	return outcome(syscall(SYS_mlock2, much, MUCH, 1 /* MLOCK_ONFAULT */));
}

int try_memory(void)
{
	volatile char *much = map(MUCH, PROT_READ | PROT_WRITE);

	if (much == MAP_FAILED)
		return -errno;
	for (size_t at = 0; at < MUCH; at += PAGE)
		much[at] = 1;
	return 0;
}

int try_userfaultfd(void)
{
	return outcome(syscall(SYS_userfaultfd, O_CLOEXEC));
}
