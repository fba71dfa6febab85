#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/info.h"
#include "swarm/path.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int put(void *context, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	buf_add(context, bytes, len);
	return 0;
}

static const struct info_options v2 = {INFO_V2, "farm-1", 262144};

/* The dictionary of these files, each of `size` bytes; roots are 32 times 'r'. */
static char *info_of(const char *const *paths, size_t count, uint64_t size, size_t *ret_len)
{
	struct buf b = BUF_INIT;
	struct err e;
	struct info *i = info_new(&v2, put, &b, &e);

	assert_non_null(i);
	for (size_t k = 0; k < count; k++) {
		struct entry entry = {.path = paths[k], .size = size};
		memset(entry.root, 'r', SHA256_SIZE);
		assert_int_equal(info_add(i, &entry, &e), 0);
	}
	assert_int_equal(info_end(i, NULL, &e), 0);
	info_free(i);
	*ret_len = b.len;
	return buf_detach(&b);
}

#define ROOT "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
#define LEAF "d0:d6:lengthi7e11:pieces root32:" ROOT "ee"
#define END  "12:meta versioni2e4:name6:farm-112:piece lengthi262144ee"

static void assert_info(const char *const *paths, size_t count, const char *want)
{
	size_t len;
	char *text = info_of(paths, count, 7, &len);

	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
	free(text);
}

static void info_nests_files_in_folders(void **state)
{
	static const char *const one[] = {"a"};
	static const char *const deep[] = {"a/b/c"};
	static const char *const mixed[] = {"a/b/c", "a/b/d", "a/e", "a.txt", "b/b/c", "c"};

	(void)state;
	assert_info(one, 1, "d9:file treed1:a" LEAF "e" END);
	assert_info(deep, 1, "d9:file treed1:ad1:bd1:c" LEAF "eee" END);
	assert_info(mixed, COUNT(mixed),
		    "d9:file treed1:ad1:bd1:c" LEAF "1:d" LEAF "e1:e" LEAF "e5:a.txt" LEAF
		    "1:bd1:bd1:c" LEAF "ee1:c" LEAF "e" END);
}

/* Folders that share a beginning are not the same folder. */
static void info_keeps_similar_folders_apart(void **state)
{
	static const char *const paths[] = {"a/x", "ab/x", "ab/xy", "abc/x"};
	static const char *const depths[] = {"a/b/c/d/e", "a/b/x", "b", "c/d/e"};

	(void)state;
	assert_info(paths, COUNT(paths),
		    "d9:file treed1:ad1:x" LEAF "e2:abd1:x" LEAF "2:xy" LEAF "e3:abcd1:x" LEAF
		    "ee" END);
	assert_info(depths, COUNT(depths),
		    "d9:file treed1:ad1:bd1:cd1:dd1:e" LEAF "ee1:x" LEAF "ee1:b" LEAF
		    "1:cd1:dd1:e" LEAF "eee" END);
}

static void info_of_an_empty_file_has_no_root(void **state)
{
	static const char *const paths[] = {"a"};
	size_t len;

	(void)state;
	char *text = info_of(paths, 1, 0, &len);
	assert_string_equal(text, "d9:file treed1:ad0:d6:lengthi0eeee" END);
	free(text);
	text = info_of(paths, 1, 9007199254740991, &len);
	assert_non_null(strstr(text, "6:lengthi9007199254740991e11:"));
	free(text);
}

static void info_holds_raw_roots(void **state)
{
	struct buf b = BUF_INIT;
	struct err e;
	struct info *i = info_new(&v2, put, &b, &e);
	struct entry entry = {.path = "\xC3\xA9", .size = 1};

	(void)state;
	assert_non_null(i);
	assert_int_equal(info_add(i, &entry, &e), 0);
	assert_int_equal(info_end(i, NULL, &e), 0);
	static const char start[] = "d9:file treed2:\xC3\xA9"
				    "d0:d6:lengthi1e11:pieces root32:\0\0\0\0";
	assert_memory_equal(b.data, start, sizeof start - 1);
	info_free(i);
	info_free(NULL);
	buf_release(&b);
}

/* --- a reader of bencode, to check any tree --------------------------------------------------- */

struct reader {
	const char *at, *end;
	char path[2048];
	char files[400][64];
	size_t count;
};

static size_t read_number(struct reader *r, char stop)
{
	size_t n = 0;

	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
		n = n * 10 + (size_t)(*r->at - '0');
	assert_true(r->at < r->end && *r->at == stop);
	r->at++;
	return n;
}

/* A dictionary of the file tree: keys rise as raw bytes; a key "" is a file's. */
static void read_tree(struct reader *r, size_t depth)
{
	char last[256] = "";
	size_t last_len = 0, path_len = strlen(r->path);

	assert_int_equal(*r->at++, 'd');
	for (bool first = true; *r->at != 'e'; first = false) {
		size_t len = read_number(r, ':');
		assert_true(len < sizeof last && len < (size_t)(r->end - r->at));
		int order = memcmp(last, r->at, len < last_len ? len : last_len);
		assert_true(first || order < 0 || (order == 0 && last_len < len));
		memcpy(last, r->at, len);
		last_len = len;
		if (len == 0) {
			assert_true(first);
			(void)snprintf(r->files[r->count++], sizeof r->files[0], "%.63s", r->path);
			r->at = strstr(r->at, "ee") + 1;
			assert_int_equal(r->at[1], 'e');
			r->at++;
			continue;
		}
		(void)snprintf(r->path + path_len, sizeof r->path - path_len, "%s%.*s",
			       depth > 0 ? "/" : "", (int)len, r->at);
		r->at += len;
		read_tree(r, depth + 1);
		r->path[path_len] = '\0';
	}
	r->at++;
}

static int compare(const void *a, const void *b)
{
	return path_compare(*(const char *const *)a, *(const char *const *)b);
}

/* Random trees: what a reader of bencode finds is what was put in, in order. */
static void info_of_any_tree_is_sorted_bencode(void **state)
{
	static const char *const names[] = {"a", "b", "ab", "a.b", "a-", "\xC3\xA9", "B", "~"};
	static char paths[300][64];
	static struct reader r;
	unsigned seed = 9;

	(void)state;
	for (int round = 0; round < 50; round++) {
		const char *sorted[300];
		size_t count = 0;
		for (size_t i = 0; i < 300; i++) {
			seed = seed * 1103515245 + 12345;
			unsigned n = seed >> 8;
			int depth = (int)(n % 4);
			paths[i][0] = '\0';
			for (int k = 0; k < depth; k++, n /= 8)
				(void)snprintf(paths[i] + strlen(paths[i]), 16, "%s/",
					       names[n / 4 % 8]);
			/* Files have names of their own, so that none is another's parent. */
			(void)snprintf(paths[i] + strlen(paths[i]), 16, "%s.f", names[n / 4 % 8]);
			sorted[i] = paths[i];
		}
		qsort(sorted, 300, sizeof *sorted, compare);
		for (size_t i = 0; i < 300; i++)
			if (count == 0 || strcmp(sorted[count - 1], sorted[i]) != 0)
				sorted[count++] = sorted[i];
		size_t len;
		char *text = info_of(sorted, count, 0, &len);
		assert_memory_equal(text, "d9:file tree", 12);
		r = (struct reader){.at = text + 12, .end = text + len};
		read_tree(&r, 0);
		assert_string_equal(r.at, END);
		assert_int_equal(r.count, count);
		for (size_t i = 0; i < count; i++)
			assert_string_equal(r.files[i], sorted[i]);
		free(text);
	}
}

/* --- v1 and hybrids --------------------------------------------------------------------------- */

/* The dictionary of these files, whose SHA-1 pieces are `pieces`. */
static char *info_of_kind(enum info_kind kind, const struct entry *entries, size_t count,
			  const char *pieces, struct info_tally *ret_tally)
{
	const struct info_options how = {kind, "farm-1", 16384};
	struct buf b = BUF_INIT;
	struct err e;
	struct info *i = info_new(&how, put, &b, &e);
	struct spool *spool = spool_new(&e);

	assert_non_null(i);
	assert_non_null(spool);
	assert_int_equal(spool_write(spool, pieces, strlen(pieces), &e), 0);
	for (size_t k = 0; k < count; k++)
		assert_int_equal(info_add(i, &entries[k], &e), 0);
	assert_int_equal(info_end(i, spool, &e), 0);
	*ret_tally = *info_tally(i);
	assert_int_equal(ret_tally->bytes, b.len);
	info_free(i);
	spool_free(spool);
	return buf_detach(&b);
}

static const struct entry uneven[] = {{.path = "a/b", .size = 16385},
				      {.path = "c", .size = 16384},
				      {.path = "d", .size = 1},
				      {.path = "e", .size = 0},
				      {.path = "f", .size = 32767}};

static void info_of_v1_is_a_list(void **state)
{
	struct info_tally tally;
	char *text = info_of_kind(INFO_V1, uneven, COUNT(uneven), "pieces", &tally);

	(void)state;
	assert_string_equal(text,
			    "d5:filesld6:lengthi16385e4:pathl1:a1:beed6:lengthi16384e4:pathl1:cee"
			    "d6:lengthi1e4:pathl1:deed6:lengthi0e4:pathl1:eee"
			    "d6:lengthi32767e4:pathl1:feee4:name6:farm-112:piece lengthi16384e"
			    "6:pieces6:piecese");
	assert_int_equal(tally.pieces, 5);
	assert_int_equal(tally.length, 65537);
	assert_int_equal(tally.pads + tally.pad_bytes, 0);
	free(text);
}

/* A pad stands in front of a file, an empty one too, never behind the last one. */
static void info_of_a_hybrid_is_both_with_pads(void **state)
{
	struct info_tally tally;
	char *text = info_of_kind(INFO_HYBRID, uneven, COUNT(uneven), "pieces", &tally);

	(void)state;
	assert_memory_equal(text, "d9:file treed1:ad1:bd0:d6:lengthi16385e", 39);
	assert_int_equal(tally.pieces, 2 + 1 + 1 + 2);
	assert_int_equal(tally.pads, 2);
	assert_int_equal(tally.pad_bytes, 16383 + 16383);
	assert_int_equal(tally.length, 65537 + tally.pad_bytes);
	free(text);
	static const struct entry two[] = {{.path = "a", .size = 0}, {.path = "b", .size = 0}};
	text = info_of_kind(INFO_HYBRID, two, COUNT(two), "", &tally);
	assert_string_equal(text,
			    "d9:file treed1:ad0:d6:lengthi0eee1:bd0:d6:lengthi0eeee"
			    "5:filesld6:lengthi0e4:pathl1:aeed6:lengthi0e4:pathl1:beee"
			    "12:meta versioni2e4:name6:farm-112:piece lengthi16384e6:pieces0:e");
	free(text);
}

static void info_counts_as_it_goes(void **state)
{
	const struct info_options how = {INFO_HYBRID, "farm-1", 16384};
	struct buf b = BUF_INIT;
	struct err e;
	struct info *i = info_new(&how, put, &b, &e);

	(void)state;
	assert_non_null(i);
	for (size_t k = 0; k < COUNT(uneven); k++) {
		static const uint64_t padding[] = {0, 16383, 0, 16383, 0};
		assert_int_equal(info_add(i, &uneven[k], &e), 0);
		assert_int_equal(info_padding(i), padding[k]);
	}
	/* info, file tree, a, b and its own dictionary. */
	assert_int_equal(info_tally(i)->depth, 5);
	info_free(i);
	buf_release(&b);
}

static int refuse(void *context, const void *bytes, size_t len, struct err *e)
{
	(void)context;
	(void)bytes;
	(void)len;
	return err_set(e, ERR_SYSTEM, "refused");
}

static void info_passes_failures_on(void **state)
{
	struct err e = {.code = ERR_NONE};
	struct entry entry = {.path = "a"};
	struct info *i = info_new(&v2, refuse, NULL, &e);

	(void)state;
	assert_non_null(i);
	assert_int_equal(info_add(i, &entry, &e), -1);
	assert_string_equal(e.msg, "refused");
	info_free(i);
	e.msg[0] = '\0';
	i = info_new(&v2, refuse, NULL, &e);
	assert_non_null(i);
	assert_int_equal(info_end(i, NULL, &e), -1);
	assert_string_equal(e.msg, "refused");
	info_free(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(info_nests_files_in_folders),
	    cmocka_unit_test(info_keeps_similar_folders_apart),
	    cmocka_unit_test(info_of_an_empty_file_has_no_root),
	    cmocka_unit_test(info_holds_raw_roots),
	    cmocka_unit_test(info_of_any_tree_is_sorted_bencode),
	    cmocka_unit_test(info_of_v1_is_a_list),
	    cmocka_unit_test(info_of_a_hybrid_is_both_with_pads),
	    cmocka_unit_test(info_counts_as_it_goes),
	    cmocka_unit_test(info_passes_failures_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
