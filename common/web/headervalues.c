#include "swarm/headervalues.h"

#include <string.h>

int headervalues_find(struct headervalues *v, struct arena *arena, const char *text, int *ret,
		      struct err *e)
{
	size_t i = v->last;

	if (i >= v->count || strcmp(v->texts[i], text) != 0)
		for (i = 0; i < v->count && strcmp(v->texts[i], text) != 0; i++)
			;
	if (i == HEADERVALUES_MAX)
		return err_set(e, ERR_REFUSED, "over %d different values are too many for rules",
			       HEADERVALUES_MAX);
	if (i == v->count) {
		v->texts[i] = arena_copy(arena, text, strlen(text));
		if (v->texts[i] == NULL)
			return err_nomem(e);
		v->count++;
	}
	v->last = i;
	*ret = (int)i;
	return 0;
}

bool headervalues_has(const struct headervalues_set *s, size_t n)
{
	return s->bits[n / 64] >> n % 64 & 1;
}

void headervalues_add(struct headervalues_set *s, size_t n)
{
	s->bits[n / 64] |= UINT64_C(1) << n % 64;
}

int headervalues_first(const struct headervalues_set *s)
{
	for (int i = 0; i < HEADERVALUES_MAX; i++)
		if (headervalues_has(s, (size_t)i))
			return i;
	return HEADERVALUES_NONE;
}
