#include "swarm/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	e->sys = 0;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int sys = errno;
	va_list ap;

	e->code = ERR_SYSTEM;
	e->sys = sys;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	size_t len = strlen(e->msg);
	char text[128];
	if (strerror_r(sys, text, sizeof text) != 0)
		(void)snprintf(text, sizeof text, "error %d", sys);
	(void)snprintf(e->msg + len, sizeof e->msg - len, ": %s", text);
	return -1;
}

int err_nomem(struct err *e)
{
	return err_set(e, ERR_SYSTEM, "out of memory");
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char head[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(head, sizeof head, fmt, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof head ? (size_t)n : sizeof head - 1;
	if (len + 2 >= sizeof e->msg)
		len = sizeof e->msg - 3;
	size_t keep = strlen(e->msg);
	if (len + 2 + keep >= sizeof e->msg)
		keep = sizeof e->msg - len - 3;
	memmove(e->msg + len + 2, e->msg, keep);
	e->msg[len + 2 + keep] = '\0';
	memcpy(e->msg, head, len);
	memcpy(e->msg + len, ": ", 2);
	return -1;
}

int err_status(enum err_code code)
{
	switch (code) {
	case ERR_NONE: return 0;
	case ERR_USAGE:
	case ERR_SYSTEM:
	case ERR_CONFIG:
	case ERR_CHANGED: return 2;
	case ERR_MALFORMED:
	case ERR_REFUSED:
	case ERR_UNTRUSTED: return 1;
	}
	return 2;
}

int err_result(int result, const struct err *e)
{
	int status = err_status(e->code);

	if (result == 0)
		return 0;
	return status != 0 ? status : 2;
}
