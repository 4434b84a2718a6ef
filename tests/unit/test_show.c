/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the console's command 'manifest' shows of the image's manifest, and what it does not. */
#include "unit.h"

#include "manifest.h"
#include "show.h"
#include "standins.h"

static const char *manifest; /* NULL: it cannot be read */
static char out[1024];

const char *__wrap_manifest_read(const char *path, size_t *len, struct diag *diag);

const char *__wrap_manifest_read(const char *path, size_t *len, struct diag *diag)
{
	if (manifest)
		*len = strlen(manifest);
	else
		diag_add(diag, DIAG_HOST, DIAG_MANIFEST_READ, path, "read it: no such file");
	return manifest;
}

/* Shows a manifest, with standard output in out. */
static bool show(const char *text)
{
	manifest = text;
	return print_into(out, sizeof(out), show_manifest);
}

static void test_manifest(void **state)
{
	static const char text[] = "# hvinit manifest 1\n# sha256 00\n\nVM0_NAME=\"demo\"\n"
				   "VM0_CMDLINE=\"a=$b\"\n";

	(void)state;
	assert_true(show(text));
	assert_string_equal(out, text);
	assert_true(show(""));
	assert_string_equal(out, "");
	assert_true(show("VM0_CPUS=3"));
	assert_string_equal(out, "VM0_CPUS=3\n");
}

/* A hash can be guessed at by who sees it, in whatever line it stands. */
static void test_secret(void **state)
{
	(void)state;
	assert_true(show("HOST_SHELL=n\nHOST_CONSOLE_PASSWORD=\"$6$salt$hash\"\nVM0_CPUS=3\n"));
	assert_string_equal(out, "HOST_SHELL=n\nHOST_CONSOLE_PASSWORD=\"(not shown)\"\n"
				 "VM0_CPUS=3\n");
	assert_true(show("HOST_CONSOLE_PASSWORD $6$salt$hash\nVM0_CPUS=3\n"
			 "# HOST_CONSOLE_PASSWORD=\"$6$salt$hash\"\n"
			 "HOST_CONSOLE_PASSWORD$6$salt$hash"));
	assert_string_equal(out, "HOST_CONSOLE_PASSWORD=\"(not shown)\"\nVM0_CPUS=3\n"
				 "# HOST_CONSOLE_PASSWORD=\"(not shown)\"\n"
				 "HOST_CONSOLE_PASSWORD=\"(not shown)\"\n");
}

static void test_unreadable(void **state)
{
	(void)state;
	assert_false(show(NULL));
	assert_non_null(strstr(out, "read it: no such file [MANIFEST-READ]\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("a manifest as it is", test_manifest, NULL),
		CASE("a manifest with a password", test_secret, NULL),
		CASE("no manifest", test_unreadable, NULL),
	};

	return cmocka_run_group_tests_name("show", tests, NULL, NULL);
}
