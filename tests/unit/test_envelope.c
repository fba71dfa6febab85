#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/envelope.h"

#define TYPE "\"payloadType\":\"application/vnd.in-toto+json\""
#define GOOD "{" TYPE ",\"payload\":\"aGk=\",\"signatures\":[{\"keyid\":\"k\",\"sig\":\"AAEC\"}]}"

static void parse(const char *line, struct envelope *ret)
{
	struct err e = {.code = ERR_NONE};

	envelope_init(ret);
	if (envelope_parse(line, strlen(line), ret, &e) != 0)
		fail_msg("%s", e.msg);
}

static void assert_rejected(const char *line, const char *message)
{
	struct envelope v;
	struct err e = {.code = ERR_NONE};

	envelope_init(&v);
	if (envelope_parse(line, strlen(line), &v, &e) == 0)
		fail_msg("%s was taken", line);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_MALFORMED);
	envelope_release(&v);
}

static void envelope_round_trips(void **state)
{
	struct envelope v;
	struct buf b = BUF_INIT;

	(void)state;
	parse(GOOD, &v);
	assert_string_equal(v.payload.data, "hi");
	assert_int_equal(v.signature_count, 1);
	assert_string_equal(v.signatures[0].keyid, "k");
	assert_int_equal(v.signatures[0].sig_len, 3);
	assert_memory_equal(v.signatures[0].sig, "\0\1\2", 3);
	envelope_format(&b, &v);
	assert_string_equal(b.data, GOOD);
	envelope_release(&v);
	envelope_release(&v);
	buf_release(&b);
}

/* Other tools write them in their own way. */
static void envelope_may_be_formatted_freely(void **state)
{
	static const char *const lines[] = {
	    " { \"signatures\" : [ { \"sig\" : \"AAEC\" , \"keyid\" : \"k\" } ] ,\t\"payload\":"
	    "\"aGk=\", " TYPE " } ",
	    "{\"payloadType\":\"application\\/vnd.in-toto\\u002bjson\",\"payload\":\"aGk\\u003d\","
	    "\"signatures\":[{\"keyid\":\"\\u006b\",\"sig\":\"AAEC\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct envelope v;
		struct buf b = BUF_INIT;
		parse(lines[i], &v);
		envelope_format(&b, &v);
		assert_string_equal(b.data, GOOD);
		envelope_release(&v);
		buf_release(&b);
	}
}

static void envelope_needs_no_keyid(void **state)
{
	struct envelope v;

	(void)state;
	parse("{" TYPE ",\"payload\":\"\",\"signatures\":[{\"sig\":\"\"}]}", &v);
	assert_string_equal(v.signatures[0].keyid, "");
	assert_int_equal(v.signatures[0].sig_len, 0);
	assert_int_equal(v.payload.len, 0);
	envelope_release(&v);
}

static void envelope_rejects_other_payloads(void **state)
{
	static const char why[] = "'payloadType' is not application/vnd.in-toto+json";

	(void)state;
	assert_rejected("{\"payloadType\":\"application/json\",\"payload\":\"\","
			"\"signatures\":[{\"sig\":\"\"}]}",
			why);
	assert_rejected("{\"payloadType\":\"Application/vnd.in-toto+json\",\"payload\":\"\","
			"\"signatures\":[{\"sig\":\"\"}]}",
			why);
	assert_rejected("{\"payload\":\"\",\"signatures\":[{\"sig\":\"\"}]}",
			"'payloadType' is missing");
}

static void envelope_rejects_unknown_and_doubled_keys(void **state)
{
	(void)state;
	assert_rejected("{" TYPE ",\"payload\":\"\",\"signatures\":[{\"sig\":\"\"}],\"x\":1}",
			"'x' is not a key known here");
	assert_rejected("{" TYPE ",\"payload\":\"\",\"signatures\":[{\"sig\":\"\",\"cert\":\"\"}]}",
			"'cert' is not a key known here");
	assert_rejected("{" TYPE
			",\"payload\":\"\",\"payload\":\"\",\"signatures\":[{\"sig\":\"\"}]}",
			"not a JSON object: duplicate object key near '\"payload\"'");
	assert_rejected("{" TYPE ",\"payload\":\"\",\"signatures\":[{\"sig\":\"\",\"sig\":\"\"}]}",
			"not a JSON object: duplicate object key near '\"sig\"'");
}

static void envelope_rejects_malformed_parts(void **state)
{
	(void)state;
	assert_rejected("", "not a JSON object: '[' or '{' expected near end of file");
	assert_rejected("{" TYPE ",\"payload\":\"aGk\",\"signatures\":[{\"sig\":\"\"}]}",
			"'payload' is not canonical base64");
	assert_rejected("{" TYPE ",\"payload\":\"aG_=\",\"signatures\":[{\"sig\":\"\"}]}",
			"'payload' is not canonical base64");
	assert_rejected("{" TYPE ",\"payload\":\"\",\"signatures\":[{\"sig\":\"A\"}]}",
			"'sig' is not canonical base64");
	assert_rejected("{" TYPE ",\"payload\":\"\",\"signatures\":[{\"keyid\":\"k\"}]}",
			"'sig' is missing");
	assert_rejected("{" TYPE ",\"payload\":\"\",\"signatures\":[{\"keyid\":7,\"sig\":\"\"}]}",
			"'keyid' is not a string");
	assert_rejected("{" TYPE ",\"payload\":\"\",\"signatures\":{}}",
			"'signatures' is not an array");
	assert_rejected("{" TYPE ",\"payload\":\"\",\"signatures\":[\"x\"]}",
			"'signatures' is not an object");
	assert_rejected("{" TYPE ",\"payload\":\"\"}", "'signatures' is missing");
}

static void envelope_of(struct buf *to, size_t signatures)
{
	buf_adds(to, "{" TYPE ",\"payload\":\"\",\"signatures\":[");
	for (size_t i = 0; i < signatures; i++)
		buf_addf(to, "%s{\"keyid\":\"%zu\",\"sig\":\"\"}", i > 0 ? "," : "", i);
	buf_adds(to, "]}");
}

static void envelope_has_1_to_16_signatures(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 18; n++) {
		struct buf b = BUF_INIT;
		struct envelope v;
		envelope_of(&b, n);
		if (n >= 1 && n <= 16) {
			parse(b.data, &v);
			assert_int_equal(v.signature_count, n);
			envelope_release(&v);
		} else if (n == 17) {
			assert_rejected(b.data, "'signatures' does not hold 1 to 16 signatures");
		} else if (n == 0) {
			assert_rejected(b.data, "'signatures' does not hold 1 to 16 signatures");
		}
		buf_release(&b);
	}
}

static void envelope_is_at_most_16_kib(void **state)
{
	struct buf b = BUF_INIT;
	struct envelope v;

	(void)state;
	envelope_of(&b, 1);
	while (b.len < ENVELOPE_MAX)
		buf_addc(&b, ' ');
	parse(b.data, &v);
	envelope_release(&v);
	buf_addc(&b, ' ');
	assert_rejected(b.data, "the envelope is over 16384 bytes long");
	buf_release(&b);
}

static void assert_sizes(size_t keyid_len, size_t sig_len, const char *why)
{
	struct buf b = BUF_INIT;
	struct envelope v;

	buf_adds(&b, "{" TYPE ",\"payload\":\"\",\"signatures\":[{\"keyid\":\"");
	for (size_t i = 0; i < keyid_len; i++)
		buf_addc(&b, 'k');
	buf_adds(&b, "\",\"sig\":\"");
	for (size_t i = 0; i < sig_len / 3; i++)
		buf_adds(&b, "AAAA");
	buf_adds(&b, sig_len % 3 == 0 ? "\"}]}" : sig_len % 3 == 1 ? "AA==\"}]}" : "AAA=\"}]}");
	if (why != NULL) {
		assert_rejected(b.data, why);
	} else {
		parse(b.data, &v);
		assert_int_equal(strlen(v.signatures[0].keyid), keyid_len);
		assert_int_equal(v.signatures[0].sig_len, sig_len);
		envelope_release(&v);
	}
	buf_release(&b);
}

static void envelope_parts_have_limits(void **state)
{
	(void)state;
	assert_sizes(128, 512, NULL);
	assert_sizes(129, 512, "'keyid' is over 128 bytes long");
	assert_sizes(128, 513, "'sig' is over 512 bytes long");
	assert_sizes(5000, 7, "'keyid' is over 128 bytes long");
	assert_sizes(7, 5000, "'sig' is over 512 bytes long");
}

static void envelope_sorts_signatures_by_keyid(void **state)
{
	struct envelope v;
	struct err e;
	struct buf b = BUF_INIT;

	(void)state;
	envelope_init(&v);
	assert_int_equal(envelope_add(&v, "b", (const uint8_t *)"2", 1, &e), 0);
	assert_int_equal(envelope_add(&v, "c", (const uint8_t *)"3", 1, &e), 0);
	assert_int_equal(envelope_add(&v, "a", (const uint8_t *)"1", 1, &e), 0);
	envelope_format(&b, &v);
	assert_string_equal(b.data, "{" TYPE ",\"payload\":\"\",\"signatures\":["
				    "{\"keyid\":\"a\",\"sig\":\"MQ==\"},"
				    "{\"keyid\":\"b\",\"sig\":\"Mg==\"},"
				    "{\"keyid\":\"c\",\"sig\":\"Mw==\"}]}");
	/* The envelope itself is left as it was. */
	assert_string_equal(v.signatures[0].keyid, "b");
	buf_release(&b);
	envelope_release(&v);
}

static void envelope_replaces_a_signature_of_the_same_key(void **state)
{
	struct envelope v;
	struct err e;

	(void)state;
	envelope_init(&v);
	assert_int_equal(envelope_add(&v, "a", (const uint8_t *)"long one", 8, &e), 0);
	assert_int_equal(envelope_add(&v, "b", (const uint8_t *)"x", 1, &e), 0);
	assert_int_equal(envelope_add(&v, "a", (const uint8_t *)"new", 3, &e), 0);
	assert_int_equal(v.signature_count, 2);
	assert_int_equal(v.signatures[0].sig_len, 3);
	assert_memory_equal(v.signatures[0].sig, "new", 3);
	envelope_release(&v);
}

static void envelope_takes_no_more_than_it_may_hold(void **state)
{
	static uint8_t sig[ENVELOPE_SIG_MAX + 1];
	char keyid[ENVELOPE_KEYID_MAX + 2];
	struct envelope v;
	struct err e = {.code = ERR_NONE};

	(void)state;
	envelope_init(&v);
	memset(keyid, 'k', sizeof keyid - 1);
	keyid[sizeof keyid - 1] = '\0';
	assert_int_equal(envelope_add(&v, keyid, sig, 1, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "the signature is too long for an envelope");
	keyid[sizeof keyid - 2] = '\0';
	assert_int_equal(envelope_add(&v, keyid, sig, sizeof sig, &e), -1);
	assert_int_equal(v.signature_count, 0);
	assert_int_equal(envelope_add(&v, keyid, sig, sizeof sig - 1, &e), 0);
	for (int i = 1; i < ENVELOPE_SIGNATURES; i++) {
		(void)snprintf(keyid, sizeof keyid, "%d", i);
		assert_int_equal(envelope_add(&v, keyid, sig, 64, &e), 0);
	}
	assert_int_equal(envelope_add(&v, "one more", sig, 64, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "an envelope holds at most 16 signatures");
	assert_int_equal(v.signature_count, ENVELOPE_SIGNATURES);
	/* One that is there already can still be replaced. */
	assert_int_equal(envelope_add(&v, "15", sig, 70, &e), 0);
	envelope_release(&v);
}

/* A keyid that another tool wrote may hold anything: the line stays one line of JSON. */
static void envelope_keeps_strange_keyids(void **state)
{
	static const char line[] =
	    "{" TYPE ",\"payload\":\"\",\"signatures\":["
	    "{\"keyid\":\"a\\n\\\"\\\\\\u0001\\u009f\xC3\xA9\",\"sig\":\"\"}]}";
	struct envelope v, again;
	struct buf b = BUF_INIT;

	(void)state;
	parse(line, &v);
	assert_string_equal(v.signatures[0].keyid, "a\n\"\\\x01\xC2\x9F\xC3\xA9");
	envelope_format(&b, &v);
	assert_null(strchr(b.data, '\n'));
	parse(b.data, &again);
	assert_string_equal(again.signatures[0].keyid, v.signatures[0].keyid);
	envelope_release(&v);
	envelope_release(&again);
	buf_release(&b);
}

/* The example of the DSSE specification, with our type. */
static void envelope_preauth_is_what_dsse_says(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	envelope_preauth(&b, "hello world", 11);
	assert_string_equal(b.data, "DSSEv1 28 application/vnd.in-toto+json 11 hello world");
	buf_clear(&b);
	envelope_preauth(&b, "a\0b", 3);
	assert_int_equal(b.len, 44);
	assert_memory_equal(b.data, "DSSEv1 28 application/vnd.in-toto+json 3 a\0b", 44);
	buf_clear(&b);
	envelope_preauth(&b, "", 0);
	assert_string_equal(b.data, "DSSEv1 28 application/vnd.in-toto+json 0 ");
	buf_release(&b);
}

/* An envelope that is read again forgets what it held. */
static void envelope_parse_starts_over(void **state)
{
	struct envelope v;
	struct err e;

	(void)state;
	parse("{" TYPE ",\"payload\":\"aGVsbG8=\",\"signatures\":[{\"sig\":\"\"},{\"sig\":\"\"}]}",
	      &v);
	assert_int_equal(envelope_parse(GOOD, strlen(GOOD), &v, &e), 0);
	assert_string_equal(v.payload.data, "hi");
	assert_int_equal(v.signature_count, 1);
	envelope_release(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(envelope_round_trips),
	    cmocka_unit_test(envelope_may_be_formatted_freely),
	    cmocka_unit_test(envelope_needs_no_keyid),
	    cmocka_unit_test(envelope_rejects_other_payloads),
	    cmocka_unit_test(envelope_rejects_unknown_and_doubled_keys),
	    cmocka_unit_test(envelope_rejects_malformed_parts),
	    cmocka_unit_test(envelope_has_1_to_16_signatures),
	    cmocka_unit_test(envelope_is_at_most_16_kib),
	    cmocka_unit_test(envelope_parts_have_limits),
	    cmocka_unit_test(envelope_sorts_signatures_by_keyid),
	    cmocka_unit_test(envelope_replaces_a_signature_of_the_same_key),
	    cmocka_unit_test(envelope_takes_no_more_than_it_may_hold),
	    cmocka_unit_test(envelope_keeps_strange_keyids),
	    cmocka_unit_test(envelope_preauth_is_what_dsse_says),
	    cmocka_unit_test(envelope_parse_starts_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
