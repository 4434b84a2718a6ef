/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check, plan, argv, devices and manifest. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "argv.h"
#include "check.h"
#include "facts_text.h"
#include "manifest.h"
#include "plan_print.h"
#include "refusal.h"
#include "sys.h"
#include "util.h"
#include "version.h"

enum { EXIT_FINDINGS = 1, EXIT_USAGE = 2 };

static struct facts facts;
static struct plan plan;
static struct argv words;

/* --- the parts that the console shows, too --- */

static void print_plans(const struct config *config)
{
	bool any = false;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		if (!manifest_vm_used(&config->vm[slot]))
			continue;
		plan_vm(config, slot, &facts, &plan);
		plan_print(&plan, stdout);
		putchar('\n');
		any = true;
	}
	if (any)
		plan_print_host(config, &facts, stdout);
}

static void check_all(int root, const struct config *config, struct diag *diag)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		if (!manifest_vm_used(&config->vm[slot]))
			continue;
		plan_vm(config, slot, &facts, &plan);
		check_vm(root, config, &facts, &plan, diag);
	}
}

/* Prints the argv of a VM, whether or not check would let it start. */
static void print_argv(const struct config *config, unsigned slot)
{
	plan_vm(config, slot, &facts, &plan);
	argv_build(&plan, &words);
	if (words.overflow)
		fprintf(stderr, "hvinit: %s: build QEMU's arguments: they are too long\n",
			config->vm[slot].name);
	else
		argv_print(&words, stdout);
}

static const char *owner(const struct config *config, const char *bdf)
{
	unsigned vm;

	if (!manifest_find(config, bdf, &vm))
		return "-";
	return manifest_vm_used(&config->vm[vm]) ? config->vm[vm].name : "(no VM)";
}

static void print_devices(const struct config *config)
{
	printf("%-12s %-9s %-6s %-14s %5s  %-26s %s\n", "DEVICE", "ID", "CLASS", "DRIVER", "GROUP",
	       "PHYSICAL SMMU", "VM");
	for (unsigned i = 0; i < facts.count; i++) {
		const struct pci_fact *d = &facts.device[i];
		char group[16] = "-";

		if (d->group != FACTS_NO_GROUP)
			str_format(group, sizeof(group), "%d", d->group);
		printf("%-12s %04x:%04x %06x %-14s %5s  %-26s %s\n", d->bdf, d->vendor, d->device,
		       d->class, d->driver[0] ? d->driver : "-", group, d->smmu[0] ? d->smmu : "-",
		       owner(config, d->bdf));
	}
	if (facts.dropped)
		printf("%u more devices not shown\n", facts.dropped);
}

static int discover_here(void)
{
	int root = sys_root_open("/");

	facts_discover(root, &facts);
	return root;
}

void tool_show_devices(const struct config *config, unsigned slot)
{
	(void)slot;
	close(discover_here());
	print_devices(config);
}

void tool_show_plan(const struct config *config, unsigned slot)
{
	(void)slot;
	close(discover_here());
	print_plans(config);
}

void tool_show_argv(const struct config *config, unsigned slot)
{
	close(discover_here());
	print_argv(config, slot);
}

void tool_show_check(const struct config *config, unsigned slot)
{
	static struct config ignored;
	static struct diag diag;
	_cleanup_fd_ int root = discover_here();

	(void)slot;
	/* What was wrong with the manifest itself at boot is wrong still. */
	manifest_load(MANIFEST_PATH, &ignored, &diag);
	check_all(root, config, &diag);
	diag_print(&diag, stdout);
	if (diag.count == 0)
		printf("nothing stands in the way\n");
}

void tool_show_manifest(const struct config *config, unsigned slot)
{
	char data[4096];
	_cleanup_fd_ int fd = open(MANIFEST_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	(void)config;
	(void)slot;
	while (fd >= 0 && (n = read(fd, data, sizeof(data))) > 0)
		fwrite(data, 1, (size_t)n, stdout);
}

static void explain_words(enum diag_code code)
{
	const char *known;

	for (unsigned n = 0; (known = refusal_words(code, n)); n++)
		printf("%s`%s`", n ? ", " : "\nQEMU's words: ", known);
	if (refusal_words(code, 0))
		puts("");
}

static void explain_one(enum diag_code code)
{
	static const char *const severities[] = {
		[DIAG_WARN] = "warning",
		[DIAG_FAIL] = "failure",
		[DIAG_REFUSED] = "failure, with START_ANYWAY a warning",
	};

	printf("### %s (%s)\n\n%s\n", diag_code_text(code), severities[diag_code_severity(code)],
	       diag_code_title(code));
	explain_words(code);
	printf("\nRemedy: %s.\n", diag_code_remedy(code));
}

bool tool_explain(const char *what)
{
	enum diag_code code = 0;

	while (code < DIAG_CODES && what[0] && strcasecmp(what, diag_code_text(code)) != 0)
		code++;
	if (code == DIAG_CODES)
		code = refusal_code(what);
	if (code == DIAG_CODES)
		return false;
	explain_one(code);
	while (!what[0] && ++code < DIAG_CODES) {
		puts("");
		explain_one(code);
	}
	return true;
}

/* --- the program --- */

static struct config config;
static struct diag diag;

static int find_vm(const char *name)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (manifest_vm_used(&config.vm[slot]) && strcmp(config.vm[slot].name, name) == 0)
			return (int)slot;
	fprintf(stderr, "hvinit: %s: no such VM in the manifest\n", name);
	return -1;
}

static int finish(void)
{
	diag_print(&diag, stderr);
	return diag.count ? EXIT_FINDINGS : EXIT_SUCCESS;
}

/* What the words of the command line ask for. */
struct request {
	const char *root; /* --root, or NULL */
	const char *host; /* --host, or NULL */
	const char *file;
	const char *last; /* after the file: a VM's name; "" when there is none */
};

static int run_manifest(const struct request *request)
{
	size_t len;
	const char *text = manifest_read(request->file, &len, &diag);

	if (text)
		manifest_write(text, len, stdout, &diag);
	diag_print(&diag, stderr);
	return !text ? EXIT_USAGE : diag.count ? EXIT_FINDINGS : EXIT_SUCCESS;
}

static int run_explain(const struct request *request)
{
	if (tool_explain(request->file))
		return EXIT_SUCCESS;
	fprintf(stderr,
		"hvinit: %s: no code, and no words of QEMU's that are known; 'hvinit explain' "
		"lists both\n",
		request->file);
	return EXIT_USAGE;
}

/*
 * Reads the manifest and the machine. *root is then where files are looked for; the caller owns it.
 * It stays -1 for a record, which has no files, unless there is a --root for them.
 */
static bool look(const struct request *request, int *root)
{
	const char *dir = request->root ? request->root : request->host ? NULL : "/";

	*root = dir ? sys_root_open(dir) : -1;
	if (dir && *root < 0) {
		fprintf(stderr, "hvinit: %s: open it: %s\n", dir, strerror(-*root));
		return false;
	}
	manifest_defaults(&config);
	if (!manifest_load(request->file, &config, &diag) ||
	    (request->host && !facts_load(request->host, &facts, &diag))) {
		diag_print(&diag, stderr);
		return false;
	}
	if (!request->host)
		facts_discover(*root, &facts);
	return true;
}

/* A topology is inferred from the devices: without them it is a guess, and one should know. */
static void note_missing(int only)
{
	unsigned missing = 0;

	for (int n = 0; n < HV_VM_SLOTS; n++)
		for (unsigned m = 0; m < HV_HOSTDEV_SLOTS; m++) {
			const struct hostdev_config *hostdev = &config.vm[n].hostdev[m];

			missing += (only < 0 || only == n) && manifest_vm_used(&config.vm[n]) &&
				   manifest_hostdev_used(hostdev) &&
				   !facts_find(&facts, hostdev->bdf);
		}
	if (missing)
		diag_add(&diag, DIAG_HOST, DIAG_DEV_GUESS, "plan",
			 "infer the topology: devices that are not on this machine: %u", missing);
}

static int run_check(const struct request *request)
{
	_cleanup_fd_ int root = -1;

	if (!look(request, &root))
		return EXIT_USAGE;
	check_all(root, &config, &diag);
	return finish();
}

static int run_plan(const struct request *request)
{
	_cleanup_fd_ int root = -1;

	if (!look(request, &root))
		return EXIT_USAGE;
	print_plans(&config);
	note_missing(-1);
	return finish();
}

static int run_argv(const struct request *request)
{
	_cleanup_fd_ int root = -1;
	int slot;

	if (!look(request, &root))
		return EXIT_USAGE;
	slot = find_vm(request->last);
	if (slot < 0) {
		diag_print(&diag, stderr);
		return EXIT_USAGE;
	}
	print_argv(&config, (unsigned)slot);
	note_missing(slot);
	return finish();
}

static int run_devices(const struct request *request)
{
	_cleanup_fd_ int root = -1;

	if (!look(request, &root))
		return EXIT_USAGE;
	print_devices(&config);
	return finish();
}

static int run_record(const struct request *request)
{
	const char *dir = request->root ? request->root : "/";
	_cleanup_fd_ int root = sys_root_open(dir);

	if (root < 0) {
		fprintf(stderr, "hvinit: %s: open it: %s\n", dir, strerror(-root));
		return EXIT_USAGE;
	}
	facts_discover(root, &facts);
	facts_print(&facts, stdout);
	return EXIT_SUCCESS;
}

static int run_version(const struct request *request)
{
	(void)request;
	puts("hvinit " HVINIT_VERSION);
	return EXIT_SUCCESS;
}

static int run_help(const struct request *request);

static const struct tool_command {
	const char *name;
	const char *args;
	const char *help;
	int fewest; /* arguments */
	int most;
	int (*run)(const struct request *request);
} commands[] = {
	{ "check", "MANIFEST", "tell what would keep a VM from starting", 1, 1, run_check },
	{ "plan", "MANIFEST", "show each VM's topology", 1, 1, run_plan },
	{ "argv", "MANIFEST VM", "print the words that QEMU is started with", 2, 2, run_argv },
	{ "devices", "MANIFEST", "list the PCI devices and who has them", 1, 1, run_devices },
	{ "record", "", "print what is known of the machine, for --host", 0, 0, run_record },
	{ "manifest", "CONFIG", "make the manifest for a .config", 1, 1, run_manifest },
	{ "explain", "[WHAT]", "tell what a code or QEMU's words mean, or all of them", 0, 1,
	  run_explain },
	{ "version", "", "print the version", 0, 0, run_version },
	{ "help", "", "print this", 0, 0, run_help },
};

static int run_help(const struct request *request)
{
	(void)request;
	puts("usage: hvinit [--root DIR] [--host FILE] COMMAND [ARGUMENT…]\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-9s %-12s %s\n", commands[i].name, commands[i].args, commands[i].help);
	puts("\n  --host FILE            the machine is what FILE, made by 'record', says of it\n"
	     "  --root DIR             look at the machine below DIR, not at this one; with --host\n"
	     "                         only files of the image are looked for there\n\n"
	     "\"-\" for a file is standard input.\n"
	     "As PID 1 it takes no arguments. Exit status: 0; 1 findings; 2 usage or unreadable.");
	return EXIT_SUCCESS;
}

static int run_words(struct request *request, int argc, char **argv)
{
	request->file = argc > 1 ? argv[1] : "";
	request->last = argc > 2 ? argv[2] : "";
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct tool_command *c = &commands[i];

		if (strcmp(c->name, argv[0]) != 0)
			continue;
		if (argc - 1 >= c->fewest && argc - 1 <= c->most)
			return c->run(request);
		fprintf(stderr, "hvinit: usage: hvinit %s %s\n", c->name, c->args);
		return EXIT_USAGE;
	}
	fprintf(stderr, "hvinit: %s: no such command; see 'hvinit help'\n", argv[0]);
	return EXIT_USAGE;
}

int tool_main(int argc, char **argv)
{
	static const struct option options[] = { { "root", required_argument, NULL, 'r' },
						 { "host", required_argument, NULL, 'm' },
						 { "help", no_argument, NULL, 'h' },
						 { "version", no_argument, NULL, 'v' },
						 { 0 } };
	struct request request = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'r')
			request.root = optarg;
		else if (option == 'm')
			request.host = optarg;
		else if (option == 'h')
			return run_help(NULL);
		else if (option == 'v')
			return run_version(NULL);
		else
			return EXIT_USAGE; /* getopt has said why */
	}
	if (optind == argc) {
		fprintf(stderr, "hvinit: usage: hvinit COMMAND; see 'hvinit help'\n");
		return EXIT_USAGE;
	}
	return run_words(&request, argc - optind, argv + optind);
}
