/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Architecture, sections and os-release of an image. */
#include "update_image.h"

#include <errno.h>

#include "bootentry.h"
#include "pe.h"
#include "version.h"
#include "version_order.h"

enum { RELEASE = 4096, VALUE = 64 };

static const struct {
	unsigned machine;
	const char *name;
} machines[] = {
	{ PE_AMD64, "x86-64" },
	{ PE_ARM64, "arm64" },
	{ PE_RISCV64, "RISC-V" },
	{ PE_LOONGARCH64, "LoongArch" },
};

static const char *machine_name(unsigned machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == machine)
			return machines[i].name;
	return "an unknown one";
}

/* What is between quotes, of which os-release has both kinds, or the whole. */
static bool copy_value(const char *from, size_t len, char *value, size_t size)
{
	if (len >= 2 && (*from == '"' || *from == '\'') && from[len - 1] == *from) {
		from++;
		len -= 2;
	}
	return str_format(value, size, "%.*s", (int)len, from);
}

bool update_release_value(const char *text, const char *key, char *value, size_t size)
{
	size_t key_len = strlen(key);
	bool found = false;

	for (; *text; text += *text == '\n') {
		size_t len = strcspn(text, "\n");

		if (len > key_len && strncmp(text, key, key_len) == 0 && text[key_len] == '=') {
			if (found ||
			    !copy_value(text + key_len + 1, len - key_len - 1, value, size))
				return false;
			found = true;
		}
		text += len;
	}
	return found;
}

/* What a version is made of; it becomes part of a file's name. */
static bool is_version(const char *text)
{
	static const char first[] = "0123456789"
				    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char more[] = "0123456789.~^+-"
				   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return text[0] && strchr(first, text[0]) && text[strspn(text, more)] == '\0';
}

static bool judge_version(const char *text, const char *subject, bool force,
			  struct update_image *image, struct diag *diag)
{
	struct bootentry entry;
	char path[64];
	int order;

	/* What ends like counters would be taken for them. */
	str_format(path, sizeof(path), "x/hvinit_%.40s.efi", text);
	if (!is_version(text) || !bootentry_parse(path, &entry) || entry.counted ||
	    !str_copy(image->version, sizeof(image->version), text)) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_VERSION, subject,
			 "read its version: \"%.40s\" is none", text);
		return false;
	}
	order = version_order(text, HVINIT_VERSION);
	if (order > 0 || force)
		return true;
	diag_add(diag, DIAG_HOST, DIAG_UPDATE_OLD, subject,
		 "it has version %s, which is %s version %s that runs", text,
		 order < 0 ? "older than" : "the same as", HVINIT_VERSION);
	return false;
}

static bool judge_release(const char *release, const char *subject, bool force,
			  struct update_image *image, struct diag *diag)
{
	char value[VALUE];

	if (!update_release_value(release, "ID", value, sizeof(value)) ||
	    strcmp(value, "hvinit") != 0) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_FORMAT, subject,
			 "read its os-release: it is no image of hvinit");
		return false;
	}
	if (!update_release_value(release, "VARIANT_ID", value, sizeof(value)))
		str_copy(value, sizeof(value), "");
	if (strcmp(value, HVINIT_BOARD) != 0) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_BOARD, subject,
			 "it is for board \"%.40s\", and this is \"%s\"", value, HVINIT_BOARD);
		return false;
	}
	if (!update_release_value(release, "VERSION_ID", value, sizeof(value)))
		str_copy(value, sizeof(value), "");
	return judge_version(value, subject, force, image, diag);
}

static void tell_format(struct diag *diag, const char *subject, int error)
{
	switch (error) {
	case -ENOEXEC:
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_FORMAT, subject,
			 "read its headers: it is no EFI program");
		break;
	case -EBADMSG:
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_FORMAT, subject,
			 "read its headers: they contradict each other");
		break;
	case -ENODATA:
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_CUT, subject,
			 "read its headers: the file is shorter than they say");
		break;
	default:
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_READ, subject, "read it: %s",
			 strerror(-error));
	}
}

bool update_image_look(int fd, const char *subject, bool force, struct update_image *image,
		       struct diag *diag)
{
	const struct pe_section *section;
	char release[RELEASE];
	unsigned kernels;
	unsigned count;
	struct pe pe;
	ssize_t n;
	int error = pe_open(fd, &pe);

	*image = (struct update_image){ .is_signed = false };
	if (error) {
		tell_format(diag, subject, error);
		return false;
	}
	if (pe.machine != PE_ARM64) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_ARCH, subject,
			 "its architecture is %s (%#x), and this machine's is arm64",
			 machine_name(pe.machine), pe.machine);
		return false;
	}
	pe_find(&pe, ".linux", &kernels);
	section = pe_find(&pe, ".osrel", &count);
	n = section && count == 1 && kernels == 1 ? pe_text(fd, section, release, sizeof(release)) :
						    -ENOEXEC;
	if (n == -EFBIG || n == -EILSEQ || n == -ENOEXEC) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_FORMAT, subject,
			 "look for one kernel and one os-release in it: it is no image of hvinit");
		return false;
	}
	if (n < 0) {
		tell_format(diag, subject, (int)n);
		return false;
	}
	image->is_signed = pe_is_signed(&pe);
	return judge_release(release, subject, force, image, diag);
}
