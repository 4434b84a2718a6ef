/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes an edu device (QEMU, docs/specs/edu.rst) do DMA at any address, from within a guest.
 *
 * Usage: dma where FILE            where the pages of FILE are in the guest's memory
 *        dma read ADDRESS COUNT    what the device gets from there
 *        dma write ADDRESS COUNT NUMBER
 *                                  lets the device write NUMBER, 32 bits, again and again
 *
 * The device's own memory is reached by its DMA alone. Each time it is filled from a page of this
 * program, and read back into it: "control=ok" says that a device is able to do what it did not.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	COMMAND = 4, /* PCI: the command register, and two of its bits */
	MEMORY_SPACE = 1 << 1,
	BUS_MASTER = 1 << 2,
	BAR_SIZE = 1 << 20,
	DMA_SOURCE = 0x80,
	DMA_DESTINATION = 0x88,
	DMA_COUNT = 0x90,
	DMA_COMMAND = 0x98,
	START = 1 << 0,
	TO_MEMORY = 1 << 1,
	BUFFER = 0x40000, /* the device's own memory, as it sees it itself */
	POLL_US = 1000,
	POLLS = 60 * 1000,
};

#define EDU_ID 0x11e81234U
#define PRESENT (1ULL << 63) /* of an entry in pagemap: proc_pid_pagemap(5) */
#define FRAME ((1ULL << 55) - 1)
#define MARKER 0x6b72616d /* "mark" */

static volatile uint8_t *registers;
static uint32_t *page; /* one of ours, which stays where it is */
static uint64_t page_at; /* for the device */

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("dma: error ");
	vprintf(fmt, ap);
	printf(": %s\n", strerror(errno));
	va_end(ap);
	exit(1);
}

/* Where the page at start is in the guest's memory. */
static uint64_t address_of(const void *start)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)start / PAGE * sizeof(entry))) !=
		    sizeof(entry) ||
	    !(entry & PRESENT))
		fail("find page");
	close(fd);
	return (entry & FRAME) * PAGE;
}

static void open_file(char *path, size_t size, const char *device, const char *file, int *fd)
{
	snprintf(path, size, "%s/%s", device, file);
	*fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	if (*fd < 0)
		fail("open %s", path);
}

static bool is_edu(const char *device)
{
	char path[256];
	uint32_t id = 0;
	int fd;

	open_file(path, sizeof(path), device, "config", &fd);
	if (pread(fd, &id, sizeof(id), 0) != sizeof(id))
		fail("read %s", path);
	close(fd);
	return le32toh(id) == EDU_ID;
}

/* Lets it answer and master the bus, as a driver would. */
static void turn_on(const char *device)
{
	char path[256];
	uint16_t command;
	int fd;

	open_file(path, sizeof(path), device, "enable", &fd);
	if (write(fd, "1", 1) != 1)
		fail("write %s", path);
	close(fd);
	open_file(path, sizeof(path), device, "config", &fd);
	if (pread(fd, &command, sizeof(command), COMMAND) != sizeof(command))
		fail("read %s", path);
	command |= htole16(MEMORY_SPACE | BUS_MASTER);
	if (pwrite(fd, &command, sizeof(command), COMMAND) != sizeof(command))
		fail("write %s", path);
	close(fd);
}

static void open_edu(void)
{
	glob_t found = { 0 };
	char path[256];
	int fd;

	glob("/sys/bus/pci/devices/*", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (!is_edu(found.gl_pathv[i]))
			continue;
		turn_on(found.gl_pathv[i]);
		open_file(path, sizeof(path), found.gl_pathv[i], "resource0", &fd);
		registers = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (registers == MAP_FAILED)
			fail("map %s", path);
		globfree(&found);
		return;
	}
	errno = ENODEV;
	fail("find edu");
}

static void open_page(void)
{
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || mlock(page, PAGE))
		fail("get a page");
	memset(page, 1, PAGE);
	page_at = address_of(page);
}

static volatile uint64_t *wide(unsigned at)
{
	return (volatile uint64_t *)(registers + at);
}

/* One transfer between the device's memory and an address; it is over when this returns. */
static void transfer(uint64_t command, uint64_t address, uint64_t count)
{
	__sync_synchronize();
	*wide(DMA_SOURCE) = command & TO_MEMORY ? BUFFER : address;
	*wide(DMA_DESTINATION) = command & TO_MEMORY ? address : BUFFER;
	*wide(DMA_COUNT) = count;
	*wide(DMA_COMMAND) = START | command;
	for (unsigned i = 0; *wide(DMA_COMMAND) & START; i++) {
		if (i == POLLS) {
			errno = ETIMEDOUT;
			fail("wait for the device");
		}
		usleep(POLL_US);
	}
	__sync_synchronize();
}

static void fill(uint32_t number)
{
	for (unsigned i = 0; i < PAGE / sizeof(*page); i++)
		page[i] = htole32(number);
}

/* Fills the device's memory with a number, and says whether the number is there. */
static bool load(uint32_t number)
{
	fill(number);
	transfer(0, page_at, PAGE);
	fill(~number);
	transfer(TO_MEMORY, page_at, PAGE);
	for (unsigned i = 0; i < PAGE / sizeof(*page); i++)
		if (page[i] != htole32(number))
			return false;
	return true;
}

static int where(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	volatile const uint8_t *bytes;

	if (fd < 0 || size <= 0)
		fail("open %s", path);
	bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		fail("map %s", path);
	for (off_t at = 0; at < size; at += PAGE) {
		(void)bytes[at]; /* now it is there */
		printf("dma: page=%ld at=0x%llx\n", (long)(at / PAGE),
		       (unsigned long long)address_of((const void *)(uintptr_t)(bytes + at)));
	}
	return 0;
}

/* Prints the first bytes, and how many of all are not those of the marker that was there before. */
static void tell_read(bool control, uint64_t address, size_t count)
{
	const uint8_t *bytes = (const uint8_t *)page;
	const uint32_t marker = htole32(MARKER);
	unsigned other = 0;
	unsigned zeros = 0;

	for (size_t i = 0; i < count; i++) {
		other += bytes[i] != ((const uint8_t *)&marker)[i % sizeof(marker)];
		zeros += bytes[i] == 0;
	}
	printf("dma: read address=0x%llx count=%zu control=%s other=%u zeros=%u came=",
	       (unsigned long long)address, count, control ? "ok" : "failed", other, zeros);
	for (size_t i = 0; i < count && i < 16; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	bool reads = argc == 4 && strcmp(argv[1], "read") == 0;
	bool writes = argc == 5 && strcmp(argv[1], "write") == 0;
	uint64_t address;
	uint64_t count;
	bool control;

	if (argc == 3 && strcmp(argv[1], "where") == 0)
		return where(argv[2]);
	if (!reads && !writes)
		return 2;
	address = strtoull(argv[2], NULL, 0);
	count = strtoull(argv[3], NULL, 0);
	if (count == 0 || count > PAGE)
		return 2;
	open_edu();
	open_page();
	control = load(writes ? (uint32_t)strtoul(argv[4], NULL, 0) : MARKER);
	transfer(writes ? TO_MEMORY : 0, address, count);
	if (writes) {
		printf("dma: write address=0x%llx count=%llu control=%s\n",
		       (unsigned long long)address, (unsigned long long)count,
		       control ? "ok" : "failed");
		return 0;
	}
	transfer(TO_MEMORY, page_at, PAGE);
	tell_read(control, address, count);
	return 0;
}
