/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is made of the verifier's answer, with another program in its place. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fakesys.h"
#include "sys_verify.h"

static const char *script;

/* The linker gives the wrapped names. NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_execve(const char *path, char *const args[], char *const env[]);
int __wrap_execve(const char *path, char *const args[], char *const env[]);

int __wrap_execve(const char *path, char *const args[], char *const env[])
{
	char *const shell[] = {
		"sh", "-c", (char *)script, args[0], args[1], args[2], args[3], NULL
	};

	if (strcmp(path, "/usr/bin/sbverify") != 0 || args[4])
		_exit(99);
	return script ? __real_execve("/bin/sh", shell, env) : -1;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static int verify(const char *text, char *said, size_t size)
{
	_cleanup_fd_ int fd = memfd_create("image", MFD_CLOEXEC);

	assert_int_equal(write(fd, "signed", 6), 6);
	script = text;
	return sys_verify(fd, said, size);
}

/* Only root can become nobody. */
static void need_root(void)
{
	if (getuid() != 0)
		skip();
}

static void test_verdict(void **state)
{
	char said[32];

	(void)state;
	need_root();
	assert_int_equal(verify("echo 'Signature verification OK'", said, sizeof(said)), 0);
	assert_string_equal(said, "Signature verification OK");
	assert_int_equal(verify("echo a; echo 'b\033\200' >&2; echo; exit 1", said, sizeof(said)),
			 -EKEYREJECTED);
	assert_string_equal(said, "b??");
	assert_int_equal(verify("kill -11 $$", said, sizeof(said)), -EKEYREJECTED);
	assert_string_equal(said, "");
	assert_int_equal(verify("printf %09999d 0; exit 1", said, sizeof(said)), -EKEYREJECTED);
	assert_int_equal(verify(NULL, said, sizeof(said)), -ENOEXEC);
}

/* It gets the file, and the certificate's path; it is nobody, and has nothing else. */
static void test_room(void **state)
{
	char said[64];
	struct stat st;

	(void)state;
	need_root();
	assert_int_equal(verify("[ \"$1 $2\" = '--cert /etc/hvinit/certificate.pem' ] && "
				"[ $(cat $3) = signed ]",
				said, sizeof(said)),
			 0);
	assert_int_equal(verify("id -u; echo $(cd /proc/self/fd && echo *)", said, sizeof(said)),
			 0);
	assert_int_equal(verify("id -u; id -g; [ $(id -G) = 65534 ]", said, sizeof(said)), 0);
	assert_string_equal(said, "65534");
	assert_int_equal(verify("grep -E 'Cap(Prm|Eff|Bnd).*[1-9a-f]' /proc/self/status", said,
				sizeof(said)),
			 -EKEYREJECTED);
	assert_int_equal(verify("grep -q 'NoNewPrivs:.1' /proc/self/status", said, sizeof(said)),
			 0);
	/* A file of its own stays empty. */
	assert_int_not_equal(verify("echo x >/tmp/hvinit-unit-verify", said, sizeof(said)), 0);
	assert_true(stat("/tmp/hvinit-unit-verify", &st) || st.st_size == 0);
	unlink("/tmp/hvinit-unit-verify");
}

static void test_certificate(void **state)
{
	int root = fakesys_new();

	(void)state;
	assert_false(sys_certificate_exists(root));
	fakesys_file(root, "etc/hvinit/certificate.pem", "");
	assert_true(sys_certificate_exists(root));
	close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("verdict", test_verdict, NULL),
		CASE("room", test_room, NULL),
		FIXTURE("certificate", test_certificate, NULL, fakesys_teardown, NULL),
	};

	return cmocka_run_group_tests_name("sys_verify", tests, NULL, NULL);
}
