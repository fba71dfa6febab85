/* utc: points in time, as whole seconds since 1970-01-01T00:00:00Z. */
#ifndef SWARM_UTC_H
#define SWARM_UTC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

#define UTC_SIZE sizeof "2026-11-23T12:00:00Z"
/* 9999-12-31T23:59:59Z, the last time that can be written. */
#define UTC_MAX INT64_C(253402300799)

/* Writes `YYYY-MM-DDTHH:MM:SSZ`; `t` is 0 to UTC_MAX. */
void utc_format(char to[static UTC_SIZE], int64_t t);
/* Reads that one spelling, and no date that does not exist. */
bool utc_parse(const char *text, int64_t *ret);
/* Reads "90s", "15m", "4h", "30d", "2w" (a number and one unit) as seconds. */
bool utc_parse_duration(const char *text, int64_t *ret);
/* The clock. */
int64_t utc_now(void);
/*
 * The time to write into what is made: $SOURCE_DATE_EPOCH (reproducible-builds.org) where it is
 * set, else `otherwise`. -1 if the variable does not hold a time.
 */
ERR_CHECK int utc_epoch(int64_t otherwise, int64_t *ret, struct err *e);

#endif
