/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addons on an invented EFI system partition, of which some were loaded into an invented root. */
#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "addon.h"
#include "fakesys.h"
#include "manifest.h"
#include "pe.h"
#include "select.h"

#define UUID "00112233-4455-6677-8899-aabbccddeeff"
#define OTHER "11111111-2222-3333-4444-555555555555"
#define FOLDER "etc/hvinit/addons/"
#define HASH "/0123456789abcdef.manifest"
#define IMAGE "EFI/Linux/hvinit_0.1.0.efi"
#define NOT_LOADED "the boot loader's stub did not load it"

enum { PE = 64, COFF = PE + 4, OPTIONAL = COFF + 20, TABLE = OPTIONAL + 112 + 8 * 16 };
enum { HEADERS = 1024, SIZE = HEADERS + 2 * MANIFEST_MAX + 4096 };

static unsigned char file[SIZE];
static struct diag diag;
static int root = -1;
static int esp = -1;

static void poke(size_t at, uint32_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		file[at + i] = (unsigned char)(value >> 8 * i);
}

/* A PE file with one section, of which the last part is text and a NUL behind skip other bytes. */
static size_t make(const char *section, const char *text, size_t skip)
{
	size_t len = skip + strlen(text) + 1;

	memset(file, 0, sizeof(file));
	memcpy(file, "MZ", 2);
	poke(60, PE, 4);
	memcpy(file + PE, "PE\0", 4);
	poke(COFF, PE_ARM64, 2);
	poke(COFF + 2, 1, 2);
	poke(COFF + 16, TABLE - OPTIONAL, 2);
	poke(OPTIONAL, 0x20b, 2);
	poke(OPTIONAL + 60, HEADERS, 4);
	poke(OPTIONAL + 108, 16, 4);
	memcpy(file + TABLE, section, strlen(section));
	poke(TABLE + 8, (uint32_t)len, 4);
	poke(TABLE + 16, (uint32_t)len, 4);
	poke(TABLE + 20, HEADERS, 4);
	memcpy(file + HEADERS + skip, text, strlen(text));
	return HEADERS + len;
}

static void put(const char *path, size_t size)
{
	int fd;

	fakesys_file(esp, path, "");
	fd = openat(esp, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, file, size), size);
	close(fd);
}

/* One for a host, in the folder of all images. */
static void addon(const char *name, const char *path)
{
	char file_path[256];

	str_format(file_path, sizeof(file_path), "loader/addons/%s", name);
	put(file_path, make(".initrd", path, 110));
}

static void look(void)
{
	memset(&diag, 0, sizeof(diag));
	addon_look(root, esp, IMAGE);
	addon_findings(&diag);
}

static int setup(void **state)
{
	static struct diag ignored;

	(void)state;
	root = fakesys_new();
	esp = fakesys_new();
	fakesys_file(root, "sys/class/dmi/id/product_uuid", UUID "\n");
	select_manifest(root, &ignored);
	return 0;
}

static int teardown(void **state)
{
	close(esp);
	close(root);
	return fakesys_teardown(state);
}

static void test_loaded(void **state)
{
	(void)state;
	look();
	assert_no_finding(&diag);
	fakesys_file(root, FOLDER UUID HASH, "");
	fakesys_file(root, FOLDER "any" HASH, "");
	addon("a.addon.efi", FOLDER UUID HASH);
	addon("b.addon.efi", FOLDER "any" HASH);
	look();
	assert_no_finding(&diag);
}

static void test_not_loaded(void **state)
{
	(void)state;
	addon("a.addon.efi", FOLDER UUID HASH);
	look();
	assert_finding(&diag, DIAG_ADDON_IGNORED, "a.addon.efi", NOT_LOADED "; it is not signed");
	assert_int_equal(diag_failures(&diag, DIAG_HOST), 0);
	/* It has gone, or was loaded. */
	fakesys_file(root, FOLDER UUID HASH, "");
	look();
	assert_no_finding(&diag);
	addon("a.addon.efi", FOLDER "ANY" HASH);
	look();
	assert_finding(&diag, DIAG_ADDON_IGNORED, "a.addon.efi", NOT_LOADED);
}

static void test_signed(void **state)
{
	size_t size = make(".initrd", FOLDER UUID HASH, 110);

	(void)state;
	size = (size + 7) & ~(size_t)7;
	poke(OPTIONAL + 112 + 8 * 4, (uint32_t)size, 4);
	poke(OPTIONAL + 112 + 8 * 4 + 4, 16, 4);
	put("loader/addons/a.addon.efi", size + 16);
	look();
	assert_finding(&diag, DIAG_ADDON_IGNORED, "a.addon.efi", NOT_LOADED);
	assert_null(strstr(diag.finding[0].text, "signed"));
}

static void test_architecture(void **state)
{
	size_t size = make(".initrd", FOLDER UUID HASH, 110);

	(void)state;
	poke(COFF, PE_AMD64, 2);
	put("loader/addons/a.addon.efi", size);
	look();
	assert_finding(&diag, DIAG_ADDON_IGNORED, "a.addon.efi", "another architecture");
}

/* Beside the image, whose counters the folder's name does not have. */
static void test_beside(void **state)
{
	(void)state;
	put(IMAGE ".extra.d/A.ADDON.EFI", make(".initrd", FOLDER UUID HASH, 110));
	put("EFI/Linux/hvinit_0.2.0.efi.extra.d/b.addon.efi",
	    make(".initrd", FOLDER UUID HASH, 110));
	look();
	assert_finding(&diag, DIAG_ADDON_IGNORED, "A.ADDON.EFI", NOT_LOADED);
}

static void test_others(void **state)
{
	(void)state;
	addon("other.addon.efi", FOLDER OTHER HASH);
	addon("nobody.addon.efi", FOLDER HASH);
	addon("none.addon.efi", "etc/hvinit/addons");
	addon("image.efi", FOLDER UUID HASH);
	addon(".addon.efi", FOLDER UUID HASH);
	put("loader/addons/cmdline.addon.efi", make(".cmdline", FOLDER UUID HASH, 110));
	put("loader/addons/text.addon.txt", 5);
	look();
	assert_no_finding(&diag);
}

/* Nobody can tell what a file that is cut off was for. */
static void test_damaged(void **state)
{
	size_t size = make(".initrd", FOLDER OTHER HASH, 110);

	(void)state;
	put("loader/addons/cut.addon.efi", size - 1);
	look();
	assert_finding(&diag, DIAG_ADDON_IGNORED, "cut.addon.efi", "it is no whole EFI program");
	fakesys_file(esp, "loader/addons/cut.addon.efi", "");
	look();
	assert_finding(&diag, DIAG_ADDON_IGNORED, "cut.addon.efi", "it is no whole EFI program");
	fakesys_remove(esp, "loader/addons/cut.addon.efi");
	fakesys_link(esp, "loader/addons/cut.addon.efi", "nowhere");
	look();
	assert_finding(&diag, DIAG_ADDON_IGNORED, "cut.addon.efi", "open it: No such file");
}

/* Where a name ends is not to be taken for granted, nor that it is near. */
static void test_archive(void **state)
{
	char path[512];
	size_t size;

	(void)state;
	size = make(".initrd", FOLDER UUID HASH, 110);
	poke(TABLE + 8, (uint32_t)(size - HEADERS - 1), 4);
	put("loader/addons/a.addon.efi", size);
	look();
	assert_no_finding(&diag);
	str_format(path, sizeof(path), FOLDER UUID "/%0300d", 0);
	addon("a.addon.efi", path);
	look();
	assert_no_finding(&diag);
	put("loader/addons/a.addon.efi", make(".initrd", FOLDER UUID HASH, MANIFEST_MAX));
	look();
	assert_finding(&diag, DIAG_ADDON_IGNORED, "a.addon.efi", NOT_LOADED);
}

static void test_many(void **state)
{
	char name[32];

	(void)state;
	for (unsigned n = 0; n < 20; n++) {
		str_format(name, sizeof(name), "%02u.addon.efi", n);
		addon(name, FOLDER UUID HASH);
	}
	look();
	assert_int_equal(diag.count, 9);
	assert_non_null(strstr(diag.finding[8].text, "12 more were not loaded"));
}

/* A child has looked, and PID 1 tells. */
static void test_shared(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(addon_init(), 0);
	addon("a.addon.efi", FOLDER UUID HASH);
	pid = fork();
	if (pid == 0) {
		addon_look(root, esp, IMAGE);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	memset(&diag, 0, sizeof(diag));
	addon_findings(&diag);
	assert_finding(&diag, DIAG_ADDON_IGNORED, "a.addon.efi", NOT_LOADED);
}

#define ADDON_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ADDON_CASE("addons that were loaded", test_loaded),
		ADDON_CASE("one that was not", test_not_loaded),
		ADDON_CASE("one that is signed", test_signed),
		ADDON_CASE("one for another architecture", test_architecture),
		ADDON_CASE("one beside the image", test_beside),
		ADDON_CASE("what is for others", test_others),
		ADDON_CASE("a damaged one", test_damaged),
		ADDON_CASE("strange archives", test_archive),
		ADDON_CASE("many", test_many),
		ADDON_CASE("a child that looks", test_shared),
	};

	return cmocka_run_group_tests_name("addon", tests, NULL, NULL);
}
