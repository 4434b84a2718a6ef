/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which word was meant by one that is not known. */
#ifndef HVINIT_NEAREST_H
#define HVINIT_NEAREST_H

/*
 * How many letters must be put in, left out, replaced or changed with their neighbour to make one
 * word of the other (the restricted Damerau-Levenshtein distance); a large number when one of them
 * is longer than 32 letters.
 */
unsigned nearest_distance(const char *a, const char *b);

#endif
