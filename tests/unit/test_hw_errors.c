/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the kernel's about broken hardware, as Linux 7.3 writes them. */
#include "unit.h"

#include "device.h"
#include "fakesys.h"
#include "hw_errors.h"
#include "manifest.h"
#include "standins.h"
#include "vm.h"

enum { QEMU = 321, THREAD = 330 };

static struct config config;
static uint64_t now_s = 1000;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){ .tv_sec = (time_t)now_s };
	return 0;
}

bool vm_exists(unsigned slot)
{
	return slot == 2;
}

struct vm_view vm_look(unsigned slot)
{
	return (struct vm_view){ .name = config.vm[slot].name, .pid = slot == 2 ? QEMU : 0 };
}

static int root = -1;

static int setup(void **state)
{
	(void)state;
	said[0] = '\0';
	root = fakesys_new();
	manifest_defaults(&config);
	str_copy(config.vm[2].name, sizeof(config.vm[2].name), "gpu");
	str_copy(config.vm[2].hostdev[1].bdf, SYS_BDF, "0000:41:00.0");
	fakesys_link(root, "sys/bus/pci/devices/0000:41:00.0",
		     "../../../devices/pci0000:40/0000:40:00.0/0000:41:00.0");
	fakesys_file(root, "proc/330/status", "Name:\tCPU 0/KVM\nTgid:\t321\n");
	hw_errors_init(&config, root);
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static const struct row {
	const char *line;
	const char *subject; /* NULL: it is nobody's */
} rows[] = {
	{ "pcieport 0000:40:00.0: AER: Correctable Error message received from 0000:41:00.0",
	  "0000:41:00.0: trust device of gpu" },
	{ "vfio-pci 0000:41:00.0: AER: PCIe Bus Error: severity=Uncorrectable (Fatal)",
	  "0000:41:00.0: trust device of gpu" },
	{ "pcieport 0000:40:00.0: AER: Root Port link has been reset (0)",
	  "0000:41:00.0: trust device of gpu" },
	{ "pcieport 0000:50:00.0: AER: Root Port link has been reset (0)", NULL },
	{ "pcieport 0000:50:00.0: AER: enabled with IRQ 12", NULL },
	{ "vfio-pci 0000:41:00.0: resetting", NULL },
	{ "AER: nothing", NULL },
	{ "Memory failure: 0x4711: Sending SIGBUS to qemu-system-aar:321 due to hardware memory "
	  "corruption",
	  "gpu: trust memory of gpu" },
	{ "Memory failure: 0x4711: forcibly killing CPU 0/KVM:330 because of failure to unmap "
	  "corrupted page",
	  "gpu: trust memory of gpu" },
	{ "Memory failure: 0x4711: Sending SIGBUS to init:1 due to hardware memory corruption",
	  NULL },
	{ "Memory failure: 0x4711: recovery action for dirty LRU page: Recovered", NULL },
	{ "Memory failure: ", NULL },
	{ "", NULL },
};

static void test_line(void **state)
{
	const struct row *row = *state;

	hw_errors_line(row->line);
	assert_int_equal(times_said("[HW-ERROR]"), row->subject != NULL);
	if (row->subject) {
		assert_said(row->subject);
		assert_said("[HW-ERROR]");
	}
}

static void test_flood(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		hw_errors_line("vfio-pci 0000:41:00.0: AER: PCIe Bus Error: severity=Corrected");
	assert_int_equal(times_said("[HW-ERROR]"), 1);
	now_s += 61;
	hw_errors_line("vfio-pci 0000:41:00.0: AER: PCIe Bus Error: severity=Corrected");
	assert_int_equal(times_said("[HW-ERROR]"), 2);
	assert_said("(1000 errors)");
}

/* What SMMUs say is looked at, too, with the same manifest. */
static void test_dma(void **state)
{
	(void)state;
	hw_errors_line("arm-smmu-v3 arm-smmu-v3.0.auto: event: C_BAD_STE client: 0000:41:00.0 sid: "
		       "0x4100 ssid: 0x0");
	assert_said("0000:41:00.0: carry out DMA of gpu (1 fault): C_BAD_STE");
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 2] = {
		FIXTURE("a flood", test_flood, setup, teardown, NULL),
		FIXTURE("DMA", test_dma, setup, teardown, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i + 2] = FIXTURE(rows[i].line, test_line, setup, teardown, &rows[i]);
	return cmocka_run_group_tests_name("hw_errors", tests, NULL, NULL);
}
