/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU gets: each thing at its number, in the right mode, and nothing else. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "claim.h"
#include "fakesys.h"
#include "manifest.h"
#include "net.h"
#include "open.h"
#include "sys_host.h"

static struct config config;
static struct facts facts;
static struct plan plan;
static struct opened opened;
static struct diag diag;
static int root = -1;

static bool mounted;
static int tap_error;
static char taps[128]; /* name, bridge and MTU of each */

int __wrap_claim_iommufd(int dir, int vm, struct diag *findings);
int __wrap_claim_open(int dir, const char *bdf, int vm, struct diag *findings);
int __wrap_net_open_tap(int dir, const struct tap *tap, const char **step);
bool __wrap_sys_state_mounted(int dir);

int __wrap_claim_iommufd(int dir, int vm, struct diag *findings)
{
	(void)vm;
	(void)findings;
	return openat(dir, "dev/iommu", O_RDWR | O_CLOEXEC);
}

int __wrap_claim_open(int dir, const char *bdf, int vm, struct diag *findings)
{
	int fd = openat(dir, bdf, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		diag_add(findings, vm, DIAG_CDEV_OPEN, bdf, "open it: no");
	return fd;
}

int __wrap_net_open_tap(int dir, const struct tap *tap, const char **step)
{
	size_t used = strlen(taps);

	str_format(taps + used, sizeof(taps) - used, "%s %s %d;", tap->name, tap->bridge,
		   (int)tap->mtu);
	*step = "put it on the bridge";
	return tap_error ? -tap_error : openat(dir, "dev/null", O_RDWR | O_CLOEXEC);
}

bool __wrap_sys_state_mounted(int dir)
{
	assert_int_equal(dir, root);
	return mounted;
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&facts, 0, sizeof(facts));
	memset(&opened, 0, sizeof(opened));
	memset(&diag, 0, sizeof(diag));
	str_copy(config.vm[2].name, sizeof(config.vm[2].name), "demo");
	root = fakesys_new();
	fakesys_file(root, "var/lib/hvinit/README", "");
	mounted = true;
	tap_error = 0;
	taps[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	for (int fd = 0; fd < ARGV_FD_END; fd++)
		if (opened.at[fd])
			close(fd);
	close(root);
	return fakesys_teardown(state);
}

static bool open_vm(void)
{
	plan_vm(&config, 2, &facts, &plan);
	return open_all(root, &config, &plan, &opened, &diag);
}

static void set_disk(unsigned slot, const char *path, bool readonly)
{
	struct disk_config *disk = &config.vm[2].disk[slot];

	str_copy(disk->path, sizeof(disk->path), path);
	disk->readonly = readonly;
}

static void assert_mode(int fd, int mode)
{
	assert_true(opened.at[fd]);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, mode);
	assert_int_equal(fcntl(fd, F_GETFD), 0); /* it survives execve() */
}

/* Nothing but these numbers is open of QEMU's. */
static void assert_opened(const char *numbers)
{
	char text[128] = "";

	for (int fd = 0; fd < ARGV_FD_END; fd++)
		if (opened.at[fd])
			str_format(text + strlen(text), sizeof(text) - strlen(text), "%d ", fd);
	assert_string_equal(text, numbers);
}

static void test_nothing(void **state)
{
	(void)state;
	assert_true(open_vm());
	assert_opened("");
}

static void test_devices(void **state)
{
	(void)state;
	str_copy(config.vm[2].hostdev[0].bdf, SYS_BDF, "0000:41:00.0");
	str_copy(config.vm[2].hostdev[1].bdf, SYS_BDF, "0000:42:00.0");
	str_copy(config.vm[2].hostdev[2].bdf, SYS_BDF, "0000:43:00.0");
	config.vm[2].hostdev[1].optional = true; /* and not there */
	fakesys_file(root, "0000:41:00.0", "");
	fakesys_file(root, "0000:43:00.0", "");
	assert_true(open_vm());
	assert_opened("20 21 23 ");
	memset(&opened, 0, sizeof(opened));
	fakesys_remove(root, "0000:43:00.0");
	assert_false(open_vm());
	assert_finding(&diag, DIAG_CDEV_OPEN, "0000:43:00.0", "no");
}

static void test_disks(void **state)
{
	(void)state;
	fakesys_file(root, "srv/a.img", "data");
	fakesys_file(root, "srv/b.img", "data");
	set_disk(0, "/srv/a.img", false);
	set_disk(1, "/srv/b.img", true);
	assert_true(open_vm());
	assert_no_finding(&diag);
	assert_opened("40 41 ");
	assert_mode(40, O_RDWR);
	assert_mode(41, O_RDONLY);
}

static void test_no_disk(void **state)
{
	(void)state;
	fakesys_file(root, "srv/a.img", "");
	set_disk(0, "/srv/a.img", false);
	set_disk(1, "/srv/none.img", false);
	assert_false(open_vm());
	assert_finding(&diag, DIAG_DISK_OPEN, "VM2_DISK1_PATH", "open /srv/none.img: No such file");
}

/* A FIFO would block the launcher, a folder can be opened to no end. */
static void test_odd_disks(void **state)
{
	(void)state;
	assert_int_equal(mkfifoat(root, "fifo", 0600), 0);
	set_disk(0, "/fifo", true);
	assert_false(open_vm());
	assert_finding(&diag, DIAG_DISK_OPEN, "VM2_DISK0_PATH",
		       "it is not a file, and block devices are below /dev");
	diag.count = 0;
	set_disk(0, "/srv", true);
	assert_int_equal(mkdirat(root, "srv", 0755), 0);
	assert_false(open_vm());
	assert_finding(&diag, DIAG_DISK_OPEN, "VM2_DISK0_PATH",
		       "it is not a file, and block devices are below /dev");
}

/* What QEMU is told to be a block device must be one. */
static void test_no_block_device(void **state)
{
	(void)state;
	fakesys_file(root, "dev/vda1", "");
	set_disk(0, "/dev/vda1", false);
	assert_false(open_vm());
	assert_finding(&diag, DIAG_DISK_OPEN, "VM2_DISK0_PATH", "it is not a block device");
}

static void test_taps(void **state)
{
	(void)state;
	str_copy(config.host.bridge[1].name, NET_NAME, "lan");
	config.host.bridge[1].mtu = 9000;
	str_copy(config.vm[2].net[0].bridge, NET_NAME, "lan");
	str_copy(config.vm[2].net[1].bridge, NET_NAME, "wan");
	assert_true(open_vm());
	assert_opened("44 45 ");
	assert_string_equal(taps, "vm2net0 lan 9000;vm2net1 wan -1;");
}

static void test_no_tap(void **state)
{
	(void)state;
	str_copy(config.vm[2].net[0].bridge, NET_NAME, "lan");
	tap_error = ENODEV;
	assert_false(open_vm());
	assert_finding(&diag, DIAG_TAP_OPEN, "VM2_NET0_BRIDGE",
		       "tap vm2net0 on bridge lan: put it on the bridge: No such device");
}

/* --- flash --- */

static void keep(const char *firmware)
{
	config.vm[2].uefi_vars = VM_UEFI_VARS_KEEP;
	str_copy(config.vm[2].firmware, sizeof(config.vm[2].firmware), "/fw.fd");
	fakesys_file(root, "fw.fd", firmware);
}

static void test_flash(void **state)
{
	char text[16] = "";
	struct stat st;

	(void)state;
	keep("firmware");
	assert_true(open_vm());
	assert_no_finding(&diag);
	assert_opened("48 49 ");
	assert_mode(48, O_RDONLY);
	assert_mode(49, O_RDWR);
	assert_int_equal(fstat(48, &st), 0);
	assert_int_equal(st.st_size, QEMU_FLASH_BYTES);
	assert_true(st.st_blocks < 1024); /* sparse */
	assert_int_equal(pread(48, text, sizeof(text), 0), sizeof(text));
	assert_memory_equal(text, "firmware\0\0\0\0\0\0\0", sizeof(text));
	assert_true(fcntl(48, F_GET_SEALS) & F_SEAL_WRITE);
	assert_int_equal(fstatat(root, "var/lib/hvinit/demo/vars.fd", &st, 0), 0);
	assert_int_equal(st.st_size, QEMU_FLASH_BYTES);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(root, "var/lib/hvinit/demo", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* What the guest has stored is there at the next start. */
static void test_flash_again(void **state)
{
	char text[5] = "";

	(void)state;
	keep("firmware");
	assert_true(open_vm());
	assert_int_equal(pwrite(49, "vars", 4, 100), 4);
	close(49);
	opened.at[49] = false;
	assert_true(open_vm());
	assert_int_equal(pread(49, text, 4, 100), 4);
	assert_string_equal(text, "vars");
}

static void test_no_state(void **state)
{
	(void)state;
	keep("firmware");
	mounted = false;
	assert_false(open_vm());
	assert_finding(&diag, DIAG_STATE_NONE, "VM2_UEFI_VARS", "no state partition is mounted");
}

static void test_no_firmware(void **state)
{
	(void)state;
	keep("firmware");
	fakesys_remove(root, "fw.fd");
	assert_false(open_vm());
	assert_finding(&diag, DIAG_FLASH_OPEN, "VM2_FIRMWARE", "/fw.fd: No such file");
}

static void test_large_firmware(void **state)
{
	int fd;

	(void)state;
	keep("firmware");
	fd = openat(root, "fw.fd", O_WRONLY);
	assert_int_equal(ftruncate(fd, QEMU_FLASH_BYTES + 1), 0);
	close(fd);
	assert_false(open_vm());
	assert_finding(&diag, DIAG_FW_SIZE, "VM2_FIRMWARE", "File too large");
}

static void test_damaged_vars(void **state)
{
	(void)state;
	keep("firmware");
	fakesys_file(root, "var/lib/hvinit/demo/vars.fd", "short");
	assert_false(open_vm());
	assert_finding(&diag, DIAG_FW_SIZE, "VM2_UEFI_VARS", "not as large as a chip");
}

/* Not even the state partition may lead a launcher, which is root, elsewhere. */
static void test_odd_vars(void **state)
{
	(void)state;
	keep("firmware");
	fakesys_link(root, "var/lib/hvinit/demo/vars.fd", "../../../../fw.fd");
	assert_false(open_vm());
	assert_finding(&diag, DIAG_FLASH_OPEN, "VM2_UEFI_VARS", "symbolic links");
	diag.count = 0;
	fakesys_remove(root, "var/lib/hvinit/demo/vars.fd");
	assert_int_equal(mkfifoat(root, "var/lib/hvinit/demo/vars.fd", 0600), 0);
	assert_false(open_vm());
	assert_finding(&diag, DIAG_FLASH_OPEN, "VM2_UEFI_VARS", "Invalid argument");
}

static void test_no_folder(void **state)
{
	(void)state;
	keep("firmware");
	fakesys_file(root, "var/lib/hvinit/demo", "a file");
	assert_false(open_vm());
	assert_finding(&diag, DIAG_FLASH_OPEN, "VM2_UEFI_VARS", "Not a directory");
}

/* --- numbers --- */

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void close_most(void)
{
	static const int all[] = { 3, 9, 12, 21, 22, 40, 49, 63, 200 };
	struct opened these = { 0 };
	int fd = open("/dev/null", O_RDONLY);

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		dup2(fd, all[i]);
	these.at[21] = these.at[40] = true;
	if (open_close_others(&these, 12))
		_exit(1);
	for (int i = 3; i < 256; i++)
		if (is_open(i) != (i == 12 || i == 21 || i == 40))
			_exit(2);
	_exit(is_open(0) && is_open(1) && is_open(2) ? 0 : 3);
}

static void test_close_others(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		close_most();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int verify(int stray)
{
	struct opened these = { 0 };
	int fds;

	for (int fd = 3; fd < 256; fd++)
		close(fd);
	dup2(0, 12);
	dup2(0, 21);
	these.at[21] = true;
	if (stray)
		dup2(0, stray);
	fds = sys_own_fds_open();
	return open_verify(fds, &these, 12) ? errno : 0;
}

static void assert_verified(int stray, int error)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(verify(stray));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, error << 8);
}

static void test_verify(void **state)
{
	(void)state;
	assert_verified(0, 0);
	assert_verified(20, EBADF);
	assert_verified(22, EBADF);
	assert_verified(200, EBADF);
	assert_int_equal(open_verify(-1, &(struct opened){ 0 }, 12), -1);
	assert_int_equal(errno, EBADF);
}

static void test_put(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(open_put(fd, fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(open_put(fd, 50), 0);
	assert_false(is_open(fd));
	assert_true(is_open(50));
	assert_int_equal(open_put(fd, 51), -1);
	close(50);
}

#define OPEN_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN_CASE("a VM of nothing", test_nothing),
		OPEN_CASE("devices, and one that is absent", test_devices),
		OPEN_CASE("disks have their modes", test_disks),
		OPEN_CASE("a disk that is not there", test_no_disk),
		OPEN_CASE("what is no disk", test_odd_disks),
		OPEN_CASE("a block device that is none", test_no_block_device),
		OPEN_CASE("taps", test_taps),
		OPEN_CASE("no tap", test_no_tap),
		OPEN_CASE("two flash chips", test_flash),
		OPEN_CASE("variables are kept", test_flash_again),
		OPEN_CASE("no state partition", test_no_state),
		OPEN_CASE("no firmware", test_no_firmware),
		OPEN_CASE("firmware that does not fit", test_large_firmware),
		OPEN_CASE("variables of the wrong size", test_damaged_vars),
		OPEN_CASE("variables that are no file", test_odd_vars),
		OPEN_CASE("no folder for variables", test_no_folder),
		OPEN_CASE("all others are closed", test_close_others),
		OPEN_CASE("only what is meant is open", test_verify),
		OPEN_CASE("putting", test_put),
	};

	return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
