/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The specification's rules, one after the other, until one decides. */
#include "version_order.h"

#include <stddef.h>
#include <string.h>

static const char digits[] = "0123456789";
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static int sign(int a, int b)
{
	return (a > b) - (a < b);
}

/* Moves behind what belongs to no version. */
static void skip_noise(const char **at)
{
	while (**at && !strchr(digits, **at) && !strchr(letters, **at) && !strchr("~-^.", **at))
		++*at;
}

/* The one that has the separator here is the older one; when both have it, it is behind them. */
static int order_separator(const char **a, const char **b, char separator)
{
	int order = sign(**a != separator, **b != separator);

	if (order == 0 && **a == separator) {
		++*a;
		++*b;
	}
	return order;
}

static int order_runs(const char **a, size_t a_len, const char **b, size_t b_len)
{
	size_t shorter = a_len < b_len ? a_len : b_len;
	int order = strncmp(*a, *b, shorter);

	if (order == 0)
		order = (a_len > b_len) - (a_len < b_len);
	*a += a_len;
	*b += b_len;
	return order;
}

static int order_numbers(const char **a, const char **b)
{
	size_t a_len = strspn(*a, digits);
	size_t b_len = strspn(*b, digits);

	/* A number is newer than none; zeros before one do not count. */
	if (!a_len || !b_len)
		return sign(a_len > 0, b_len > 0);
	while (a_len > 1 && **a == '0')
		++*a, a_len--;
	while (b_len > 1 && **b == '0')
		++*b, b_len--;
	if (a_len != b_len)
		return a_len > b_len ? 1 : -1;
	return order_runs(a, a_len, b, b_len);
}

int version_order(const char *a, const char *b)
{
	for (;;) {
		int order;

		skip_noise(&a);
		skip_noise(&b);
		order = order_separator(&a, &b, '~');
		if (order)
			return order;
		if (!*a || !*b)
			return sign(*a != '\0', *b != '\0');
		for (const char *separator = "-^."; *separator; separator++) {
			order = order_separator(&a, &b, *separator);
			if (order)
				return order;
		}
		if ((*a && strchr(digits, *a)) || (*b && strchr(digits, *b)))
			order = order_numbers(&a, &b);
		else
			order = order_runs(&a, strspn(a, letters), &b, strspn(b, letters));
		if (order)
			return order;
	}
}
