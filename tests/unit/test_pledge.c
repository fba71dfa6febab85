#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/pledge.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

#define SUBJECT      "{\"name\":\"farm-1.0-1.1.delta\",\"digest\":{\"sha256\":\"" A64 "\"}}"
#define FROM(serial) ",\"from\":{\"version\":\"1.0\",\"serial\":" serial ",\"sha256\":\"" B64 "\"}"
#define TO           ",\"to\":{\"version\":\"1.1\",\"serial\":5,\"sha256\":\"" C64 "\"}"
#define NAMES        "\"product\":\"farm\",\"channel\":\"stable\""
#define BASICS       NAMES FROM("4") TO ",\"delta\":{\"bytes\":800}"
#define TYPED(type, predicate_type, subjects, predicate)                                         \
	"{\"_type\":\"" type "\",\"subject\":[" subjects "],\"predicateType\":\"" predicate_type \
	"\",\"predicate\":{" predicate "}}"
#define TYPE                         "https://in-toto.io/Statement/v1"
#define STATEMENT(subjects, members) TYPED(TYPE, PLEDGE_PREDICATE, subjects, members)

static struct pledge read_pledge(const char *text)
{
	struct pledge p;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	if (pledge_parse(text, strlen(text), &p, &e) != 0)
		fail_msg("%s", e.msg);
	pledge_format(&b, &p);
	assert_string_equal(b.data, text);
	buf_release(&b);
	return p;
}

static void assert_rejected(const char *text, const char *message)
{
	struct pledge p;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(pledge_parse(text, strlen(text), &p, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_MALFORMED);
}

static void pledge_reads_every_field(void **state)
{
	uint8_t bytes[SHA256_SIZE];

	(void)state;
	struct pledge p = read_pledge(STATEMENT(SUBJECT, BASICS));
	assert_string_equal(p.product, "farm");
	assert_string_equal(p.channel, "stable");
	assert_string_equal(p.from.version, "1.0");
	assert_int_equal(p.from.serial, 4);
	assert_string_equal(p.to.version, "1.1");
	assert_int_equal(p.to.serial, 5);
	assert_int_equal(p.bytes, 800);
	memset(bytes, 0xAA, sizeof bytes);
	assert_memory_equal(p.digest, bytes, sizeof bytes);
	memset(bytes, 0xBB, sizeof bytes);
	assert_memory_equal(p.from.digest, bytes, sizeof bytes);
	memset(bytes, 0xCC, sizeof bytes);
	assert_memory_equal(p.to.digest, bytes, sizeof bytes);
}

static void pledge_is_of_a_header(void **state)
{
	struct delta_header h = {.product = "farm",
				 .channel = "stable",
				 .from = {.version = "1.0", .serial = 4},
				 .to = {.version = "1.1", .serial = 5}};
	struct pledge p;
	struct buf b = BUF_INIT;
	uint8_t digest[SHA256_SIZE];

	(void)state;
	memset(digest, 0xAA, sizeof digest);
	memset(h.from.digest, 0xBB, sizeof h.from.digest);
	memset(h.to.digest, 0xCC, sizeof h.to.digest);
	pledge_of(&h, digest, 800, &p);
	pledge_format(&b, &p);
	assert_string_equal(b.data, STATEMENT(SUBJECT, BASICS));
	buf_release(&b);
}

static void pledge_is_of_this_type_only(void **state)
{
	(void)state;
	assert_rejected(TYPED(TYPE "/", PLEDGE_PREDICATE, SUBJECT, BASICS),
			"'_type' is not https://in-toto.io/Statement/v1");
	assert_rejected(TYPED(TYPE, "tag:swarm.invalid,2026:release/v1", SUBJECT, BASICS),
			"'predicateType' is not tag:swarm.invalid,2026:delta/v1");
}

static void pledge_has_one_subject_of_its_own_name(void **state)
{
	static const char one[] = "'subject' does not hold exactly one";

	(void)state;
	assert_rejected(STATEMENT("", BASICS), one);
	assert_rejected(STATEMENT(SUBJECT "," SUBJECT, BASICS), one);
	assert_rejected(STATEMENT("{\"name\":\"farm-1.0-1.2.delta\",\"digest\":{\"sha256\":\"" A64
				  "\"}}",
				  BASICS),
			"'name' is not farm-1.0-1.1.delta");
	assert_rejected(STATEMENT("{\"name\":\"farm-1.0-1.1.delta\",\"digest\":{\"sha256\":\"" A64
				  "\",\"sha512\":\"\"}}",
				  BASICS),
			"'sha512' is not a key known here");
}

static void pledge_rejects_bad_fields(void **state)
{
	(void)state;
	assert_rejected(STATEMENT(SUBJECT, NAMES FROM("5") TO ",\"delta\":{\"bytes\":8}"),
			"'to' has no higher serial than 'from'");
	assert_rejected(STATEMENT(SUBJECT, NAMES FROM("0") TO ",\"delta\":{\"bytes\":8}"),
			"'serial' is not at least 1");
	assert_rejected(STATEMENT(SUBJECT, NAMES FROM("4") TO ",\"delta\":{\"bytes\":0}"),
			"'bytes' is not at least 1");
	assert_rejected(STATEMENT(SUBJECT, NAMES FROM("4") TO), "'delta' is missing");
	assert_rejected(STATEMENT(SUBJECT, BASICS ",\"x\":1"), "'x' is not a key known here");
	assert_rejected(STATEMENT(SUBJECT, NAMES FROM("4") TO ",\"delta\":{\"bytes\":8,\"x\":1}"),
			"'x' is not a key known here");
	assert_rejected(STATEMENT(SUBJECT, "\"product\":\"\",\"channel\":\"stable\"" FROM("4") TO
				  ",\"delta\":{\"bytes\":8}"),
			"'product' is not a product or channel");
}

static void pledge_has_one_spelling(void **state)
{
	static const char good[] = STATEMENT(SUBJECT, BASICS);
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof good; i++) {
		struct pledge p;
		struct err e = {.code = ERR_NONE};
		/* A space anywhere is one too many. */
		buf_clear(&b);
		buf_add(&b, good, i);
		buf_addc(&b, ' ');
		buf_adds(&b, good + i);
		assert_int_equal(pledge_parse(b.data, b.len, &p, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
		if (i == sizeof good - 1)
			continue;
		e = (struct err){.code = ERR_NONE};
		assert_int_equal(pledge_parse(good, i, &p, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
	}
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pledge_reads_every_field),
	    cmocka_unit_test(pledge_is_of_a_header),
	    cmocka_unit_test(pledge_is_of_this_type_only),
	    cmocka_unit_test(pledge_has_one_subject_of_its_own_name),
	    cmocka_unit_test(pledge_rejects_bad_fields),
	    cmocka_unit_test(pledge_has_one_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
