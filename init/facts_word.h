/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forms that a value in a host record has, each with its way to and from text. */
#ifndef HVINIT_FACTS_WORD_H
#define HVINIT_FACTS_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct word;

struct form {
	size_t size; /* of the field in bytes; 0: the word says */
	void (*print)(const struct word *word, const void *field, FILE *out);
	/* text is not empty. False: it is not of this form; the field may have changed. */
	bool (*read)(const struct word *word, const char *text, void *field);
	const char *want; /* for a diagnostic */
};

extern const struct form form_text; /* char[size]: printable ASCII without a double quote */
extern const struct form form_variant; /* the same; FACTS_VARIANT when it is left out */
extern const struct form form_bdf; /* char[SYS_BDF] */
extern const struct form form_int; /* int, 0 or more; -1 is "none" */
extern const struct form form_unsigned;
extern const struct form form_nodes; /* unsigned: so many NUMA nodes as a guest can have */
extern const struct form form_u16;
extern const struct form form_count; /* uint64_t */
extern const struct form form_kib; /* uint64_t in KiB, with a K, M, G or T behind it */
extern const struct form form_page; /* the same in an unsigned */
extern const struct form form_hex; /* uint32_t */
extern const struct form form_class; /* the same, six digits */
extern const struct form form_pair; /* two uint16_t in a row: "10de:2342" */
extern const struct form form_known; /* enum known */
extern const struct form form_yes; /* bool */
extern const struct form form_cpus; /* struct cpulist */
extern const struct form form_bar; /* struct bar_fact: "16K,wide,prefetch" */
extern const struct form form_idr; /* uint32_t[6] */
extern const struct form form_state; /* enum kernel_state */

/* A word of a line: "key=value". */
struct word {
	const char *key; /* "": the first word of its line, which has no key */
	const struct form *form;
	size_t at; /* the field's place in the line's struct */
	size_t size; /* of the field, where the form does not say */
	size_t flag; /* place of a bool that tells whether the word is there; 0: none */
};

/* Whether the field has its default, so that the word is left out. */
bool word_absent(const struct word *word, const void *base);
/* Gives the field its default. */
void word_clear(const struct word *word, void *base);

#endif
