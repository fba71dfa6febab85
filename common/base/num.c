#include "swarm/num.h"

#include <string.h>

bool num_add(uint64_t a, uint64_t b, uint64_t *ret)
{
	*ret = a + b;
	return *ret >= a;
}

bool num_mul(uint64_t a, uint64_t b, uint64_t *ret)
{
	*ret = a * b;
	return a == 0 || *ret / a == b;
}

/* Reads the digits at the start; NULL if there are none, or too many. */
static const char *digits(const char *text, uint64_t *ret)
{
	const char *p = text;

	*ret = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		*ret = *ret * 10 + (uint64_t)(*p - '0');
		if (*ret > NUM_MAX)
			return NULL;
	}
	return p == text || (*text == '0' && p - text > 1) ? NULL : p;
}

bool num_parse(const char *text, uint64_t *ret)
{
	const char *end = digits(text, ret);

	return end != NULL && *end == '\0';
}

bool num_parse_size(const char *text, uint64_t *ret)
{
	const char *unit = digits(text, ret);

	if (unit == NULL)
		return false;
	if (*unit == '\0')
		return true;
	const char *at = strchr("KMGT", *unit);
	if (at == NULL || (unit[1] != '\0' && strcmp(unit + 1, "iB") != 0))
		return false;
	return num_mul(*ret, UINT64_C(1) << (10 * (at - "KMGT" + 1)), ret) && *ret <= NUM_MAX;
}

bool num_parse_share(const char *text, double *ret)
{
	const char *dot = strchr(text, '.');
	size_t whole = dot != NULL ? (size_t)(dot - text) : strlen(text);
	size_t decimals = dot != NULL ? strlen(dot + 1) : 0;
	double unit = 1;

	*ret = 0;
	if (whole > 1 || decimals > 9 || whole + decimals == 0)
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		if (p == dot) {
			unit = 0.1;
			continue;
		}
		if (*p < '0' || *p > '9')
			return false;
		*ret += (*p - '0') * unit;
		if (dot != NULL && p > dot)
			unit /= 10;
	}
	return *ret > 0 && *ret <= 1;
}
