#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/magnet.h"
#include "swarm/sha1.h"
#include "swarm/sha256.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void magnet_takes_the_addresses_of_trackers(void **state)
{
	static const char *const good[] = {
	    "udp://t.example:6969",
	    "udp://[2001:db8::1]:1/announce",
	    "http://t.example/announce",
	    "https://t.example/announce?passkey=1",
	    "ws://t.example",
	    "wss://t.example/~",
	};
	static const char *const bad[] = {
	    "",
	    "udp",
	    "udp://",
	    "udp:///announce",
	    "UDP://t.example",
	    "ftp://t.example",
	    "//t.example",
	    " udp://t.example",
	    "udp://t.example ",
	    "udp://t.\texample",
	    "udp://t.example\n",
	    "udp://t.example\x7F",
	    "udp://t.\xC3\xA9xample",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct err e;
		if (magnet_check_tracker(good[i], &e) != 0)
			fail_msg("%s", e.msg);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = {.code = ERR_NONE};
		if (magnet_check_tracker(bad[i], &e) != -1)
			fail_msg("'%s' is taken", bad[i]);
		assert_int_equal(e.code, ERR_USAGE);
	}
}

/* What ends a value, or is no URL, never stands in one. */
static void magnet_encodes_values(void **state)
{
	static const uint8_t v1[SHA1_SIZE] = {[19] = 0xAB};
	struct buf link = BUF_INIT;

	(void)state;
	magnet_start(&link, NULL, v1);
	magnet_add(&link, "dn", "a&b=c#d%e+f g/h?i:~\xC3\xA9");
	magnet_add(&link, "tr", "");
	assert_string_equal(link.data,
			    "magnet:?xt=urn:btih:00000000000000000000000000000000000000ab"
			    "&dn=a%26b%3Dc%23d%25e%2Bf%20g%2Fh%3Fi%3A~%C3%A9&tr=");
	buf_release(&link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(magnet_takes_the_addresses_of_trackers),
	    cmocka_unit_test(magnet_encodes_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
