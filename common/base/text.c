#include "swarm/text.h"

#include <stdint.h>
#include <string.h>

size_t text_utf8(const char *text, size_t len, unsigned long *ret_point)
{
	const uint8_t *s = (const uint8_t *)text;

	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*ret_point = s[0];
		return 1;
	}
	size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
	if (s[0] < 0xC2 || s[0] > 0xF4 || len < n)
		return 0;
	unsigned long point = s[0] & (0xFFu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		point = point << 6 | (s[i] & 0x3Fu);
	}
	if (n == 3 && (point < 0x800 || (point >= 0xD800 && point <= 0xDFFF)))
		return 0;
	if (n == 4 && (point < 0x10000 || point > 0x10FFFF))
		return 0;
	*ret_point = point;
	return n;
}

static bool is_steering(unsigned long c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x200B && c <= 0x200F) ||
	       (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF ||
	       c == 0x61C || (c >= 0xE0000 && c <= 0xE007F);
}

void text_printable(struct buf *to, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned long point = 0;
		size_t n = text_utf8(text + i, len - i, &point);
		if (n > 0 && !is_steering(point)) {
			buf_add(to, text + i, n);
			i += n;
			continue;
		}
		for (size_t end = i + (n > 0 ? n : 1); i < end; i++)
			buf_addf(to, "\\x%02x", (unsigned)(unsigned char)text[i]);
	}
}

#define WORD_MAX 64

/* Edit distance with transpositions (optimal string alignment). */
static size_t distance(const char *a, size_t an, const char *b, size_t bn)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= bn; j++)
		last[j] = j;
	for (size_t i = 1; i <= an; i++) {
		now[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		size_t *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[bn];
}

const char *text_nearest(const char *word, const char *const *words)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX, n = strlen(word);

	if (n > WORD_MAX)
		return NULL;
	for (; *words != NULL; words++) {
		size_t m = strlen(*words);
		if (m > WORD_MAX)
			continue;
		size_t d = distance(word, n, *words, m);
		if (d <= (n > m ? n : m) / 3 && d < best) {
			best = d;
			nearest = *words;
		}
	}
	return nearest;
}

void text_count(struct buf *to, unsigned long long n)
{
	char digits[32];
	size_t at = sizeof digits;

	for (size_t i = 0;; i++) {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
		if (n == 0)
			break;
		if (i % 3 == 2)
			digits[--at] = ',';
	}
	buf_add(to, digits + at, sizeof digits - at);
}

void text_bytes(struct buf *to, unsigned long long n)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};

	if (n < 1000) {
		buf_addf(to, n == 1 ? "%llu byte" : "%llu bytes", n);
		return;
	}
	double value = (double)n / 1000;
	size_t unit = 0;
	for (; value >= 999.95 && unit + 1 < sizeof units / sizeof *units; unit++)
		value /= 1000;
	buf_addf(to, "%.1f %s", value, units[unit]);
}

void text_plural(struct buf *to, unsigned long long n, const char *noun)
{
	text_count(to, n);
	buf_addf(to, n == 1 ? " %s" : " %ss", noun);
}
