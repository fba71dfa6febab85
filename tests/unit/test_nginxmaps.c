#define _GNU_SOURCE /* memmem() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/nginxmaps.h"

#include "folder.h"

static const struct release_id id = {
    .product = "farm", .channel = "stable", .version = "1.0.2", .serial = 42};
static const uint8_t digest[SHA256_SIZE] = {1};

static int set_up(void **state)
{
	(void)state;
	return make_folder("out");
}

static int tear_down(void **state)
{
	(void)state;
	return remove_folder();
}

static struct entry entry_of(const char *name, uint64_t size)
{
	struct entry entry = {.path = name, .size = size, .has_sha256 = true, .hot = ENTRY_NOT_HOT};

	memset(entry.sha256, 0xAB, SHA256_SIZE);
	return entry;
}

/* 0 with what was written in `ret`. */
static int write_out(struct nginxmaps *h, struct buf *ret, struct nginxmaps_counts *counts,
		     struct err *e)
{
	struct outfile *out = open_output();
	int status = nginxmaps_write(h, &id, digest, out, counts, e);

	if (status == 0)
		read_output(out, ret);
	else
		outfile_free(out);
	return status;
}

static void nginxmaps_keep_nothing_of_an_entry(void **state)
{
	const struct nginxmaps_options what = {.url_prefix = "/farm-1.0.2/"};
	struct nginxmaps_counts counts;
	struct err e;
	struct buf text = BUF_INIT;
	struct nginxmaps *h = nginxmaps_new(&what, &e);

	(void)state;
	assert_non_null(h);
	/* Around the sizes at which its array grows. */
	for (int i = 0; i < 130; i++) {
		char name[32], cache[32];
		(void)snprintf(name, sizeof name, "f%03d.js", 129 - i);
		(void)snprintf(cache, sizeof cache, "max-age=%d", i / 2);
		struct entry entry = entry_of(name, (uint64_t)i);
		entry.cache = cache;
		assert_int_equal(nginxmaps_add(h, &entry, &e), 0);
		memset(name, 'x', sizeof name - 1);
		memset(cache, 'x', sizeof cache - 1);
	}
	assert_int_equal(write_out(h, &text, &counts, &e), 0);
	assert_int_equal(counts.files, 130);
	assert_int_equal(counts.dictionaries, 129);
	assert_int_equal(counts.shared, 0);
	for (int i = 0; i < 130; i++) {
		char line[128];
		(void)snprintf(line, sizeof line, "\t\"/farm-1.0.2/f%03d.js\" \"max-age=%d\";\n",
			       129 - i, i / 2);
		assert_non_null(strstr(text.data, line));
	}
	assert_non_null(
	    strstr(text.data, "\t\"/farm-1.0.2/f128.js\" \"match=\\\"/farm-*/f128.js\\\"\";\n"));
	assert_null(strstr(text.data, "match=\\\"/farm-*/f129.js"));
	assert_null(strstr(text.data, "xxx"));
	buf_release(&text);
	nginxmaps_free(h);
	nginxmaps_free(NULL);
}

static void nginxmaps_refuse_what_maps_cannot_tell_apart(void **state)
{
	/* Not neighbours in file-tree order. */
	static const char *const names[][3] = {{"A/x", "a-b", "a/X"},
					       {"\xC3\x89", "e", "\xC3\xA9"}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct nginxmaps_options what = {.url_prefix = NULL};
		struct nginxmaps_counts counts;
		struct err e = {.code = ERR_NONE};
		struct buf text = BUF_INIT;
		struct nginxmaps *h = nginxmaps_new(&what, &e);
		assert_non_null(h);
		for (size_t k = 0; k < 3; k++) {
			struct entry entry = entry_of(names[i][k], 1);
			assert_int_equal(nginxmaps_add(h, &entry, &e), 0);
		}
		assert_int_equal(write_out(h, &text, &counts, &e), i == 0 ? -1 : 0);
		assert_int_equal(e.code, i == 0 ? ERR_REFUSED : ERR_NONE);
		buf_release(&text);
		nginxmaps_free(h);
	}
}

static void nginxmaps_refuse_words_that_are_too_long(void **state)
{
	static char name[1025];
	struct nginxmaps_counts counts;

	(void)state;
	/* The value of the first map is the longest: '"/', the name, a blank, 64 digits, '"'. */
	for (size_t n = 1000; n <= 1001; n++) {
		const struct nginxmaps_options what = {.url_prefix = NULL};
		struct err e = {.code = ERR_NONE};
		struct buf text = BUF_INIT;
		struct nginxmaps *h = nginxmaps_new(&what, &e);
		assert_non_null(h);
		size_t dollars = 0, len = 0;
		size_t wanted = n == 1000 ? 4000 : 4001;
		/* Each '$' takes 15 bytes. */
		while (67 + 1 + len + 15 <= wanted) {
			name[dollars++] = '$';
			len += 15;
		}
		size_t at = dollars;
		for (; 67 + 1 + len < wanted; len++)
			name[at++] = 'x';
		name[at] = '\0';
		struct entry entry = entry_of(name, 0);
		assert_int_equal(nginxmaps_add(h, &entry, &e), 0);
		assert_int_equal(write_out(h, &text, &counts, &e), n == 1000 ? 0 : -1);
		assert_int_equal(e.code, n == 1000 ? ERR_NONE : ERR_REFUSED);
		buf_release(&text);
		nginxmaps_free(h);
	}
}

static void nginxmaps_need_digests(void **state)
{
	const struct nginxmaps_options what = {.url_prefix = NULL};
	struct err e = {.code = ERR_NONE};
	struct nginxmaps *h = nginxmaps_new(&what, &e);
	struct entry entry = entry_of("x", 1);

	(void)state;
	assert_non_null(h);
	entry.has_sha256 = false;
	assert_int_equal(nginxmaps_add(h, &entry, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	nginxmaps_free(h);
}

static void nginxmaps_pass_on_what_is_wrong_with_a_match(void **state)
{
	static const char *const matches[] = {"a=/b", "*.js=x"};
	const struct nginxmaps_options what = {.matches = matches, .match_count = 2};
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_null(nginxmaps_new(&what, &e));
	assert_int_equal(e.code, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nginxmaps_keep_nothing_of_an_entry),
	    cmocka_unit_test(nginxmaps_refuse_what_maps_cannot_tell_apart),
	    cmocka_unit_test(nginxmaps_refuse_words_that_are_too_long),
	    cmocka_unit_test(nginxmaps_need_digests),
	    cmocka_unit_test(nginxmaps_pass_on_what_is_wrong_with_a_match),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
