/* Input: a time or a duration. A time that is read is written as it was. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/utc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char again[UTC_SIZE];
	int64_t t = -1;

	check(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (utc_parse(text, &t)) {
		check(t >= 0 && t <= UTC_MAX);
		utc_format(again, t);
		check(strcmp(again, text) == 0);
		check(!utc_parse_duration(text, &t));
	} else if (utc_parse_duration(text, &t)) {
		check(t >= 0 && t <= UTC_MAX);
	}
	/* As a number of seconds, to be written and read. */
	if (size >= 8) {
		uint64_t n;
		memcpy(&n, data, 8);
		utc_format(again, (int64_t)(n % ((uint64_t)UTC_MAX + 1)));
		check(utc_parse(again, &t) && (uint64_t)t == n % ((uint64_t)UTC_MAX + 1));
	}
	free(text);
	return 0;
}
