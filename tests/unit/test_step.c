#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/sha256.h"
#include "swarm/step.h"

#define HEX    "0000000000000000000000000000000000000000000000000000000000000000"
#define BASE64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const uint8_t zeros[SHA256_SIZE];

static void expect(const struct step *step, const char *line)
{
	struct buf text = BUF_INIT;

	step_format(&text, step);
	assert_false(text.failed);
	assert_string_equal(text.data, line);
	buf_release(&text);
}

static void step_has_what_its_op_needs_in_order(void **state)
{
	struct step step = {.op = STEP_PUT,
			    .class = STEP_PAYLOAD,
			    .key = "k",
			    .from = "f",
			    .source = "s",
			    .size = 3,
			    .sha256 = zeros,
			    .type = "t",
			    .cache = "c"};

	(void)state;
	expect(&step,
	       "{\"op\":\"put\",\"class\":\"payload\",\"key\":\"k\",\"source\":\"s\",\"size\":3,"
	       "\"sha256\":\"" HEX "\",\"checksum\":\"" BASE64
	       "\",\"type\":\"t\",\"cache\":\"c\"}\n");
	step.op = STEP_COPY;
	step.cache = NULL;
	expect(&step,
	       "{\"op\":\"copy\",\"class\":\"payload\",\"key\":\"k\",\"from\":\"f\",\"size\":3,"
	       "\"sha256\":\"" HEX "\",\"checksum\":\"" BASE64 "\",\"type\":\"t\"}\n");
	step.op = STEP_DELETE;
	expect(&step, "{\"op\":\"delete\",\"class\":\"payload\",\"key\":\"k\"}\n");
}

static void step_of_over_5_gib_has_no_checksum(void **state)
{
	struct step step = {.op = STEP_PUT,
			    .class = STEP_CONTENT,
			    .key = "k",
			    .source = "s",
			    .size = STEP_SINGLE_MAX,
			    .sha256 = zeros,
			    .type = "t"};

	(void)state;
	expect(&step, "{\"op\":\"put\",\"class\":\"content\",\"key\":\"k\",\"source\":\"s\","
		      "\"size\":5368709120,\"sha256\":\"" HEX "\",\"checksum\":\"" BASE64
		      "\",\"type\":\"t\"}\n");
	step.size++;
	expect(&step,
	       "{\"op\":\"put\",\"class\":\"content\",\"key\":\"k\",\"source\":\"s\","
	       "\"size\":5368709121,\"sha256\":\"" HEX "\",\"multipart\":true,\"type\":\"t\"}\n");
}

static void step_says_that_it_is_the_head_of_a_manifest(void **state)
{
	const struct step step = {.op = STEP_PUT,
				  .class = STEP_HEAD,
				  .key = "k",
				  .source = "s",
				  .sha256 = zeros,
				  .type = "t",
				  .cache = "c",
				  .head = true};

	(void)state;
	expect(&step,
	       "{\"op\":\"put\",\"class\":\"head\",\"key\":\"k\",\"source\":\"s\",\"size\":0,"
	       "\"sha256\":\"" HEX "\",\"checksum\":\"" BASE64
	       "\",\"type\":\"t\",\"cache\":\"c\",\"head\":true}\n");
}

static void step_escapes_names(void **state)
{
	const struct step step = {.op = STEP_DELETE, .class = STEP_DELTA, .key = "\"\\ #%\xC3\xA9"};

	(void)state;
	expect(&step, "{\"op\":\"delete\",\"class\":\"delta\",\"key\":\"\\\"\\\\ #%\xC3\xA9\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(step_has_what_its_op_needs_in_order),
	    cmocka_unit_test(step_of_over_5_gib_has_no_checksum),
	    cmocka_unit_test(step_says_that_it_is_the_head_of_a_manifest),
	    cmocka_unit_test(step_escapes_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
