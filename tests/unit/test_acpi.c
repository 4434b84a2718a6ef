/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of a machine that never was, and the same with bytes that lie. */
#include "unit.h"

#include <stdlib.h>

#include "acpi.h"

enum { SMMUS = 8, SIZE = 1024 };

static uint8_t table[SIZE];
static size_t used;

static void put(uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		table[used++] = (uint8_t)(i < 8 ? value >> 8 * i : 0);
}

static void poke(size_t at, uint64_t value, unsigned size)
{
	size_t was = used;

	used = at;
	put(value, size);
	used = was;
}

static void begin(const char *signature)
{
	memset(table, 0, sizeof(table));
	memcpy(table, signature, 4);
	used = 36;
}

static void end(void)
{
	poke(4, used, 4);
}

/* Where the nodes of the IORT are. */
static size_t its_at, smmu_at[2], complex_at[3];

static size_t put_node(unsigned type, unsigned length, unsigned mappings, unsigned mapping)
{
	size_t at = used;

	put(type, 1);
	put(length, 2);
	put(0, 5);
	put(mappings, 4);
	put(mapping, 4);
	return at;
}

static void put_mapping(uint64_t output)
{
	put(0, 4);
	put(0xffff, 4);
	put(0, 4);
	put(output, 4);
	put(0, 4);
}

static size_t put_complex(uint64_t flags, uint64_t first, uint64_t second)
{
	size_t at = put_node(2, 36 + 40, 2, 36);

	put(0, 7);
	put(flags, 1);
	put(0, 12);
	put_mapping(first);
	put_mapping(second);
	return at;
}

/* Root complex 0 is before both SMMUs, 1 before the second, 2 before the ITS alone. */
static void make_iort(uint64_t flags0, uint64_t flags1)
{
	begin("IORT");
	put(6, 4);
	put(48, 4);
	put(0, 4);
	its_at = put_node(0, 24, 0, 0);
	put(0, 8);
	for (int i = 0; i < 2; i++) {
		smmu_at[i] = put_node(4, 68, 0, 68);
		put(UINT64_C(0x110c000000) + (uint64_t)i * 0x20000, 8);
		used = smmu_at[i] + 68;
	}
	complex_at[0] = put_complex(flags0, smmu_at[0], smmu_at[1]);
	complex_at[1] = put_complex(flags1, its_at, smmu_at[1]);
	complex_at[2] = put_complex(0, its_at, its_at);
	end();
}

static void test_iort(void **state)
{
	struct acpi_smmu smmu[SMMUS];

	(void)state;
	make_iort(7, 3);
	assert_int_equal(acpi_iort(table, used, smmu, SMMUS), 2);
	assert_true(smmu[0].base == UINT64_C(0x110c000000));
	assert_int_equal(smmu[0].complexes, 1);
	assert_int_equal(smmu[0].canwbs, 1);
	assert_true(smmu[1].base == UINT64_C(0x110c020000));
	assert_int_equal(smmu[1].complexes, 2);
	assert_int_equal(smmu[1].canwbs, 1);
	/* Two mappings to one SMMU are one root complex. */
	poke(complex_at[2] + 36 + 12, smmu_at[0], 4);
	poke(complex_at[2] + 56 + 12, smmu_at[0], 4);
	assert_int_equal(acpi_iort(table, used, smmu, SMMUS), 2);
	assert_int_equal(smmu[0].complexes, 2);
	assert_int_equal(acpi_iort(table, used, smmu, 1), 1);
	assert_int_equal(smmu[0].canwbs, 1);
}

static void test_not_iort(void **state)
{
	struct acpi_smmu smmu[SMMUS];

	(void)state;
	make_iort(7, 7);
	assert_int_equal(acpi_iort(table, 35, smmu, SMMUS), 0);
	assert_int_equal(acpi_iort(table, 0, smmu, SMMUS), 0);
	table[0] = 'X';
	assert_int_equal(acpi_iort(table, used, smmu, SMMUS), 0);
	make_iort(7, 7);
	poke(4, 20, 4); /* a length below its own header's */
	assert_int_equal(acpi_iort(table, used, smmu, SMMUS), 0);
	make_iort(7, 7);
	poke(4, smmu_at[1], 4); /* the table ends before the second SMMU */
	assert_int_equal(acpi_iort(table, used, smmu, SMMUS), 1);
	assert_int_equal(smmu[0].complexes, 0);
	make_iort(7, 7);
	poke(its_at + 1, 0, 2); /* a node without a length would be walked for ever */
	assert_int_equal(acpi_iort(table, used, smmu, SMMUS), 0);
	make_iort(7, 7);
	poke(40, UINT32_MAX, 4); /* the first node is beyond the end */
	assert_int_equal(acpi_iort(table, used, smmu, SMMUS), 0);
}

static unsigned initiators;
static unsigned last_segment;
static unsigned last_rid;

static void count(void *arg, unsigned segment, unsigned rid)
{
	(void)arg;
	initiators++;
	last_segment = segment;
	last_rid = rid;
}

static void put_initiator(unsigned handle, unsigned segment, unsigned rid, unsigned flags)
{
	put(5, 1);
	put(32, 1);
	put(0, 1);
	put(handle, 1);
	put(2, 4);
	put(segment, 2);
	put(rid, 2);
	put(0, 12);
	put(flags, 4);
	put(0, 4);
}

static void make_srat(void)
{
	begin("SRAT");
	put(0, 12);
	put(1, 1); /* memory affinity */
	put(40, 1);
	put(0, 38);
	put_initiator(1, 0, 0x0100, 0); /* disabled */
	put_initiator(0, 0, 0x0100, 1); /* an ACPI device */
	put_initiator(1, 9, 0x0108, 1);
	put_initiator(1, 9, 0x0108, 1);
	end();
}

static void look(size_t len)
{
	initiators = 0;
	acpi_initiators(table, len, count, NULL);
}

static void test_srat(void **state)
{
	(void)state;
	make_srat();
	look(used);
	assert_int_equal(initiators, 2);
	assert_int_equal(last_segment, 9);
	assert_int_equal(last_rid, 0x0108);
	look(used - 1);
	assert_int_equal(initiators, 1);
	table[49] = 0; /* an entry without a length */
	look(used);
	assert_int_equal(initiators, 0);
	make_srat();
	table[89] = 24; /* too short for what it says it is */
	look(used);
	assert_int_equal(initiators, 0);
	make_srat();
	table[0] = 'X';
	look(used);
	assert_int_equal(initiators, 0);
}

static void parse_copy(size_t len)
{
	struct acpi_smmu smmu[SMMUS];
	uint8_t *copy = malloc(len + 1);

	/* Exactly as long as it says: the sanitizer sees a read beyond the end. */
	assert_non_null(copy);
	memmove(copy, table, len);
	copy = realloc(copy, len ? len : 1);
	assert_non_null(copy);
	assert_in_range(acpi_iort(copy, len, smmu, SMMUS), 0, SMMUS);
	acpi_initiators(copy, len, count, NULL);
	free(copy);
}

static void test_cut(void **state)
{
	(void)state;
	make_iort(7, 7);
	for (size_t len = 0; len <= used; len++)
		parse_copy(len);
	make_srat();
	for (size_t len = 0; len <= used; len++)
		parse_copy(len);
}

static void test_damaged(void **state)
{
	static const uint64_t values[] = { 0, 1, 4, 35, 0x7f, 0xffff, 0x80000000, UINT64_MAX };
	uint32_t seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		if (i & 1)
			make_iort(7, 7);
		else
			make_srat();
		for (unsigned n = 1 + next_random(&seed) % 3; n > 0; n--)
			poke(next_random(&seed) % (used - 8),
			     values[next_random(&seed) % ARRAY_SIZE(values)],
			     1U << next_random(&seed) % 4);
		memcpy(table, i & 1 ? "IORT" : "SRAT", 4);
		parse_copy(used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("IORT", test_iort, NULL),	     CASE("no IORT", test_not_iort, NULL),
		CASE("SRAT", test_srat, NULL),	     CASE("cut off", test_cut, NULL),
		CASE("damaged", test_damaged, NULL),
	};

	return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
