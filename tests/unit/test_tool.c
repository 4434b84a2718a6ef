/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program on a command line: words, exit status, and which stream gets what. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "ctl.h"
#include "fakesys.h"
#include "sha256.h"
#include "sys.h"
#include "tool.h"

static char out[65536];
static char err[8192];
static char file[64]; /* the manifest or .config */
static char machine[64]; /* root of the invented machine */
static const char *here; /* in place of "/"; NULL: this machine's own */
static int root = -1;
static const char *out_path; /* where standard output goes instead of out */

int __real_sys_root_open(const char *path);
int __wrap_sys_root_open(const char *path);

int __wrap_sys_root_open(const char *path)
{
	return __real_sys_root_open(here && strcmp(path, "/") == 0 ? here : path);
}

/* PID 1, which says what it was asked, and at which socket. */
int ctl_ask(const char *path, char *const words[])
{
	printf("%s:", path);
	for (; *words; words++)
		printf(" [%s]", *words);
	putchar('\n');
	return 1;
}

static void slurp(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* Runs the tool in a child, as a shell would. Words end at NULL. */
static int run(const char *word, ...)
{
	char *words[16] = { "hvinit" };
	int streams[2] = { memfd_create("out", 0), memfd_create("err", 0) };
	int count = 1;
	int status;
	va_list ap;
	pid_t pid;

	va_start(ap, word);
	for (const char *w = word; w; w = va_arg(ap, const char *))
		words[count++] = (char *)w;
	va_end(ap);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(out_path ? open(out_path, O_WRONLY) : streams[0], 1);
		dup2(streams[1], 2);
		status = tool_main(count, words);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	slurp(streams[0], out, sizeof(out));
	slurp(streams[1], err, sizeof(err));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void write_file(const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void write_manifest(const char *body)
{
	char text[2048];
	char hex[SHA256_HEX];

	sha256_hex(body, strlen(body), hex);
	str_format(text, sizeof(text), "# hvinit manifest 1\n# sha256 %s\n%s", hex, body);
	write_file(text);
}

#define LAB                                       \
	"VM0_NAME=\"demo\"\nVM0_MEMORY_MIB=512\n" \
	"VM0_HOSTDEV0_BDF=\"0000:41:00.0\"\nVM0_HOSTDEV1_BDF=\"0000:81:00.0\"\n"

static int setup(void **state)
{
	(void)state;
	here = NULL;
	out_path = NULL;
	root = fakesys_new();
	fakesys_lab(root);
	str_format(machine, sizeof(machine), "/proc/self/fd/%d", root);
	str_format(file, sizeof(file), "%s/manifest", machine);
	write_manifest(LAB);
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in\n%s", part, text);
}

/* /dev/full takes nothing. */
static void test_full_disk(void **state)
{
	const char *const command[] = { "manifest", "plan", "version" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(command); i++) {
		bool alone = strcmp(command[i], "version") == 0;

		write_file("VM0_NAME=\"demo\"\n");
		if (strcmp(command[i], "plan") == 0)
			write_manifest(LAB);
		out_path = "/dev/full";
		assert_int_equal(run(command[i], alone ? NULL : file, NULL), 1);
		out_path = NULL;
		assert_has(err, "hvinit: standard output: write it: ");
	}
}

static void test_check_good(void **state)
{
	(void)state;
	assert_int_equal(run("check", "--root", machine, file, NULL), 0);
	assert_has(out, "kvm                        OK       there\n");
	assert_has(out, "\n0 failures, 0 warnings\n");
	assert_string_equal(err, "");
}

/* On a build machine, and for a manifest alone, other rules hold than a machine's. */
static void test_check_nowhere(void **state)
{
	(void)state;
	write_manifest(LAB "VM0_IOMMUFD_ID=\"mon0\"\n");
	assert_int_equal(run("check", file, NULL), 1);
	assert_has(out, "machine                    unknown  not looked at\n");
	assert_has(out, "[DEV-GUESS]");
	assert_has(out, "[TOPO-CLASH]");
	assert_has(out, "\n1 failure, 1 warning\n");
	assert_int_equal(run("check", "--no-machine", file, NULL), 1);
	assert_has(out, "\n1 failure, 0 warnings\n");
}

/* One device is enough to say that this is the machine: then the others are missed. */
static void test_check_here(void **state)
{
	(void)state;
	here = machine;
	write_manifest(LAB "VM0_HOSTDEV2_BDF=\"0000:99:00.0\"\n");
	assert_int_equal(run("check", file, NULL), 1);
	assert_has(out, "kvm                        OK       there\n");
	assert_has(out, "[DEV-NONE]");
	assert_has(out, "\n1 failure, 0 warnings\n");
	write_manifest("VM0_NAME=\"demo\"\nVM0_HOSTDEV0_BDF=\"0000:99:00.0\"\n");
	run("check", file, NULL);
	assert_has(out, "machine                    unknown  not looked at\n");
}

/* What a VM can do without makes no guess of a topology, unless the machine has nothing else. */
static void test_optional(void **state)
{
	(void)state;
	write_manifest(LAB "VM0_HOSTDEV2_BDF=\"0000:c1:00.0\"\nVM0_HOSTDEV2_OPTIONAL=y\n");
	assert_int_equal(run("argv", "--root", machine, file, "demo", NULL), 0);
	assert_string_equal(err, "");
	write_manifest(LAB "VM0_HOSTDEV2_BDF=\"0000:c1:00.0\"\n");
	assert_int_equal(run("argv", "--root", machine, file, "demo", NULL), 0);
	assert_has(err, "1 [DEV-GUESS]");
	write_manifest("VM0_NAME=\"demo\"\nVM0_HOSTDEV0_BDF=\"0000:c1:00.0\"\n"
		       "VM0_HOSTDEV0_OPTIONAL=y\n");
	assert_int_equal(run("argv", "--root", machine, file, "demo", NULL), 0);
	assert_has(err, "1 [DEV-GUESS]");
}

static void test_check_files(void **state)
{
	char list[80];
	int fd;

	(void)state;
	str_format(list, sizeof(list), "%s/list", machine);
	assert_int_equal(run("check", "--no-machine", "--files", list, file, NULL), 2);
	assert_has(err, "read it: No such file or directory [FILES-READ]\n");
	fd = open(list, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(dprintf(fd, "/usr/bin/qemu-system-aarch64\n") > 0);
	assert_int_equal(run("check", "--no-machine", "--files", list, file, NULL), 1);
	assert_has(out, "open /usr/share/qemu-efi-aarch64/QEMU_EFI.fd: no such file [FILE-NONE]\n");
	assert_has(out, "\n1 failure, 0 warnings\n");
	assert_true(dprintf(fd, "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd\n") > 0);
	assert_int_equal(run("check", "--no-machine", "--files", list, file, NULL), 0);
	close(fd);
}

static void test_check_json(void **state)
{
	(void)state;
	write_manifest(LAB "VM0_HOSTDEV2_BDF=\"0000:99:00.0\"\n");
	assert_int_equal(run("check", "--json", "--root", machine, file, NULL), 1);
	assert_has(out, "{\n  \"format\": 1,\n");
	assert_has(out, "\"code\": \"DEV-NONE\",\n");
	assert_has(out, "\"failures\": 1,\n  \"warnings\": 0\n}\n");
	assert_string_equal(err, "");
}

static void test_check_bad(void **state)
{
	(void)state;
	write_manifest(LAB "VM0_HOSTDEV2_BDF=\"0000:99:00.0\"\n");
	assert_int_equal(run("check", "--root", machine, file, NULL), 1);
	assert_has(out, "hvinit: VM0_HOSTDEV2_BDF: find 0000:99:00.0: no such PCI device "
			"[DEV-NONE]\nhvinit: remedy: ");
}

static void test_plan(void **state)
{
	(void)state;
	assert_int_equal(run("--root", machine, "plan", file, NULL), 0);
	assert_has(out, "demo (VM 0)\n  memory    512 MiB");
	assert_has(out, "smmu3.0x000000000c020000");
}

static void test_argv(void **state)
{
	(void)state;
	assert_int_equal(run("argv", "--root", machine, file, "demo", NULL), 0);
	assert_has(out, "-name guest=demo\n");
	assert_int_equal(run("argv", "--root", machine, file, "nobody", NULL), 2);
	assert_string_equal(out, "");
	assert_has(err, "hvinit: nobody: no such VM in the manifest\n");
}

static void test_devices(void **state)
{
	(void)state;
	assert_int_equal(run("devices", "--root", machine, file, NULL), 0);
	assert_has(out, "0000:41:00.0 8086:0010 NVMe");
	assert_has(out, " demo smmu3.0x000000000c000000\n");
	assert_int_equal(run("devices", "--root", machine, NULL), 0);
	assert_has(out, " -  smmu3.0x000000000c000000\n");
}

static void test_json(void **state)
{
	(void)state;
	assert_int_equal(run("plan", "--json", "--root", machine, file, NULL), 0);
	assert_has(out, "{\n  \"format\": 1,\n");
	assert_has(out, "\n      \"name\": \"demo\",\n");
	assert_int_equal(run("argv", "--json", "--root", machine, file, "demo", NULL), 0);
	assert_has(out, "[\n  \"/usr/bin/qemu-system-aarch64\",\n  \"-name\",\n");
	assert_int_equal(run("devices", "--root", machine, file, "--json", NULL), 0);
	assert_has(out, "\"bdf\": \"0000:41:00.0\"");
	assert_int_equal(run("manifest", "--json", file, NULL), 2);
	assert_has(err, "hvinit: manifest: it has no --json; see 'hvinit help manifest'\n");
	assert_string_equal(out, "");
}

/* A record stands for the machine: nothing of this one counts, files only with a --root. */
static void test_host(void **state)
{
	char record[80];
	int fd;

	(void)state;
	fakesys_remove(root, "usr/bin/qemu-system-aarch64");
	str_format(record, sizeof(record), "%s/record", machine);
	fd = open(record, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(dprintf(fd, "# hvinit host record 1\n"
				"machine memory=4G iommufd=yes kvm=yes\ndriver vfio-pci\n"
				"device 0000:41:00.0 smmu=smmu3.0 group=1 reset=flr\n"
				"device 0000:81:00.0 smmu=smmu3.1 group=2 reset=flr\n") > 0);
	assert_int_equal(run("check", "--host", record, file, NULL), 0);
	assert_has(out, "\n0 failures, 0 warnings\n");
	assert_int_equal(run("--host", record, "plan", file, NULL), 0);
	assert_has(out, "vSMMU 1 = smmu3.1");
	assert_int_equal(run("check", "--host", record, "--root", machine, file, NULL), 1);
	assert_has(out, "[QEMU-NONE]");
	assert_true(dprintf(fd, "nonsense\n") > 0);
	assert_int_equal(run("check", "--host", record, file, NULL), 2);
	assert_has(err, "hvinit: host record, line 6: ");
	assert_int_equal(run("check", "--host", "/nonexistent", file, NULL), 2);
	assert_has(err, "[RECORD-READ]");
	close(fd);
}

/* A tool must not show plans of a manifest that PID 1 would refuse. */
static void test_bad_hash(void **state)
{
	(void)state;
	write_file("# hvinit manifest 1\n# sha256 "
		   "0000000000000000000000000000000000000000000000000000000000000000\n" LAB);
	assert_int_equal(run("plan", "--root", machine, file, NULL), 1);
	assert_has(err, "[MANIFEST-HASH]");
	assert_string_equal(out, "");
}

/* Who has not got to it yet is not to wonder whether anything is shown at all. */
static void test_plan_of_nothing(void **state)
{
	(void)state;
	write_manifest("");
	assert_int_equal(run("plan", "--root", machine, file, NULL), 0);
	assert_has(out, "no VM in the manifest");
}

static void test_manifest(void **state)
{
	(void)state;
	write_file("# comment\n" LAB "# VM0_AUTOSTART is not set\nBOARD=\"x\"\n");
	assert_int_equal(run("manifest", file, NULL), 0);
	assert_has(out, "# hvinit manifest 1\n# sha256 ");
	assert_has(out, "VM0_AUTOSTART=n\n");
	assert_null(strstr(out, "BOARD"));
	write_file("VM0_CPUS=0\n");
	assert_int_equal(run("manifest", file, NULL), 1);
	assert_string_equal(out, "");
	assert_has(err, "[SYMBOL-VALUE]");
}

static void test_unreadable(void **state)
{
	(void)state;
	assert_int_equal(run("check", "--root", machine, "/nonexistent/x", NULL), 2);
	assert_has(err, "hvinit: /nonexistent/x: read it: No such file");
	assert_int_equal(run("import", "/nonexistent/x", NULL), 2);
	assert_has(err, "read it: No such file or directory [IMPORT-READ]\n");
	assert_int_equal(run("check", "--root", "/nonexistent", file, NULL), 2);
	assert_has(err, "hvinit: /nonexistent: open it: No such file");
	assert_int_equal(run("manifest", "/", NULL), 2);
	assert_has(err, "Is a directory");
	assert_int_equal(run("manifest", "/dev/zero", NULL), 2);
	assert_has(err, "too large");
}

static void test_explain(void **state)
{
	(void)state;
	assert_int_equal(run("explain", "dev-twice", NULL), 0);
	assert_has(out, "### DEV-TWICE (failure)\n\nThe same device is given twice.\n\nRemedy: ");
	assert_null(strstr(out, "DEV-NONE"));
	assert_int_equal(run("explain", "vfio: Host SMMUv3 doesn't support 4K translation granule",
			     NULL),
			 0);
	assert_has(out, "### SMMU-GRAN (failure, with START_ANYWAY a warning)\n\nThe ");
	assert_has(out, "\n\nQEMU's words: `Host SMMUv3 doesn't support Little-endian");
	assert_has(out, "`, `Host SMMUv3 doesn't support *K translation granule`\n\nRemedy: ");
	assert_null(strstr(out, "SMMU-TYPE"));
	assert_int_equal(run("explain", NULL), 0);
	for (unsigned i = 0; i < DIAG_CODES; i++)
		assert_has(out, diag_code_text((enum diag_code)i));
	assert_int_equal(run("explain", "NO-SUCH", NULL), 2);
	assert_string_equal(out, "");
	assert_has(err, "hvinit: NO-SUCH: no code, and no words");
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(run("help", NULL), 0);
	assert_has(out, "of which 'import' must have none");
	assert_has(out, "usage: hvinit");
	assert_int_equal(run("--help", NULL), 0);
	assert_has(out, "usage: hvinit");
	assert_int_equal(run("help", "plan", NULL), 0);
	assert_has(out, "usage: hvinit plan [OPTION…] MANIFEST\n\nShow each VM's topology.\n");
	assert_has(out, "  --json ");
	assert_int_equal(run("manifest", "--help", NULL), 0);
	assert_has(out, "usage: hvinit manifest CONFIG\n");
	assert_null(strstr(out, "--json"));
	assert_int_equal(run("version", NULL), 0);
	assert_has(out, "hvinit ");
	assert_int_equal(run("--version", NULL), 0);
	assert_has(out, "hvinit ");
}

static void test_import(void **state)
{
	static const char domain[] =
		"<domain><name>d</name><features><acpi/></features>%s</domain>\n";
	char text[256];

	(void)state;
	str_format(text, sizeof(text), domain, "");
	write_file(text);
	assert_int_equal(run("import", file, NULL), 0);
	assert_string_equal(out, "VM0_NAME=\"d\"\n");
	assert_string_equal(err, "");
	assert_int_equal(run("import", "--vm", "7", file, NULL), 0);
	assert_string_equal(out, "VM7_NAME=\"d\"\n");
	str_format(text, sizeof(text), domain, "\n<title>t</title>");
	write_file(text);
	assert_int_equal(run("import", file, NULL), 1);
	assert_has(err, ":2: /domain/title: not carried: ");
	assert_has(err, " [IMPORT-LOST]\nhvinit: IMPORT-LOST: remedy: ");
	assert_int_equal(run("import", "--vm", "8", file, NULL), 2);
	assert_has(err, "--vm 8: want a slot from 0 to 7");
	assert_int_equal(run("import", "--host", file, file, NULL), 2);
	assert_has(err, "[RECORD-FORMAT]");
}

/* --- ctl --- */

static void test_ctl(void **state)
{
	(void)state;
	assert_int_equal(run("ctl", "status", NULL), 1);
	assert_string_equal(out, "/run/hvinit/ctl: [status]\n");
	assert_string_equal(err, "");
	assert_int_equal(run("ctl", "set", "VM0_CPUS=2", "x y", NULL), 1);
	assert_string_equal(out, "/run/hvinit/ctl: [set] [VM0_CPUS=2] [x y]\n");
	/* Words of PID 1's that are the tool's, too. */
	assert_int_equal(run("ctl", "help", "ctl", NULL), 1);
	assert_string_equal(out, "/run/hvinit/ctl: [help] [ctl]\n");
}

/* What stands behind the command is the command's, though the tool knows it, or does not. */
static void test_ctl_options(void **state)
{
	(void)state;
	assert_int_equal(run("ctl", "status", "--json", NULL), 1);
	assert_string_equal(out, "/run/hvinit/ctl: [status] [--json]\n");
	assert_int_equal(run("ctl", "log", "-f", "host", "--socket", "x", "--help", NULL), 1);
	assert_string_equal(out, "/run/hvinit/ctl: [log] [-f] [host] [--socket] [x] [--help]\n");
	assert_int_equal(run("ctl", "log", "--nonsense", NULL), 1);
	assert_string_equal(out, "/run/hvinit/ctl: [log] [--nonsense]\n");
}

static void test_ctl_socket(void **state)
{
	(void)state;
	assert_int_equal(run("ctl", "--socket", "/tmp/s", "status", "--json", NULL), 1);
	assert_string_equal(out, "/tmp/s: [status] [--json]\n");
	assert_int_equal(run("ctl", "--socket=/tmp/s", "status", NULL), 1);
	assert_string_equal(out, "/tmp/s: [status]\n");
	assert_int_equal(run("--socket", "/tmp/s", "ctl", "status", NULL), 1);
	assert_string_equal(out, "/tmp/s: [status]\n");
	assert_int_equal(run("ctl", "--", "--json", NULL), 1);
	assert_string_equal(out, "/run/hvinit/ctl: [--json]\n");
	/* It is no other command's. */
	assert_int_equal(run("plan", "--socket", "/tmp/s", file, NULL), 2);
	assert_has(err, "hvinit: plan: it has no --socket; see 'hvinit help plan'\n");
}

static void test_ctl_help(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		static const char *const ways[][2] = { { "help", "ctl" },
						       { "ctl", "--help" },
						       { "ctl", "-h" } };

		assert_int_equal(run(ways[i][0], ways[i][1], NULL), 0);
		assert_has(out, "usage: hvinit ctl [OPTION…] COMMAND…\n\nHave PID 1 run a ");
		assert_has(out, "  --socket PATH ");
		assert_has(out, "/run/hvinit/ctl");
		assert_null(strstr(out, "--json"));
		assert_string_equal(err, "");
	}
	assert_int_equal(run("help", NULL), 0);
	assert_has(out, "\n  ctl       COMMAND…     have PID 1 run a command of its console\n"
			"  version                print");
}

/* Its answer has been lost: that must be seen, even if all went well. */
static void test_ctl_full_disk(void **state)
{
	(void)state;
	out_path = "/dev/full";
	assert_int_equal(run("ctl", "status", NULL), 1);
	assert_has(err, "hvinit: standard output: write it: ");
}

static void test_wrong_usage(void **state)
{
	static const char *const wrong[][4] = {
		{ NULL },
		{ "nonsense", NULL },
		{ "nonsense", "file", NULL },
		{ "check", NULL },
		{ "check", "a", "b", NULL },
		{ "argv", "a", NULL },
		{ "--nonsense", "check", "a", NULL },
		{ "check", "a", "--root", NULL },
		{ "version", "a", NULL },
		{ "help", "nonsense", NULL },
		{ "nonsense", "--help", NULL },
		{ "explain", "--host", "x", NULL },
		{ "ctl", NULL },
		{ "ctl", "--", NULL },
		{ "ctl", "--socket", NULL },
		{ "ctl", "--socket", "x", NULL },
		{ "ctl", "--json", "status", NULL },
		{ "ctl", "--nonsense", "status", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(run(wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3], NULL), 2);
		assert_string_equal(out, "");
		assert_true(strstr(err, "usage: hvinit") || strstr(err, "see 'hvinit help") ||
			    strstr(err, "option"));
	}
}

#define TOOL_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOOL_CASE("a disk that is full", test_full_disk),
		TOOL_CASE("check: in order", test_check_good),
		TOOL_CASE("check: findings", test_check_bad),
		TOOL_CASE("check: without a machine", test_check_nowhere),
		TOOL_CASE("check: on the machine itself", test_check_here),
		TOOL_CASE("argv: without an optional device", test_optional),
		TOOL_CASE("check: a list of files", test_check_files),
		TOOL_CASE("check: as JSON", test_check_json),
		TOOL_CASE("plan", test_plan),
		TOOL_CASE("argv", test_argv),
		TOOL_CASE("devices", test_devices),
		TOOL_CASE("for programs", test_json),
		TOOL_CASE("a recorded machine", test_host),
		TOOL_CASE("a manifest with a wrong hash", test_bad_hash),
		TOOL_CASE("a plan without a VM", test_plan_of_nothing),
		TOOL_CASE("manifest", test_manifest),
		TOOL_CASE("files that cannot be read", test_unreadable),
		TOOL_CASE("explain", test_explain),
		TOOL_CASE("help and version", test_usage),
		TOOL_CASE("import", test_import),
		TOOL_CASE("ctl", test_ctl),
		TOOL_CASE("ctl: options of the command", test_ctl_options),
		TOOL_CASE("ctl: another socket", test_ctl_socket),
		TOOL_CASE("ctl: help", test_ctl_help),
		TOOL_CASE("ctl: a disk that is full", test_ctl_full_disk),
		TOOL_CASE("wrong usage", test_wrong_usage),
	};

	return cmocka_run_group_tests_name("tool", tests, NULL, NULL);
}
