/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's words: which are there, and that strings from the manifest stay one word each. */
#include "unit.h"

#include <limits.h>
#include <errno.h>
#include <stdlib.h>

#include "argv.h"
#include "manifest.h"

static struct config config;
static struct facts facts;
static struct plan plan;
static struct argv argv;

static struct vm_config *const vm = &config.vm[0];

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&facts, 0, sizeof(facts));
	str_copy(vm->name, sizeof(vm->name), "demo");
	return 0;
}

static void give(unsigned slot, const char *bdf, const char *smmu)
{
	struct pci_fact *fact = &facts.device[facts.count++];

	str_copy(fact->bdf, sizeof(fact->bdf), bdf);
	str_copy(fact->smmu, sizeof(fact->smmu), smmu);
	str_copy(vm->hostdev[slot].bdf, sizeof(vm->hostdev[slot].bdf), bdf);
}

static void build(void)
{
	plan_vm(&config, 0, &facts, &plan);
	argv_build(&plan, &argv);
	assert_false(argv.overflow);
	assert_null(argv.word[argv.count]);
}

/* The word after the option, which must be there exactly once. */
static const char *value(const char *option)
{
	const char *found = NULL;

	for (unsigned i = 0; i < argv.count; i++)
		if (strcmp(argv.word[i], option) == 0) {
			assert_null(found);
			assert_true(i + 1 < argv.count);
			found = argv.word[i + 1];
		}
	return found;
}

static bool has(const char *word)
{
	for (unsigned i = 0; i < argv.count; i++)
		if (strcmp(argv.word[i], word) == 0)
			return true;
	return false;
}

/* The position of the first word with text in it. */
static unsigned at(const char *text)
{
	for (unsigned i = 0; i < argv.count; i++)
		if (strstr(argv.word[i], text))
			return i;
	fail_msg("no word holds %s", text);
	return 0;
}

static void test_machine(void **state)
{
	(void)state;
	vm->memory_mib = 512;
	vm->cpus = 4;
	build();
	assert_string_equal(argv.word[0], QEMU_PATH);
	assert_string_equal(value("-name"), "guest=demo");
	assert_string_equal(value("-machine"), "virt-11.1,accel=kvm,gic-version=3");
	assert_string_equal(value("-cpu"), "host");
	assert_string_equal(value("-m"), "size=512M");
	assert_string_equal(value("-smp"), "cpus=4");
	assert_string_equal(value("-bios"), "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd");
	assert_true(has("-S"));
	assert_true(has("-nodefaults"));
	assert_true(has("-no-user-config"));
	assert_non_null(strstr(value("-sandbox"), "spawn=deny"));
}

static void test_no_kernel(void **state)
{
	(void)state;
	build();
	assert_false(has("-kernel"));
	assert_false(has("-initrd"));
	assert_false(has("-append"));
	assert_false(has("-object") && strstr(value("-object"), "iommufd"));
}

/* Kernel arguments reach QEMU as they are: there is no shell, and -append is no option list. */
static void test_strings(void **state)
{
	static const char cmdline[] = "console=ttyAMA0,115200 x=\"a, b\" y='c' $z \\n";

	(void)state;
	str_copy(vm->kernel, sizeof(vm->kernel), "/boot/my Image,1");
	str_copy(vm->initrd, sizeof(vm->initrd), "/boot/initrd");
	str_copy(vm->cmdline, sizeof(vm->cmdline), cmdline);
	build();
	assert_string_equal(value("-kernel"), "/boot/my Image,1");
	assert_string_equal(value("-initrd"), "/boot/initrd");
	assert_string_equal(value("-append"), cmdline);
}

static void test_order(void **state)
{
	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	give(1, "0000:81:00.0", "smmu3.b");
	build();
	assert_true(at("pxb-pcie") < at("pcie-root-port"));
	assert_true(at("pcie-root-port") < at("arm-smmuv3"));
	assert_true(at("\"iommufd\"") < at("\"vfio-pci\""));
	assert_true(at("arm-smmuv3") < at("\"vfio-pci\""));
}

/* Device names are the manifest's slots, descriptors are positions. */
static void test_slots_and_descriptors(void **state)
{
	(void)state;
	give(3, "0000:41:00.0", "smmu3.a");
	give(9, "0000:42:00.0", "smmu3.a");
	build();
	assert_string_equal(
		argv.word[at("hostdev3")],
		"{\"driver\":\"vfio-pci\",\"id\":\"hostdev3\","
		"\"iommufd\":\"iommufd0\",\"fd\":\"21\",\"bus\":\"pci.2\",\"addr\":\"0x0\"}");
	assert_non_null(strstr(argv.word[at("hostdev9")], "\"fd\":\"22\",\"bus\":\"pci.3\""));
	assert_non_null(
		strstr(argv.word[at("\"id\":\"pci.3\"")], "\"bus\":\"pci.1\",\"addr\":\"0x1\""));
}

static void test_settings(void **state)
{
	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	str_copy(vm->smmu_driver, sizeof(vm->smmu_driver), "arm-smmuv3-accel");
	str_copy(vm->iommufd_id, sizeof(vm->iommufd_id), "fd-of-mine");
	str_copy(vm->machine, sizeof(vm->machine), "virt-10.2");
	build();
	at("\"driver\":\"arm-smmuv3-accel\"");
	assert_non_null(strstr(argv.word[at("vfio-pci")], "\"iommufd\":\"fd-of-mine\""));
	at("virt-10.2,");
}

/* Names and order of libvirt's first patches. */
static void test_seed(void **state)
{
	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	vm->dialect = VM_DIALECT_SEED;
	build();
	assert_true(at("\"iommufd\"") < at("arm-smmuv3"));
	assert_non_null(strstr(argv.word[at("arm-smmuv3")], "\"id\":\"smmuv3.0\""));
	assert_non_null(strstr(argv.word[at("vfio-pci")], "\"host\":\"0000:41:00.0\",\"id\""));
}

static void test_vsmmu_properties(void **state)
{
	struct vsmmu_config *v = &vm->vsmmu[0];

	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	v->ats = VSMMU_ATS_ON;
	v->ril = VSMMU_RIL_OFF;
	v->ssidsize = 20;
	v->oas = VSMMU_OAS_44;
	v->cmdqv = VSMMU_CMDQV_ON;
	build();
	assert_string_equal(
		argv.word[at("arm-smmuv3")],
		"{\"driver\":\"arm-smmuv3\",\"primary-bus\":\"pci.1\",\"id\":\"iommu0\","
		"\"accel\":true,\"ats\":\"on\",\"ril\":\"off\",\"ssidsize\":\"20\","
		"\"oas\":\"44\",\"cmdqv\":\"on\"}");
}

static void test_emulated_vsmmu(void **state)
{
	(void)state;
	vm->vsmmu[0].accel = false;
	vm->port[0].bus = 0;
	str_copy(vm->disk[0].path, sizeof(vm->disk[0].path), "/disk");
	vm->disk[0].port = 0;
	build();
	assert_string_equal(
		argv.word[at("arm-smmuv3")],
		"{\"driver\":\"arm-smmuv3\",\"primary-bus\":\"pci.1\",\"id\":\"iommu0\"}");
	assert_non_null(strstr(argv.word[at("virtio-blk-pci")],
			       "\"bus\":\"pci.2\",\"addr\":\"0x0\",\"disable-legacy\":\"on\","
			       "\"iommu_platform\":true}"));
	assert_false(has("-object") && strstr(value("-object"), "\"iommufd\""));
}

static void test_root_ports(void **state)
{
	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	vm->hostdev[0].vsmmu = HV_NONE;
	vm->hostdev[0].port_nr = 8;
	vm->hostdev[0].port_addr = 1;
	vm->port[0].bus = HV_ROOT;
	vm->port[0].nr = 9;
	vm->port[0].addr = 1;
	vm->port[0].function = 1;
	build();
	assert_string_equal(
		argv.word[at("\"id\":\"pci.1\"")],
		"{\"driver\":\"pcie-root-port\",\"port\":8,\"chassis\":1,\"id\":\"pci.1\","
		"\"bus\":\"pcie.0\",\"multifunction\":true,\"addr\":\"0x1\"}");
	assert_string_equal(
		argv.word[at("\"id\":\"pci.2\"")],
		"{\"driver\":\"pcie-root-port\",\"port\":9,\"chassis\":2,\"id\":\"pci.2\","
		"\"bus\":\"pcie.0\",\"addr\":\"0x1.0x1\"}");
}

static void test_hostdev_properties(void **state)
{
	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	vm->hostdev[0].bootindex = 3;
	vm->hostdev[0].rom_bar = false;
	build();
	assert_string_equal(
		argv.word[at("vfio-pci")],
		"{\"driver\":\"vfio-pci\",\"id\":\"hostdev0\",\"bootindex\":3,"
		"\"iommufd\":\"iommufd0\",\"fd\":\"21\",\"bus\":\"pci.2\",\"addr\":\"0x0\","
		"\"rombar\":0}");
}

/* A device that is not there leaves its descriptor's number to nobody. */
static void test_absent(void **state)
{
	(void)state;
	str_copy(vm->hostdev[0].bdf, sizeof(vm->hostdev[0].bdf), "0000:99:00.0");
	vm->hostdev[0].optional = true;
	give(1, "0000:41:00.0", "smmu3.a");
	build();
	assert_non_null(strstr(argv.word[at("vfio-pci")], "\"hostdev1\""));
	assert_non_null(strstr(argv.word[at("vfio-pci")], "\"fd\":\"22\""));
	for (unsigned i = 0; i < argv.count; i++)
		assert_null(strstr(argv.word[i], "hostdev0"));
}

/* QEMU has another driver for them, and refuses to take one for the other. */
static void test_block_device(void **state)
{
	(void)state;
	str_copy(vm->disk[0].path, sizeof(vm->disk[0].path), "/dev/nvme0n1p3");
	build();
	assert_string_equal(
		value("-blockdev"),
		"{\"driver\":\"raw\",\"node-name\":\"disk0\",\"read-only\":false,\"file\":{"
		"\"driver\":\"host_device\",\"filename\":\"/dev/fdset/40\"}}");
}

/* QEMU's own default is not spelled out. */
static void test_io_uring(void **state)
{
	(void)state;
	str_copy(vm->disk[0].path, sizeof(vm->disk[0].path), "/a");
	vm->disk[0].aio = DISK_AIO_IO_URING;
	build();
	assert_non_null(strstr(value("-blockdev"), "\"/dev/fdset/40\",\"aio\":\"io_uring\"}}"));
}

static void test_disks_and_nets(void **state)
{
	(void)state;
	str_copy(vm->uuid, sizeof(vm->uuid), "8f4c2a10-0000-4000-8000-0000000000af");
	str_copy(vm->disk[0].path, sizeof(vm->disk[0].path), "/a, b");
	vm->disk[0].readonly = true;
	vm->disk[0].format = DISK_FORMAT_QCOW2;
	vm->disk[0].bootindex = 1;
	str_copy(vm->net[0].bridge, sizeof(vm->net[0].bridge), "lan");
	str_copy(vm->net[0].mac, sizeof(vm->net[0].mac), "52:54:00:00:00:01");
	build();
	assert_string_equal(value("-uuid"), vm->uuid);
	assert_string_equal(value("-add-fd"), "fd=40,set=40");
	assert_string_equal(
		value("-blockdev"),
		"{\"driver\":\"qcow2\",\"node-name\":\"disk0\",\"read-only\":true,\"file\":{"
		"\"driver\":\"file\",\"filename\":\"/dev/fdset/40\"}}");
	assert_string_equal(
		argv.word[at("virtio-blk-pci")],
		"{\"driver\":\"virtio-blk-pci\",\"id\":\"virtio-disk0\",\"drive\":\"disk0\","
		"\"bus\":\"pcie.0\",\"addr\":\"0x1f\",\"bootindex\":1}");
	assert_string_equal(value("-netdev"),
			    "{\"type\":\"tap\",\"id\":\"hostnet0\",\"fd\":\"44\"}");
	assert_string_equal(
		argv.word[at("virtio-net-pci")],
		"{\"driver\":\"virtio-net-pci\",\"id\":\"net0\",\"netdev\":\"hostnet0\","
		"\"mac\":\"52:54:00:00:00:01\",\"romfile\":\"\",\"bus\":\"pcie.0\","
		"\"addr\":\"0x1b\"}");
}

/* How many words have text in them. */
static unsigned times(const char *text)
{
	unsigned n = 0;

	for (unsigned i = 0; i < argv.count; i++)
		n += strstr(argv.word[i], text) != NULL;
	return n;
}

static void test_ctl(void **state)
{
	unsigned first;

	(void)state;
	vm->ctl = true;
	build();
	first = at("ctl0");
	assert_string_equal(argv.word[first - 1], "-chardev");
	assert_string_equal(argv.word[first], "socket,id=ctl0,fd=13");
	assert_int_equal(ARGV_FD_CTL, 13);
	/* QEMU makes them in this order: each needs the one before it. */
	assert_string_equal(argv.word[first + 1], "-device");
	assert_string_equal(argv.word[first + 2],
			    "{\"driver\":\"virtio-serial-pci\",\"id\":\"ctlbus0\",\"max_ports\":2,"
			    "\"bus\":\"pcie.0\",\"addr\":\"0x16\"}");
	assert_string_equal(argv.word[first + 3], "-device");
	assert_string_equal(argv.word[first + 4],
			    "{\"driver\":\"virtserialport\",\"id\":\"ctlport0\","
			    "\"bus\":\"ctlbus0.0\",\"nr\":1,\"chardev\":\"ctl0\","
			    "\"name\":\"org.hvinit.ctl\"}");
	assert_int_equal(times("ctl"), 3);
}

static void test_no_ctl(void **state)
{
	(void)state;
	build();
	assert_int_equal(times("ctl"), 0);
	assert_int_equal(times("virtio-serial"), 0);
	assert_int_equal(times("virtserialport"), 0);
}

/* Beside all else that has a place there of its own, it stands alone. */
static void test_ctl_beside_others(void **state)
{
	(void)state;
	vm->ctl = vm->pvpanic = true;
	for (unsigned i = 0; i < HV_DISK_SLOTS; i++)
		str_copy(vm->disk[i].path, sizeof(vm->disk[i].path), "/disk");
	for (unsigned i = 0; i < HV_NET_SLOTS; i++)
		str_copy(vm->net[i].bridge, sizeof(vm->net[i].bridge), "lan");
	build();
	assert_int_equal(times("\"addr\":\"0x16\""), 1);
	assert_non_null(strstr(argv.word[at("\"addr\":\"0x16\"")], "ctlbus0"));
	assert_non_null(strstr(argv.word[at("\"addr\":\"0x17\"")], "pvpanic-pci"));
}

static void test_memory(void **state)
{
	(void)state;
	vm->memory_mib = 512;
	vm->hugepages = VM_HUGEPAGES_2M;
	vm->numa_node = 1;
	vm->mmio64_gib = 1024;
	build();
	assert_string_equal(
		value("-machine"),
		"virt-11.1,accel=kvm,gic-version=3,highmem-mmio-size=1024G,memory-backend=memory0");
	assert_string_equal(
		argv.word[at("memory-backend-memfd")],
		"{\"qom-type\":\"memory-backend-memfd\",\"id\":\"memory0\",\"size\":536870912,"
		"\"hugetlb\":true,\"hugetlbsize\":2097152,\"host-nodes\":[1],\"policy\":\"bind\"}");
	assert_false(has("-numa"));
}

static void test_gi_nodes(void **state)
{
	unsigned first;

	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	give(1, "0000:42:00.0", "smmu3.a");
	vm->cpus = 4;
	vm->hostdev[0].gi_nodes = 1;
	vm->hostdev[1].gi_nodes = 2;
	build();
	assert_null(strstr(value("-machine"), "memory-backend"));
	first = at("node,nodeid=0,cpus=0-3,memdev=memory0");
	assert_string_equal(argv.word[first + 2], "node,nodeid=1");
	assert_string_equal(argv.word[first + 6], "node,nodeid=3");
	assert_string_equal(argv.word[at("\"id\":\"gi3\"")],
			    "{\"qom-type\":\"acpi-generic-initiator\",\"id\":\"gi3\","
			    "\"pci-dev\":\"hostdev1\",\"node\":3}");
}

/* More than any argv holds: it ends all the same. */
static void test_too_many_nodes(void **state)
{
	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	plan_vm(&config, 0, &facts, &plan);
	plan.gi_nodes = UINT_MAX;
	argv_build(&plan, &argv);
	assert_true(argv.overflow);
	plan.gi_nodes = 1;
	plan.device[0].gi_nodes = UINT_MAX;
	argv_build(&plan, &argv);
	assert_true(argv.overflow);
}

static void test_kept_variables(void **state)
{
	(void)state;
	vm->uefi_vars = VM_UEFI_VARS_KEEP;
	build();
	assert_false(has("-bios"));
	assert_string_equal(value("-machine"),
			    "virt-11.1,accel=kvm,gic-version=3,pflash0=firmware,pflash1=vars");
	assert_non_null(strstr(argv.word[at("/dev/fdset/48")], "\"read-only\":true"));
	assert_non_null(strstr(argv.word[at("/dev/fdset/49")], "\"read-only\":false"));
}

static void test_extra(void **state)
{
	unsigned first;

	(void)state;
	str_copy(vm->qemu_args, sizeof(vm->qemu_args), " -device 'a b'c  -global x=y");
	build();
	first = at("a bc");
	assert_string_equal(argv.word[first - 1], "-device");
	assert_string_equal(argv.word[first], "a bc");
	assert_string_equal(argv.word[first + 1], "-global");
	assert_string_equal(argv.word[first + 2], "x=y");
	assert_string_equal(argv.word[first + 3], "-sandbox");
}

static void test_extra_words(void **state)
{
	char word[8];
	const char *at_end = "";
	const char *open = "'x";
	const char *empty = "''";
	const char *longer = "12345678";

	(void)state;
	assert_int_equal(argv_next(&at_end, word, sizeof(word)), 0);
	assert_int_equal(argv_next(&open, word, sizeof(word)), -EINVAL);
	assert_int_equal(argv_next(&empty, word, sizeof(word)), 1);
	assert_string_equal(word, "");
	assert_int_equal(argv_next(&empty, word, sizeof(word)), 0);
	assert_int_equal(argv_next(&longer, word, sizeof(word)), -E2BIG);
}

/* As large as a manifest can be: nothing may be cut. */
static void test_full(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++) {
		char bdf[16];
		char smmu[32];

		str_format(bdf, sizeof(bdf), "ffff:%02x:1f.7", i);
		str_format(smmu, sizeof(smmu), "smmu3.%u", i % HV_VSMMU_SLOTS);
		give(i, bdf, smmu);
	}
	memset(vm->cmdline, 'x', sizeof(vm->cmdline) - 1);
	memset(vm->kernel, '/', sizeof(vm->kernel) - 1);
	memset(vm->initrd, '/', sizeof(vm->initrd) - 1);
	memset(vm->firmware, '/', sizeof(vm->firmware) - 1);
	memset(vm->name, 'n', sizeof(vm->name) - 1);
	memset(vm->machine, 'm', sizeof(vm->machine) - 1);
	memset(vm->smmu_driver, 's', sizeof(vm->smmu_driver) - 1);
	memset(vm->iommufd_id, 'i', sizeof(vm->iommufd_id) - 1);
	vm->dialect = VM_DIALECT_SEED;
	vm->uefi_vars = VM_UEFI_VARS_KEEP;
	vm->hugepages = VM_HUGEPAGES_1G;
	vm->numa_node = 63;
	for (unsigned i = 0; i + 1 < sizeof(vm->qemu_args); i++)
		vm->qemu_args[i] = i % 4 == 3 ? ' ' : 'q';
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++) {
		vm->hostdev[i].gi_nodes = 8;
		vm->hostdev[i].bootindex = 99;
		vm->hostdev[i].rom_bar = false;
	}
	for (unsigned i = 0; i < HV_VSMMU_SLOTS; i++)
		vm->vsmmu[i] = (struct vsmmu_config){ true,    VSMMU_ATS_OFF, VSMMU_RIL_OFF,
						      20,      VSMMU_OAS_48,  VSMMU_CMDQV_OFF,
						      HV_AUTO, HV_AUTO,	      HV_AUTO };
	for (unsigned i = 0; i < HV_PORT_SLOTS; i++)
		vm->port[i].bus = 0;
	for (unsigned i = 0; i < HV_DISK_SLOTS; i++) {
		str_copy(vm->disk[i].path, sizeof(vm->disk[i].path), "/disk");
		vm->disk[i].port = i;
		vm->disk[i].bootindex = 99;
	}
	for (unsigned i = 0; i < HV_NET_SLOTS; i++) {
		str_copy(vm->net[i].bridge, sizeof(vm->net[i].bridge), "lan");
		vm->net[i].port = i;
		vm->net[i].bootindex = 99;
	}
	build();
	assert_int_equal(plan.vsmmus, HV_VSMMU_SLOTS);
	at("hostdev15");
}

static void test_same_twice(void **state)
{
	static struct argv again;

	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	build();
	memset(&again, 0xff, sizeof(again));
	argv_build(&plan, &again);
	assert_int_equal(again.count, argv.count);
	for (unsigned i = 0; i < argv.count; i++)
		assert_string_equal(again.word[i], argv.word[i]);
}

static char *printed(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	argv_print(&argv, out);
	fclose(out);
	return text;
}

static void test_print(void **state)
{
	char *text;

	(void)state;
	str_copy(vm->kernel, sizeof(vm->kernel), "/boot/Image");
	str_copy(vm->cmdline, sizeof(vm->cmdline), "it's $HOME \"x\"");
	build();
	text = printed();
	assert_non_null(strstr(text, "/usr/bin/qemu-system-aarch64\n-name guest=demo\n-S\n"));
	assert_non_null(strstr(text, "\n-append 'it'\\''s $HOME \"x\"'\n"));
	free(text);
}

/* What is printed must mean the same to a shell as the words do to QEMU. */
static void test_shell(void **state)
{
	char command[2 * ARGV_TEXT];
	char *text;
	char *data;
	size_t n;
	FILE *shell;

	(void)state;
	give(0, "0000:41:00.0", "smmu3.a");
	str_copy(vm->kernel, sizeof(vm->kernel), "/boot/Image");
	str_copy(vm->cmdline, sizeof(vm->cmdline), "-x 'it'\"'\"' `id` $(id) \\ * \xc3\xa9 !");
	build();
	text = printed();
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	assert_true(str_format(command, sizeof(command), "printf '%%s\\n' %s", text));
	free(text);
	shell = popen(command, "r");
	assert_non_null(shell);
	data = malloc(ARGV_TEXT);
	assert_non_null(data);
	n = fread(data, 1, ARGV_TEXT - 1, shell);
	data[n] = '\0';
	assert_int_equal(pclose(shell), 0);
	text = data;
	for (unsigned i = 0; i < argv.count; i++) {
		size_t len = strlen(argv.word[i]);

		assert_memory_equal(text, argv.word[i], len);
		assert_int_equal(text[len], '\n');
		text += len + 1;
	}
	free(data);
}

#define ARGV_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARGV_CASE("the machine", test_machine),
		ARGV_CASE("no kernel and no device", test_no_kernel),
		ARGV_CASE("quotes, commas and blanks in strings", test_strings),
		ARGV_CASE("SMMUs come before their devices", test_order),
		ARGV_CASE("slots and descriptors", test_slots_and_descriptors),
		ARGV_CASE("names that are settings", test_settings),
		ARGV_CASE("libvirt's first patches", test_seed),
		ARGV_CASE("properties of a vSMMU", test_vsmmu_properties),
		ARGV_CASE("an emulated vSMMU", test_emulated_vsmmu),
		ARGV_CASE("root ports on pcie.0", test_root_ports),
		ARGV_CASE("properties of a device", test_hostdev_properties),
		ARGV_CASE("an optional device that is not there", test_absent),
		ARGV_CASE("a disk that is a block device", test_block_device),
		ARGV_CASE("io_uring for a disk", test_io_uring),
		ARGV_CASE("disks and networks", test_disks_and_nets),
		ARGV_CASE("a port for the guest's programs", test_ctl),
		ARGV_CASE("no such port", test_no_ctl),
		ARGV_CASE("such a port beside all others", test_ctl_beside_others),
		ARGV_CASE("memory from elsewhere", test_memory),
		ARGV_CASE("generic-initiator nodes", test_gi_nodes),
		ARGV_CASE("too many generic-initiator nodes", test_too_many_nodes),
		ARGV_CASE("UEFI variables that are kept", test_kept_variables),
		ARGV_CASE("an expert's words", test_extra),
		ARGV_CASE("how they are split", test_extra_words),
		ARGV_CASE("a full manifest", test_full),
		ARGV_CASE("built twice", test_same_twice),
		ARGV_CASE("printed", test_print),
		ARGV_CASE("a shell reads what is printed", test_shell),
	};

	return cmocka_run_group_tests_name("argv", tests, NULL, NULL);
}
