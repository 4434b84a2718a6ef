/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every number is read through a bounds check; what lies outside of its table reads as zero. */
#include "acpi.h"

#include "util.h"

enum { HEADER_LENGTH = 4, HEADER_SIZE = 36 };

/* IORT, Arm DEN 0049 E.f: the table, tables 3 (node), 4 (ID mapping), 6 (SMMUv3), 12 (root complex) */
enum {
	IORT_NODES = 36,
	IORT_FIRST = 40,
	NODE_TYPE = 0,
	NODE_LENGTH = 1,
	NODE_MAPPINGS = 8,
	NODE_MAPPING = 12,
	NODE_DATA = 16,
	TYPE_ROOT_COMPLEX = 2,
	TYPE_SMMUV3 = 4,
	ROOT_COMPLEX_FLAGS = 23,
	FLAG_CANWBS = 4,
	MAPPING_SIZE = 20,
	MAPPING_OUTPUT = 12,
};

/* SRAT: entries follow 12 reserved bytes; table 5.68 (generic initiator), 5.70 (PCI handle) */
enum {
	SRAT_FIRST = 48,
	ENTRY_LENGTH = 1,
	TYPE_INITIATOR = 5,
	INITIATOR_SIZE = 32,
	INITIATOR_HANDLE = 3,
	HANDLE_PCI = 1,
	HANDLE_SEGMENT = 8,
	HANDLE_RID = 10,
	INITIATOR_FLAGS = 24,
	FLAG_ENABLED = 1,
};

struct bytes {
	const uint8_t *at;
	size_t len;
};

static uint64_t number(struct bytes table, uint64_t at, unsigned size)
{
	uint64_t n = 0;

	if (at > table.len || size > table.len - at)
		return 0;
	for (unsigned i = 0; i < size; i++)
		n |= (uint64_t)table.at[at + i] << 8 * i;
	return n;
}

/* The table without what its own length leaves out; empty when it is another one. */
static struct bytes open_table(const void *table, size_t len, const char *signature)
{
	struct bytes bytes = { table, len };
	uint64_t own = number(bytes, HEADER_LENGTH, 4);

	if (len < HEADER_SIZE || memcmp(table, signature, 4) != 0 || own < HEADER_SIZE)
		bytes.len = 0;
	else if (own < len)
		bytes.len = (size_t)own;
	return bytes;
}

/* A node of the IORT, cut to its own length. */
struct node {
	uint64_t at;
	struct bytes bytes;
};

static bool node_at(struct bytes table, uint64_t at, struct node *node)
{
	uint64_t length = number(table, at + NODE_LENGTH, 2);

	if (length < NODE_DATA || at > table.len || length > table.len - at)
		return false;
	node->at = at;
	node->bytes = (struct bytes){ table.at + at, (size_t)length };
	return true;
}

static unsigned node_type(const struct node *node)
{
	return (unsigned)number(node->bytes, NODE_TYPE, 1);
}

/* Calls each for every node; the count bounds the walk, and every node is at least a header long. */
static void each_node(struct bytes table, void (*each)(void *arg, const struct node *node),
		      void *arg)
{
	uint64_t count = number(table, IORT_NODES, 4);
	struct node node = { .at = number(table, IORT_FIRST, 4) };

	for (; count > 0 && node_at(table, node.at, &node); count--) {
		each(arg, &node);
		node.at += node.bytes.len;
	}
}

struct iort {
	struct acpi_smmu *smmu;
	uint64_t *at; /* where in the table each is */
	unsigned count;
	unsigned max;
};

enum { SMMUS = 64 };

static void add_smmu(void *arg, const struct node *node)
{
	struct iort *iort = arg;

	if (node_type(node) != TYPE_SMMUV3 || iort->count == iort->max)
		return;
	iort->at[iort->count] = node->at;
	iort->smmu[iort->count++] = (struct acpi_smmu){ .base = number(node->bytes, NODE_DATA, 8) };
}

static bool maps_to(const struct node *node, uint64_t at)
{
	uint64_t count = number(node->bytes, NODE_MAPPINGS, 4);
	uint64_t first = number(node->bytes, NODE_MAPPING, 4);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t mapping = first + i * MAPPING_SIZE;

		if (mapping + MAPPING_SIZE > node->bytes.len)
			return false;
		if (number(node->bytes, mapping + MAPPING_OUTPUT, 4) == at)
			return true;
	}
	return false;
}

static void add_complex(void *arg, const struct node *node)
{
	struct iort *iort = arg;

	if (node_type(node) != TYPE_ROOT_COMPLEX)
		return;
	for (unsigned i = 0; i < iort->count; i++) {
		if (!maps_to(node, iort->at[i]))
			continue;
		iort->smmu[i].complexes++;
		if (number(node->bytes, ROOT_COMPLEX_FLAGS, 1) & FLAG_CANWBS)
			iort->smmu[i].canwbs++;
	}
}

unsigned acpi_iort(const void *table, size_t len, struct acpi_smmu *smmu, unsigned max)
{
	struct bytes bytes = open_table(table, len, "IORT");
	uint64_t at[SMMUS];
	struct iort iort = { .smmu = smmu, .at = at, .max = max < SMMUS ? max : SMMUS };

	each_node(bytes, add_smmu, &iort);
	each_node(bytes, add_complex, &iort);
	return iort.count;
}

void acpi_initiators(const void *table, size_t len,
		     void (*each)(void *arg, unsigned segment, unsigned rid), void *arg)
{
	struct bytes bytes = open_table(table, len, "SRAT");
	uint64_t at = SRAT_FIRST;

	for (;;) {
		uint64_t length = number(bytes, at + ENTRY_LENGTH, 1);

		if (length < 2 || at + length > bytes.len)
			return;
		if (number(bytes, at, 1) == TYPE_INITIATOR && length >= INITIATOR_SIZE &&
		    number(bytes, at + INITIATOR_HANDLE, 1) == HANDLE_PCI &&
		    number(bytes, at + INITIATOR_FLAGS, 4) & FLAG_ENABLED)
			each(arg, (unsigned)number(bytes, at + HANDLE_SEGMENT, 2),
			     (unsigned)number(bytes, at + HANDLE_RID, 2));
		at += length;
	}
}
