/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers after "PE Format", with two sections and a certificate table. */
#include "fakeimage.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "fakesys.h"
#include "pe.h"
#include "unit.h"
#include "version.h"

enum {
	OPTIONAL = 64 + 24,
	SECTIONS = OPTIONAL + 112 + 16 * 8,
	HEADERS = 1024,
	RELEASE_SIZE = 1024,
	KERNEL_SIZE = 8192,
	CERTIFICATES_SIZE = 512,
	SIZE = HEADERS + RELEASE_SIZE + KERNEL_SIZE + CERTIFICATES_SIZE,
};

static uint8_t file[SIZE];

static void poke(size_t at, uint32_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		file[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_section(unsigned i, const char *name, uint32_t at, uint32_t len, uint32_t raw)
{
	size_t head = SECTIONS + (size_t)i * 40;

	memcpy(file + head, name, strlen(name));
	poke(head + 8, len, 4);
	poke(head + 16, raw, 4);
	poke(head + 20, at, 4);
}

static size_t put_release(const struct fake_image *image)
{
	char *text = (char *)file + HEADERS;
	size_t len;

	snprintf(text, RELEASE_SIZE, "ID=%s\nVARIANT_ID=%s\n%s", image->id ? image->id : "hvinit",
		 image->board ? image->board : HVINIT_BOARD, image->more ? image->more : "");
	len = strlen(text);
	if (image->version[0])
		snprintf(text + len, RELEASE_SIZE - len, "VERSION_ID=\"%s\"\n", image->version);
	len = strlen(text);
	if (image->damage == FAKE_NUL)
		text[3] = '\0';
	return len;
}

/* Returns how long it is. */
static size_t make(const struct fake_image *image)
{
	size_t len;

	memset(file, 0, sizeof(file));
	memcpy(file, image->damage == FAKE_NO_PE ? "ISO" : "MZ", 2);
	poke(60, 64, 4);
	memcpy(file + 64, "PE\0", 4);
	poke(68, image->machine ? image->machine : PE_ARM64, 2);
	poke(70, 3, 2);
	poke(84, SECTIONS - OPTIONAL, 2);
	poke(OPTIONAL, 0x20b, 2);
	poke(OPTIONAL + 60, image->damage == FAKE_CONTRADICTION ? 8 : HEADERS, 4);
	poke(OPTIONAL + 108, 16, 4);
	len = put_release(image);
	put_section(0, image->damage == FAKE_NO_RELEASE ? ".none" : ".osrel", HEADERS,
		    (uint32_t)len, RELEASE_SIZE);
	put_section(1, image->damage == FAKE_NO_KERNEL ? ".none" : ".linux", HEADERS + RELEASE_SIZE,
		    KERNEL_SIZE, KERNEL_SIZE);
	put_section(2, image->damage == FAKE_TWO_RELEASES ? ".osrel" : ".uname", HEADERS,
		    (uint32_t)len, RELEASE_SIZE);
	memset(file + HEADERS + RELEASE_SIZE, image->mark, KERNEL_SIZE);
	if (image->is_signed) {
		poke(OPTIONAL + 112 + 32, SIZE - CERTIFICATES_SIZE, 4);
		poke(OPTIONAL + 112 + 36, CERTIFICATES_SIZE, 4);
	}
	return image->damage == FAKE_CUT ? HEADERS + RELEASE_SIZE + 1000 : SIZE;
}

int fakeimage_memory(const struct fake_image *image)
{
	size_t len = make(image);
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, len), (ssize_t)len);
	return fd;
}

void fakeimage_file(int root, const char *path, const struct fake_image *image)
{
	size_t len = make(image);
	int fd;

	fakesys_file(root, path, "");
	fd = openat(root, path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, len), (ssize_t)len);
	close(fd);
}
