#include "swarm/charset.h"

int charset_init(struct charset *c, struct err *e)
{
	c->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (c->utf8 == (locale_t)0)
		return err_set(e, ERR_SYSTEM, "this system has no locale C.UTF-8");
	return 0;
}

void charset_release(struct charset *c)
{
	if (c->utf8 != (locale_t)0)
		freelocale(c->utf8);
	c->utf8 = (locale_t)0;
}

locale_t charset_enter(const struct charset *c)
{
	return uselocale(c->utf8);
}

void charset_leave(locale_t before)
{
	(void)uselocale(before);
}
