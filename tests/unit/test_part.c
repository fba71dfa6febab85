#define _GNU_SOURCE /* memfd_create() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/body.h"
#include "swarm/part.h"
#include "swarm/rules.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define LINE(shard, files, own)                                                               \
	"{\"swarm\":\"part/1\",\"shard\":\"" shard                                            \
	"\",\"piece_length\":65536,\"sha256\":false,\"files\":" files                         \
	",\"bytes\":10,\"listing\":\"" HEX_A "\",\"guards\":\"" HEX_B "\",\"own_files\":" own \
	",\"own_bytes\":3,\"own_digest\":\"" HEX_C "\"}"

static void part_reads_what_it_writes(void **state)
{
	static const char line[] = LINE("2/4", "7", "1");
	struct part p;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(part_parse(line, strlen(line), &p, &e), 0);
	assert_int_equal(p.shard.number, 2);
	assert_int_equal(p.shard.count, 4);
	assert_int_equal(p.piece_length, 65536);
	assert_false(p.plain);
	assert_int_equal(p.files, 7);
	assert_int_equal(p.bytes, 10);
	assert_int_equal(p.listing[31], 0xAA);
	assert_int_equal(p.guards[0], 0xBB);
	assert_int_equal(p.own_files, 1);
	assert_int_equal(p.own_bytes, 3);
	assert_int_equal(p.own_digest[31], 0xCC);
	part_format(&b, &p);
	assert_string_equal(b.data, line);
	buf_release(&b);
}

static void part_rejects_what_cannot_be(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
	    {LINE("5/4", "7", "1"), "'shard' is not K/N with 1 <= K <= N <= 65535"},
	    {LINE("0/4", "7", "1"), "'shard' is not K/N with 1 <= K <= N <= 65535"},
	    {LINE("1/4", "0", "0"), "'files' is not at least 1"},
	    {LINE("1/4", "7", "8"), "'own_files' is above 'files'"},
	    {"{\"swarm\":\"part/2\"}", "'swarm' is not part/1"},
	    {"{\"swarm\":\"inventory/1\"}",
	     "'swarm' is that of an inventory, which is whole already"},
	    {"{\"swarm\":\"part/1\"}", "'shard' is missing"},
	};
	struct part p;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = {.code = ERR_NONE};
		assert_int_equal(part_parse(cases[i].line, strlen(cases[i].line), &p, &e), -1);
		assert_string_equal(e.msg, cases[i].message);
		assert_int_equal(e.code, ERR_MALFORMED);
	}
}

/* Each byte counts: no line with one changed means the same. */
static void part_has_one_spelling(void **state)
{
	char line[] = LINE("2/4", "7", "1");
	struct part p;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof line; i++) {
		struct err e = {.code = ERR_NONE};
		struct buf again = BUF_INIT;
		char was = line[i];
		line[i] ^= 1;
		if (part_parse(line, sizeof line - 1, &p, &e) == 0) {
			part_format(&again, &p);
			assert_string_equal(again.data, line);
		} else {
			assert_int_equal(e.code, ERR_MALFORMED);
		}
		line[i] = was;
		buf_release(&again);
	}
}

static void part_shard_is_strict(void **state)
{
	static const char *const wrong[] = {"",
					    "/",
					    "1",
					    "1/",
					    "/4",
					    "0/4",
					    "5/4",
					    "01/4",
					    "1/04",
					    "1/4x",
					    "x1/4",
					    "1 /4",
					    " 1/4",
					    "1/4 ",
					    "+1/4",
					    "-1/4",
					    "1//4",
					    "1/4/4",
					    "1/0",
					    "1.0/4",
					    "1K/4",
					    "1/65536",
					    "4294967297/5",
					    "1/4294967297",
					    "99999999999999999/4"};
	struct part_shard s;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (part_parse_shard(wrong[i], &s))
			fail_msg("'%s' was taken", wrong[i]);
	assert_true(part_parse_shard("1/1", &s));
	assert_int_equal(s.number, 1);
	assert_int_equal(s.count, 1);
	assert_true(part_parse_shard("65535/65535", &s));
	assert_int_equal(s.number, 65535);
	assert_int_equal(s.count, 65535);
}

/* What is read of a part of one file, whose first line has this: files, or -1. */
static int read_part(const char *own_files, const char *own_bytes, const char *more, struct err *e)
{
	struct buf text = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct entry entry;
	struct part part;
	int fd = memfd_create("part", MFD_CLOEXEC), files = 0, got = 0;

	assert_true(fd >= 0);
	buf_addf(&text,
		 "{\"swarm\":\"part/1\",\"shard\":\"1/1\",\"piece_length\":65536,\"sha256\":false,"
		 "\"files\":2,\"bytes\":9,\"listing\":\"" HEX_A "\",\"guards\":\"" HEX_B
		 "\",\"own_files\":%s,\"own_bytes\":%s,\"own_digest\":\"" HEX_C "\"}\n"
		 "{\"path\":\"a\",\"size\":0,\"label\":\"public\"}\n%s",
		 own_files, own_bytes, more);
	assert_int_equal(write(fd, text.data, text.len), text.len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	struct body *b = body_open_part(fd, "x", &part, e);
	while (b != NULL && (got = body_next(b, &arena, &entry, e)) > 0)
		files++;
	files = b != NULL && got == 0 ? files : -1;
	body_close(b);
	arena_release(&arena);
	buf_release(&text);
	assert_int_equal(close(fd), 0);
	return files;
}

static void part_counts_its_own_lines(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_int_equal(read_part("1", "0", "", &e), 1);
	assert_int_equal(read_part("2", "0", "", &e), -1);
	assert_string_equal(e.msg, "'x' holds 1 files, but its first line says 2");
	assert_int_equal(read_part("1", "9", "", &e), -1);
	assert_string_equal(e.msg, "the sizes in 'x' add up to 0 bytes, but its first line says 9");
	assert_int_equal(
	    read_part("2", "0", "{\"path\":\"a\",\"size\":0,\"label\":\"public\"}\n", &e), -1);
	assert_string_equal(e.msg, "x:3: the path 'a' stands here twice");
	assert_int_equal(read_part("1", "0", "{", &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
}

static void judges(const char *more, uint8_t ret[static SHA256_SIZE])
{
	struct err e = {.code = ERR_NONE};
	char text[512];

	(void)snprintf(text, sizeof text,
		       "swarm: rules/1\nrules:\n  - {label: public, match: '*'}\n%s", more);
	struct rules *r = rules_parse("r", text, strlen(text), &e);
	assert_non_null(r);
	assert_int_equal(part_judges(rules_guards(r), ret, &e), 0);
	rules_free(r);
}

static void part_tells_guards_apart(void **state)
{
	static const char *const all[] = {
	    "",
	    "disable-guards: [private-key]\n",
	    "disable-guards: ['*']\n",
	    "guards:\n  - {id: x, regex: abc}\n",
	    "guards:\n  - {id: x, regex: abd}\n",
	    "guards:\n  - {id: x, regex: abc, keywords: [b]}\n",
	    "guards:\n  - {id: x, regex: abc, keywords: [b, c]}\n",
	    "guards:\n  - {id: x, regex: abc, allow: [b]}\n",
	    "guards:\n  - {id: x, regex: abc, allow: [b, c]}\n",
	};
	uint8_t digests[COUNT(all)][SHA256_SIZE], again[SHA256_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		judges(all[i], digests[i]);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(digests[i], digests[k], SHA256_SIZE);
	}
	/* Where a guard stands, and how it is described, changes nothing. */
	judges("# a line more\nguards:\n  - {id: x, description: bad, regex: abc}\n", again);
	assert_memory_equal(again, digests[3], SHA256_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(part_reads_what_it_writes),
	    cmocka_unit_test(part_rejects_what_cannot_be),
	    cmocka_unit_test(part_has_one_spelling),
	    cmocka_unit_test(part_shard_is_strict),
	    cmocka_unit_test(part_counts_its_own_lines),
	    cmocka_unit_test(part_tells_guards_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
