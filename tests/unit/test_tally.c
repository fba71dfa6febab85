#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "swarm/tally.h"

static struct delta_line file(uint64_t size, enum delta_source source, uint64_t payload)
{
	return (struct delta_line){
	    .path = "x", .file = {.size = size}, .source = source, .size = payload};
}

static void assert_tells(const struct tally *t, const struct delta_header *h, const char *text,
			 const char *json)
{
	struct buf b = BUF_INIT;
	struct jsonl_writer w = {.to = &b};

	tally_describe(&b, t, h);
	assert_string_equal(b.data, text);
	buf_clear(&b);
	tally_format(&w, t, h);
	assert_string_equal(b.data, json);
	buf_release(&b);
}

static void tally_of_nothing(void **state)
{
	const struct delta_header header = {.files = 0};
	const struct tally t = {.files = 0};

	(void)state;
	assert_tells(&t, &header, "0 files new or changed, 0 removed\n",
		     "\"files\":0,\"removes\":0,\"content\":{\"empty\":0,"
		     "\"bare\":{\"files\":0,\"bytes\":0},\"copy\":{\"files\":0,\"bytes\":0},"
		     "\"dcz\":{\"files\":0,\"bytes\":0},\"zstd\":{\"files\":0,\"bytes\":0}}");
}

static void tally_counts_files_or_payloads(void **state)
{
	const struct delta_header header = {.has_solid = true, .solid = {.size = 55}};
	struct tally t = {.files = 0};
	struct delta_line lines[] = {
	    file(1000, DELTA_BARE, 0), file(2000, DELTA_BARE, 0),     file(0, DELTA_BARE, 0),
	    file(30, DELTA_COPY, 0),   file(4000, DELTA_DCZ, 4),      file(5000, DELTA_DCZ, 5),
	    file(6000, DELTA_ZSTD, 6), {.path = "y", .remove = true},
	};

	(void)state;
	lines[1].solid = lines[4].solid = true;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		tally_add(&t, &lines[i]);
	assert_tells(&t, &header,
		     "7 files new or changed, 1 removed\n"
		     "1 file copied from the old release, 30 bytes\n"
		     "2 files patched, by payloads of 9 bytes\n"
		     "1 file compressed, in payloads of 6 bytes\n"
		     "2 files fetched whole, 3.0 kB\n"
		     "1 file empty\n"
		     "2 files in the solid payload of 55 bytes\n",
		     "\"files\":7,\"removes\":1,\"content\":{\"empty\":1,"
		     "\"bare\":{\"files\":2,\"bytes\":3000},\"copy\":{\"files\":1,\"bytes\":30},"
		     "\"dcz\":{\"files\":2,\"bytes\":9},\"zstd\":{\"files\":1,\"bytes\":6},"
		     "\"solid\":{\"files\":2,\"bytes\":55}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tally_of_nothing),
	    cmocka_unit_test(tally_counts_files_or_payloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
