/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The import of libvirt domains: each part of a domain gives its lines, or is told of. */
#include "unit.h"

#include <stdlib.h>

#include "import.h"
#include "import_private.h"
#include "manifest.h"

static struct xml xml;
static struct fragment fragment;
static struct facts facts;

/* Imports a document; the lines it gives are the caller's to free. NULL: it is no domain. */
static char *import(const char *text, char error[DIAG_TEXT])
{
	char *lines = NULL;
	size_t size;
	bool done;

	fragment = (struct fragment){ .vm = 3, .xml = &xml, .out = open_memstream(&lines, &size) };
	done = import_text(text, strlen(text), facts.count ? &facts : NULL, &fragment, error,
			   DIAG_TEXT);
	fclose(fragment.out);
	xml_close(&xml);
	if (done)
		return lines;
	free(lines);
	return NULL;
}

/* --- parts of a domain --- */

struct part {
	const char *title;
	const char *body; /* beside a name and <features><acpi/> */
	const char *lines; /* that come after the name's */
	const char *told; /* part of the only finding's text; NULL: there is none */
	enum diag_code code;
};

#define DEVICES(text) "<devices>" text "</devices>"
#define PXB(index, bus)                                                           \
	"<controller type='pci' model='pcie-expander-bus' index='" index "'>"     \
	"<target busNr='" bus "'/><address type='pci' bus='0' slot='" index "'/>" \
	"</controller>"
#define PORT(index, bus, slot)                                             \
	"<controller type='pci' model='pcie-root-port' index='" index "'>" \
	"<address type='pci' bus='" bus "' slot='" slot "'/></controller>"
#define SWITCH(side, index, bus)                                                      \
	"<controller type='pci' model='pcie-switch-" side "-port' index='" index "'>" \
	"<address type='pci' bus='" bus "' slot='0'/></controller>"
#define SMMU(bus) "<iommu model='smmuv3'><driver pciBus='" bus "' accel='on'/></iommu>"
#define HOSTDEV(bdf_bus, rest)                                                               \
	"<hostdev type='pci' mode='subsystem' managed='yes'><driver iommufd='yes'/><source>" \
	"<address bus='" bdf_bus "' slot='0'/></source>" rest "</hostdev>"
#define DISK(rest) \
	"<disk type='file'><source file='/d'/><target dev='vda' bus='virtio'/>" rest "</disk>"
#define VSMMU0 "VM3_VSMMU0_PXB_INDEX=\"1\"\nVM3_VSMMU0_BUS_NR=\"8\"\nVM3_VSMMU0_ADDR=\"1\"\n"
#define PINS "<cputune><vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='1' cpuset='3'/></cputune>"

static const struct part parts[] = {
	{ "memory in KiB by default", "<memory>2097152</memory>", "VM3_MEMORY_MIB=2048\n", NULL,
	  0 },
	{ "memory in bytes", "<memory unit='b'>134217728</memory>", "VM3_MEMORY_MIB=128\n", NULL,
	  0 },
	{ "memory in GiB", "<memory unit='G'>2</memory>", "VM3_MEMORY_MIB=2048\n", NULL, 0 },
	{ "decimal memory", "<memory unit='GB'>1</memory>", "VM3_MEMORY_MIB=954\n",
	  "/domain/memory: is no whole number of MiB: 954", DIAG_IMPORT_CHANGED },
	{ "memory of no unit", "<memory unit='Kix'>1</memory>", "",
	  "/domain/memory: \"1\" Kix: want a size", DIAG_IMPORT_VALUE },
	{ "memory that is no number", "<memory>much</memory>", "", "\"much\" KiB: want a size",
	  DIAG_IMPORT_VALUE },
	{ "more memory than there can be", "<memory unit='TiB'>18446744073709551615</memory>", "",
	  "want a size", DIAG_IMPORT_VALUE },
	{ "too little memory", "<memory unit='MiB'>1</memory>", "",
	  "VM3_MEMORY_MIB: not set: 1 is out of range", DIAG_IMPORT_VALUE },
	{ "a balloon", "<memory>1048576</memory><currentMemory>524288</currentMemory>",
	  "VM3_MEMORY_MIB=1024\n", "/domain/currentMemory: not carried", DIAG_IMPORT_LOST },
	{ "huge pages",
	  "<memoryBacking><hugepages><page size='2' unit='M'/></hugepages></memoryBacking>",
	  "VM3_HUGEPAGES=\"2M\"\n", NULL, 0 },
	{ "huge pages of any size", "<memoryBacking><hugepages/></memoryBacking>",
	  "VM3_HUGEPAGES=\"2M\"\n", "names no page size", DIAG_IMPORT_CHANGED },
	{ "huge pages of another size",
	  "<memoryBacking><hugepages><page size='64'/></hugepages></memoryBacking>", "",
	  "hugepages/page: not carried", DIAG_IMPORT_LOST },
	{ "a NUMA node", "<numatune><memory mode='strict' nodeset='1'/></numatune>",
	  "VM3_NUMA_NODE=\"1\"\n", NULL, 0 },
	{ "two NUMA nodes", "<numatune><memory nodeset='0-1'/></numatune>", "",
	  "/domain/numatune/memory: not carried", DIAG_IMPORT_LOST },
	{ "CPUs, pinned together", "<vcpu cpuset='0-7,^3'>4</vcpu>",
	  "VM3_CPUS=4\nVM3_CPU_PIN=\"0-2,4-7\"\n", NULL, 0 },
	{ "CPUs, pinned one by one", "<vcpu>2</vcpu>" PINS, "VM3_CPUS=2\nVM3_CPU_PIN=\"2-3\"\n",
	  NULL, 0 },
	{ "CPUs, pinned the other way round",
	  "<vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='3'/><vcpupin vcpu='1' cpuset='2'/>"
	  "</cputune>",
	  "VM3_CPUS=2\n", "/domain/cputune: not carried", DIAG_IMPORT_LOST },
	{ "CPUs that share as many", "<vcpu cpuset='4-5'>2</vcpu>", "VM3_CPUS=2\n",
	  "set VM3_CPU_PIN", DIAG_IMPORT_LOST },
	{ "CPUs, the first of them in a part of what the others share",
	  "<vcpu cpuset='0-3'>3</vcpu><cputune><vcpupin vcpu='0' cpuset='0'/></cputune>",
	  "VM3_CPUS=3\n", "/domain/cputune: not carried", DIAG_IMPORT_LOST },
	{ "CPUs, some of them pinned", "<vcpu>3</vcpu>" PINS, "VM3_CPUS=3\n", "set VM3_CPU_PIN",
	  DIAG_IMPORT_LOST },
	{ "the emulator elsewhere",
	  "<vcpu>2</vcpu>"
	  "<cputune><vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='1' cpuset='3'/>"
	  "<emulatorpin cpuset='0'/></cputune>",
	  "VM3_CPUS=2\nVM3_CPU_PIN=\"2-3\"\n", "QEMU's other threads run on 2-3, too",
	  DIAG_IMPORT_CHANGED },
	{ "the emulator alone", "<cputune><emulatorpin cpuset='0'/></cputune>", "",
	  "emulatorpin: not carried", DIAG_IMPORT_LOST },
	{ "CPUs that are no list", "<vcpu cpuset='a'>1</vcpu>", "VM3_CPUS=1\n",
	  "cpuset=\"a\": want CPUs", DIAG_IMPORT_VALUE },
	{ "another architecture", "<os><type arch='x86_64' machine='q35'>hvm</type></os>", "",
	  "/domain/os/type/@arch: not carried: hvinit's guests are aarch64", DIAG_IMPORT_LOST },
	{ "the newest machine", "<os><type arch='aarch64' machine='virt'>hvm</type></os>",
	  "VM3_MACHINE=\"" QEMU_MACHINE "\"\n", "is " QEMU_MACHINE " now", DIAG_IMPORT_CHANGED },
	{ "a numbered machine", "<os><type arch='aarch64' machine='virt-10.0'>hvm</type></os>",
	  "VM3_MACHINE=\"virt-10.0\"\n", NULL, 0 },
	{ "another machine", "<os><type arch='aarch64' machine='sbsa-ref'>hvm</type></os>", "",
	  "/domain/os/type/@machine: not carried", DIAG_IMPORT_LOST },
	{ "a kernel",
	  "<os><kernel>/k</kernel><initrd>/i</initrd><cmdline>a \"b\" \\</cmdline></os>",
	  "VM3_KERNEL=\"/k\"\nVM3_INITRD=\"/i\"\nVM3_CMDLINE=\"a \\\"b\\\" \\\\\"\n", NULL, 0 },
	{ "a kernel with a comment in it", "<os><kernel>/ke<!-- x -->rnel</kernel></os>",
	  "VM3_KERNEL=\"/kernel\"\n", NULL, 0 },
	{ "a kernel that is no path", "<os><kernel>k</kernel></os>", "",
	  "VM3_KERNEL: not set: \"k\" is not an absolute path", DIAG_IMPORT_VALUE },
	{ "a path in two lines", "<os><kernel>a\nb</kernel></os>", "",
	  "VM3_KERNEL: not set: \"a?b\" is not an absolute path", DIAG_IMPORT_VALUE },
	{ "a command line in two lines", "<os><cmdline>a\nb</cmdline></os>", "",
	  "VM3_CMDLINE: not set: the string holds a control character", DIAG_IMPORT_VALUE },
	{ "a boot order without devices", "<os><boot dev='hd'/></os>", "",
	  "set VM3_HOSTDEVm_BOOTINDEX", DIAG_IMPORT_LOST },
	{ "booting from a CD", "<os><boot dev='cdrom'/></os>", "", "/domain/os/boot: not carried",
	  DIAG_IMPORT_LOST },
	{ "a boot order", "<os><boot dev='network'/><boot dev='hd'/></os>" DEVICES(DISK("")),
	  "VM3_DISK0_PATH=\"/d\"\nVM3_DISK0_BOOTINDEX=\"1\"\n", "/domain/os/boot: not carried",
	  DIAG_IMPORT_LOST },
	{ "start again always", "<on_poweroff>restart</on_poweroff><on_crash>restart</on_crash>",
	  "VM3_RESTART=\"always\"\n", NULL, 0 },
	{ "start again after a shutdown only", "<on_poweroff>restart</on_poweroff>",
	  "VM3_RESTART=\"always\"\n", "after a crash, too", DIAG_IMPORT_CHANGED },
	{ "start again after a crash",
	  "<on_poweroff>destroy</on_poweroff><on_crash>restart</on_crash>",
	  "VM3_RESTART=\"on-failure\"\n", NULL, 0 },
	{ "keep what crashed", "<on_crash>preserve</on_crash>", "", "/domain/on_crash: not carried",
	  DIAG_IMPORT_LOST },
	{ "an end at a reboot", "<on_reboot>destroy</on_reboot>", "VM3_ON_RESET=\"stopped\"\n",
	  NULL, 0 },
	{ "something else at a reboot", "<on_reboot>preserve</on_reboot>", "",
	  "/domain/on_reboot: not carried", DIAG_IMPORT_LOST },
	{ "a device for panics", "<devices><panic model='pvpanic'/></devices>", "VM3_PVPANIC=y\n",
	  NULL, 0 },
	{ "another device for panics", "<devices><panic model='pseries'/></devices>", "",
	  "/domain/devices/panic: not carried", DIAG_IMPORT_LOST },
	{ "a word of QEMU's with a quote",
	  "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
	  "<q:arg value=\"a'b\"/></q:commandline>",
	  "", "/domain/q:commandline/q:arg: not carried", DIAG_IMPORT_LOST },
	{ "an unknown element", "<new/>", "",
	  "/domain/new: not carried: a manifest has no word for it", DIAG_IMPORT_LOST },
	{ "a disk of no bus", DEVICES("<disk type='file'><source file='/d'/></disk>"), "",
	  "/domain/devices/disk: not carried", DIAG_IMPORT_LOST },
	{ "a disk with a backing file",
	  DEVICES(DISK("<backingStore type='file'><x/></backingStore>")), "VM3_DISK0_PATH=\"/d\"\n",
	  "a disk must stand alone", DIAG_IMPORT_LOST },
	{ "a disk of another format", DEVICES(DISK("<driver name='qemu' type='vmdk'/>")),
	  "VM3_DISK0_PATH=\"/d\"\n", "VM3_DISK0_FORMAT: not set: \"vmdk\" is not one of: raw qcow2",
	  DIAG_IMPORT_VALUE },
	{ "a disk at the place it gets",
	  DEVICES(DISK("<address type='pci' bus='0' slot='31' function='0'/>")),
	  "VM3_DISK0_PATH=\"/d\"\n", NULL, 0 },
	{ "a disk that is not on PCI", DEVICES(DISK("<address type='virtio-mmio'/>")),
	  "VM3_DISK0_PATH=\"/d\"\n", "disk/address: not carried", DIAG_IMPORT_LOST },
	{ "the fifth disk", DEVICES(DISK("") DISK("") DISK("") DISK("") DISK("")),
	  "VM3_DISK0_PATH=\"/d\"\nVM3_DISK1_PATH=\"/d\"\nVM3_DISK2_PATH=\"/d\"\n"
	  "VM3_DISK3_PATH=\"/d\"\n",
	  "/domain/devices/disk[5]: not carried: a VM has at most 4 disks", DIAG_IMPORT_LOST },
	{ "a disk after one with a path that cannot be",
	  DEVICES("<disk type='file'><source file='rel.img'/><target bus='virtio'/></disk>" DISK(
		  "")),
	  "VM3_DISK0_PATH=\"/d\"\n", "DISK0_PATH: not set: \"rel.img\"", DIAG_IMPORT_VALUE },
	{ "a disk after one without a path",
	  DEVICES("<disk type='file'><source file=''/><target bus='virtio'/></disk>" DISK("")),
	  "VM3_DISK0_PATH=\"/d\"\n", "disk[1]: not carried", DIAG_IMPORT_LOST },
	{ "an interface after one on a bridge that cannot be",
	  DEVICES("<interface type='bridge'><source bridge='a234567890123456'/></interface>"
		  "<interface type='bridge'><source bridge='br1'/></interface>"),
	  "VM3_NET0_BRIDGE=\"br1\"\n", NULL, DIAG_IMPORT_VALUE },
	{ "an interface on a bridge",
	  DEVICES("<interface type='bridge'><source bridge='br1'/></interface>"),
	  "VM3_NET0_BRIDGE=\"br1\"\n", "set HOST_BRIDGEn_NAME to \"br1\"", DIAG_IMPORT_HOST },
	{ "an interface of another model",
	  DEVICES("<interface type='bridge'><source bridge='b'/><model type='e1000e'/></interface>"),
	  "", "/domain/devices/interface: not carried", DIAG_IMPORT_LOST },
	{ "a device with no place of its own", DEVICES(HOSTDEV("0x41", "")),
	  "VM3_HOSTDEV0_BDF=\"0000:41:00.0\"\n", NULL, 0 },
	{ "a device on pcie.0 itself",
	  DEVICES(HOSTDEV("1", "<address type='pci' bus='0' slot='5'/>")),
	  "VM3_HOSTDEV0_BDF=\"0000:01:00.0\"\nVM3_HOSTDEV0_VSMMU=\"none\"\n",
	  "stands alone behind a root port of its own, not at 00:05.0", DIAG_IMPORT_CHANGED },
	{ "a device without an address", DEVICES("<hostdev type='pci'><source/></hostdev>"), "",
	  "/domain/devices/hostdev: not carried: it has no address", DIAG_IMPORT_LOST },
	{ "an address that is none",
	  DEVICES("<hostdev type='pci' managed='yes'>"
		  "<driver iommufd='yes'/><source><address bus='0x1000' slot='0'/></source></hostdev>"),
	  "", NULL, DIAG_IMPORT_VALUE },
	{ "a device without iommufd",
	  DEVICES("<hostdev type='pci' managed='yes'><source>"
		  "<address bus='1' slot='0'/></source></hostdev>"),
	  "VM3_HOSTDEV0_BDF=\"0000:01:00.0\"\n", "goes through iommufd", DIAG_IMPORT_CHANGED },
	{ "iommufd for the whole domain",
	  "<iommufd enabled='yes'/>" DEVICES(
		  "<hostdev type='pci' managed='yes'><source><address bus='1' slot='0'/></source></hostdev>"),
	  "VM3_HOSTDEV0_BDF=\"0000:01:00.0\"\n", NULL, 0 },
	{ "two devices behind one port",
	  DEVICES(PORT("1", "0", "2") HOSTDEV("1", "<address type='pci' bus='1' slot='0'/>")
			  HOSTDEV("2", "<address type='pci' bus='1' slot='0' function='1'/>")),
	  "VM3_HOSTDEV0_BDF=\"0000:01:00.0\"\nVM3_HOSTDEV0_VSMMU=\"none\"\n"
	  "VM3_HOSTDEV0_PORT_INDEX=\"1\"\nVM3_HOSTDEV0_PORT_ADDR=\"2\"\n"
	  "VM3_HOSTDEV1_BDF=\"0000:02:00.0\"\nVM3_HOSTDEV1_VSMMU=\"none\"\n",
	  "hostdev[2]: stands alone behind a root port of its own, not at 01:00.1",
	  DIAG_IMPORT_CHANGED },
	{ "a device behind a switch",
	  DEVICES(PXB("1", "8") PORT("2", "1", "0") SWITCH("upstream", "3", "2")
			  SWITCH("downstream", "4", "3") SMMU("1")
				  HOSTDEV("1", "<address type='pci' bus='4' slot='0'/>")),
	  "VM3_HOSTDEV0_BDF=\"0000:01:00.0\"\nVM3_HOSTDEV0_VSMMU=\"0\"\n" VSMMU0
	  "VM3_PORT0_BUS=\"0\"\nVM3_PORT0_INDEX=\"2\"\nVM3_PORT0_ADDR=\"0\"\n",
	  NULL, DIAG_IMPORT_CHANGED },
	{ "a device behind switches in a ring",
	  DEVICES(SWITCH("upstream", "3", "4") SWITCH("downstream", "4", "3")
			  HOSTDEV("1", "<address type='pci' bus='4' slot='0'/>")),
	  "VM3_HOSTDEV0_BDF=\"0000:01:00.0\"\nVM3_HOSTDEV0_VSMMU=\"none\"\n", NULL,
	  DIAG_IMPORT_CHANGED },
	{ "an expander bus that shares a slot",
	  DEVICES("<controller type='pci' model='pcie-expander-bus' index='1'><target busNr='8'/>"
		  "<address type='pci' bus='0' slot='1' function='2'/></controller>" SMMU("1")),
	  "VM3_VSMMU0_PXB_INDEX=\"1\"\nVM3_VSMMU0_BUS_NR=\"8\"\n",
	  "gets a slot of its own on pcie.0, not 00:01.2", DIAG_IMPORT_CHANGED },
	{ "a serial line",
	  DEVICES("<serial type='pty'><source path='/dev/pts/3'/>"
		  "<target type='system-serial' port='0'><model name='pl011'/></target>"
		  "<alias name='serial0'/></serial><console type='pty' tty='/dev/pts/3'>"
		  "<source path='/dev/pts/3'/><target type='serial' port='0'/></console>"),
	  "", NULL, 0 },
	{ "a serial line with a log",
	  DEVICES("<serial type='pty'><log file='/l' append='on'/></serial>"), "",
	  "serial/log: not carried: hvinit keeps", DIAG_IMPORT_LOST },
	{ "a second serial line",
	  DEVICES("<serial type='pty'/><serial type='pty'><target port='1'/></serial>"), "",
	  "serial[2]: not carried: the guest's first", DIAG_IMPORT_LOST },
	{ "a serial line on USB",
	  DEVICES("<serial type='pty'><target type='usb-serial' port='0'/></serial>"), "",
	  "serial/target/@type: not carried", DIAG_IMPORT_LOST },
	{ "a virtio console",
	  DEVICES("<console type='pty'><target type='virtio' port='0'/></console>"), "",
	  "/domain/devices/console: not carried", DIAG_IMPORT_LOST },
	{ "a device of a net",
	  DEVICES("<interface type='hostdev' managed='yes'>"
		  "<driver iommufd='yes'/><source><address bus='1' slot='0'/></source></interface>"),
	  "VM3_HOSTDEV0_BDF=\"0000:01:00.0\"\n", "is a virtual function, most likely",
	  DIAG_IMPORT_HOST },
	{ "an SMMU of the whole machine", DEVICES("<iommu model='smmuv3'/>"), "",
	  "it names no pcie-expander-bus", DIAG_IMPORT_LOST },
	{ "an SMMU of another kind", DEVICES("<iommu model='virtio'/>"), "",
	  "hvinit's SMMUs are smmuv3", DIAG_IMPORT_LOST },
	{ "an SMMU on no expander bus", DEVICES(SMMU("7")), "", "PCI controller 7 is no",
	  DIAG_IMPORT_LOST },
	{ "two SMMUs on one bus", DEVICES(PXB("1", "8") SMMU("1") SMMU("1")), VSMMU0,
	  "iommu[2]: not carried: PCI controller 1 has an SMMU already", DIAG_IMPORT_LOST },
	{ "an expander bus without an SMMU", DEVICES(PXB("1", "8")), "", "no SMMU stands on it",
	  DIAG_IMPORT_LOST },
	{ "a property that is none",
	  DEVICES(PXB("1",
		      "8") "<iommu model='smmuv3'><driver pciBus='1' accel='on' oas='52'/></iommu>"),
	  VSMMU0, "VM3_VSMMU0_OAS: not set: \"52\" is not one of", DIAG_IMPORT_VALUE },
	{ "a plain SMMU with a disk behind it",
	  DEVICES(DISK("<address type='pci' bus='2' slot='0'/>") PXB("1", "8")
			  PORT("2", "1", "0") "<iommu model='smmuv3'><driver pciBus='1'/></iommu>"),
	  "VM3_DISK0_PATH=\"/d\"\nVM3_DISK0_PORT=\"0\"\n# VM3_VSMMU0_ACCEL is not set\n" VSMMU0
	  "VM3_PORT0_BUS=\"0\"\nVM3_PORT0_INDEX=\"2\"\nVM3_PORT0_ADDR=\"0\"\n",
	  NULL, 0 },
	{ "a bus number that is none", DEVICES(PXB("1", "999") SMMU("1")),
	  "VM3_VSMMU0_PXB_INDEX=\"1\"\nVM3_VSMMU0_ADDR=\"1\"\n",
	  "busNr=\"999\": want a number from 0 to 255", DIAG_IMPORT_VALUE },
	{ "the ninth spare port",
	  DEVICES(PORT("1", "0", "1") PORT("2", "0", "2") PORT("3", "0", "3") PORT("4", "0", "4")
			  PORT("5", "0", "5") PORT("6", "0", "6") PORT("7", "0", "7")
				  PORT("8", "0", "8") PORT("9", "0", "9")
					  DISK("<address type='pci' bus='9' slot='0'/>")),
	  NULL, "controller[8]: not carried: nothing is behind it", DIAG_IMPORT_LOST },
};

static void part(void **state)
{
	const struct part *p = *state;
	static const char name[] = "VM3_NAME=\"v\"\n";
	char text[4096];
	char error[DIAG_TEXT];
	char *lines;

	str_format(text, sizeof(text),
		   "<domain type='kvm'><name>v</name>%s<features><acpi/></features></domain>",
		   p->body);
	lines = import(text, error);
	assert_non_null(lines);
	assert_true(str_prefix(lines, name));
	if (p->lines)
		assert_string_equal(lines + strlen(name), p->lines);
	free(lines);
	if (!p->told && !p->code) {
		assert_int_equal(xml.findings, 0);
		return;
	}
	if (p->told)
		assert_int_equal(xml.findings, 1);
	assert_int_equal(xml.finding[0].code, p->code);
	if (p->told && !strstr(xml.finding[0].text, p->told))
		fail_msg("\"%s\" is not in \"%s\"", p->told, xml.finding[0].text);
}

/* --- names --- */

static void name_becomes(const char *name, const char *id)
{
	char text[512];
	char want[128];
	char error[DIAG_TEXT];
	char *lines;

	str_format(text, sizeof(text),
		   "<domain><name>%s</name><features><acpi/></features></domain>", name);
	str_format(want, sizeof(want), "VM3_NAME=\"%s\"\n", id);
	lines = import(text, error);
	assert_string_equal(lines, want);
	assert_int_equal(xml.findings, strcmp(name, id) != 0);
	free(lines);
}

static void names(void **state)
{
	(void)state;
	name_becomes("gpu0", "gpu0");
	name_becomes("0815", "vm-0815");
	name_becomes("a b/c", "a-b-c");
	name_becomes("\xd0\x96\xd0\x96", "vm-");
	name_becomes("", "vm-");
	name_becomes("a234567890123456789012345678901234567890123456789012345678901234567890",
		     "a23456789012345678901234567890123456789012345678901234567890123");
}

static void virtual_function_by_its_physical_one(void **state)
{
	char error[DIAG_TEXT];
	char *lines;

	(void)state;
	facts.count = 1;
	facts.device[0] = (struct pci_fact){ .bdf = "0000:01:02.0", .pf = "0000:01:00.0", .vf = 7 };
	lines = import("<domain><name>v</name><features><acpi/></features><devices>"
		       "<interface type='hostdev' managed='yes'><driver iommufd='yes'/><source>"
		       "<address bus='1' slot='2'/></source></interface></devices></domain>",
		       error);
	facts.count = 0;
	assert_string_equal(lines, "VM3_NAME=\"v\"\nVM3_HOSTDEV0_BDF=\"0000:01:00.0\"\n"
				   "VM3_HOSTDEV0_VF=\"7\"\n");
	assert_int_equal(xml.findings, 0);
	free(lines);
}

/* --- what is no domain --- */

struct bad {
	const char *title;
	const char *text;
	const char *error;
};

static const struct bad bad[] = {
	{ "an empty file", "", "line 1: " },
	{ "a file that is no XML", "VM0_NAME=\"x\"", "line 1: Start tag expected" },
	{ "a tag that is not closed", "<domain>\n<name>", "line 2: " },
	{ "another root", "<domainsnapshot/>", "its root is <domainsnapshot>, not <domain>" },
	{ "a document type", "<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>",
	  "it has a document type" },
	{ "entities",
	  "<!DOCTYPE d [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"
	  "<domain><name>&b;</name></domain>",
	  "it has a document type" },
};

static void no_domain(void **state)
{
	const struct bad *b = *state;
	char error[DIAG_TEXT] = "";

	assert_null(import(b->text, error));
	if (!strstr(error, b->error))
		fail_msg("\"%s\" is not in \"%s\"", b->error, error);
}

static void many_findings_are_counted(void **state)
{
	enum { COUNT = XML_FINDINGS + 100 };
	static char text[COUNT * 8 + 200];
	char error[DIAG_TEXT];

	(void)state;
	str_copy(text, sizeof(text), "<domain><name>v</name><features><acpi/></features>");
	for (unsigned i = 0; i < COUNT; i++)
		str_copy(text + strlen(text), 8, "<new/>\n");
	str_copy(text + strlen(text), 16, "</domain>");
	free(import(text, error));
	assert_int_equal(xml.findings, XML_FINDINGS);
	assert_int_equal(xml.dropped, COUNT - XML_FINDINGS);
	xml_sort(&xml);
	for (unsigned i = 1; i < xml.findings; i++)
		assert_true(xml.finding[i - 1].line <= xml.finding[i].line);
}

static void unreadable_files(void **state)
{
	(void)state;
	assert_int_equal(import_file("/nowhere/domain.xml", 0, NULL), 2);
	assert_int_equal(import_file("/", 0, NULL), 2);
	assert_int_equal(import_file("/dev/null", 0, NULL), 2);
	assert_int_equal(import_file("/dev/zero", 0, NULL), 2);
}

/* --- whatever comes out is a manifest --- */

static bool is_manifest(const char *lines)
{
	static struct diag diag;
	FILE *nowhere = fopen("/dev/null", "w");

	diag.count = 0;
	manifest_write(lines, strlen(lines), nowhere, &diag);
	fclose(nowhere);
	if (diag.count)
		diag_print(&diag, stderr);
	return diag.count == 0;
}

static void damaged_domains(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		for (unsigned n = 0; n < 20; n++) {
			char text[4096];
			char error[DIAG_TEXT];
			char *lines;

			str_format(text, sizeof(text), "<domain><name>v</name>%s</domain>",
				   parts[i].body);
			damage(text, strlen(text), &seed);
			lines = import(text, error);
			if (lines)
				assert_true(is_manifest(lines));
			free(lines);
		}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(parts) + ARRAY_SIZE(bad) + 5];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		tests[n++] = CASE(parts[i].title, part, &parts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		tests[n++] = CASE(bad[i].title, no_domain, &bad[i]);
	tests[n++] = CASE("names become ids", names, NULL);
	tests[n++] = CASE("a virtual function by its physical one",
			  virtual_function_by_its_physical_one, NULL);
	tests[n++] = CASE("many findings are counted", many_findings_are_counted, NULL);
	tests[n++] = CASE("unreadable files", unreadable_files, NULL);
	tests[n++] = CASE("damaged domains", damaged_domains, NULL);
	return _cmocka_run_group_tests("import", tests, n, NULL, NULL);
}
