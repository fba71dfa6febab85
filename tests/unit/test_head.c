#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/head.h"
#include "swarm/num.h"
#include "swarm/utc.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define SUBJECT \
	"\"subject\":[{\"name\":\"farm-1.0.2.manifest\",\"digest\":{\"sha256\":\"" A64 "\"}}]"
#define BASICS                                                                             \
	"\"product\":\"farm\",\"channel\":\"stable\",\"version\":\"1.0.2\",\"serial\":42," \
	"\"manifest\":{\"bytes\":123456,\"files\":2},\"issued\":\"2026-11-23T12:00:00Z\"," \
	"\"expires\":\"2026-12-23T12:00:00Z\""
#define STATEMENT(subject, predicate)                             \
	"{\"_type\":\"https://in-toto.io/Statement/v1\"," subject \
	",\"predicateType\":\"tag:swarm.invalid,2026:release/v1\",\"predicate\":{" predicate "}}"
#define PREVIOUS "\"previous\":{\"version\":\"1.0.1\",\"serial\":41,\"sha256\":\"" B64 "\"}"
#define ROLLOUT  "\"rollout\":{\"start\":\"2026-11-24T00:00:00Z\",\"window\":14400}"
#define BTMH     "\"btmh\":\"" B64 "\""
#define HYBRID \
	"\"hybrid\":{\"btmh\":\"" A64 "\",\"btih\":\"cccccccccccccccccccccccccccccccccccccccc\"}"

static struct head read_head(const char *text)
{
	struct head h;
	struct err e = {.code = ERR_NONE};

	if (head_parse(text, strlen(text), &h, &e) != 0)
		fail_msg("%s: %s", text, e.msg);
	return h;
}

static void assert_same_again(const char *text)
{
	struct buf b = BUF_INIT;
	struct head h = read_head(text);

	head_format(&b, &h);
	assert_string_equal(b.data, text);
	buf_release(&b);
}

static void assert_rejected(const char *text, const char *message)
{
	struct head h;
	struct err e = {.code = ERR_NONE};

	if (head_parse(text, strlen(text), &h, &e) == 0)
		fail_msg("%s was taken", text);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_MALFORMED);
}

static void head_round_trips_with_and_without_its_options(void **state)
{
	(void)state;
	assert_same_again(STATEMENT(SUBJECT, BASICS));
	assert_same_again(STATEMENT(SUBJECT, BASICS "," ROLLOUT));
	assert_same_again(STATEMENT(SUBJECT, BASICS "," PREVIOUS));
	assert_same_again(STATEMENT(SUBJECT, BASICS "," BTMH));
	assert_same_again(STATEMENT(SUBJECT, BASICS "," HYBRID));
	assert_same_again(STATEMENT(SUBJECT, BASICS "," ROLLOUT "," PREVIOUS "," BTMH "," HYBRID));
}

static void head_reads_every_field(void **state)
{
	struct head h =
	    read_head(STATEMENT(SUBJECT, BASICS "," ROLLOUT "," PREVIOUS "," BTMH "," HYBRID));

	(void)state;
	assert_string_equal(h.id.product, "farm");
	assert_string_equal(h.id.channel, "stable");
	assert_string_equal(h.id.version, "1.0.2");
	assert_int_equal(h.id.serial, 42);
	assert_int_equal(h.digest[0], 0xAA);
	assert_int_equal(h.bytes, 123456);
	assert_int_equal(h.files, 2);
	assert_int_equal(h.expires - h.issued, 30 * 86400);
	assert_true(h.has_rollout);
	assert_int_equal(h.rollout_start - h.issued, 43200);
	assert_int_equal(h.rollout_window, 14400);
	assert_true(h.has_previous);
	assert_string_equal(h.previous.version, "1.0.1");
	assert_int_equal(h.previous.serial, 41);
	assert_int_equal(h.previous.digest[31], 0xBB);
	assert_true(h.has_btmh);
	assert_int_equal(h.btmh[0], 0xBB);
	assert_true(h.has_hybrid);
	assert_int_equal(h.hybrid_btmh[0], 0xAA);
	assert_int_equal(h.hybrid_btih[19], 0xCC);
}

/* The largest one that can be. */
static void head_round_trips_extremes(void **state)
{
	struct buf b = BUF_INIT;
	struct head h = {.id = {.product = "abcdefghijklmnopqrstuvwxyz012345",
				.channel = "abcdefghijklmnopqrstuvwxyz012345",
				.version = "abcdefghijklmnopqrstuvwxyz0123456789.+_-abcdefgh",
				.serial = NUM_MAX},
			 .bytes = NUM_MAX,
			 .files = NUM_MAX,
			 .issued = 0,
			 .expires = UTC_MAX,
			 .has_rollout = true,
			 .rollout_start = UTC_MAX,
			 .rollout_window = NUM_MAX,
			 .has_previous = true,
			 .has_btmh = true,
			 .has_hybrid = true};

	(void)state;
	memcpy(h.previous.version, h.id.version, sizeof h.previous.version);
	h.previous.serial = NUM_MAX - 1;
	head_format(&b, &h);
	assert_same_again(b.data);
	/* In an envelope with one signature (keyid and P-256 in DER) at most 1.75 KiB. */
	size_t envelope = sizeof "{\"payloadType\":\"\",\"payload\":\"\",\"signatures\":["
				 "{\"keyid\":\"\",\"sig\":\"\"}]}" +
			  sizeof "application/vnd.in-toto+json" + 64 + 96;
	assert_in_range((b.len + 2) / 3 * 4 + envelope, 1000, 1792);
	buf_release(&b);
}

static void head_is_of_this_type_only(void **state)
{
	(void)state;
	assert_rejected(
	    "{\"_type\":\"https://in-toto.io/Statement/v0.1\"," SUBJECT
	    ",\"predicateType\":\"tag:swarm.invalid,2026:release/v1\",\"predicate\":{" BASICS "}}",
	    "'_type' is not https://in-toto.io/Statement/v1");
	assert_rejected(
	    "{\"_type\":\"https://in-toto.io/Statement/v1\"," SUBJECT
	    ",\"predicateType\":\"tag:swarm.invalid,2026:delta/v1\",\"predicate\":{" BASICS "}}",
	    "'predicateType' is not tag:swarm.invalid,2026:release/v1");
	assert_rejected("{}", "'_type' is missing");
	assert_rejected("[]", "not a JSON object: another kind of value");
	assert_rejected("hello", "not a JSON object: '[' or '{' expected near 'hello'");
}

static void head_has_one_subject_of_its_own_name(void **state)
{
	(void)state;
	assert_rejected(STATEMENT("\"subject\":[]", BASICS), "'subject' does not hold exactly one");
	assert_rejected(STATEMENT("\"subject\":[{\"name\":\"farm-1.0.2.manifest\",\"digest\":{"
				  "\"sha256\":\"" A64 "\"}},{\"name\":\"farm-1.0.2.manifest\","
				  "\"digest\":{\"sha256\":\"" A64 "\"}}]",
				  BASICS),
			"'subject' does not hold exactly one");
	assert_rejected(STATEMENT("\"subject\":[{\"name\":\"farm-1.0.3.manifest\",\"digest\":{"
				  "\"sha256\":\"" A64 "\"}}]",
				  BASICS),
			"'name' is not farm-1.0.2.manifest");
	assert_rejected(STATEMENT("\"subject\":[{\"name\":\"farm-1.0.2.manifest\",\"digest\":{"
				  "\"sha256\":\"" A64 "\",\"sha512\":\"" A64 "\"}}]",
				  BASICS),
			"'sha512' is not a key known here");
	assert_rejected(
	    STATEMENT("\"subject\":[{\"name\":\"farm-1.0.2.manifest\",\"digest\":{}}]", BASICS),
	    "'sha256' is missing");
	assert_rejected(STATEMENT("\"subject\":[{\"name\":\"farm-1.0.2.manifest\",\"digest\":{"
				  "\"sha256\":\"" A64 "00\"}}]",
				  BASICS),
			"'sha256' is not lower-case hex of the right length");
}

#define WITH_TIMES(issued, expires)                                                             \
	STATEMENT(SUBJECT, "\"product\":\"farm\",\"channel\":\"stable\",\"version\":\"1.0.2\"," \
			   "\"serial\":42,\"manifest\":{\"bytes\":1,\"files\":1},"              \
			   "\"issued\":\"" issued "\",\"expires\":\"" expires "\"")

static void head_expires_after_it_is_issued(void **state)
{
	(void)state;
	(void)read_head(WITH_TIMES("2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"));
	assert_rejected(WITH_TIMES("2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"),
			"'expires' is not after 'issued'");
	assert_rejected(WITH_TIMES("2026-11-23T12:00:00Z", "2026-11-23T11:59:59Z"),
			"'expires' is not after 'issued'");
	assert_rejected(WITH_TIMES("2026-11-23T12:00:00Z", "2026-11-31T00:00:00Z"),
			"'expires' is not a time as YYYY-MM-DDTHH:MM:SSZ");
	assert_rejected(WITH_TIMES("2026-11-23", "2026-11-30T00:00:00Z"),
			"'issued' is not a time as YYYY-MM-DDTHH:MM:SSZ");
	assert_rejected(STATEMENT(SUBJECT, "\"product\":\"farm\",\"channel\":\"stable\","
					   "\"version\":\"1.0.2\",\"serial\":42,"
					   "\"manifest\":{\"bytes\":1,\"files\":1},"
					   "\"issued\":\"2026-11-23T12:00:00Z\""),
			"'expires' is missing");
}

#define WITH_PREVIOUS(serial)                                                               \
	STATEMENT(SUBJECT, BASICS ",\"previous\":{\"version\":\"1.0.1\",\"serial\":" serial \
				  ",\"sha256\":\"" A64 "\"}")

static void head_follows_a_lower_serial(void **state)
{
	(void)state;
	(void)read_head(WITH_PREVIOUS("41"));
	(void)read_head(WITH_PREVIOUS("1"));
	assert_rejected(WITH_PREVIOUS("42"), "'serial' is not below that of the release");
	assert_rejected(WITH_PREVIOUS("43"), "'serial' is not below that of the release");
	assert_rejected(WITH_PREVIOUS("0"), "'serial' is not at least 1");
}

static void head_rejects_bad_fields(void **state)
{
	(void)state;
	assert_rejected(STATEMENT(SUBJECT, "\"product\":\"../x\""),
			"'product' is not a product or channel");
	assert_rejected(STATEMENT(SUBJECT, "\"product\":\"farm\",\"channel\":\"a b\""),
			"'channel' is not a product or channel");
	assert_rejected(STATEMENT(SUBJECT, "\"product\":\"farm\",\"channel\":\"stable\","
					   "\"version\":\"\""),
			"'version' is not a version");
	assert_rejected(STATEMENT(SUBJECT, "\"product\":\"farm\",\"channel\":\"stable\","
					   "\"version\":\"1.0.2\",\"serial\":0"),
			"'serial' is not at least 1");
	assert_rejected(STATEMENT(SUBJECT, "\"product\":\"farm\",\"channel\":\"stable\","
					   "\"version\":\"1.0.2\",\"serial\":9007199254740992"),
			"'serial' is not a whole number from 0 to 2^53-1");
	assert_rejected(STATEMENT(SUBJECT, "\"product\":\"farm\",\"channel\":\"stable\","
					   "\"version\":\"1.0.2\",\"serial\":42,"
					   "\"manifest\":{\"bytes\":0,\"files\":1}"),
			"'bytes' is not at least 1");
	assert_rejected(STATEMENT(SUBJECT, "\"product\":\"farm\",\"channel\":\"stable\","
					   "\"version\":\"1.0.2\",\"serial\":42,"
					   "\"manifest\":{\"bytes\":1,\"files\":0}"),
			"'files' is not at least 1");
	assert_rejected(STATEMENT(SUBJECT, BASICS ",\"btmh\":\"1220" A64 "\""),
			"'btmh' is not lower-case hex of the right length");
	assert_rejected(STATEMENT(SUBJECT, BASICS ",\"btmh\":null"), "'btmh' is not a string");
	assert_rejected(
	    STATEMENT(SUBJECT, BASICS ",\"rollout\":{\"start\":\"2026-11-24T00:00:00Z\"}"),
	    "'window' is missing");
	assert_rejected(STATEMENT(SUBJECT, BASICS ",\"hybrid\":{\"btmh\":\"" A64 "\"}"),
			"'btih' is missing");
	assert_rejected(STATEMENT(SUBJECT, BASICS ",\"hybrid\":[]"), "'hybrid' is not an object");
	assert_rejected(STATEMENT("\"subject\":7", BASICS), "'subject' is not an array");
}

static void head_rejects_unknown_keys_at_any_depth(void **state)
{
	static const char why[] = "'x' is not a key known here";

	(void)state;
	assert_rejected(STATEMENT(SUBJECT, BASICS ",\"x\":1"), why);
	assert_rejected(STATEMENT(SUBJECT ",\"x\":1", BASICS), why);
	assert_rejected(STATEMENT(SUBJECT,
				  BASICS ",\"rollout\":{\"start\":\"2026-11-24T00:00:00Z\","
					 "\"window\":1,\"x\":1}"),
			why);
}

static void head_has_one_spelling(void **state)
{
	static const char good[] = STATEMENT(SUBJECT, BASICS "," PREVIOUS);
	struct buf b = BUF_INIT;

	(void)state;
	(void)read_head(good);
	/* A space anywhere is one too many. */
	for (size_t i = 0; i < sizeof good; i++) {
		struct head h;
		struct err e = {.code = ERR_NONE};
		buf_clear(&b);
		buf_add(&b, good, i);
		buf_addc(&b, ' ');
		buf_adds(&b, good + i);
		assert_int_equal(head_parse(b.data, b.len, &h, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
	}
	assert_rejected(STATEMENT(SUBJECT, BASICS "," BTMH "," PREVIOUS),
			"column 409: not the one spelling that a document may use (order of keys, "
			"white space, escapes)");
	buf_release(&b);
}

static void head_rejects_every_truncation(void **state)
{
	static const char good[] = STATEMENT(SUBJECT, BASICS);

	(void)state;
	for (size_t len = 0; len < sizeof good - 1; len++) {
		struct head h;
		struct err e = {.code = ERR_NONE};
		assert_int_equal(head_parse(good, len, &h, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(head_round_trips_with_and_without_its_options),
	    cmocka_unit_test(head_reads_every_field),
	    cmocka_unit_test(head_round_trips_extremes),
	    cmocka_unit_test(head_is_of_this_type_only),
	    cmocka_unit_test(head_has_one_subject_of_its_own_name),
	    cmocka_unit_test(head_expires_after_it_is_issued),
	    cmocka_unit_test(head_follows_a_lower_serial),
	    cmocka_unit_test(head_rejects_bad_fields),
	    cmocka_unit_test(head_rejects_unknown_keys_at_any_depth),
	    cmocka_unit_test(head_has_one_spelling),
	    cmocka_unit_test(head_rejects_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
