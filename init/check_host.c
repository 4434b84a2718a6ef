/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host: what it has of what VMs need, and its own part of the manifest. */
#include "check.h"

#include <inttypes.h>

#include "check_private.h"
#include "manifest.h"
#include "smmu.h"
#include "util.h"
#include "wall.h"

enum { CLASS_NETWORK = 0x02 }; /* base class (PCI Code and ID Assignment, 1.3) */

/* --- bridges --- */

/* Whether all of the name is "vm", a number, "net" and a number: how hvinit calls taps. */
static bool is_tap(const char *name)
{
	static const char *const part[] = { "vm", "net" };

	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		size_t digits;

		if (!str_prefix(name, part[i]))
			return false;
		name += strlen(part[i]);
		digits = strspn(name, "0123456789");
		if (!digits)
			return false;
		name += digits;
	}
	return *name == '\0';
}

static void check_bridge_name(const char *name, unsigned n, struct diag *diag)
{
	char symbol[DIAG_SUBJECT];

	if (strcmp(name, "lo") != 0 && !is_tap(name))
		return;
	str_format(symbol, sizeof(symbol), "HOST_BRIDGE%u_NAME", n);
	diag_add(diag, DIAG_HOST, DIAG_BRIDGE_NAME, symbol, "call a bridge \"%s\": that is %s",
		 name, is_tap(name) ? "what hvinit calls the tap of a VM" : "the loopback");
}

static void check_clash(const struct check_set *set, unsigned n, struct diag *diag)
{
	const struct bridge_config *bridge = set->config->host.bridge;
	char symbol[DIAG_SUBJECT];

	for (unsigned i = 0; i < n; i++) {
		if (strcmp(bridge[i].name, bridge[n].name) == 0) {
			str_format(symbol, sizeof(symbol), "HOST_BRIDGE%u_NAME", n);
			diag_add(diag, DIAG_HOST, DIAG_BRIDGE_CLASH, symbol,
				 "call a bridge \"%s\": HOST_BRIDGE%u_NAME is the same",
				 bridge[n].name, i);
		}
		if (bridge[n].uplink_bdf[0] &&
		    strcmp(bridge[i].uplink_bdf, bridge[n].uplink_bdf) == 0) {
			str_format(symbol, sizeof(symbol), "HOST_BRIDGE%u_UPLINK_BDF", n);
			diag_add(diag, DIAG_HOST, DIAG_BRIDGE_CLASH, symbol,
				 "use %s: HOST_BRIDGE%u_UPLINK_BDF is the same",
				 bridge[n].uplink_bdf, i);
		}
	}
}

static void check_uplink(const struct check_set *set, unsigned n, struct diag *diag)
{
	const char *bdf = set->config->host.bridge[n].uplink_bdf;
	const struct pci_fact *fact = facts_find(set->facts, bdf);
	char symbol[DIAG_SUBJECT];

	str_format(symbol, sizeof(symbol), "HOST_BRIDGE%u_UPLINK_BDF", n);
	if (!fact)
		diag_add(diag, DIAG_HOST, DIAG_UPLINK_NONE, symbol, "find %s: no such PCI device",
			 bdf);
	else if (fact->class >> 16 != CLASS_NETWORK)
		diag_add(diag, DIAG_HOST, DIAG_UPLINK_NONE, symbol,
			 "use %s: it is no network card (class %06x)", bdf, fact->class);
	else if (!(set->prepared && fact->driver[0]) && !check_loads(set, fact->driver))
		diag_add(diag, DIAG_HOST, DIAG_DRV_MISSING, symbol,
			 "use %s: its driver%s%s is not among HOST_MODULES", bdf,
			 fact->driver[0] ? " " : "", fact->driver);
}

void check_host(const struct check_set *set, struct diag *diag)
{
	for (unsigned n = 0; n < HV_BRIDGE_SLOTS; n++) {
		if (!manifest_bridge_used(&set->config->host.bridge[n]))
			continue;
		check_bridge_name(set->config->host.bridge[n].name, n, diag);
		check_clash(set, n, diag);
		if (set->machine && set->config->host.bridge[n].uplink_bdf[0])
			check_uplink(set, n, diag);
	}
	check_bridge_gaps(set->config, diag);
}

/* --- the table --- */

const char *check_verdict_text(enum check_verdict verdict)
{
	static const char *const text[] = { "OK", "WARN", "FAIL", "unknown" };

	return text[verdict];
}

/* Where rows go. */
struct rows {
	const struct check_set *set;
	void (*each)(void *arg, const struct check_row *row);
	void *arg;
};

PRINTF_LIKE(4, 5)
static void row(const struct rows *r, const char *name, enum check_verdict verdict, const char *fmt,
		...)
{
	struct check_row one = { .verdict = verdict };
	va_list ap;

	str_copy(one.name, sizeof(one.name), name);
	va_start(ap, fmt);
	vsnprintf(one.detail, sizeof(one.detail), fmt, ap);
	va_end(ap);
	r->each(r->arg, &one);
}

static void kernel_row(const struct rows *r)
{
	static const enum kernel_symbol wanted[] = {
		KERNEL_IOMMUFD,	 KERNEL_VFIO,	     KERNEL_VFIO_DEVICE_CDEV,
		KERNEL_VFIO_PCI, KERNEL_ARM_SMMU_V3, KERNEL_ARM_SMMU_V3_IOMMUFD,
		KERNEL_KVM
	};
	const struct facts *f = r->set->facts;
	const char *release = f->kernel[0] ? f->kernel : "release unknown";
	bool unknown = false;
	char lack[CHECK_DETAIL] = "";

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		size_t used = strlen(lack);

		unknown |= f->symbol[wanted[i]] == KERNEL_UNKNOWN;
		if (f->symbol[wanted[i]] == KERNEL_NO)
			str_format(lack + used, sizeof(lack) - used, " CONFIG_%s",
				   kernel_symbol_name(wanted[i]));
	}
	if (check_is_foreign(r->set))
		row(r, "kernel", CHECK_UNKNOWN, "%s is another system's, hvinit brings its own",
		    release);
	else if (lack[0])
		row(r, "kernel", CHECK_FAIL, "%s, without%s", release, lack);
	else if (unknown)
		row(r, "kernel", CHECK_UNKNOWN, "%s, its configuration is not recorded", release);
	else
		row(r, "kernel", CHECK_OK, "%s", release);
}

/* Who may use all CPUs needs no wall around some. */
static bool any_pinned(const struct check_set *set)
{
	bool any = false;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		any |= cpulist_count(&set->plan[slot].cpus) > 0;
	return any;
}

/* Whether QEMU can be confined as hvinit does it. */
static void confinement_row(const struct rows *r)
{
	bool allowed = r->set->config->host.allow_weak_confinement;
	const struct facts *f = r->set->facts;
	char names[WALL_NAMES];
	bool unknown = false;
	wall_set missing = 0;

	for (unsigned i = 0; i < WALLS; i++) {
		enum kernel_symbol symbol = wall_symbol(i);

		if (symbol == KERNEL_SYMBOLS)
			continue;
		unknown |= f->symbol[symbol] == KERNEL_UNKNOWN;
		if (f->symbol[symbol] == KERNEL_NO && (i != WALL_CPUS || any_pinned(r->set)))
			missing |= 1U << i;
	}
	if (check_is_foreign(r->set))
		row(r, "confinement", CHECK_UNKNOWN, "the kernel is another system's");
	else if (missing)
		row(r, "confinement", allowed ? CHECK_WARN : CHECK_FAIL,
		    "the kernel cannot give %s; VMs start %s", wall_names(missing, names),
		    allowed ? "all the same" : "only with HOST_ALLOW_WEAK_CONFINEMENT");
	else if (unknown)
		row(r, "confinement", CHECK_UNKNOWN, "the kernel's configuration is not recorded");
	else
		row(r, "confinement", CHECK_OK, "the kernel has all that it takes");
}

/* Of a machine under another system the firmware counts: what it asks of an image. */
static void trust_row(const struct rows *r)
{
	const struct facts *f = r->set->facts;
	const char *lockdown = f->lockdown[0] ? f->lockdown : "unknown";
	bool on = f->secure_boot == KNOWN_YES;

	if (f->secure_boot == KNOWN_UNKNOWN)
		return;
	if (on && check_is_foreign(r->set))
		row(r, "secure boot", CHECK_WARN,
		    "on: starts only an image signed by a key that is enrolled");
	else if (check_is_foreign(r->set))
		row(r, "secure boot", CHECK_OK, "off");
	else
		row(r, "secure boot", on && strcmp(lockdown, "none") == 0 ? CHECK_WARN : CHECK_OK,
		    "%s, lockdown: %s", on ? "on" : "off", lockdown);
}

/* What only devices need is no fault where no VM gets one. */
static enum check_verdict missing(const struct check_set *set)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (set->plan[slot].devices)
			return CHECK_FAIL;
	return CHECK_WARN;
}

static enum check_verdict missing_in_kernel(const struct check_set *set)
{
	return check_is_foreign(set) ? CHECK_UNKNOWN : missing(set);
}

static void driver_row(const struct rows *r)
{
	const struct facts *f = r->set->facts;
	char names[CHECK_DETAIL] = "";

	for (unsigned i = 0; i < f->drivers; i++) {
		size_t used = strlen(names);

		if (strstr(f->driver[i].name, "vfio"))
			str_format(names + used, sizeof(names) - used, "%s%s", used ? " " : "",
				   f->driver[i].name);
	}
	row(r, "vfio drivers", names[0] ? CHECK_OK : missing_in_kernel(r->set), "%s",
	    names[0] ? names : "none");
}

static void memory_row(const struct rows *r)
{
	uint64_t have = r->set->facts->memory_kib >> 10;
	uint64_t want = 0;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (r->set->plan[slot].vm)
			want += (uint64_t)r->set->plan[slot].vm->memory_mib;
	if (!have)
		row(r, "memory", CHECK_UNKNOWN, "not recorded");
	else
		row(r, "memory", want + CHECK_RESERVED_MIB > have ? CHECK_WARN : CHECK_OK,
		    "%" PRIu64 " MiB, all VMs together want %" PRIu64, have, want);
}

/* Whether some VM wants pages of that size. */
static bool wants(const struct check_set *set, enum facts_page page)
{
	int size = page == FACTS_PAGE_1G ? VM_HUGEPAGES_1G : VM_HUGEPAGES_2M;
	bool any = false;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		any |= set->plan[slot].vm && set->plan[slot].vm->hugepages == size;
	return any;
}

static void huge_row(const struct rows *r, enum facts_page page, const char *name)
{
	const struct facts *f = r->set->facts;
	uint64_t total = 0;
	uint64_t free = 0;

	for (unsigned i = 0; i < f->nodes; i++) {
		total += f->node[i].huge_total[page];
		free += f->node[i].huge_free[page];
	}
	if (f->huge[page])
		row(r, name, CHECK_OK, "%" PRIu64 " set aside, %" PRIu64 " of them free", total,
		    free);
	else
		row(r, name,
		    !wants(r->set, page)     ? CHECK_OK :
		    check_is_foreign(r->set) ? CHECK_UNKNOWN :
					       CHECK_FAIL,
		    "the kernel has none of that size%s",
		    wants(r->set, page) ? "" : ", and no VM wants any");
}

static void cpu_row(const struct rows *r)
{
	char text[CPULIST_TEXT];

	if (cpulist_count(&r->set->facts->cpus) == 0)
		row(r, "cpus", CHECK_UNKNOWN, "not recorded");
	else
		row(r, "cpus", CHECK_OK, "%s", cpulist_print(&r->set->facts->cpus, text));
}

static const char *yes_no(enum known known)
{
	return known == KNOWN_YES ? "yes" : known == KNOWN_NO ? "no" : "?";
}

/* What no VM uses is no fault. */
static enum check_verdict accel_verdict(enum known possible, bool used)
{
	if (possible == KNOWN_UNKNOWN)
		return CHECK_UNKNOWN;
	return possible == KNOWN_YES ? CHECK_OK : used ? CHECK_FAIL : CHECK_WARN;
}

static void smmu_row(const struct rows *r, const struct smmu_fact *smmu)
{
	struct check_accel accel;
	enum check_verdict verdict;
	char oas[16] = "?";
	char ssid[16] = "?";

	check_accel_smmu(smmu, &accel);
	verdict = accel_verdict(accel.possible, check_accel_used(r->set, smmu));
	if (accel.possible != KNOWN_YES) {
		row(r, smmu->name, verdict, "acceleration %s: %s",
		    accel.possible == KNOWN_NO ? "not possible" : "not known", accel.why);
		return;
	}
	if (smmu_oas(smmu))
		str_format(oas, sizeof(oas), "%u", smmu_oas(smmu));
	if (smmu_ssidsize(smmu) >= 0)
		str_format(ssid, sizeof(ssid), "%d", smmu_ssidsize(smmu));
	row(r, smmu->name, verdict, "acceleration possible; oas %s, ssidsize %s, ats %s, ril %s",
	    oas, ssid, yes_no(smmu_has_ats(smmu)), yes_no(smmu_has_ril(smmu)));
}

static void smmu_rows(const struct rows *r)
{
	const struct facts *f = r->set->facts;
	bool used = missing(r->set) == CHECK_FAIL;
	struct check_accel accel;

	for (unsigned i = 0; i < f->smmus; i++)
		smmu_row(r, &f->smmu[i]);
	check_accel(r->set, &accel);
	row(r, "accelerated vSMMUv3", accel_verdict(accel.possible, used), "%s%s%s",
	    accel.possible == KNOWN_YES ? "possible" :
	    accel.possible == KNOWN_NO	? "not possible" :
					  "not known",
	    accel.why[0] ? ": " : "", accel.why);
}

void check_rows(const struct check_set *set, void (*each)(void *arg, const struct check_row *row),
		void *arg)
{
	const struct rows r = { set, each, arg };
	const struct facts *f = set->facts;

	if (!set->machine) {
		row(&r, "machine", CHECK_UNKNOWN, "not looked at");
		return;
	}
	row(&r, "kvm", f->kvm ? CHECK_OK : CHECK_FAIL, f->kvm ? "there" : "no /dev/kvm");
	row(&r, "iommufd", f->iommufd ? CHECK_OK : missing_in_kernel(set),
	    f->iommufd ? "there" : "no /dev/iommu");
	kernel_row(&r);
	confinement_row(&r);
	trust_row(&r);
	driver_row(&r);
	smmu_rows(&r);
	memory_row(&r);
	huge_row(&r, FACTS_PAGE_2M, "hugepages 2M");
	huge_row(&r, FACTS_PAGE_1G, "hugepages 1G");
	cpu_row(&r);
}
