/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's commands, their options and their help. */
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "check_print.h"
#include "ctl.h"
#include "facts_text.h"
#include "import.h"
#include "manifest.h"
#include "probe.h"
#include "record.h"
#include "show.h"
#include "sys.h"
#include "util.h"
#include "version.h"

enum { EXIT_FINDINGS = 1, EXIT_USAGE = 2 };

static struct facts facts;
static struct check_set set;
static struct filelist files;
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

static bool has_vm(void)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (manifest_vm_used(&config.vm[slot]))
			return true;
	return false;
}

/* whole: what was asked for could be shown in whole. Warnings alone are no reason to fail. */
static int finish(bool whole)
{
	unsigned failures = diag.dropped_failures;

	for (unsigned i = 0; i < diag.count; i++)
		failures += diag.finding[i].severity == DIAG_FAIL;
	diag_print(&diag, stderr);
	return failures || !whole ? EXIT_FINDINGS : EXIT_SUCCESS;
}

/* What the words of the command line ask for. */
struct request {
	const char *root; /* --root, or NULL */
	const char *host; /* --host, or NULL */
	const char *files; /* --files, or NULL */
	bool no_machine; /* --no-machine */
	bool json; /* --json */
	unsigned vm; /* --vm: a slot */
	bool kconfig; /* --kconfig */
	bool probe; /* --probe */
	const char *file;
	const char *socket; /* --socket, or NULL */
	char *const *words; /* all arguments, and a NULL */
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

static int run_import(const struct request *request)
{
	if (request->host && !facts_load(request->host, &facts, &diag)) {
		diag_print(&diag, stderr);
		return EXIT_USAGE;
	}
	return import_file(request->file, request->vm, request->host ? &facts : NULL);
}

static int run_explain(const struct request *request)
{
	if (show_explain(request->file))
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
	if ((request->file[0] && !manifest_load(request->file, &config, &diag)) ||
	    (request->host && !facts_load(request->host, &facts, &diag))) {
		diag_print(&diag, stderr);
		return false;
	}
	if (!request->host)
		facts_discover(*root, &facts);
	return true;
}

/*
 * A topology is inferred from the devices: without them it is a guess, and one should know. That a
 * device is not there which a VM can do without is no guess, on a machine that has the others.
 */
static unsigned note_missing(int only)
{
	unsigned missing = 0;
	unsigned absent = 0;
	unsigned there = 0;

	for (int n = 0; n < HV_VM_SLOTS; n++)
		for (unsigned m = 0; m < HV_HOSTDEV_SLOTS; m++) {
			const struct hostdev_config *hostdev = &config.vm[n].hostdev[m];

			if ((only >= 0 && only != n) || !manifest_vm_used(&config.vm[n]) ||
			    !manifest_hostdev_used(hostdev))
				continue;
			if (facts_find(&facts, hostdev->bdf))
				there++;
			else if (hostdev->optional)
				absent++;
			else
				missing++;
		}
	if (!there)
		missing += absent;
	if (missing)
		diag_add(&diag, DIAG_HOST, DIAG_DEV_GUESS, "plan",
			 "infer the topology: devices that are not on this machine: %u", missing);
	return missing;
}

/* Whether the machine has any of the manifest's devices. */
static bool has_device(void)
{
	bool has = false;

	for (int n = 0; n < HV_VM_SLOTS; n++)
		for (unsigned m = 0; m < HV_HOSTDEV_SLOTS; m++) {
			const struct hostdev_config *hostdev = &config.vm[n].hostdev[m];

			has |= manifest_vm_used(&config.vm[n]) && manifest_hostdev_used(hostdev) &&
			       facts_find(&facts, hostdev->bdf);
		}
	return has;
}

/*
 * Without a word about the machine, one that lacks all of the manifest's devices is taken for the
 * build machine: what it has otherwise says nothing. One that lacks some of them has a fault.
 */
static bool is_build_machine(const struct request *request)
{
	return !request->root && !request->host && !has_device() && note_missing(-1);
}

static int run_check(const struct request *request)
{
	_cleanup_fd_ int root = -1;
	unsigned failures;

	if (!look(request, &root))
		return EXIT_USAGE;
	if (request->files && !filelist_load(request->files, &files, &diag)) {
		diag_print(&diag, stderr);
		return EXIT_USAGE;
	}
	set = (struct check_set){
		.config = &config,
		.facts = &facts,
		.machine = !request->no_machine && !is_build_machine(request),
		.root = root,
		.files = request->files ? &files : NULL,
	};
	if (!set.machine) {
		memset(&facts, 0, sizeof(facts));
		if (!request->root)
			set.root = -1;
	}
	check_plan(&set);
	if (request->json)
		return check_json(&set, &diag, stdout, &failures) && !failures ? EXIT_SUCCESS :
										 EXIT_FINDINGS;
	return check_print(&set, &diag, stdout) ? EXIT_FINDINGS : EXIT_SUCCESS;
}

static int run_plan(const struct request *request)
{
	_cleanup_fd_ int root = -1;
	bool whole;

	if (!look(request, &root))
		return EXIT_USAGE;
	whole = show_plan(&config, &facts, request->json);
	if (!request->json && !has_vm() && !diag_failures(&diag, DIAG_HOST))
		puts("no VM in the manifest");
	note_missing(-1);
	return finish(whole);
}

static int run_argv(const struct request *request)
{
	_cleanup_fd_ int root = -1;
	bool whole;
	int slot;

	if (!look(request, &root))
		return EXIT_USAGE;
	slot = find_vm(request->last);
	if (slot < 0) {
		diag_print(&diag, stderr);
		return EXIT_USAGE;
	}
	whole = show_argv(&config, (unsigned)slot, &facts, request->json);
	note_missing(slot);
	return finish(whole);
}

static int run_devices(const struct request *request)
{
	_cleanup_fd_ int root = -1;

	if (!look(request, &root))
		return EXIT_USAGE;
	return finish(show_devices(&config, &facts, request->json));
}

static int run_record(const struct request *request)
{
	const char *dir = request->root ? request->root : "/";
	_cleanup_fd_ int root = sys_root_open(dir);

	if (request->probe && (request->root || request->host)) {
		fprintf(stderr, "hvinit: record: --probe asks this machine, and no other\n");
		return EXIT_USAGE;
	}
	if (root < 0) {
		fprintf(stderr, "hvinit: %s: open it: %s\n", dir, strerror(-root));
		return EXIT_USAGE;
	}
	if (request->host && !facts_load(request->host, &facts, &diag)) {
		diag_print(&diag, stderr);
		return EXIT_USAGE;
	}
	if (!request->host)
		facts_discover(root, &facts);
	if (request->probe)
		probe_all(root, &facts, stderr, &diag);
	if (request->kconfig)
		record_kconfig(&facts, stdout);
	else
		facts_print(&facts, stdout);
	return finish(true);
}

static int run_ctl(const struct request *request)
{
	return ctl_ask(request->socket ? request->socket : CTL_PATH, request->words);
}

static int run_version(const struct request *request)
{
	(void)request;
	puts("hvinit " HVINIT_VERSION);
	return EXIT_SUCCESS;
}

static int run_help(const struct request *request);

/* What a command can be told beside its arguments: bits of tool_command.options. */
enum {
	ROOT = 1,
	HOST = 2,
	JSON = 4,
	VM = 8,
	KCONFIG = 16,
	PROBE = 32,
	ANY = 64,
	FILES = 128,
	NO_MACHINE = 256,
	SOCKET = 512,
};

static const struct tool_option {
	const char *name;
	const char *arg; /* NULL when it takes none */
	const char *help; /* lines after the first are indented as those of the list */
	unsigned bit;
} tool_options[] = {
	{ "host", "FILE", "the machine is the one that FILE, made by 'record', tells of", HOST },
	{ "root", "DIR",
	  "the machine is the one whose /sys, /dev, /proc and other files\n"
	  "                 are below DIR; with --host only files of the image are looked\n"
	  "                 for there, and without it none are",
	  ROOT },
	{ "files", "LIST", "the image's files are those that LIST names, a path a line", FILES },
	{ "no-machine", NULL, "look at the manifest alone", NO_MACHINE },
	{ "json", NULL, "print JSON, as docs/schema/ describes it", JSON },
	{ "vm", "N", "the VM's slot, 0 to 7; 0 when it is not said", VM },
	{ "kconfig", NULL, "print, for a .config, all devices that a VM can have", KCONFIG },
	{ "probe", NULL,
	  "also ask each SMMU for its registers: an idle device behind it\n"
	  "                 is lent to VFIO for a moment, and reset; it says which",
	  PROBE },
	{ "socket", "PATH", "PID 1 listens there, and not at " CTL_PATH, SOCKET },
	{ "help", NULL, "tell about the command", ANY },
	{ "version", NULL, "print the version", ANY },
};

static const struct tool_command {
	const char *name;
	const char *args;
	const char *help;
	int fewest; /* arguments */
	int most;
	unsigned options;
	int (*run)(const struct request *request);
} commands[] = {
	{ "check", "MANIFEST", "tell what would keep a VM from starting", 1, 1,
	  ROOT | HOST | FILES | NO_MACHINE | JSON, run_check },
	{ "plan", "MANIFEST", "show each VM's topology", 1, 1, ROOT | HOST | JSON, run_plan },
	{ "argv", "MANIFEST VM", "print the words that QEMU is started with", 2, 2,
	  ROOT | HOST | JSON, run_argv },
	{ "devices", "[MANIFEST]", "list the PCI devices and who has them", 0, 1,
	  ROOT | HOST | JSON, run_devices },
	{ "record", "", "print what is known of the machine, for --host", 0, 0,
	  ROOT | HOST | KCONFIG | PROBE, run_record },
	{ "manifest", "CONFIG", "make the manifest for a .config", 1, 1, 0, run_manifest },
	{ "import", "DOMAIN.xml", "print the .config lines for a libvirt domain", 1, 1, HOST | VM,
	  run_import },
	{ "explain", "[WHAT]", "tell what a code or QEMU's words mean, or all of them", 0, 1, 0,
	  run_explain },
	{ "ctl", "COMMAND…", "have PID 1 run a command of its console", 1, INT_MAX, SOCKET,
	  run_ctl },
	{ "version", "", "print the version", 0, 0, 0, run_version },
	{ "help", "[COMMAND]", "list the commands, or tell about one", 0, 1, 0, run_help },
};

static const char exit_status[] =
	"A file named \"-\" is standard input. Findings go to standard error, those of\n"
	"'check' to standard output. Exit status: 0 all is well, or there are warnings\n"
	"only, of which 'import' must have none; 1 there are failures; 2 wrong usage, or\n"
	"a file that cannot be read. That of 'ctl' is the command's: 1 it was refused, or\n"
	"PID 1 was not reached; 2 wrong words.";

static const struct tool_command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	fprintf(stderr, "hvinit: %s: no such command; see 'hvinit help'\n", name);
	return NULL;
}

static void print_options(unsigned which)
{
	for (size_t i = 0; i < ARRAY_SIZE(tool_options); i++) {
		const struct tool_option *o = &tool_options[i];
		char name[16];

		if (!(o->bit & which))
			continue;
		str_format(name, sizeof(name), "%s%s%s", o->name, o->arg ? " " : "",
			   o->arg ? o->arg : "");
		printf("  --%-12s %s\n", name, o->help);
	}
}

static int help_about(const struct tool_command *c)
{
	if (!c)
		return EXIT_USAGE;
	printf("usage: hvinit %s%s%s%s\n\n%c%s.\n\n", c->name, c->options ? " [OPTION…]" : "",
	       c->args[0] ? " " : "", c->args, c->help[0] - 'a' + 'A', c->help + 1);
	print_options(c->options | ANY);
	printf("\n%s\n", exit_status);
	return EXIT_SUCCESS;
}

/* The bytes of a column: of a character all but the first byte take no room in it. */
static int args_bytes(const char *args)
{
	int bytes = 12;

	for (; *args; args++)
		bytes += ((unsigned char)*args & 0xc0) == 0x80;
	return bytes;
}

static int run_help(const struct request *request)
{
	if (request->file[0])
		return help_about(find_command(request->file));
	puts("usage: hvinit COMMAND [OPTION…] [ARGUMENT…]\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-9s %-*s %s\n", commands[i].name, args_bytes(commands[i].args),
		       commands[i].args, commands[i].help);
	puts("");
	print_options(~0U);
	printf("\n%s\nRun as PID 1 it takes no arguments, and starts the VMs of " MANIFEST_PATH
	       ".\n",
	       exit_status);
	return EXIT_SUCCESS;
}

static int run_words(struct request *request, unsigned options, int argc, char **argv)
{
	const struct tool_command *c = find_command(argv[0]);

	if (!c)
		return EXIT_USAGE;
	for (size_t i = 0; i < ARRAY_SIZE(tool_options); i++)
		if (options & tool_options[i].bit & ~c->options) {
			fprintf(stderr, "hvinit: %s: it has no --%s; see 'hvinit help %s'\n",
				c->name, tool_options[i].name, c->name);
			return EXIT_USAGE;
		}
	request->file = argc > 1 ? argv[1] : "";
	request->last = argc > 2 ? argv[2] : "";
	request->words = argv + 1;
	if (argc - 1 >= c->fewest && argc - 1 <= c->most)
		return c->run(request);
	fprintf(stderr, "hvinit: usage: hvinit %s%s%s; see 'hvinit help %s'\n", c->name,
		c->args[0] ? " " : "", c->args, c->name);
	return EXIT_USAGE;
}

static bool read_slot(const char *text, unsigned *slot)
{
	if (text[0] >= '0' && text[0] < '0' + HV_VM_SLOTS && text[1] == '\0') {
		*slot = (unsigned)(text[0] - '0');
		return true;
	}
	fprintf(stderr, "hvinit: --vm %s: want a slot from 0 to %d\n", text, HV_VM_SLOTS - 1);
	return false;
}

_Static_assert(HV_VM_SLOTS == 8, "a slot is one digit, and the help names the last");

/* Takes in the options, which may stand anywhere. Returns the bits of those found, or -1. */
static int read_options(int argc, char **argv, const char *form, struct request *request,
			const char **ask)
{
	struct option options[ARRAY_SIZE(tool_options) + 1] = { 0 };
	unsigned found = 0;
	int option;
	int at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tool_options); i++)
		options[i] = (struct option){ .name = tool_options[i].name,
					      .has_arg = tool_options[i].arg ? required_argument :
									       no_argument };
	while ((option = getopt_long(argc, argv, form, options, &at)) != -1) {
		if (option == '?')
			return -1; /* getopt has said why */
		if (option == 'h') {
			*ask = "help";
			continue;
		}
		found |= tool_options[at].bit & ~(unsigned)ANY;
		if (tool_options[at].bit == ROOT)
			request->root = optarg;
		else if (tool_options[at].bit == HOST)
			request->host = optarg;
		else if (tool_options[at].bit == SOCKET)
			request->socket = optarg;
		else if (tool_options[at].bit == FILES)
			request->files = optarg;
		else if (tool_options[at].bit == NO_MACHINE)
			request->no_machine = true;
		else if (tool_options[at].bit == JSON)
			request->json = true;
		else if (tool_options[at].bit == KCONFIG)
			request->kconfig = true;
		else if (tool_options[at].bit == PROBE)
			request->probe = true;
		else if (tool_options[at].bit == VM && !read_slot(optarg, &request->vm))
			return -1;
		else if (tool_options[at].bit == ANY)
			*ask = tool_options[at].name;
	}
	return (int)found;
}

static int run_line(int argc, char **argv)
{
	static char name[] = "hvinit";
	struct request request = { .file = "", .last = "" };
	static char ctl[] = "ctl";
	bool is_ctl = argc > 1 && strcmp(argv[1], ctl) == 0;
	const char *ask = "";
	int options;

	argv += is_ctl;
	argc -= is_ctl;
	argv[0] = name; /* what getopt calls it, however it was called */
	/* What stands behind a command of PID 1's is that command's. */
	options = read_options(argc, argv, is_ctl ? "+h" : "h", &request, &ask);
	if (options < 0)
		return EXIT_USAGE;
	if (strcmp(ask, "version") == 0)
		return run_version(NULL);
	if (strcmp(ask, "help") == 0) {
		request.file = is_ctl ? ctl : optind < argc ? argv[optind] : "";
		return run_help(&request);
	}
	if (is_ctl)
		argv[--optind] = ctl;
	if (optind == argc) {
		fprintf(stderr, "hvinit: usage: hvinit COMMAND; see 'hvinit help'\n");
		return EXIT_USAGE;
	}
	return run_words(&request, (unsigned)options, argc - optind, argv + optind);
}

/* Half a manifest must not pass for a whole one: a full disk is often seen at the end only. */
int tool_main(int argc, char **argv)
{
	int status = run_line(argc, argv);
	bool lost = ferror(stdout);

	if (fflush(stdout) == 0 && !lost)
		return status;
	fprintf(stderr, "hvinit: standard output: write it: %s\n",
		lost ? "a part of it is lost" : strerror(errno));
	return status ? status : EXIT_FINDINGS;
}
