#include "swarm/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "swarm/num.h"

#define DAY INT64_C(86400)

/* Days since 1970-01-01 in the proleptic Gregorian calendar, years counted from March. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, of_era = y % 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void utc_format(char to[static UTC_SIZE], int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm = {0};

	(void)gmtime_r(&when, &tm);
	(void)strftime(to, UTC_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool utc_parse(const char *text, int64_t *ret)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	int64_t field[6] = {0};
	size_t at = 0;

	if (strlen(text) != sizeof shape - 1)
		return false;
	for (size_t i = 0; shape[i] != '\0'; i++) {
		if (shape[i] == 'd' && text[i] >= '0' && text[i] <= '9')
			field[at] = field[at] * 10 + (text[i] - '0');
		else if (shape[i] != 'd' && text[i] == shape[i])
			at += at < 5;
		else
			return false;
	}
	if (field[0] < 1970 || field[3] > 23 || field[4] > 59 || field[5] > 59)
		return false;
	*ret = days_from_date(field[0], field[1], field[2]) * DAY + field[3] * 3600 +
	       field[4] * 60 + field[5];
	/* A month 13 or a 30 February comes out as another date. */
	char again[UTC_SIZE];
	if (field[1] < 1 || field[1] > 12 || *ret < 0 || *ret > UTC_MAX)
		return false;
	utc_format(again, *ret);
	return strcmp(again, text) == 0;
}

bool utc_parse_duration(const char *text, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY}, {'w', 7 * DAY}};
	char number[20];
	size_t len = strlen(text);
	uint64_t n = 0;

	if (len < 2 || len > sizeof number)
		return false;
	memcpy(number, text, len - 1);
	number[len - 1] = '\0';
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (text[len - 1] != units[i].unit)
			continue;
		if (!num_parse(number, &n) || n > (uint64_t)(UTC_MAX / units[i].seconds))
			return false;
		*ret = (int64_t)n * units[i].seconds;
		return true;
	}
	return false;
}

int64_t utc_now(void)
{
	return (int64_t)time(NULL);
}

int utc_epoch(int64_t otherwise, int64_t *ret, struct err *e)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t n = 0;

	*ret = otherwise;
	if (text == NULL || *text == '\0')
		return 0;
	if (!num_parse(text, &n) || n > (uint64_t)UTC_MAX)
		return err_set(e, ERR_USAGE,
			       "SOURCE_DATE_EPOCH is '%s', not a number of seconds since 1970",
			       text);
	*ret = (int64_t)n;
	return 0;
}
