/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hvinit import: reads a libvirt domain, writes .config lines, and tells what they lack. */
#include "import.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "import_private.h"
#include "manifest.h"
#include "util.h"

/* --- the virtual machine --- */

/* Makes an id of a name that may hold anything. */
static void make_id(const char *name, char *id, size_t size)
{
	size_t used = 0;

	if (!isalpha((unsigned char)*name))
		used = (size_t)snprintf(id, size, "vm-");
	for (; *name && used + 1 < size; name++)
		if (isalnum((unsigned char)*name) || strchr("._-", *name))
			id[used++] = *name;
		else if (used && id[used - 1] != '-')
			id[used++] = '-';
	id[used] = '\0';
}

static void write_name(struct fragment *f, const struct domain *d)
{
	const char *name = d->name.text ? d->name.text : "";
	char id[sizeof(f->config.vm[0].name)];

	make_id(name, id, sizeof(id));
	if (strcmp(name, id) != 0)
		xml_tell_line(f->xml, d->name.line, DIAG_IMPORT_CHANGED,
			      "/domain/name: \"%.80s\" is \"%s\" now: want a letter, then letters, "
			      "digits, . _ -, less than %zu",
			      name, id, sizeof(id));
	fragment_text(f, d->name.line, id, "NAME");
}

static bool same_cpus(const struct cpulist *a, const struct cpulist *b)
{
	return memcmp(a->bit, b->bit, sizeof(a->bit)) == 0;
}

static const struct domain_pin *pin_of(const struct domain *d, unsigned vcpu)
{
	return d->vcpu[vcpu].set ? &d->vcpu[vcpu] : &d->vcpu_all;
}

/*
 * The CPUs of all virtual CPUs together, if a list of them says it all: when each has one for
 * itself in ascending order, or all share the same. VMn_CPU_PIN knows no other ways.
 */
static bool join_pins(const struct domain *d, unsigned vcpus, struct cpulist *all)
{
	bool same = true;
	bool ascending = true;
	int last = -1;

	memset(all, 0, sizeof(*all));
	for (unsigned i = 0; i < vcpus; i++) {
		const struct domain_pin *pin = pin_of(d, i);

		if (!pin->set)
			return false;
		ascending &= cpulist_count(&pin->cpus) == 1 && cpulist_nth(&pin->cpus, 0) > last;
		last = cpulist_nth(&pin->cpus, 0);
		for (size_t w = 0; w < ARRAY_SIZE(all->bit); w++)
			all->bit[w] |= pin->cpus.bit[w];
		same &= same_cpus(&pin_of(d, 0)->cpus, &pin->cpus);
	}
	return ascending || (same && (cpulist_count(all) != vcpus || vcpus == 1));
}

static void write_pins(struct fragment *f, const struct domain *d)
{
	unsigned vcpus = d->vcpus < 1 ? 1 : (unsigned)d->vcpus;
	unsigned line = d->vcpu_all.line;
	char text[CPULIST_TEXT];
	struct cpulist all;

	if (vcpus > DOMAIN_VCPUS)
		vcpus = DOMAIN_VCPUS;
	for (unsigned i = 0; i < DOMAIN_VCPUS && !line; i++)
		line = d->vcpu[i].line;
	if (!line) {
		if (d->emulator.set)
			xml_tell_line(
				f->xml, d->emulator.line, DIAG_IMPORT_LOST,
				"/domain/cputune/emulatorpin: not carried: QEMU's threads are "
				"where the virtual CPUs are, and those are not pinned");
		return;
	}
	if (!join_pins(d, vcpus, &all)) {
		xml_tell_line(
			f->xml, line, DIAG_IMPORT_LOST,
			"/domain/cputune: not carried: virtual CPUs have a host's CPU each, in "
			"ascending order, or share the same ones: set VM%u_CPU_PIN",
			f->vm);
		return;
	}
	fragment_text(f, line, cpulist_print(&all, text), "CPU_PIN");
	if (d->emulator.set && !same_cpus(&d->emulator.cpus, &all))
		xml_tell_line(f->xml, d->emulator.line, DIAG_IMPORT_CHANGED,
			      "/domain/cputune/emulatorpin: QEMU's other threads run on %s, too",
			      text);
}

static void write_text(struct fragment *f, const struct domain_text *text, const char *name)
{
	fragment_text(f, text->line, text->text, "%s", name);
}

static void write_memory(struct fragment *f, const struct domain *d)
{
	if (d->memory_mib != DOMAIN_UNSET)
		fragment_int(f, d->memory_line, d->memory_mib, "MEMORY_MIB");
	fragment_text(f, d->hugepages_line, d->hugepages, "HUGEPAGES");
	if (d->node != DOMAIN_UNSET)
		fragment_number(f, d->node_line, d->node, "NUMA_NODE");
	if (d->vcpus != DOMAIN_UNSET)
		fragment_int(f, d->vcpus_line, d->vcpus, "CPUS");
	write_pins(f, d);
}

/* libvirt writes down what "virt" is when a domain is defined, so that it stays the same. */
static void write_machine(struct fragment *f, const struct domain *d)
{
	bool newest = d->machine.text && strcmp(d->machine.text, "virt") == 0;

	fragment_text(f, d->machine.line, newest ? QEMU_MACHINE : d->machine.text, "MACHINE");
	if (newest)
		xml_tell_line(f->xml, d->machine.line, DIAG_IMPORT_CHANGED,
			      "/domain/os/type/@machine: \"virt\", the newest one, is " QEMU_MACHINE
			      " now, so that another image does not change the guest's hardware");
}

static void write_boot(struct fragment *f, const struct domain *d)
{
	write_machine(f, d);
	write_text(f, &d->firmware, "FIRMWARE");
	if (d->keeps_vars) {
		fragment_text(f, d->vars_line, "keep", "UEFI_VARS");
		xml_tell_line(f->xml, d->vars_line, DIAG_IMPORT_HOST,
			      "/domain/os/nvram: variables are kept on the state partition: set "
			      "HOST_STATE_PARTLABEL");
	}
	write_text(f, &d->kernel, "KERNEL");
	write_text(f, &d->initrd, "INITRD");
	write_text(f, &d->cmdline, "CMDLINE");
	write_text(f, &d->uuid, "UUID");
	for (unsigned i = 0; i < d->boots; i++)
		if (strcmp(d->boot[i].text, "hd") == 0 ? !d->disks : !d->nets)
			xml_tell_line(f->xml, d->boot[i].line, DIAG_IMPORT_LOST,
				      "/domain/os/boot: not carried: there is no such device: set "
				      "VM%u_HOSTDEVm_BOOTINDEX",
				      f->vm);
}

/* The spelling of the first patches names QEMU's device as their QEMU had it. */
static void write_dialect(struct fragment *f, const struct domain *d)
{
	bool early = d->iommufd_id.text;
	unsigned line = d->iommufd_id.line;

	for (unsigned i = 0; i < d->smmus; i++) {
		if (!d->smmu[i].early)
			continue;
		early = true;
		line = xml_line(d->smmu[i].node);
	}
	if (early)
		fragment_text(f, line, "seed", "DIALECT");
	for (unsigned i = 0; i < d->smmus; i++) {
		if (!d->smmu[i].early || !d->smmu[i].accel)
			continue;
		fragment_text(f, line, "arm-smmuv3-accel", "SMMU_DRIVER");
		xml_tell_line(f->xml, line, DIAG_IMPORT_CHANGED,
			      "VM%u_SMMU_DRIVER: the image's QEMU calls it arm-smmuv3: delete the "
			      "line, unless you bring that of the first patches",
			      f->vm);
		break;
	}
	write_text(f, &d->iommufd_id, "IOMMUFD_ID");
}

static void write_words(struct fragment *f, const struct domain *d)
{
	char all[sizeof(f->config.vm[0].qemu_args) + 1] = "";
	size_t used = 0;

	for (unsigned i = 0; i < d->words; i++) {
		const char *word = d->word[i].text;
		bool blank = strchr(word, ' ');

		/* What does not fit is too long for the symbol, too, which then says so. */
		str_format(all + used, sizeof(all) - used, "%s%s%s%s", used ? " " : "",
			   blank ? "'" : "", word, blank ? "'" : "");
		used = strlen(all);
	}
	if (used)
		fragment_text(f, d->word[0].line, all, "QEMU_ARGS");
}

bool import_text(const char *text, size_t len, const struct facts *facts, struct fragment *f,
		 char *error, size_t size)
{
	static struct domain domain;
	xmlNode *root = xml_open(f->xml, text, len, error, size);

	if (!root)
		return false;
	if (strcmp((const char *)root->name, "domain") != 0) {
		str_format(error, size, "its root is <%.40s>, not <domain>",
			   (const char *)root->name);
		return false;
	}
	manifest_defaults(&f->config);
	domain_read(f->xml, root, &domain);
	write_name(f, &domain);
	write_memory(f, &domain);
	write_boot(f, &domain);
	write_dialect(f, &domain);
	if (domain.restart)
		fragment_text(f, domain.restart_line, domain.restart, "RESTART");
	if (domain.on_reset)
		fragment_text(f, domain.on_reset_line, domain.on_reset, "ON_RESET");
	if (domain.panic_line)
		fragment_bool(f, domain.panic_line, true, "PVPANIC");
	write_words(f, &domain);
	import_topology(f, &domain, facts);
	domain_rest(f->xml);
	return true;
}

/* --- the program --- */

static void print_finding(const char *file, unsigned line, enum diag_code code, const char *what)
{
	static struct diag diag;
	char subject[DIAG_SUBJECT];
	char text[DIAG_SUBJECT + DIAG_TEXT + 40];
	const char *slash = strrchr(file, '/');

	if (line)
		str_format(subject, sizeof(subject), "%.*s:%u", DIAG_SUBJECT - 16,
			   slash ? slash + 1 : file, line);
	else
		str_copy(subject, sizeof(subject), file);
	diag.count = 0;
	diag_add(&diag, DIAG_HOST, code, subject, "%s", what);
	diag_format(&diag.finding[0], text, sizeof(text));
	fprintf(stderr, "hvinit: %s\n", text);
}

/* A remedy for each kind of finding once: most domains have many of a kind. */
static void print_findings(const char *file, struct xml *xml)
{
	bool seen[DIAG_CODES] = { false };

	xml_sort(xml);
	for (unsigned i = 0; i < xml->findings; i++) {
		const struct xml_finding *finding = &xml->finding[i];

		print_finding(file, finding->line, finding->code, finding->text);
		seen[finding->code] = true;
	}
	if (xml->dropped)
		fprintf(stderr, "hvinit: %s: %u more findings not shown\n", file, xml->dropped);
	for (enum diag_code code = 0; code < DIAG_CODES; code++)
		if (seen[code])
			fprintf(stderr, "hvinit: %s: remedy: %s\n", diag_code_text(code),
				diag_code_remedy(code));
}

static int unreadable(const char *path, const char *reason)
{
	print_finding(path, 0, DIAG_IMPORT_READ, reason);
	fprintf(stderr, "hvinit: remedy: %s\n", diag_code_remedy(DIAG_IMPORT_READ));
	return 2;
}

/* Its length, or a negative errno; -EFBIG when the file is larger than XML_BYTES. */
static ssize_t read_file(const char *path, char *text)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	size_t len;
	int error = 0;

	if (!file)
		return -errno;
	len = fread(text, 1, XML_BYTES + 1, file);
	if (ferror(file))
		error = errno ? errno : EIO;
	if (file != stdin)
		fclose(file);
	if (error)
		return -error;
	return len > XML_BYTES ? -EFBIG : (ssize_t)len;
}

int import_file(const char *path, unsigned vm, const struct facts *facts)
{
	static char text[XML_BYTES + 1];
	static struct xml xml;
	static struct fragment fragment;
	char error[DIAG_TEXT];
	ssize_t len = read_file(path, text);
	bool done;

	if (len < 0) {
		str_format(error, sizeof(error), "read it: %s", strerror((int)-len));
		return unreadable(path, error);
	}
	fragment = (struct fragment){ .vm = vm, .xml = &xml, .out = stdout };
	done = import_text(text, (size_t)len, facts, &fragment, error, sizeof(error));
	if (done)
		print_findings(path, &xml);
	xml_close(&xml);
	if (!done)
		return unreadable(path, error);
	return xml.findings ? 1 : 0;
}
