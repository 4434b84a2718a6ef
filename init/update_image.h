/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a file is an image that this machine may boot: what it says of itself. */
#ifndef HVINIT_UPDATE_IMAGE_H
#define HVINIT_UPDATE_IMAGE_H

#include <stdbool.h>

#include "diag.h"

enum { UPDATE_VERSION = 32 };

/* As the build machine gives both, and as they stand in file names. */
struct update_image {
	char version[UPDATE_VERSION];
	bool is_signed; /* it has a signature, whosever that is */
};

/*
 * Looks at the file that fd has open: a unified kernel image of hvinit's for this architecture and
 * board, whole, and newer than the one that runs, or any with force. True, or false with a finding
 * about subject.
 */
bool update_image_look(int fd, const char *subject, bool force, struct update_image *image,
		       struct diag *diag);

/*
 * A key's value in the text of an os-release file, without its quotes. False when it is not there, is
 * there twice, or does not fit.
 */
bool update_release_value(const char *text, const char *key, char *value, size_t size);

#endif
