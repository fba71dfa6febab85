#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/storekey.h"

#define AB32 "abababababababababababababababababababababababababababababababab"

static const struct release_id id = {
    .product = "farm", .channel = "beta", .version = "1.0.2", .serial = 42};

static void prefix_is(const char *prefix, const char *expected)
{
	struct buf text = BUF_INIT;
	struct err e;

	assert_int_equal(storekey_prefix(&text, prefix, &e), 0);
	assert_string_equal(text.data, expected);
	buf_release(&text);
}

static void storekey_prefix_has_one_slash_behind_it(void **state)
{
	(void)state;
	prefix_is(NULL, "");
	prefix_is("", "");
	prefix_is("///", "");
	prefix_is("a", "a/");
	prefix_is("//a/b c//", "a/b c/");
}

static void storekey_prefix_must_be_portable(void **state)
{
	static const char *const wrong[] = {"a//b", "..", "a/./b", "a:b", "a\nb", "\xFF", "a."};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct buf text = BUF_INIT;
		assert_int_equal(storekey_prefix(&text, wrong[i], &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
		buf_release(&text);
	}
}

static void content_is(enum storekey_layout layout, const char *path, const char *expected)
{
	struct entry entry = {.path = path};
	struct buf text = BUF_INIT;

	memset(entry.sha256, 0xAB, sizeof entry.sha256);
	storekey_content(&text, layout, &id, &entry);
	assert_string_equal(text.data, expected);
	buf_release(&text);
}

static void storekey_of_content_is_its_path_or_its_hash(void **state)
{
	(void)state;
	content_is(STOREKEY_RELEASE, "a/b c.js", "farm-1.0.2/a/b c.js");
	content_is(STOREKEY_HASH, "a/b c.js", AB32 ".js");
	content_is(STOREKEY_HASH, "a.d/b.tar.GZ", AB32 ".GZ");
	content_is(STOREKEY_HASH, "a.d/b", AB32);
	content_is(STOREKEY_HASH, "a/.htaccess", AB32);
	content_is(STOREKEY_HASH, "a/.x.#1", AB32 ".#1");
}

static void storekey_of_documents(void **state)
{
	struct buf text = BUF_INIT;
	struct offer offer = {.has_base = true};

	(void)state;
	memset(offer.file, 0xAB, sizeof offer.file);
	memset(offer.base, 0xAB, sizeof offer.base);
	storekey_payload(&text, &offer);
	assert_string_equal(text.data, "payloads/" AB32 "." AB32 ".dcz");
	buf_clear(&text);
	storekey_delta(&text, "1.0.1", "1.0.2");
	assert_string_equal(text.data, "1.0.1-1.0.2.delta");
	buf_clear(&text);
	storekey_manifest(&text, &id);
	assert_string_equal(text.data, "farm-1.0.2.manifest");
	buf_clear(&text);
	storekey_head(&text, &id);
	assert_string_equal(text.data, "farm-beta.head");
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(storekey_prefix_has_one_slash_behind_it),
	    cmocka_unit_test(storekey_prefix_must_be_portable),
	    cmocka_unit_test(storekey_of_content_is_its_path_or_its_hash),
	    cmocka_unit_test(storekey_of_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
