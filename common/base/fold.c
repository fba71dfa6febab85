#include "swarm/fold.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

bool fold_is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static void lower_ascii(struct buf *to, const char *text)
{
	size_t len = strlen(text);
	char *room = buf_room(to, len);

	if (room == NULL)
		return;
	for (size_t i = 0; i < len; i++)
		room[i] =
		    text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
	buf_grew(to, len);
}

/* On success the caller frees *ret. */
static int map(const uint8_t *text, unsigned options, uint8_t **ret, struct err *e)
{
	utf8proc_ssize_t n = utf8proc_map(
	    text, 0, ret, (utf8proc_option_t)(options | UTF8PROC_NULLTERM | UTF8PROC_STABLE));

	if (n == UTF8PROC_ERROR_NOMEM)
		return err_nomem(e);
	if (n == UTF8PROC_ERROR_INVALIDUTF8)
		return err_set(e, ERR_MALFORMED, "it is not valid UTF-8");
	if (n < 0)
		return err_set(e, ERR_MALFORMED, "%s", utf8proc_errmsg(n));
	return 0;
}

/*
 * Decomposed first, as D145 of the Unicode standard has it: U+0345 is a letter once it is folded,
 * and stands elsewhere than the mark that it was. Without that, spellings of one text would differ,
 * and folding again would change some.
 */
static int fold_marks(struct buf *to, const char *text, struct err *e)
{
	uint8_t *apart = NULL, *folded = NULL;
	int result = -1;

	if (map((const uint8_t *)text, UTF8PROC_DECOMPOSE, &apart, e) == 0 &&
	    map(apart, UTF8PROC_CASEFOLD | UTF8PROC_COMPOSE, &folded, e) == 0) {
		buf_adds(to, (const char *)folded);
		result = buf_check(to, e);
	}
	free(folded);
	free(apart);
	return result;
}

int fold_text(struct buf *to, const char *text, struct err *e)
{
	buf_clear(to);
	if (!fold_is_ascii(text))
		return fold_marks(to, text, e);
	lower_ascii(to, text);
	return buf_check(to, e);
}

int fold_name(struct buf *to, const char *name, struct err *e)
{
	struct err why;

	if (fold_text(to, name, &why) == 0)
		return 0;
	if (why.code != ERR_MALFORMED) {
		*e = why;
		return -1;
	}
	lower_ascii(to, name);
	return buf_check(to, e);
}

int fold_spelling(struct buf *to, const char *text, struct err *e)
{
	uint8_t *composed = NULL;

	buf_clear(to);
	if (!fold_is_ascii(text)) {
		if (map((const uint8_t *)text, UTF8PROC_COMPOSE, &composed, e) != 0)
			return -1;
		text = (const char *)composed;
	}
	buf_adds(to, text);
	free(composed);
	return buf_check(to, e);
}
