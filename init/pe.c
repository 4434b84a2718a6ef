/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers are read through a bounds check; what they say is compared with the file's size. */
#include "pe.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

/* "PE Format": the MS-DOS stub, 3.3 (COFF header), 3.4 (optional header), 4 (section table) */
enum {
	DOS_SIZE = 64,
	DOS_PE = 60,
	SIGNATURE = 4,
	COFF_SIZE = 20,
	COFF_MACHINE = 0,
	COFF_SECTIONS = 2,
	COFF_OPTIONAL = 16,
	OPTIONAL_MAGIC = 0,
	OPTIONAL_PLUS = 0x20b,
	OPTIONAL_HEADERS = 60,
	OPTIONAL_DIRECTORIES = 108,
	OPTIONAL_FIRST = 112,
	DIRECTORY_SIZE = 8,
	DIRECTORY_CERTIFICATES = 4,
	SECTION_SIZE = 40,
	SECTION_VIRTUAL = 8,
	SECTION_RAW = 16,
	SECTION_AT = 20,
};

struct bytes {
	const uint8_t *at;
	size_t len;
};

static uint32_t number(const struct bytes *bytes, uint64_t at, unsigned size)
{
	uint32_t n = 0;

	if (at > bytes->len || size > bytes->len - at)
		return 0;
	for (unsigned i = 0; i < size; i++)
		n |= (uint32_t)bytes->at[at + i] << 8 * i;
	return n;
}

static bool holds(uint64_t whole, uint64_t at, uint64_t len)
{
	return at <= whole && len <= whole - at;
}

/* Where the headers are, and how far they go. */
struct layout {
	uint64_t coff;
	uint64_t optional;
	uint64_t sections;
	uint64_t end;
};

static int find_headers(const struct bytes *head, uint64_t size, struct layout *layout)
{
	uint64_t pe = number(head, DOS_PE, 4);
	uint64_t optional_size;
	uint64_t said;

	if (head->len < DOS_SIZE || head->at[0] != 'M' || head->at[1] != 'Z')
		return -ENOEXEC;
	if (!holds(size, pe, SIGNATURE + COFF_SIZE))
		return -ENODATA;
	if (!holds(head->len, pe, SIGNATURE + COFF_SIZE) || pe < DOS_SIZE)
		return -EBADMSG;
	if (memcmp(head->at + pe, "PE\0\0", SIGNATURE) != 0)
		return -ENOEXEC;
	layout->coff = pe + SIGNATURE;
	layout->optional = layout->coff + COFF_SIZE;
	optional_size = number(head, layout->coff + COFF_OPTIONAL, 2);
	layout->sections = layout->optional + optional_size;
	layout->end = layout->sections +
		      (uint64_t)number(head, layout->coff + COFF_SECTIONS, 2) * SECTION_SIZE;
	if (layout->end > size)
		return -ENODATA;
	if (layout->end > head->len)
		return -EBADMSG;
	if (optional_size < OPTIONAL_FIRST ||
	    number(head, layout->optional + OPTIONAL_MAGIC, 2) != OPTIONAL_PLUS)
		return -ENOEXEC;
	said = number(head, layout->optional + OPTIONAL_HEADERS, 4);
	if (said > size)
		return -ENODATA;
	if (said < layout->end)
		return -EBADMSG;
	layout->end = said;
	return 0;
}

static int read_section(const struct bytes *head, uint64_t size, const struct layout *layout,
			uint64_t at, struct pe_section *section)
{
	uint64_t virtual_size = number(head, at + SECTION_VIRTUAL, 4);
	uint64_t raw = number(head, at + SECTION_RAW, 4);

	memcpy(section->name, head->at + at, PE_NAME);
	section->name[PE_NAME] = '\0';
	section->at = number(head, at + SECTION_AT, 4);
	section->len = virtual_size < raw ? virtual_size : raw;
	if (raw == 0) {
		section->at = 0;
		return 0;
	}
	if (section->at < layout->end)
		return -EBADMSG;
	return holds(size, section->at, raw) ? 0 : -ENODATA;
}

/* Its directory has a place in the file, not in memory. */
static int read_certificates(const struct bytes *head, uint64_t size, const struct layout *layout,
			     struct pe_section *certificates)
{
	uint64_t count = number(head, layout->optional + OPTIONAL_DIRECTORIES, 4);
	uint64_t at = layout->optional + OPTIONAL_FIRST +
		      (uint64_t)DIRECTORY_CERTIFICATES * DIRECTORY_SIZE;

	*certificates = (struct pe_section){ 0 };
	if (count > (layout->sections - layout->optional - OPTIONAL_FIRST) / DIRECTORY_SIZE)
		return -EBADMSG;
	if (count <= DIRECTORY_CERTIFICATES)
		return 0;
	certificates->at = number(head, at, 4);
	certificates->len = number(head, at + 4, 4);
	if (certificates->len == 0) {
		certificates->at = 0;
		return 0;
	}
	if (certificates->at < layout->end)
		return -EBADMSG;
	return holds(size, certificates->at, certificates->len) ? 0 : -ENODATA;
}

int pe_parse(const void *head, size_t len, uint64_t size, struct pe *pe)
{
	struct bytes bytes = { head, len };
	struct layout layout;
	int error;

	*pe = (struct pe){ 0 };
	error = find_headers(&bytes, size, &layout);
	if (error)
		return error;
	pe->machine = number(&bytes, layout.coff + COFF_MACHINE, 2);
	pe->count = number(&bytes, layout.coff + COFF_SECTIONS, 2);
	if (pe->count > PE_SECTIONS) {
		pe->count = 0;
		return -EBADMSG;
	}
	for (unsigned i = 0; i < pe->count; i++) {
		error = read_section(&bytes, size, &layout,
				     layout.sections + (uint64_t)i * SECTION_SIZE, &pe->section[i]);
		if (error)
			return error;
	}
	return read_certificates(&bytes, size, &layout, &pe->certificates);
}

/* Reads len bytes at a place; 0, or a negative errno. */
static int read_all(int fd, void *buf, size_t len, uint64_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		done += (size_t)n;
	}
	return 0;
}

int pe_open(int fd, struct pe *pe)
{
	uint8_t head[PE_HEAD];
	struct stat st;
	size_t len;
	int error;

	*pe = (struct pe){ 0 };
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	len = st.st_size < PE_HEAD ? (size_t)st.st_size : PE_HEAD;
	error = read_all(fd, head, len, 0);
	return error ? error : pe_parse(head, len, (uint64_t)st.st_size, pe);
}

const struct pe_section *pe_find(const struct pe *pe, const char *name, unsigned *count)
{
	const struct pe_section *found = NULL;

	*count = 0;
	for (unsigned i = 0; i < pe->count; i++) {
		if (strcmp(pe->section[i].name, name) != 0)
			continue;
		found = found ? found : &pe->section[i];
		++*count;
	}
	return found;
}

ssize_t pe_text(int fd, const struct pe_section *section, char *buf, size_t size)
{
	size_t len = (size_t)section->len;
	int error;

	buf[0] = '\0';
	if (section->len >= size)
		return -EFBIG;
	error = read_all(fd, buf, len, section->at);
	if (error) {
		buf[0] = '\0';
		return error;
	}
	while (len > 0 && buf[len - 1] == '\0')
		len--;
	buf[len] = '\0';
	return strlen(buf) == len ? (ssize_t)len : -EILSEQ;
}
