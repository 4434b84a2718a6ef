/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what a libvirt domain says of the virtual machine as a whole. */
#include "domain.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "util.h"

static const struct xml_rule rules[] = {
#define SAME(path, attribute, value) { XML_SAME, path, attribute, value, NULL },
#define OPEN(path, attribute, value) { XML_OPEN, path, attribute, value, NULL },
#define LOST(path, reason) { XML_LOST, path, NULL, NULL, reason },
#include "domain.def"
};

static struct domain_text text_of(xmlNode *node)
{
	if (!node)
		return (struct domain_text){ 0 };
	return (struct domain_text){ xml_text(node), xml_line(node) };
}

static bool is_word(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

static bool parse_u64(const char *text, int base, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, base);
	return *end == '\0' && errno == 0;
}

int domain_number(struct xml *xml, xmlNode *node, const char *name, int base, int max)
{
	const char *text = xml_attr(node, name);
	uint64_t number;

	if (!text)
		return DOMAIN_UNSET;
	if (parse_u64(text, base, &number) && number <= (uint64_t)max)
		return (int)number;
	xml_tell(xml, node, DIAG_IMPORT_VALUE, "%s=\"%.40s\": want a number from 0 to %d", name,
		 text, max);
	return DOMAIN_UNSET;
}

/* --- memory --- */

/* libvirt's units: a letter or with "iB" for powers of 1024, with "B" for powers of 1000. */
static uint64_t unit_bytes(const char *unit)
{
	static const char letters[] = "kmgt";
	const char *letter = *unit ? strchr(letters, tolower((unsigned char)*unit)) : NULL;
	uint64_t base =
		unit[0] && (strcmp(unit + 1, "B") == 0 || strcmp(unit + 1, "b") == 0) ? 1000 : 1024;
	uint64_t bytes = 1;

	if (strcasecmp(unit, "b") == 0 || strcasecmp(unit, "byte") == 0 ||
	    strcasecmp(unit, "bytes") == 0)
		return 1;
	if (!letter || (unit[1] && base == 1024 && strcasecmp(unit + 1, "iB") != 0))
		return 0;
	for (const char *at = letters; at <= letter; at++)
		bytes *= base;
	return bytes;
}

/* The bytes that text stands for in its unit; 0 with a finding when it is none. */
static uint64_t bytes_of(struct xml *xml, xmlNode *node, const char *text)
{
	const char *unit = xml_attr(node, "unit");
	uint64_t scale = unit_bytes(unit ? unit : "KiB");
	uint64_t number;

	if (scale && parse_u64(text, 10, &number) && number && number <= UINT64_MAX / 2 / scale)
		return number * scale;
	xml_tell(xml, node, DIAG_IMPORT_VALUE, "\"%.40s\" %.20s: want a size with a unit like KiB",
		 text, unit ? unit : "KiB");
	return 0;
}

static void read_memory(struct xml *xml, xmlNode *root, struct domain *d)
{
	static const uint64_t mib = UINT64_C(1) << 20;
	xmlNode *node = xml_child(root, "memory");
	xmlNode *current = xml_child(root, "currentMemory");
	uint64_t bytes = node ? bytes_of(xml, node, xml_text(node)) : 0;

	d->memory_mib = DOMAIN_UNSET;
	if (current && bytes_of(xml, current, xml_text(current)) != bytes)
		xml_lost(xml, current,
			 "all of the memory is the guest's from the start: devices "
			 "may write to any of it, so no balloon can take some back");
	if (!bytes)
		return;
	d->memory_line = xml_line(node);
	d->memory_mib = (int64_t)((bytes + mib - 1) / mib);
	if (bytes % mib)
		xml_tell(xml, node, DIAG_IMPORT_CHANGED, "is no whole number of MiB: %lld it is",
			 (long long)d->memory_mib);
}

static void read_page(struct xml *xml, xmlNode *page, struct domain *d)
{
	const char *size = xml_attr(page, "size");
	uint64_t bytes = size ? bytes_of(xml, page, size) : 0;

	if (bytes == UINT64_C(2) << 20)
		d->hugepages = "2M";
	else if (bytes == UINT64_C(1) << 30)
		d->hugepages = "1G";
	else if (bytes)
		xml_lost(xml, page, "hvinit has huge pages of 2 MiB and 1 GiB");
}

static void read_backing(struct xml *xml, xmlNode *root, struct domain *d)
{
	xmlNode *backing = xml_child(root, "memoryBacking");
	xmlNode *huge = xml_child(backing, "hugepages");
	xmlNode *page = xml_child(huge, "page");

	if (!huge)
		return;
	d->hugepages_line = xml_line(huge);
	if (page) {
		read_page(xml, page, d);
		return;
	}
	d->hugepages = "2M";
	xml_tell(xml, huge, DIAG_IMPORT_CHANGED,
		 "names no page size, which is the host's own then: 2 MiB it is");
}

static void read_numa(struct xml *xml, xmlNode *root, struct domain *d)
{
	xmlNode *numatune = xml_child(root, "numatune");
	xmlNode *memory = xml_child(numatune, "memory");
	const char *mode = xml_attr(memory, "mode");
	const char *set = xml_attr(memory, "nodeset");
	uint64_t node;

	d->node = DOMAIN_UNSET;
	if (!memory)
		return;
	if ((mode && !is_word(mode, "strict")) || !set || !parse_u64(set, 10, &node) ||
	    node > INT32_MAX) {
		xml_lost(xml, memory, "memory comes from one node, strictly, or from any");
		return;
	}
	d->node = (int)node;
	d->node_line = xml_line(memory);
}

/* --- CPUs --- */

/* libvirt's lists may leave out CPUs again: "0-7,^3". */
static bool parse_cpuset(const char *text, struct cpulist *cpus)
{
	char part[32];

	memset(cpus, 0, sizeof(*cpus));
	while (*text) {
		struct cpulist some;
		size_t len = strcspn(text, ",");
		bool without = *text == '^';

		if (len >= sizeof(part))
			return false;
		memcpy(part, text, len);
		part[len] = '\0';
		if (!cpulist_parse(part + without, &some) || cpulist_count(&some) == 0)
			return false;
		for (size_t i = 0; i < ARRAY_SIZE(some.bit); i++)
			cpus->bit[i] = without ? cpus->bit[i] & ~some.bit[i] :
						 cpus->bit[i] | some.bit[i];
		text += len;
		text += *text == ',';
	}
	return cpulist_count(cpus) > 0;
}

static void read_pin(struct xml *xml, xmlNode *node, struct domain_pin *pin)
{
	const char *text = xml_attr(node, "cpuset");

	if (!text)
		return;
	pin->set = parse_cpuset(text, &pin->cpus);
	if (pin->set)
		pin->line = xml_line(node);
	else
		xml_tell(xml, node, DIAG_IMPORT_VALUE,
			 "cpuset=\"%.60s\": want CPUs below %d, such as 0-3,8", text, CPULIST_MAX);
}

static void read_vcpus(struct xml *xml, xmlNode *root, struct domain *d)
{
	xmlNode *node = xml_child(root, "vcpu");
	const char *current = xml_attr(node, "current");
	uint64_t number;

	d->vcpus = DOMAIN_UNSET;
	if (!node)
		return;
	d->vcpus_line = xml_line(node);
	if (parse_u64(xml_text(node), 10, &number) && number <= INT32_MAX)
		d->vcpus = (int)number;
	else
		xml_tell(xml, node, DIAG_IMPORT_VALUE, "\"%.40s\": want a number of CPUs",
			 xml_text(node));
	if (current && strcmp(current, xml_text(node)) != 0)
		xml_lost_attr(xml, node, "current", "a guest has all of its CPUs from the start");
	read_pin(xml, node, &d->vcpu_all);
}

static void read_cputune(struct xml *xml, xmlNode *root, struct domain *d)
{
	xmlNode *cputune = xml_child(root, "cputune");
	xmlNode *emulator = xml_child(cputune, "emulatorpin");

	for (xmlNode *node = xml_child(cputune, "vcpupin"); node; node = xml_next(node)) {
		int vcpu = domain_number(xml, node, "vcpu", 10, DOMAIN_VCPUS - 1);

		if (vcpu >= 0)
			read_pin(xml, node, &d->vcpu[vcpu]);
	}
	if (emulator)
		read_pin(xml, emulator, &d->emulator);
}

/* --- operating system --- */

static void read_type(struct xml *xml, xmlNode *os, struct domain *d)
{
	xmlNode *type = xml_child(os, "type");
	const char *arch = xml_attr(type, "arch");
	const char *machine = xml_attr(type, "machine");

	if (arch && strcmp(arch, "aarch64") != 0)
		xml_lost_attr(xml, type, "arch", "hvinit's guests are aarch64, this one is %.20s",
			      arch);
	else if (machine && !str_prefix(machine, "virt"))
		xml_lost_attr(xml, type, "machine", "only QEMU's virt has SMMUs of this kind");
	else if (machine)
		d->machine = (struct domain_text){ machine, xml_line(type) };
}

static void read_os(struct xml *xml, xmlNode *root, struct domain *d)
{
	xmlNode *os = xml_child(root, "os");
	xmlNode *nvram = xml_child(os, "nvram");

	read_type(xml, os, d);
	d->firmware = text_of(xml_child(os, "loader"));
	d->kernel = text_of(xml_child(os, "kernel"));
	d->initrd = text_of(xml_child(os, "initrd"));
	d->cmdline = text_of(xml_child(os, "cmdline"));
	for (xmlNode *boot = xml_child(os, "boot"); boot; boot = xml_next(boot)) {
		const char *dev = xml_attr(boot, "dev");

		if ((is_word(dev, "hd") || is_word(dev, "network")) && d->boots < DOMAIN_BOOTS)
			d->boot[d->boots++] = (struct domain_text){ dev, xml_line(boot) };
		else
			xml_lost(xml, boot, "a guest has no such device to boot from");
	}
	if (!nvram)
		return;
	d->keeps_vars = true;
	d->vars_line = xml_line(nvram);
	if (*xml_text(nvram))
		xml_tell(xml, nvram, DIAG_IMPORT_CHANGED,
			 "variables are kept, under the VM's name, but begin anew");
}

static void read_features(struct xml *xml, xmlNode *root)
{
	xmlNode *features = xml_child(root, "features");

	if (!xml_child(features, "acpi"))
		xml_tell(xml, features ? features : root, DIAG_IMPORT_CHANGED,
			 "there is no <acpi/>, but guests get ACPI: an accelerated SMMU cannot do "
			 "without");
}

static void read_restart(struct xml *xml, xmlNode *root, struct domain *d)
{
	xmlNode *off = xml_child(root, "on_poweroff");
	xmlNode *crash = xml_child(root, "on_crash");
	bool after_off = off && strcmp(xml_text(off), "restart") == 0;
	bool after_crash = crash && strcmp(xml_text(crash), "restart") == 0;

	if (off && !after_off && strcmp(xml_text(off), "destroy") != 0)
		xml_lost(xml, off, "a guest that has shut down ends, or starts again");
	if (crash && !after_crash && strcmp(xml_text(crash), "destroy") != 0)
		xml_lost(xml, crash, "a guest that has crashed ends, or starts again");
	if (!after_off && !after_crash)
		return;
	d->restart = after_off ? "always" : "on-failure";
	d->restart_line = xml_line(after_off ? off : crash);
	if (after_off && !after_crash)
		xml_tell(xml, off, DIAG_IMPORT_CHANGED,
			 "it starts again after a crash, too, which <on_crash> does not ask for");
}

static void read_reset(struct xml *xml, xmlNode *root, struct domain *d)
{
	xmlNode *reboot = xml_child(root, "on_reboot");
	const char *word = reboot ? xml_text(reboot) : "restart";

	if (strcmp(word, "destroy") == 0) {
		d->on_reset = "stopped";
		d->on_reset_line = xml_line(reboot);
	} else if (strcmp(word, "restart") != 0) {
		xml_lost(xml, reboot, "a guest that resets itself goes on, or ends");
	}
}

static unsigned line_of_panic(struct xml *xml, xmlNode *devices)
{
	xmlNode *panic = xml_child(devices, "panic");
	const char *model = panic ? xml_attr(panic, "model") : NULL;

	if (!panic)
		return 0;
	if (model && strcmp(model, "pvpanic") == 0)
		return xml_line(panic);
	xml_lost(xml, panic, "a guest tells of its panic by a pvpanic device");
	return 0;
}

/* --- the domain --- */

#define QEMU_SPACE "http://libvirt.org/schemas/domain/qemu/1.0"

static void read_words(struct xml *xml, xmlNode *root, struct domain *d)
{
	xmlNode *list = xml_child_of(root, QEMU_SPACE, "commandline");

	for (xmlNode *arg = xml_child_of(list, QEMU_SPACE, "arg"); arg; arg = xml_next(arg)) {
		const char *value = xml_attr(arg, "value");

		if (!value || !*value || strchr(value, '\''))
			xml_lost(xml, arg, "words are separated by blanks and quoted by '");
		else if (d->words == DOMAIN_WORDS)
			xml_lost(xml, arg, "there are more than %d", DOMAIN_WORDS);
		else
			d->word[d->words++] = (struct domain_text){ value, xml_line(arg) };
	}
}

void domain_read(struct xml *xml, xmlNode *root, struct domain *d)
{
	xmlNode *emulator;
	xmlNode *devices;

	memset(d, 0, sizeof(*d));
	xml_take(root);
	d->name = text_of(xml_child(root, "name"));
	d->uuid = text_of(xml_child(root, "uuid"));
	read_memory(xml, root, d);
	read_backing(xml, root, d);
	read_numa(xml, root, d);
	read_vcpus(xml, root, d);
	read_cputune(xml, root, d);
	read_os(xml, root, d);
	read_features(xml, root);
	read_restart(xml, root, d);
	read_reset(xml, root, d);
	read_words(xml, root, d);
	devices = xml_child(root, "devices");
	emulator = xml_child(devices, "emulator");
	if (emulator && !strstr(xml_text(emulator), "/qemu-"))
		xml_lost(xml, emulator, "the image's QEMU runs the guests");
	domain_read_devices(xml, devices, d);
	d->panic_line = line_of_panic(xml, devices);
}

void domain_rest(struct xml *xml)
{
	xml_rest(xml, rules, ARRAY_SIZE(rules));
}
