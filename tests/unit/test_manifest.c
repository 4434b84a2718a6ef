/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests, good and bad, the kernel command line over them, and how they are made. */
#define HV_SYMBOL_TABLE
#include "unit.h"

#include <stdlib.h>

#include "manifest.h"
#include "sha256.h"

static struct config config;
static struct diag diag;

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	return 0;
}

/* Puts the right header before a body of len bytes, and parses both from exact memory. */
static void parse_bytes(const char *body, size_t len)
{
	char hex[SHA256_HEX];
	char header[128];
	size_t n;
	char *text;

	sha256_hex(body, len, hex);
	assert_true(str_format(header, sizeof(header), "# hvinit manifest 1\n# sha256 %s\n", hex));
	n = strlen(header);
	text = malloc(n + len);
	assert_non_null(text);
	memcpy(text, header, n);
	memcpy(text + n, body, len);
	manifest_parse(text, n + len, &config, &diag);
	free(text);
}

static void parse(const char *body)
{
	parse_bytes(body, strlen(body));
}

static void parse_whole(const char *text)
{
	size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, text, len);
	manifest_parse(exact, len, &config, &diag);
	free(exact);
}

/* --- what is understood --- */

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(config.host.log_level, 4);
	assert_string_equal(config.host.modules, "");
	assert_false(config.host.shell);
	assert_int_equal(config.host.on_fatal, HOST_ON_FATAL_REBOOT);
	assert_int_equal(config.host.on_last_vm, HOST_ON_LAST_VM_STAY);
	for (unsigned n = 0; n < HV_VM_SLOTS; n++) {
		const struct vm_config *vm = &config.vm[n];

		assert_false(manifest_vm_used(vm));
		assert_true(vm->autostart);
		assert_int_equal(vm->memory_mib, 1024);
		assert_string_equal(vm->smmu_driver, "arm-smmuv3");
		for (unsigned m = 0; m < HV_HOSTDEV_SLOTS; m++) {
			assert_false(manifest_hostdev_used(&vm->hostdev[m]));
			assert_string_equal(vm->hostdev[m].driver, "auto");
			assert_int_equal(vm->hostdev[m].vsmmu, HV_AUTO);
		}
		for (unsigned m = 0; m < HV_VSMMU_SLOTS; m++)
			assert_int_equal(vm->vsmmu[m].bus_nr, HV_AUTO);
	}
}

static void test_good(void **state)
{
	(void)state;
	parse("HOST_LOG_LEVEL=7\n"
	      "HOST_ON_FATAL=\"halt\"\n"
	      "\n"
	      "# a comment\n"
	      "VM0_NAME=\"demo\"\n"
	      "VM0_AUTOSTART=n\n"
	      "VM0_CMDLINE=\"a=\\\"b c\\\" d\\\\e\"\n"
	      "VM0_HOSTDEV0_BDF=\"0000:41:00.0\"\n"
	      "VM7_HOSTDEV15_PORT_NR=\"255\"\n"
	      "VM7_VSMMU7_BUS_NR=\"auto\"\n");
	assert_no_finding(&diag);
	assert_int_equal(config.host.log_level, 7);
	assert_int_equal(config.host.on_fatal, HOST_ON_FATAL_HALT);
	assert_string_equal(config.vm[0].name, "demo");
	assert_false(config.vm[0].autostart);
	assert_string_equal(config.vm[0].cmdline, "a=\"b c\" d\\e");
	assert_string_equal(config.vm[0].hostdev[0].bdf, "0000:41:00.0");
	assert_int_equal(config.vm[7].hostdev[15].port_nr, 255);
	assert_int_equal(config.vm[7].vsmmu[7].bus_nr, HV_AUTO);
}

/* One of each kind of slot, and of each form that a value can have. */
static void test_slots(void **state)
{
	(void)state;
	parse("HOST_BRIDGE3_NAME=\"lan\"\n"
	      "HOST_BRIDGE3_MTU=\"9000\"\n"
	      "VM7_UUID=\"8F4C2A10-0000-4000-8000-0000000000AF\"\n"
	      "VM7_CPU_PIN=\"0-3,8\"\n"
	      "VM7_HOSTDEV0_VSMMU=\"none\"\n"
	      "VM7_PORT7_BUS=\"root\"\n"
	      "VM7_DISK3_PATH=\"/disk\"\n"
	      "VM7_DISK3_FORMAT=\"qcow2\"\n"
	      "VM7_NET3_MAC=\"52:54:00:AB:CD:EF\"\n"
	      "VM7_VSMMU7_OAS=\"48\"\n");
	assert_no_finding(&diag);
	assert_string_equal(config.host.bridge[3].name, "lan");
	assert_int_equal(config.host.bridge[3].mtu, 9000);
	assert_int_equal(config.host.bridge[2].mtu, HV_AUTO);
	assert_string_equal(config.vm[7].uuid, "8f4c2a10-0000-4000-8000-0000000000af");
	assert_string_equal(config.vm[7].cpu_pin, "0-3,8");
	assert_int_equal(config.vm[7].hostdev[0].vsmmu, HV_NONE);
	assert_int_equal(config.vm[7].port[7].bus, HV_ROOT);
	assert_int_equal(config.vm[7].port[6].bus, HV_NONE);
	assert_string_equal(config.vm[7].disk[3].path, "/disk");
	assert_int_equal(config.vm[7].disk[3].format, DISK_FORMAT_QCOW2);
	assert_string_equal(config.vm[7].net[3].mac, "52:54:00:ab:cd:ef");
	assert_int_equal(config.vm[7].vsmmu[7].oas, VSMMU_OAS_48);
}

static void test_empty_body(void **state)
{
	(void)state;
	parse("");
	assert_no_finding(&diag);
}

static void test_no_last_newline(void **state)
{
	(void)state;
	parse("VM0_NAME=\"demo\"\nVM0_CPUS=3");
	assert_no_finding(&diag);
	assert_int_equal(config.vm[0].cpus, 3);
}

static void test_bdf_is_lower_case(void **state)
{
	(void)state;
	parse("VM0_HOSTDEV0_BDF=\"000A:BC:1F.7\"\n");
	assert_no_finding(&diag);
	assert_string_equal(config.vm[0].hostdev[0].bdf, "000a:bc:1f.7");
}

/* A string one byte below the size of its field, and one that is as long as it. */
static void test_longest(void **state)
{
	char body[256];

	(void)state;
	str_format(body, sizeof(body), "VM0_NAME=\"a%0*d\"\n", (int)sizeof(config.vm[0].name) - 2,
		   0);
	parse(body);
	assert_no_finding(&diag);
	assert_int_equal(strlen(config.vm[0].name), sizeof(config.vm[0].name) - 1);
	str_format(body, sizeof(body), "VM0_NAME=\"a%0*d\"\n", (int)sizeof(config.vm[0].name) - 1,
		   0);
	parse(body);
	assert_finding(&diag, DIAG_SYMBOL_VALUE, "VM0_NAME", "line 3: the string is too long");
}

/* --- headers --- */

struct header_case {
	const char *text;
	enum diag_code code;
	const char *part;
};

#define HASH_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct header_case headers[] = {
	{ "", DIAG_MANIFEST_FORMAT, "line 1" },
	{ "# hvinit manifest 2\n# sha256 " HASH_OF_NOTHING "\n", DIAG_MANIFEST_FORMAT, "line 1" },
	{ "# hvinit manifest 1\r\n# sha256 " HASH_OF_NOTHING "\r\n", DIAG_MANIFEST_FORMAT,
	  "line 1" },
	{ "# hvinit manifest 1\n", DIAG_MANIFEST_FORMAT, "line 2" },
	{ "# hvinit manifest 1\n# sha256 e3b0\n", DIAG_MANIFEST_FORMAT, "line 2" },
	{ "# hvinit manifest 1\n# sha256 " HASH_OF_NOTHING, DIAG_MANIFEST_FORMAT, "line 2" },
	{ "# hvinit manifest 1\n# sha256 " HASH_OF_NOTHING "0\n", DIAG_MANIFEST_FORMAT, "line 2" },
	{ "# hvinit manifest 1\n# sha256 " HASH_OF_NOTHING "\nVM0_CPUS=2\n", DIAG_MANIFEST_HASH,
	  "line 2" },
	{ "# hvinit manifest 1\n# sha256 " HASH_OF_NOTHING "\n\n", DIAG_MANIFEST_HASH, "line 2" },
	{ "VM0_CPUS=2\n", DIAG_MANIFEST_FORMAT, "line 1" },
};

/* Nothing of a manifest counts when its header is wrong. */
static void test_header(void **state)
{
	const struct header_case *h = *state;

	parse_whole(h->text);
	assert_finding(&diag, h->code, "manifest", h->part);
	assert_int_equal(diag.finding[0].vm, DIAG_HOST);
	assert_int_equal(config.vm[0].cpus, 1);
}

/* --- bad lines --- */

struct line_case {
	const char *line;
	enum diag_code code;
	int vm; /* whom it concerns */
	const char *subject;
	const char *part;
};

static const struct line_case lines[] = {
	/* no SYMBOL=value */
	{ "nonsense", DIAG_MANIFEST_LINE, DIAG_HOST, "manifest", "line 4: \"nonsense\"" },
	{ "VM0_CPUS", DIAG_MANIFEST_LINE, DIAG_HOST, "manifest", "line 4" },
	{ "VM0_CPUS 2", DIAG_MANIFEST_LINE, DIAG_HOST, "manifest", "line 4" },
	{ "vm0_cpus=2", DIAG_MANIFEST_LINE, DIAG_HOST, "manifest", "line 4" },
	{ "=2", DIAG_MANIFEST_LINE, DIAG_HOST, "manifest", "line 4" },
	{ " VM0_CPUS=2", DIAG_MANIFEST_LINE, DIAG_HOST, "manifest", "line 4" },
	/* unknown symbols */
	{ "VM0_CPUZ=2", DIAG_SYMBOL_UNKNOWN, 0, "VM0_CPUZ", "line 4: there is no such symbol" },
	{ "CPUS=2", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "CPUS", "line 4" },
	{ "HOST_CPUS=2", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "HOST_CPUS", "line 4" },
	{ "VM8_CPUS=2", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "VM8_CPUS", "line 4" },
	{ "VM00_CPUS=2", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "VM00_CPUS", "line 4" },
	{ "VM99999999999999999999_CPUS=2", DIAG_SYMBOL_UNKNOWN, DIAG_HOST,
	  "VM99999999999999999999_CPUS", "line 4" },
	{ "VM4294967296_CPUS=2", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "VM4294967296_CPUS", "line 4" },
	{ "VM0CPUS=2", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "VM0CPUS", "line 4" },
	{ "VM_CPUS=2", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "VM_CPUS", "line 4" },
	{ "VM0_HOSTDEV16_BDF=\"\"", DIAG_SYMBOL_UNKNOWN, 0, "VM0_HOSTDEV16_BDF", "line 4" },
	{ "VM0_VSMMU8_ADDR=\"auto\"", DIAG_SYMBOL_UNKNOWN, 0, "VM0_VSMMU8_ADDR", "line 4" },
	{ "VM0_BDF=\"\"", DIAG_SYMBOL_UNKNOWN, 0, "VM0_BDF", "line 4" },
	{ "ROOTFS_BUSYBOX=y", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "ROOTFS_BUSYBOX", "line 4" },
	/* twice */
	{ "VM0_MEMORY_MIB=64", DIAG_SYMBOL_TWICE, 0, "VM0_MEMORY_MIB", "line 4" },
	/* bools */
	{ "VM0_AUTOSTART=yes", DIAG_SYMBOL_VALUE, 0, "VM0_AUTOSTART", "yes is not y or n" },
	{ "VM0_AUTOSTART=", DIAG_SYMBOL_VALUE, 0, "VM0_AUTOSTART", "is not y or n" },
	{ "VM0_AUTOSTART=\"y\"", DIAG_SYMBOL_VALUE, 0, "VM0_AUTOSTART", "is not y or n" },
	/* numbers */
	{ "VM0_CPUS=0", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "out of range (want 1 to 512)" },
	{ "VM0_CPUS=513", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "out of range" },
	{ "VM0_CPUS=-1", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "-1 is out of range" },
	{ "VM0_CPUS=99999999999999999999", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "is not a number" },
	{ "VM0_CPUS=2x", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "is not a number" },
	{ "VM0_CPUS= 2", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "is not a number" },
	{ "VM0_CPUS=0x2", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "is not a number" },
	{ "VM0_CPUS=\"2\"", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "is not a number" },
	{ "VM0_CPUS=2\r", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "is not a number" },
	{ "VM0_CPUS=", DIAG_SYMBOL_VALUE, 0, "VM0_CPUS", "is not a number" },
	/* "auto" or a number */
	{ "VM0_VSMMU0_BUS_NR=\"0\"", DIAG_SYMBOL_VALUE, 0, "VM0_VSMMU0_BUS_NR",
	  "want auto or 1 to 254" },
	{ "VM0_VSMMU0_BUS_NR=\"-1\"", DIAG_SYMBOL_VALUE, 0, "VM0_VSMMU0_BUS_NR", "out of range" },
	{ "VM0_VSMMU0_BUS_NR=\"Auto\"", DIAG_SYMBOL_VALUE, 0, "VM0_VSMMU0_BUS_NR",
	  "is not auto or a number" },
	{ "VM0_VSMMU0_BUS_NR=7", DIAG_SYMBOL_VALUE, 0, "VM0_VSMMU0_BUS_NR", "double quotes" },
	{ "VM0_VSMMU0_BUS_NR=\"\"", DIAG_SYMBOL_VALUE, 0, "VM0_VSMMU0_BUS_NR", "a number" },
	/* words */
	{ "HOST_ON_FATAL=\"panic\"", DIAG_SYMBOL_VALUE, DIAG_HOST, "HOST_ON_FATAL",
	  "is not one of: halt reboot" },
	{ "HOST_ON_FATAL=\"hal\"", DIAG_SYMBOL_VALUE, DIAG_HOST, "HOST_ON_FATAL", "is not one" },
	{ "HOST_ON_FATAL=\"halt reboot\"", DIAG_SYMBOL_VALUE, DIAG_HOST, "HOST_ON_FATAL",
	  "is not one" },
	{ "HOST_ON_FATAL=\"\"", DIAG_SYMBOL_VALUE, DIAG_HOST, "HOST_ON_FATAL", "is not one" },
	/* strings */
	{ "VM0_CMDLINE=x", DIAG_SYMBOL_VALUE, 0, "VM0_CMDLINE", "not a string in double quotes" },
	{ "VM0_CMDLINE=\"x", DIAG_SYMBOL_VALUE, 0, "VM0_CMDLINE", "double quotes" },
	{ "VM0_CMDLINE=\"x\"y", DIAG_SYMBOL_VALUE, 0, "VM0_CMDLINE", "double quotes" },
	{ "VM0_CMDLINE=\"x\\\"", DIAG_SYMBOL_VALUE, 0, "VM0_CMDLINE", "double quotes" },
	{ "VM0_CMDLINE=\"", DIAG_SYMBOL_VALUE, 0, "VM0_CMDLINE", "double quotes" },
	{ "VM0_CMDLINE=\"x\" ", DIAG_SYMBOL_VALUE, 0, "VM0_CMDLINE", "double quotes" },
	{ "VM0_CMDLINE=\"a\tb\"", DIAG_SYMBOL_VALUE, 0, "VM0_CMDLINE", "control character" },
	{ "VM0_CMDLINE=\"\033[2J\"", DIAG_SYMBOL_VALUE, 0, "VM0_CMDLINE", "control character" },
	{ "VM0_CMDLINE=\"x\"\r", DIAG_SYMBOL_VALUE, 0, "VM0_CMDLINE", "double quotes" },
	/* BDFs */
	{ "VM0_HOSTDEV0_BDF=\"0009:1:0.0\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_BDF",
	  "\"0009:1:0.0\" is not a PCI address (want DDDD:BB:DD.F)" },
	{ "VM0_HOSTDEV0_BDF=\"41:00.0\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_BDF", "PCI address" },
	{ "VM0_HOSTDEV0_BDF=\"0000:41:00.8\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_BDF",
	  "PCI address" },
	{ "VM0_HOSTDEV0_BDF=\"0000:41:20.0\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_BDF",
	  "PCI address" },
	{ "VM0_HOSTDEV0_BDF=\"0000:4g:00.0\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_BDF",
	  "PCI address" },
	{ "VM0_HOSTDEV0_BDF=\"0000/41/00.0\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_BDF",
	  "PCI address" },
	{ "VM0_HOSTDEV0_BDF=\"10000:41:00.0\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_BDF",
	  "PCI address" },
	/* names: they become words of QEMU and of sysfs */
	{ "VM0_NAME=\"a,b\"", DIAG_SYMBOL_VALUE, 0, "VM0_NAME", "is not a name" },
	{ "VM0_NAME=\"a b\"", DIAG_SYMBOL_VALUE, 0, "VM0_NAME", "is not a name" },
	{ "VM0_NAME=\"-a\"", DIAG_SYMBOL_VALUE, 0, "VM0_NAME", "is not a name" },
	{ "VM0_NAME=\"0a\"", DIAG_SYMBOL_VALUE, 0, "VM0_NAME", "is not a name" },
	{ "VM0_NAME=\"a\\\"\"", DIAG_SYMBOL_VALUE, 0, "VM0_NAME", "is not a name" },
	{ "VM0_NAME=\"\xc3\xa9\"", DIAG_SYMBOL_VALUE, 0, "VM0_NAME", "is not a name" },
	{ "VM0_HOSTDEV0_DRIVER=\"../x\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_DRIVER",
	  "is not a name" },
	{ "VM0_MACHINE=\"virt,dumpdtb=x\"", DIAG_SYMBOL_VALUE, 0, "VM0_MACHINE", "is not a name" },
	/* what has a default cannot be nothing: QEMU or sysfs would get an empty word */
	{ "VM0_HOSTDEV0_DRIVER=\"\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_DRIVER", "empty" },
	{ "VM0_MACHINE=\"\"", DIAG_SYMBOL_VALUE, 0, "VM0_MACHINE", "empty" },
	{ "VM0_FIRMWARE=\"\"", DIAG_SYMBOL_VALUE, 0, "VM0_FIRMWARE", "empty" },
	/* words beside a number are the symbol's own */
	{ "VM0_HOSTDEV0_VSMMU=\"root\"", DIAG_SYMBOL_VALUE, 0, "VM0_HOSTDEV0_VSMMU",
	  "\"root\" is not auto none or a number" },
	{ "VM0_PORT0_BUS=\"auto\"", DIAG_SYMBOL_VALUE, 0, "VM0_PORT0_BUS", "is not none root" },
	{ "VM0_PORT8_BUS=\"0\"", DIAG_SYMBOL_UNKNOWN, 0, "VM0_PORT8_BUS", "line 4" },
	{ "HOST_BRIDGE4_NAME=\"x\"", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "HOST_BRIDGE4_NAME",
	  "line 4" },
	{ "VM0_BRIDGE0_NAME=\"x\"", DIAG_SYMBOL_UNKNOWN, 0, "VM0_BRIDGE0_NAME", "line 4" },
	{ "HOST_DISK0_PATH=\"/x\"", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "HOST_DISK0_PATH", "line 4" },
	/* UUIDs, Ethernet addresses, lists of CPUs */
	{ "VM0_UUID=\"12345678-1234-1234-1234-12345678901\"", DIAG_SYMBOL_VALUE, 0, "VM0_UUID",
	  "is not a UUID" },
	{ "VM0_UUID=\"12345678-1234-1234-1234-12345678901g\"", DIAG_SYMBOL_VALUE, 0, "VM0_UUID",
	  "is not a UUID" },
	{ "VM0_NET0_MAC=\"52:54:00:00:00\"", DIAG_SYMBOL_VALUE, 0, "VM0_NET0_MAC",
	  "is not an Ethernet address" },
	{ "VM0_NET0_MAC=\"53:54:00:00:00:01\"", DIAG_SYMBOL_VALUE, 0, "VM0_NET0_MAC",
	  "of one interface" },
	{ "VM0_CPU_PIN=\"3-1\"", DIAG_SYMBOL_VALUE, 0, "VM0_CPU_PIN", "is not a list of CPUs" },
	{ "VM0_CPU_PIN=\"0-1024\"", DIAG_SYMBOL_VALUE, 0, "VM0_CPU_PIN", "is not a list of CPUs" },
	/* paths */
	{ "VM0_KERNEL=\"boot/Image\"", DIAG_SYMBOL_VALUE, 0, "VM0_KERNEL", "absolute path" },
};

/* Each comes after a good line and before another one, which must both count. */
static void test_line(void **state)
{
	const struct line_case *l = *state;
	char body[1024];

	str_format(body, sizeof(body), "VM0_MEMORY_MIB=2048\n%s\nVM1_CPUS=9\n", l->line);
	parse(body);
	assert_finding(&diag, l->code, l->subject, l->part);
	assert_int_equal(diag.finding[0].vm, l->vm);
	assert_int_equal(diag_failures(&diag, l->vm), 1);
	assert_int_equal(config.vm[0].memory_mib, 2048);
	assert_int_equal(config.vm[1].cpus, 9);
	assert_int_equal(config.vm[0].cpus, 1);
	/* A VM with a fault and without a name gets one: it must be seen, as invalid. */
	assert_string_equal(config.vm[0].name, l->vm == 0 ? "unnamed-vm0" : "");
	assert_string_equal(config.vm[0].hostdev[0].bdf, "");
	assert_string_equal(config.vm[0].hostdev[0].driver, "auto");
}

/* CRLF line ends are bad lines, not values with a CR in them. */
static void test_crlf(void **state)
{
	(void)state;
	parse("VM0_CPUS=2\r\nVM0_NAME=\"demo\"\r\n\r\n");
	assert_int_equal(diag.count, 3);
	assert_int_equal(config.vm[0].cpus, 1);
	assert_string_equal(config.vm[0].name, "unnamed-vm0");
	for (unsigned i = 0; i < diag.count; i++)
		assert_null(strchr(diag.finding[i].text, '\r'));
}

static void test_nul(void **state)
{
	static const char body[] = "VM0_CPUS=2\0003\nVM\0000_CPUS=4\nVM0_CMDLINE=\"a\0b\"\n\0";

	(void)state;
	parse_bytes(body, sizeof(body) - 1);
	assert_int_equal(diag.count, 4);
	for (unsigned i = 0; i < diag.count; i++)
		assert_int_equal(diag.finding[i].code, DIAG_MANIFEST_LINE);
	assert_int_equal(config.vm[0].cpus, 1);
}

/* Longer than any value may be, and longer than any symbol. */
static void test_over_long(void **state)
{
	char body[5000];

	(void)state;
	memset(body, 'x', sizeof(body));
	memcpy(body, "VM0_CMDLINE=\"", 13);
	memcpy(body + 3000, "\"\n", 2);
	memset(body + 3002, 'A', 200);
	memcpy(body + 3202, "=1\nVM0_CPUS=2\n", 14);
	parse_bytes(body, 3216);
	assert_int_equal(diag.count, 2);
	assert_int_equal(diag.finding[0].code, DIAG_MANIFEST_LINE);
	assert_int_equal(diag.finding[1].code, DIAG_MANIFEST_LINE);
	assert_string_equal(config.vm[0].cmdline, "");
	assert_int_equal(config.vm[0].cpus, 2);
}

static void test_many_faults(void **state)
{
	static char body[DIAG_MAX * 2 * 12 + 1];
	size_t used = 0;

	(void)state;
	for (unsigned i = 0; i < DIAG_MAX * 2; i++)
		used += (size_t)sprintf(body + used, "BAD%u=1\n", i);
	parse(body);
	assert_int_equal(diag.count, DIAG_MAX);
	assert_int_equal(diag.dropped, DIAG_MAX);
	assert_true(diag_failures(&diag, DIAG_HOST) > 0);
}

/* A fault in one VM's section stops that VM and no other. */
static void test_whom_it_concerns(void **state)
{
	(void)state;
	parse("VM1_CPUS=0\nVM2_HOSTDEV0_BDF=\"x\"\nVM2_BAD=1\n");
	assert_int_equal(diag_failures(&diag, DIAG_HOST), 0);
	assert_int_equal(diag_failures(&diag, 0), 0);
	assert_int_equal(diag_failures(&diag, 1), 1);
	assert_int_equal(diag_failures(&diag, 2), 2);
}

/* Whatever the bytes are, values stay in range and strings end. The sanitizers look on. */
static void test_damage(void **state)
{
	static const char good[] = "HOST_LOG_LEVEL=7\nHOST_ON_FATAL=\"halt\"\nVM0_NAME=\"demo\"\n"
				   "VM0_CPUS=12\nVM0_CMDLINE=\"a=\\\"b\\\\\"\nVM0_AUTOSTART=n\n"
				   "VM7_HOSTDEV15_BDF=\"0000:41:00.0\"\n"
				   "VM7_VSMMU7_BUS_NR=\"254\"\nVM0_KERNEL=\"/boot/Image\"\n";
	uint32_t seed = 1;

	for (unsigned i = 0; i < 20000; i++) {
		char text[sizeof(good) - 1];

		setup(state);
		memcpy(text, good, sizeof(text));
		damage(text, sizeof(text), &seed);
		parse_bytes(text, sizeof(text));
		assert_in_range(config.vm[0].cpus, 1, 512);
		assert_in_range(config.host.log_level, 0, 7);
		assert_in_range(config.host.on_fatal, 0, 1);
		assert_true(strlen(config.vm[0].cmdline) < sizeof(config.vm[0].cmdline));
		assert_true(config.vm[0].kernel[0] == '\0' || config.vm[0].kernel[0] == '/');
	}
}

/* --- the kernel command line --- */

static void test_override(void **state)
{
	(void)state;
	assert_false(manifest_cmdline("console=ttyAMA0 hvinit.VM0_MEMORY_MIB=2048 "
				      "hvinit.VM7_CPUS=4\thvinit.VM0_AUTOSTART=n "
				      "hvinit.HOST_LOG_LEVEL=7 quiet\n",
				      true, &config, &diag));
	assert_no_finding(&diag);
	assert_int_equal(config.vm[0].memory_mib, 2048);
	assert_int_equal(config.vm[7].cpus, 4);
	assert_false(config.vm[0].autostart);
	assert_int_equal(config.host.log_level, 7);
}

static void test_override_one(void **state)
{
	(void)state;
	assert_true(manifest_override("VM7_CPUS=4", &config, &diag));
	assert_int_equal(config.vm[7].cpus, 4);
	assert_false(manifest_override("HOST_SHELL=y", &config, &diag));
	assert_false(config.host.shell);
}

static void count_name(void *arg, const char *name)
{
	unsigned *count = arg;

	++*count;
	/* What can be named can be set. */
	assert_true(str_prefix(name, "HOST_") || str_prefix(name, "VM2_"));
}

static void test_settable(void **state)
{
	unsigned none = 0;
	unsigned one = 0;

	(void)state;
	manifest_settable(&config, count_name, &none);
	str_copy(config.vm[2].name, sizeof(config.vm[2].name), "gpu");
	manifest_settable(&config, count_name, &one);
	assert_true(none > 0 && one > none);
}

static void test_safe(void **state)
{
	(void)state;
	assert_true(manifest_cmdline("quiet hvinit.safe", true, &config, &diag));
	assert_true(manifest_cmdline("hvinit.safe quiet", false, &config, &diag));
	assert_false(manifest_cmdline("hvinit.safer=1", true, &config, &diag) && diag.count == 0);
	assert_false(manifest_cmdline("xhvinit.safe hvinit. safe", true, &config, &diag));
}

static void test_untrusted(void **state)
{
	(void)state;
	assert_false(manifest_cmdline("hvinit.VM0_CPUS=4", false, &config, &diag));
	assert_finding(&diag, DIAG_CMDLINE_OVERRIDE, "kernel command line", "Secure Boot is on");
	assert_int_equal(config.vm[0].cpus, 1);
}

static const char *const refused_words[] = {
	"hvinit.HOST_SHELL=y",
	"hvinit.HOST_MODULES=evil",
	"hvinit.HOST_ON_FATAL=halt",
	"hvinit.VM0_NAME=demo",
	"hvinit.VM0_KERNEL=/tmp/x",
	"hvinit.VM0_CMDLINE=init=/bin/sh",
	"hvinit.VM0_MACHINE=virt",
	"hvinit.VM0_HOSTDEV0_BDF=0000:41:00.0",
	"hvinit.VM0_HOSTDEV0_DRIVER=nvme",
	"hvinit.VM0_VSMMU0_BUS_NR=3",
	"hvinit.VM0_NO_SUCH=3",
	"hvinit.VM8_CPUS=3",
	"hvinit.VM0_CPUS=0",
	"hvinit.VM0_CPUS=lots",
	"hvinit.VM0_CPUS=",
	"hvinit.VM0_CPUS",
	"hvinit.VM0_AUTOSTART=maybe",
	"hvinit.no=1",
};

/* What may not come from there is ignored with a warning: it must not stop a VM either. */
static void test_refused_word(void **state)
{
	const char *word = *state;
	struct config before = config;

	assert_false(manifest_cmdline(word, true, &config, &diag));
	assert_int_equal(diag.count, 1);
	assert_int_equal(diag_code_severity(diag.finding[0].code), DIAG_WARN);
	assert_memory_equal(&config, &before, sizeof(config));
}

/* The list of design.md: memory, CPUs, autostart, log level, and nothing else. */
static void test_what_may_be_overridden(void **state)
{
	static const char *const allowed[] = { "LOG_LEVEL", "AUTOSTART", "MEMORY_MIB", "CPUS" };
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hv_symbols); i++) {
		bool found = false;

		for (size_t j = 0; j < ARRAY_SIZE(allowed); j++)
			found |= strcmp(hv_symbols[i].name, allowed[j]) == 0;
		assert_int_equal(hv_symbols[i].cmdline, found);
		n += hv_symbols[i].cmdline;
	}
	assert_int_equal(n, ARRAY_SIZE(allowed));
}

static void test_long_word(void **state)
{
	static char text[4096];

	(void)state;
	memset(text, 'A', sizeof(text) - 1);
	memcpy(text, "hvinit.", 7);
	assert_false(manifest_cmdline(text, true, &config, &diag));
	memcpy(text, "hvinit.VM0_CPUS=", 16);
	assert_false(manifest_cmdline(text, true, &config, &diag));
	assert_int_equal(diag.count, 2);
	assert_int_equal(diag_failures(&diag, DIAG_HOST), 0);
	assert_int_equal(diag_failures(&diag, 0), 0);
}

/* --- a secret --- */

/* As crypt(5) makes them: no three characters in a row of these are in any message for people. */
#define SALT "Zq9xWvKj4"
#define SHA256_TAIL "7Gh2Xp0RtYuQ8zVb5Nw3Lk6Jd1Mc9Fs4EaPiOoTyBxC"
#define SHA512_TAIL SHA256_TAIL "9Qx8Zr7Kv6Jw5Hq4Gp3Fn2Dm1Sb0AyUtRePoLkJhGfD"
#define HASH "$6$" SALT "$" SHA512_TAIL

/* Nothing that is said repeats any part of the hash that somebody could guess with. */
static void assert_untold(void)
{
	static const char secret[] = SALT "$" SHA512_TAIL;
	enum { PART = 3 };

	assert_true(diag.count > 0);
	for (unsigned i = 0; i < diag.count; i++)
		for (size_t at = 0; secret[at + PART - 1]; at++) {
			char part[PART + 1] = "";

			memcpy(part, secret + at, PART);
			if (strstr(diag.finding[i].text, part) ||
			    strstr(diag.finding[i].subject, part))
				fail_msg("\"%s\" is told: %s: %s", part, diag.finding[i].subject,
					 diag.finding[i].text);
		}
}

static const char *const hashes[] = {
	"",
	"$5$" SALT "$" SHA256_TAIL,
	"$6$" SALT "$" SHA512_TAIL,
	"$5$rounds=1000$" SALT "$" SHA256_TAIL,
	"$6$rounds=999999999$" SALT "$" SHA512_TAIL,
	"$6$a./Z$" SHA512_TAIL,
};

static void test_secret(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
		char body[512];

		setup(state);
		str_format(body, sizeof(body), "HOST_CONSOLE_PASSWORD=\"%s\"\n", hashes[i]);
		parse(body);
		assert_no_finding(&diag);
		assert_string_equal(config.host.console_password, hashes[i]);
	}
}

/* What is no hash may be a password as it is typed: that is not shown, either. */
static const char *const no_hashes[] = {
	SALT, /* the password itself */
	"$1$" SALT "$" SHA256_TAIL, /* MD5 */
	"$y$j9T$" SALT "$" SHA256_TAIL, /* yescrypt */
	"$2b$05$" SALT "$" SHA256_TAIL,
	"!" HASH, /* locked, as in /etc/shadow */
	"root:" HASH ":19000", /* all of its line */
	" " HASH,
	HASH " ",
	"$6$" SALT " " SHA512_TAIL,
	"$6$" SALT "\\\"" SHA512_TAIL,
	HASH "\t",
	HASH "\xc3\xa9",
	"$6",
	"$6$" SALT "$cut",
	"$7$" SALT "$" SHA512_TAIL,
};

static void test_no_secret(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(no_hashes); i++) {
		char body[512];

		setup(state);
		str_format(body, sizeof(body), "HOST_CONSOLE_PASSWORD=\"%s\"\n", no_hashes[i]);
		parse(body);
		assert_finding(&diag, DIAG_SYMBOL_VALUE, "HOST_CONSOLE_PASSWORD",
			       "line 3: \"(not shown)\" is not a hash ('openssl passwd -6' makes");
		assert_untold();
		assert_string_equal(config.host.console_password, "*");
	}
}

/* One that just fits, and one that is longer by a character. */
static void test_long_secret(void **state)
{
	enum { ROOM = sizeof(config.host.console_password) };
	/* 0s for salt. */
	const int salt = ROOM - 1 - (int)strlen("$6$$" SHA512_TAIL);
	char hash[ROOM + 1];
	char body[512];

	(void)state;
	str_format(hash, sizeof(hash), "$6$%0*d$" SHA512_TAIL, salt, 0);
	str_format(body, sizeof(body), "HOST_CONSOLE_PASSWORD=\"%s\"\n", hash);
	parse(body);
	assert_no_finding(&diag);
	assert_string_equal(config.host.console_password, hash);
	setup(state);
	str_format(hash, sizeof(hash), "$6$%0*d$" SHA512_TAIL, salt + 1, 0);
	str_format(body, sizeof(body), "HOST_CONSOLE_PASSWORD=\"%s\"\n", hash);
	parse(body);
	assert_finding(&diag, DIAG_SYMBOL_VALUE, "HOST_CONSOLE_PASSWORD", "too long");
	assert_untold();
	assert_string_equal(config.host.console_password, "*");
}

/* Lines that say it in a wrong way. */
static const struct line_case secret_lines[] = {
	/* no assignment */
	{ "HOST_CONSOLE_PASSWORD " HASH, DIAG_MANIFEST_LINE, DIAG_HOST, "manifest",
	  "line 3: \"HOST_CONSOLE_PASSWORD \" is not SYMBOL=value" },
	{ "HOST_CONSOLE_PASSWORD: \"" HASH "\"", DIAG_MANIFEST_LINE, DIAG_HOST, "manifest",
	  "line 3: \"HOST_CONSOLE_PASSWORD: \"\" is" },
	{ "HOST_CONSOLE_PASSWORD =\"" HASH "\"", DIAG_MANIFEST_LINE, DIAG_HOST, "manifest",
	  "line 3" },
	{ "host_console_password=\"" HASH "\"", DIAG_MANIFEST_LINE, DIAG_HOST, "manifest",
	  "line 3" },
	{ HASH, DIAG_MANIFEST_LINE, DIAG_HOST, "manifest", "line 3: \"\" is" },
	/* not in quotes */
	{ "HOST_CONSOLE_PASSWORD=" HASH, DIAG_SYMBOL_VALUE, DIAG_HOST, "HOST_CONSOLE_PASSWORD",
	  "line 3: (not shown) is not a string in double quotes" },
	{ "HOST_CONSOLE_PASSWORD='" HASH "'", DIAG_SYMBOL_VALUE, DIAG_HOST, "HOST_CONSOLE_PASSWORD",
	  "(not shown)" },
	{ "HOST_CONSOLE_PASSWORD=\"" HASH, DIAG_SYMBOL_VALUE, DIAG_HOST, "HOST_CONSOLE_PASSWORD",
	  "(not shown)" },
	{ "HOST_CONSOLE_PASSWORD=\"" HASH "\"\r", DIAG_SYMBOL_VALUE, DIAG_HOST,
	  "HOST_CONSOLE_PASSWORD", "(not shown)" },
	/* another symbol */
	{ "HOST_CONSOLE_PASSWD=\"" HASH "\"", DIAG_SYMBOL_UNKNOWN, DIAG_HOST, "HOST_CONSOLE_PASSWD",
	  "there is no such symbol" },
	{ "VM0_CONSOLE_PASSWORD=\"" HASH "\"", DIAG_SYMBOL_UNKNOWN, 0, "VM0_CONSOLE_PASSWORD",
	  "there is no such symbol" },
	{ "HOST_CONSOLE_PASSWORD=\"\"\nHOST_CONSOLE_PASSWORD=\"" HASH "\"", DIAG_SYMBOL_TWICE,
	  DIAG_HOST, "HOST_CONSOLE_PASSWORD", "line 4" },
};

static void test_secret_line(void **state)
{
	const struct line_case *l = *state;
	/* Who meant to set a password must not find the door open. */
	bool is_shut = str_prefix(l->line, "HOST_CONSOLE_PASSWORD") && l->code != DIAG_SYMBOL_TWICE;
	char body[1024];

	str_format(body, sizeof(body), "%s\n", l->line);
	parse(body);
	assert_finding(&diag, l->code, l->subject, l->part);
	assert_int_equal(diag.finding[0].vm, l->vm);
	assert_untold();
	assert_string_equal(config.host.console_password, is_shut ? "*" : "");
}

/* Longer than any value may be, so that it counts as no assignment. */
static void test_over_long_secret(void **state)
{
	char body[4096];

	(void)state;
	memset(body, 'x', sizeof(body));
	memcpy(body, "HOST_CONSOLE_PASSWORD=\"" HASH, sizeof("HOST_CONSOLE_PASSWORD=\"" HASH) - 1);
	memcpy(body + sizeof(body) - 3, "\"\n", 3);
	parse(body);
	assert_finding(&diag, DIAG_MANIFEST_LINE, "manifest", "line 3: \"HOST_CONSOLE_PASSWORD=");
	assert_untold();
}

/* The kernel command line can be read by everybody, and set by whoever boots the machine. */
static const char *const secret_words[] = {
	"hvinit.HOST_CONSOLE_PASSWORD=" HASH, "hvinit.HOST_CONSOLE_PASSWORD=\"" HASH "\"",
	"hvinit.HOST_CONSOLE_PASSWORD=",      "hvinit.HOST_CONSOLE_PASSWORD:" HASH,
	"hvinit.HOST_CONSOLE_PASSWORD" HASH,  "hvinit." HASH,
};

static void test_secret_word(void **state)
{
	const char *word = *state;
	struct config before;

	str_copy(config.host.console_password, sizeof(config.host.console_password), "$5$a$b");
	before = config;
	for (int trusted = 0; trusted < 2; trusted++) {
		memset(&diag, 0, sizeof(diag));
		assert_false(manifest_cmdline(word, trusted, &config, &diag));
		assert_int_equal(diag.count, 1);
		assert_int_equal(diag.finding[0].code, DIAG_CMDLINE_OVERRIDE);
		assert_untold();
		assert_memory_equal(&config, &before, sizeof(config));
	}
	/* Nor can the command 'set' do it. */
	memset(&diag, 0, sizeof(diag));
	assert_false(manifest_override(word + strlen("hvinit."), &config, &diag));
	assert_untold();
	assert_memory_equal(&config, &before, sizeof(config));
}

static void test_is_secret(void **state)
{
	static const char *const secret[] = {
		"HOST_CONSOLE_PASSWORD=\"" HASH "\"\nHOST_SHELL=n\n",
		"HOST_CONSOLE_PASSWORD=" HASH,
		"HOST_CONSOLE_PASSWORD=\"\"",
		/* What is in no manifest that counts, but can be in a file all the same. */
		"HOST_CONSOLE_PASSWORD \"" HASH "\"",
		"  HOST_CONSOLE_PASSWORD=\"" HASH "\"",
		"# HOST_CONSOLE_PASSWORD=\"" HASH "\"",
		"#HOST_CONSOLE_PASSWORD=\"" HASH "\"",
	};
	static const char *const plain[] = {
		"",
		"\n",
		"#",
		"# a comment\nHOST_CONSOLE_PASSWORD=\"" HASH "\"\n",
		"HOST_SHELL=n\nHOST_CONSOLE_PASSWORD=\"" HASH "\"\n",
		"HOST_CONSOLE_PASSWORDS=\"x\"",
		"VM0_NAME=\"demo\"",
		"VM0_CONSOLE_PASSWORD=\"x\"",
		"VM0_CMDLINE=\"HOST_CONSOLE_PASSWORD=x\"",
		"A123456789B123456789C123456789D123456789E123456789F123456789G123456789=1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(secret); i++)
		assert_true(manifest_is_secret(secret[i]));
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		assert_false(manifest_is_secret(plain[i]));
}

/* --- making one --- */

static char *made;
static size_t made_size;

static void make(const char *dotconfig)
{
	FILE *out = open_memstream(&made, &made_size);

	manifest_write(dotconfig, strlen(dotconfig), out, &diag);
	fclose(out);
}

static int free_made(void **state)
{
	(void)state;
	free(made);
	made = NULL;
	return 0;
}

static void test_write(void **state)
{
	(void)state;
	make("#\n# hvinit configuration\n#\n"
	     "BOARD=\"qemu-virt\"\n"
	     "# ROOTFS_DEMO is not set\n"
	     "HOST_MODULES=\"nvme\"\n"
	     "# HOST_SHELL is not set\n"
	     "VM0_NAME=\"demo\"\n"
	     "# VM0_AUTOSTART is not set\n"
	     "VMWARE=y\n"
	     "VM0_CMDLINE=\"a=\\\"b\\\"\"\n");
	assert_no_finding(&diag);
	assert_string_equal(strchr(strchr(made, '\n') + 1, '\n') + 1,
			    "HOST_MODULES=\"nvme\"\n"
			    "HOST_SHELL=n\n"
			    "VM0_NAME=\"demo\"\n"
			    "VM0_AUTOSTART=n\n"
			    "VM0_CMDLINE=\"a=\\\"b\\\"\"\n");
	parse_whole(made);
	assert_no_finding(&diag);
	assert_string_equal(config.vm[0].cmdline, "a=\"b\"");
	assert_false(config.vm[0].autostart);
}

static void test_write_nothing(void **state)
{
	(void)state;
	make("root:x:0:0\nBOARD=\"qemu-virt\"\n# VMWARE is not set\n");
	assert_finding(&diag, DIAG_MANIFEST_READ, "manifest", "no line sets");
	assert_string_equal(made, "");
}

static void test_write_no_newline(void **state)
{
	(void)state;
	make("VM0_NAME=\"demo\"");
	assert_no_finding(&diag);
	parse_whole(made);
	assert_no_finding(&diag);
	assert_string_equal(config.vm[0].name, "demo");
}

/* A manifest has a numbered machine type, so that another QEMU makes the same hardware of it. */
static void test_write_machine(void **state)
{
	(void)state;
	make("VM0_NAME=\"a\"\nVM0_MACHINE=\"virt\"\n"
	     "VM1_NAME=\"b\"\nVM1_MACHINE=\"virt-10.2\"\n"
	     "VM2_NAME=\"c\"\nVM2_KERNEL=\"/a_MACHINE=virt\"");
	assert_no_finding(&diag);
	parse_whole(made);
	assert_no_finding(&diag);
	assert_string_equal(config.vm[0].machine, QEMU_MACHINE);
	assert_string_not_equal(QEMU_MACHINE, "virt");
	assert_string_equal(config.vm[1].machine, "virt-10.2");
	assert_string_equal(config.vm[2].kernel, "/a_MACHINE=virt");
}

static void test_write_faulty(void **state)
{
	(void)state;
	make("VM0_NAME=\"demo\"\nVM0_CPUS=0\n");
	assert_finding(&diag, DIAG_SYMBOL_VALUE, "VM0_CPUS", "out of range");
	assert_int_equal(made_size, 0);
}

#define MANIFEST_CASE(title, function) FIXTURE(title, function, setup, free_made, NULL)

/* The name of a row; cmocka writes it into XML as it is. */
static const char *title(const char *kind, size_t row, const char *text)
{
	static char titles[200][64];
	static size_t used;
	char *name = titles[used++];

	assert_true(used <= ARRAY_SIZE(titles));
	str_format(name, sizeof(titles[0]), "%s %zu: %s", kind, row, text);
	for (char *c = name; *c; c++)
		if (*c < ' ' || *c > '~' || strchr("\"'<>&", *c))
			*c = '.';
	return name;
}

int main(void)
{
	static struct CMUnitTest tests[200] = {
		MANIFEST_CASE("defaults", test_defaults),
		MANIFEST_CASE("a good manifest", test_good),
		MANIFEST_CASE("one of each kind of slot", test_slots),
		MANIFEST_CASE("an empty body", test_empty_body),
		MANIFEST_CASE("no newline at the end", test_no_last_newline),
		MANIFEST_CASE("BDFs become lower case", test_bdf_is_lower_case),
		MANIFEST_CASE("the longest string", test_longest),
		MANIFEST_CASE("CRLF", test_crlf),
		MANIFEST_CASE("NUL bytes", test_nul),
		MANIFEST_CASE("over-long lines", test_over_long),
		MANIFEST_CASE("more faults than are kept", test_many_faults),
		MANIFEST_CASE("damaged in 20000 ways", test_damage),
		MANIFEST_CASE("a fault concerns its VM only", test_whom_it_concerns),
		MANIFEST_CASE("command line: overrides", test_override),
		MANIFEST_CASE("one word of it", test_override_one),
		MANIFEST_CASE("what can be set there", test_settable),
		MANIFEST_CASE("command line: safe mode", test_safe),
		MANIFEST_CASE("command line: under Secure Boot", test_untrusted),
		MANIFEST_CASE("command line: what may be overridden", test_what_may_be_overridden),
		MANIFEST_CASE("command line: over-long words", test_long_word),
		MANIFEST_CASE("a password's hash", test_secret),
		MANIFEST_CASE("what is no hash of a password", test_no_secret),
		MANIFEST_CASE("a hash that is too long", test_long_secret),
		MANIFEST_CASE("a hash in an over-long line", test_over_long_secret),
		MANIFEST_CASE("lines that nothing may show", test_is_secret),
		MANIFEST_CASE("a manifest is made from .config", test_write),
		MANIFEST_CASE("a .config without newline at the end", test_write_no_newline),
		MANIFEST_CASE("a file that is no .config", test_write_nothing),
		MANIFEST_CASE("a machine without a number", test_write_machine),
		MANIFEST_CASE("a faulty .config makes no manifest", test_write_faulty),
	};
	size_t n = 0;

	while (tests[n].name)
		n++;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++, n++)
		tests[n] = (struct CMUnitTest){ title("bad header", i, ""), test_header, setup,
						NULL, (void *)&headers[i] };
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++, n++)
		tests[n] = (struct CMUnitTest){ title("bad line", i, lines[i].line), test_line,
						setup, NULL, (void *)&lines[i] };
	for (size_t i = 0; i < ARRAY_SIZE(secret_lines); i++, n++)
		tests[n] = (struct CMUnitTest){ title("hash, untold", i, secret_lines[i].line),
						test_secret_line, setup, NULL,
						(void *)&secret_lines[i] };
	for (size_t i = 0; i < ARRAY_SIZE(secret_words); i++, n++)
		tests[n] = (struct CMUnitTest){ title("hash, refused", i, secret_words[i]),
						test_secret_word, setup, NULL,
						(void *)secret_words[i] };
	for (size_t i = 0; i < ARRAY_SIZE(refused_words); i++, n++)
		tests[n] = (struct CMUnitTest){ title("refused", i, refused_words[i]),
						test_refused_word, setup, NULL,
						(void *)refused_words[i] };
	assert_true(n <= ARRAY_SIZE(tests));
	return _cmocka_run_group_tests("manifest", tests, n, NULL, NULL);
}
