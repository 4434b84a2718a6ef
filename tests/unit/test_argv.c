/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's words: which are there, and that strings from the manifest stay one word each. */
#include "unit.h"

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
		ARGV_CASE("a full manifest", test_full),
		ARGV_CASE("built twice", test_same_twice),
		ARGV_CASE("printed", test_print),
		ARGV_CASE("a shell reads what is printed", test_shell),
	};

	return cmocka_run_group_tests_name("argv", tests, NULL, NULL);
}
