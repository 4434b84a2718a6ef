/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts an image among those that the boot loader knows. Whatever happens on the way, the loader sees
 * what it saw before, or the new image as a whole besides.
 */
#ifndef HVINIT_UPDATE_STORE_H
#define HVINIT_UPDATE_STORE_H

#include <stdbool.h>

#include "bootentry.h"
#include "diag.h"
#include "update_image.h"

struct update_job {
	int esp; /* the EFI system partition's root, with ESP_IMAGES in it; it stays the caller's */
	int source; /* the image's file, which has been looked at; the caller's, too */
	const char *subject; /* what findings about it are about */
	const char *running; /* good name of the image that runs, which is never touched */
	const char *sha256; /* what the image has to have, 64 hexadecimal digits; "": anything */
	bool force; /* any version */
	bool has_certificate; /* only one that is signed */
	/* The partition was not unmounted in order: files of an update that was broken off stay. */
	bool dirty;
	void (*say)(const char *text); /* what goes on, for the operator */
};

struct update_stored {
	struct update_image image;
	char name[BOOTENTRY_PATH]; /* in ESP_IMAGES, with its tries */
	char good[BOOTENTRY_PATH]; /* the same without */
	char newest[BOOTENTRY_PATH]; /* what the loader starts before it; "": none */
};

/* How many times the loader tries a new image. */
enum { UPDATE_TRIES = 3 };

/* True, or false with a finding. Blocks: for a child. */
bool update_store(const struct update_job *job, struct update_stored *stored, struct diag *diag);

#endif
