/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking SMMUs, with a kernel that answers as it is told: which device is lent, and given back. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "fakesys.h"
#include "probe.h"
#include "sys.h"

#define S0 "smmu3.0x000000000c000000"
#define S1 "smmu3.0x000000000c020000"
#define D0 "0000:41:00.0"
#define D1 "0000:81:00.0"

enum { DEVICE_ID = 7 };

/* What the kernel does when it is asked. */
static struct {
	int bind_error;
	int info_error;
	bool hangs; /* GET_HW_INFO never comes back */
	uint32_t type;
	bool running; /* a QEMU has the iommufd: object says what each id is */
	uint32_t object[64]; /* 0: no device; else its SMMU's IDR0 */
} kernel;

static int root = -1;
static struct facts facts;
static struct diag diag;
static char told[1024];

int __wrap_sys_pci_write(int dir, const char *bdf, const char *attr, const char *text);
int __wrap_sys_driver_probe(int dir, const char *bdf);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_poll(void *fds, unsigned long count, int timeout);
int __real_poll(void *fds, unsigned long count, int timeout);

static void note(const char *what, const char *value)
{
	char text[128];
	int fd = openat(root, "calls", O_WRONLY | O_CREAT | O_APPEND, 0600);

	str_format(text, sizeof(text), "%s=%s;", what, strcmp(value, "\n") == 0 ? "" : value);
	assert_true(write(fd, text, strlen(text)) > 0);
	close(fd);
}

/* What was written to sysfs, by whichever process. */
static const char *calls(void)
{
	static char text[1024];

	sys_read(root, "calls", text, sizeof(text));
	return text;
}

int __wrap_sys_pci_write(int dir, const char *bdf, const char *attr, const char *text)
{
	char path[128];

	(void)dir;
	note(attr, text);
	str_format(path, sizeof(path), "sys/bus/pci/devices/%s/driver", bdf);
	if (strcmp(attr, "driver/unbind") == 0)
		unlinkat(root, path, 0);
	return 0;
}

int __wrap_sys_driver_probe(int dir, const char *bdf)
{
	char path[128];

	(void)dir;
	note("probe", bdf);
	str_format(path, sizeof(path), "sys/bus/pci/devices/%s/driver", bdf);
	fakesys_link(root, path, "../../drivers/vfio-pci");
	return 0;
}

static int answer_info(struct iommu_hw_info *cmd)
{
	struct iommu_hw_info_arm_smmuv3 info = { .flags = 1, .iidr = 0x43b, .aidr = 2 };
	bool lent = cmd->dev_id == DEVICE_ID && !kernel.running;

	while (kernel.hangs)
		pause();
	errno = kernel.info_error;
	if (!lent && (cmd->dev_id >= ARRAY_SIZE(kernel.object) || !kernel.object[cmd->dev_id]))
		errno = ENOENT;
	if (errno)
		return -1;
	info.idr[0] = lent ? 0x0d44101b : kernel.object[cmd->dev_id];
	info.idr[5] = 0x70;
	assert_int_equal(cmd->data_len, sizeof(info));
	memcpy((void *)(uintptr_t)cmd->data_uptr, &info, sizeof(info));
	cmd->out_data_type = kernel.type;
	return 0;
}

/* A QEMU has this one. */
static bool is_busy(int fd)
{
	char path[64];
	char file[128] = "";

	str_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, file, sizeof(file) - 1) > 0 && strstr(file, "/vfio9");
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	if (request == IOMMU_GET_HW_INFO)
		return answer_info(arg);
	if (request == VFIO_DEVICE_BIND_IOMMUFD) {
		((struct vfio_device_bind_iommufd *)arg)->out_devid = DEVICE_ID;
		errno = is_busy(fd) ? EINVAL : kernel.bind_error;
		return errno ? -1 : 0;
	}
	assert_int_equal(request, IOMMU_OPTION);
	return 0;
}

/* Nobody wants to wait for the limit. */
int __wrap_poll(void *fds, unsigned long count, int timeout)
{
	assert_int_equal(timeout, PROBE_LIMIT_MS);
	return __real_poll(fds, count, kernel.hangs ? 50 : timeout);
}

static void put(const char *bdf, const char *attr, const char *text)
{
	char path[128];

	str_format(path, sizeof(path), "sys/bus/pci/devices/%s/%s", bdf, attr);
	fakesys_file(root, path, text);
}

static void set_driver(const char *bdf, const char *driver)
{
	char path[128];
	char target[128];

	str_format(path, sizeof(path), "sys/bus/pci/devices/%s/driver", bdf);
	unlinkat(root, path, 0);
	str_format(target, sizeof(target), "../../drivers/%s", driver);
	fakesys_link(root, path, target);
}

static int setup(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memset(&diag, 0, sizeof(diag));
	kernel.type = IOMMU_HW_INFO_TYPE_ARM_SMMUV3;
	root = fakesys_new();
	fakesys_lab(root);
	put(D0, "vfio-dev/vfio0/dev", "");
	put(D1, "vfio-dev/vfio1/dev", "");
	fakesys_file(root, "dev/vfio/devices/vfio0", "");
	fakesys_file(root, "dev/vfio/devices/vfio1", "");
	fakesys_file(root, "run/utmp", "");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void probe(void)
{
	FILE *tell = fmemopen(told, sizeof(told), "w");

	facts_discover(root, &facts);
	probe_all(root, &facts, tell, &diag);
	fclose(tell);
}

static void test_lend(void **state)
{
	const struct smmu_fact *smmu;

	(void)state;
	set_driver(D1, "nvme");
	facts_discover(root, &facts);
	probe();
	smmu = facts_smmu(&facts, S0);
	assert_true(smmu->probed);
	assert_int_equal(smmu->idr[0], 0x0d44101b);
	assert_int_equal(smmu->idr[5], 0x70);
	assert_int_equal(smmu->hw_flags, 1);
	assert_int_equal(smmu->iidr, 0x43b);
	assert_int_equal(smmu->aidr, 2);
	assert_string_equal(smmu->name, S0);
	assert_string_equal(told, "hvinit: probe: " S0 ": lends " D0
				  " to vfio-pci for a moment, which resets it\n");
	assert_string_equal(calls(), "driver_override=vfio-pci;probe=" D0
				     ";driver_override=;driver/unbind=" D0 ";");
	/* The other one's only device is the host's: it is told, and nothing touched. */
	assert_false(facts_smmu(&facts, S1)->probed);
	assert_finding(&diag, DIAG_PROBE_FAIL, S1, "no device behind it is idle");
}

/* What was reserved for a VM at boot stays reserved; what VFIO has is not bound, and stays. */
static void test_states(void **state)
{
	(void)state;
	put(D0, "driver_override", "vfio-pci\n");
	set_driver(D1, "vfio-pci");
	probe();
	assert_no_finding(&diag);
	assert_true(facts_smmu(&facts, S0)->probed);
	assert_true(facts_smmu(&facts, S1)->probed);
	assert_string_equal(calls(), "driver_override=vfio-pci;probe=" D0
				     ";driver_override=vfio-pci;driver/unbind=" D0 ";");
}

static void test_busy(void **state)
{
	(void)state;
	set_driver(D1, "nvme");
	kernel.bind_error = EINVAL;
	probe();
	assert_int_equal(diag.count, 2);
	assert_string_equal(diag.finding[0].subject, D0);
	assert_string_equal(diag.finding[0].text, "bind it to an iommufd: it is in use");
	assert_false(facts_smmu(&facts, S0)->probed);
	/* It is given back all the same. */
	assert_non_null(strstr(calls(), "driver/unbind=" D0 ";"));
}

/* A VM that was started since the facts were taken must not lose its device. */
static void test_taken_meanwhile(void **state)
{
	(void)state;
	facts_discover(root, &facts);
	for (unsigned i = 0; i < facts.smmus; i++)
		facts.smmu[i].probed = strcmp(facts.smmu[i].name, S0) != 0;
	set_driver(D0, "vfio-pci");
	fakesys_file(root, "calls", "");
	probe_all(root, &facts, stderr, &diag);
	assert_finding(&diag, DIAG_PROBE_FAIL, D0, "borrow it: it is in use by now");
	assert_string_equal(calls(), "");
}

/* What a QEMU has is on VFIO's driver, too: another device behind the SMMU is asked then. */
static void test_busy_and_free(void **state)
{
	static const struct fake_device more[] = {
		{ .bdf = "0000:43:00.0", .smmu = S0, .group = "10", .driver = "vfio-pci" },
		{ .bdf = "0000:44:00.0", .smmu = S0, .group = "11", .driver = "vfio-pci" },
	};

	(void)state;
	set_driver(D1, "vfio-pci");
	fakesys_file(root, "run/hvinit/smmu/" S1, "1 2 3 4 5 6 7 8 9");
	fakesys_device(root, &more[0]);
	fakesys_device(root, &more[1]);
	put("0000:43:00.0", "vfio-dev/vfio9/dev", "");
	put("0000:44:00.0", "vfio-dev/vfio9/dev", "");
	fakesys_file(root, "dev/vfio/devices/vfio9", "");
	probe();
	assert_no_finding(&diag);
	assert_true(facts_smmu(&facts, S0)->probed);
	assert_non_null(strstr(told, "lends 0000:43:00.0 to vfio-pci"));
	assert_non_null(strstr(told, "lends 0000:44:00.0 to vfio-pci"));
	assert_non_null(strstr(told, "lends " D0 " to vfio-pci"));
	assert_non_null(strstr(calls(), "driver/unbind=" D0 ";"));
}

static void test_no_answer(void **state)
{
	(void)state;
	set_driver(D1, "nvme");
	kernel.info_error = EOPNOTSUPP;
	probe();
	assert_string_equal(diag.finding[0].text,
			    "ask " S0 " for its features: Operation not supported");
	assert_non_null(strstr(calls(), "driver/unbind=" D0 ";"));
}

/* Another kind of IOMMU has registers of another form. */
static void test_other_iommu(void **state)
{
	(void)state;
	set_driver(D1, "nvme");
	kernel.type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
	probe();
	assert_string_equal(diag.finding[0].text, "ask " S0 " for its features: No such device");
	assert_false(facts_smmu(&facts, S0)->probed);
}

static void test_hangs(void **state)
{
	(void)state;
	set_driver(D1, "nvme");
	kernel.hangs = true;
	probe();
	assert_int_equal(diag.count, 2);
	assert_string_equal(diag.finding[0].subject, D0);
	assert_non_null(strstr(diag.finding[0].text, "no answer in 10 s; process "));
}

static const char *choice(void)
{
	const struct pci_fact *d;

	facts_discover(root, &facts);
	d = probe_choose(&facts, S0, NULL);
	return d ? d->bdf : "none";
}

static void test_choice(void **state)
{
	static const struct fake_device more[] = {
		{ .bdf = "0000:42:00.0", .smmu = S0, .group = "9" },
		{ .bdf = "0000:42:00.1", .smmu = S0, .group = "9", .driver = "e1000e" },
		{ .bdf = "0000:43:00.0", .smmu = S0, .group = "10", .driver = "vfio-pci" },
		{ .bdf = "0000:44:00.0", .smmu = S0, .driver = "vfio-pci" },
		{ .bdf = "0000:45:00.0", .smmu = S0, .group = "11", .bridge = true },
	};

	(void)state;
	assert_string_equal(choice(), D0);
	set_driver(D0, "nvme");
	assert_string_equal(choice(), "none");
	fakesys_device(root, &more[0]);
	fakesys_device(root, &more[1]); /* a host driver has one of the group */
	fakesys_device(root, &more[3]); /* no group */
	fakesys_device(root, &more[4]);
	assert_string_equal(choice(), "none");
	fakesys_device(root, &more[2]);
	assert_string_equal(choice(), "0000:43:00.0");
	set_driver(D0, "vfio-pci");
	fakesys_remove(root, "sys/bus/pci/devices/" D0 "/driver");
	assert_string_equal(choice(), "0000:43:00.0"); /* rather one that VFIO has already */
	put("0000:43:00.0", "sriov_totalvfs", "4\n");
	put("0000:43:00.0", "sriov_numvfs", "1\n");
	assert_string_equal(choice(), D0);
	put(D0, "boot_vga", "1\n");
	assert_string_equal(choice(), "none");
}

static void test_kept(void **state)
{
	struct smmu_fact smmu = { .name = S0 };

	(void)state;
	assert_false(probe_kept(root, &smmu));
	fakesys_file(root, "run/hvinit/smmu/" S0,
		     "0x00000001 0x0d44101b 0x1 0x2 0x3 0x4 0x5 0x43b 0x2\n");
	assert_true(probe_kept(root, &smmu));
	assert_true(smmu.probed);
	assert_int_equal(smmu.hw_flags, 1);
	assert_int_equal(smmu.idr[0], 0x0d44101b);
	assert_int_equal(smmu.idr[5], 5);
	assert_int_equal(smmu.aidr, 2);
	fakesys_file(root, "run/hvinit/smmu/" S1, "0x1 0x2 nonsense 4 5 6 7 8 9");
	smmu = (struct smmu_fact){ .name = S1 };
	assert_false(probe_kept(root, &smmu));
	assert_false(smmu.probed);
	assert_int_equal(smmu.idr[0], 0);
	/* It is a fact like any other, and is not asked for again. */
	facts_discover(root, &facts);
	assert_int_equal(facts_smmu(&facts, S0)->iidr, 0x43b);
}

static void learn(const char *first, const char *second)
{
	const char *const smmu[] = { first, second };

	kernel.running = true;
	probe_learn(root, 3, smmu, second ? 2 : 1);
}

static bool is_kept(const char *name)
{
	struct smmu_fact smmu = { 0 };

	str_copy(smmu.name, sizeof(smmu.name), name);
	return probe_kept(root, &smmu);
}

static void test_learn(void **state)
{
	struct smmu_fact smmu = { .name = S1 };

	(void)state;
	kernel.object[2] = kernel.object[40] = 0x1234;
	learn(S0, S1);
	assert_true(is_kept(S0));
	assert_true(probe_kept(root, &smmu));
	assert_int_equal(smmu.idr[0], 0x1234);
	assert_int_equal(smmu.hw_flags, 1);
	assert_int_equal(smmu.idr[5], 0x70);
	assert_int_equal(smmu.aidr, 2);
}

/* QEMU binds in the order of its words, and ids ascend. */
static void test_learn_order(void **state)
{
	struct smmu_fact smmu[] = { { .name = S0 }, { .name = S1 } };

	(void)state;
	kernel.object[2] = 0x1234;
	kernel.object[40] = 0x5678;
	learn(S0, S1);
	assert_true(probe_kept(root, &smmu[0]) && probe_kept(root, &smmu[1]));
	assert_int_equal(smmu[0].idr[0], 0x1234);
	assert_int_equal(smmu[1].idr[0], 0x5678);
	learn(S1, S0);
	assert_true(probe_kept(root, &smmu[0]) && probe_kept(root, &smmu[1]));
	assert_int_equal(smmu[0].idr[0], 0x5678);
}

/* Which device an answer is about is not told otherwise. */
static void test_learn_unsure(void **state)
{
	(void)state;
	kernel.object[2] = 0x1234;
	learn(S0, S1); /* one of two answered: it may be either */
	assert_false(is_kept(S0));
	kernel.object[3] = 0x5678;
	learn(S0, S0); /* two answers of one SMMU */
	assert_false(is_kept(S0));
	kernel.object[4] = 0x5678;
	learn(S0, S1); /* one that is nobody's */
	assert_false(is_kept(S0));
	assert_false(is_kept(S1));
	kernel.object[3] = kernel.object[4] = 0;
	learn(S0, S0);
	assert_true(is_kept(S0));
}

static void test_learn_nothing(void **state)
{
	(void)state;
	learn(S0, NULL);
	assert_false(is_kept(S0));
	kernel.object[2] = 0x1234;
	kernel.info_error = EIO;
	learn(S0, NULL);
	assert_false(is_kept(S0));
}

#define PROBE_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROBE_CASE("a device is lent and given back", test_lend),
		PROBE_CASE("a device that is taken meanwhile", test_taken_meanwhile),
		PROBE_CASE("a device is left as it was", test_states),
		PROBE_CASE("a device that is in use", test_busy),
		PROBE_CASE("a device in use, and another one", test_busy_and_free),
		PROBE_CASE("an SMMU that does not answer", test_no_answer),
		PROBE_CASE("another kind of IOMMU", test_other_iommu),
		PROBE_CASE("a child that hangs", test_hangs),
		PROBE_CASE("which device is lent", test_choice),
		PROBE_CASE("what is kept", test_kept),
		PROBE_CASE("learning from a running QEMU", test_learn),
		PROBE_CASE("SMMUs that differ", test_learn_order),
		PROBE_CASE("answers of one cannot tell", test_learn_unsure),
		PROBE_CASE("no answers", test_learn_nothing),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
