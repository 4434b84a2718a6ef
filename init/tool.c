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
#include "manifest.h"
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
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		if (!manifest_vm_used(&config->vm[slot]))
			continue;
		plan_vm(config, slot, &facts, &plan);
		plan_print(&plan, stdout);
	}
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

bool tool_explain(const char *code)
{
	bool found = false;

	for (enum diag_code i = 0; i < DIAG_CODES; i++) {
		if (code[0] && strcasecmp(code, diag_code_text(i)) != 0)
			continue;
		printf("%s### %s (%s)\n\n%s\n\nRemedy: %s.\n", found ? "\n" : "", diag_code_text(i),
		       diag_code_severity(i) == DIAG_FAIL ? "failure" : "warning",
		       diag_code_title(i), diag_code_remedy(i));
		found = true;
	}
	return found;
}

/* --- the program --- */

static struct config config;
static struct diag diag;

static void usage(FILE *out)
{
	fputs("usage: hvinit COMMAND [--root DIR] FILE [VM]\n"
	      "\n"
	      "  check MANIFEST       tell what would keep a VM from starting\n"
	      "  plan MANIFEST        show each VM's topology\n"
	      "  argv MANIFEST VM     print the words that QEMU is started with\n"
	      "  devices MANIFEST     list the PCI devices and who has them\n"
	      "  manifest CONFIG      make the manifest for a .config\n"
	      "  explain [CODE]       tell what a diagnostic's code means, or all of them\n"
	      "  version              print the version\n"
	      "  help                 print this\n"
	      "\n"
	      "  --root DIR           look at the machine recorded below DIR, not at this one\n"
	      "\n"
	      "As PID 1 it takes no arguments. Exit status: 0; 1 findings; 2 usage or unreadable.\n",
	      out);
}

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

static int run_manifest(const char *file)
{
	size_t len;
	const char *text = manifest_read(file, &len, &diag);

	if (text)
		manifest_write(text, len, stdout, &diag);
	diag_print(&diag, stderr);
	return !text ? EXIT_USAGE : diag.count ? EXIT_FINDINGS : EXIT_SUCCESS;
}

static int run_explain(const char *code)
{
	if (tool_explain(code))
		return EXIT_SUCCESS;
	fprintf(stderr, "hvinit: %s: no such code; 'hvinit explain' lists them\n", code);
	return EXIT_USAGE;
}

/* The commands that look at a machine. */
static int run_on_machine(const char *command, const char *root_dir, const char *file,
			  const char *vm)
{
	_cleanup_fd_ int root = sys_root_open(root_dir);
	int slot = 0;

	if (root < 0) {
		fprintf(stderr, "hvinit: %s: open it: %s\n", root_dir, strerror(-root));
		return EXIT_USAGE;
	}
	manifest_defaults(&config);
	if (!manifest_load(file, &config, &diag)) {
		diag_print(&diag, stderr);
		return EXIT_USAGE;
	}
	facts_discover(root, &facts);
	if (vm && (slot = find_vm(vm)) < 0) {
		diag_print(&diag, stderr);
		return EXIT_USAGE;
	}
	if (strcmp(command, "check") == 0)
		check_all(root, &config, &diag);
	else if (strcmp(command, "plan") == 0)
		print_plans(&config);
	else if (strcmp(command, "devices") == 0)
		print_devices(&config);
	else
		print_argv(&config, (unsigned)slot);
	return finish();
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

int tool_main(int argc, char **argv)
{
	static const char *const on_machine[] = { "check", "plan", "devices", NULL };
	static const struct option options[] = { { "root", required_argument, NULL, 'r' },
						 { "help", no_argument, NULL, 'h' },
						 { "version", no_argument, NULL, 'v' },
						 { 0 } };
	const char *root = "/";
	const char *command;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r') {
			root = optarg;
		} else if (option == 'h') {
			usage(stdout);
			return EXIT_SUCCESS;
		} else if (option == 'v') {
			puts("hvinit " HVINIT_VERSION);
			return EXIT_SUCCESS;
		} else {
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	command = optind < argc ? argv[optind] : "";
	argc -= optind;
	argv += optind;
	if (argc == 1 && strcmp(command, "version") == 0) {
		puts("hvinit " HVINIT_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 1 && strcmp(command, "help") == 0) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if ((argc == 1 || argc == 2) && strcmp(command, "explain") == 0)
		return run_explain(argc == 2 ? argv[1] : "");
	if (argc == 2 && strcmp(command, "manifest") == 0)
		return run_manifest(argv[1]);
	if (argc == 2 && is_one_of(command, on_machine))
		return run_on_machine(command, root, argv[1], NULL);
	if (argc == 3 && strcmp(command, "argv") == 0)
		return run_on_machine(command, root, argv[1], argv[2]);
	usage(stderr);
	return EXIT_USAGE;
}
