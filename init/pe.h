/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the sections of a PE file are, as a unified kernel image or an addon of one is made of. Every
 * number in such a file may lie. PE32+ only; Microsoft's "PE Format", sections 2 to 4.
 */
#ifndef HVINIT_PE_H
#define HVINIT_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Machine types. */
enum { PE_AMD64 = 0x8664, PE_ARM64 = 0xaa64, PE_RISCV64 = 0x5064, PE_LOONGARCH64 = 0x6264 };

/* Headers that are longer, and files with more sections, are refused: the stub's have 50 at most. */
enum { PE_HEAD = 8192, PE_SECTIONS = 96, PE_NAME = 8 };

/* Bytes of the file: they are in it as a whole. */
struct pe_section {
	char name[PE_NAME + 1];
	uint64_t at;
	uint64_t len; /* without what only fills up */
};

struct pe {
	unsigned machine;
	unsigned count;
	struct pe_section section[PE_SECTIONS]; /* in the file's order */
	/* The attribute certificate table: Authenticode signatures. Empty (len 0) of one without. */
	struct pe_section certificates;
};

/*
 * Reads the headers in the first len bytes of a file of size bytes; len is size, or PE_HEAD at least.
 * 0; -ENOEXEC: it is no PE32+ file; -ENODATA: it is one of which the end is missing; -EBADMSG: its
 * headers contradict each other, or are longer than is read here.
 */
int pe_parse(const void *head, size_t len, uint64_t size, struct pe *pe);

/* The same for a regular file; also the negative errno of a read that failed. */
int pe_open(int fd, struct pe *pe);

/* The first section of that name, and how many there are; NULL: none. */
const struct pe_section *pe_find(const struct pe *pe, const char *name, unsigned *count);

/*
 * Reads a section as text, and terminates it. Returns its length; -EFBIG when it does not fit,
 * -EILSEQ when it has a NUL other than at its end.
 */
ssize_t pe_text(int fd, const struct pe_section *section, char *buf, size_t size);

static inline bool pe_is_signed(const struct pe *pe)
{
	return pe->certificates.len > 0;
}

#endif
