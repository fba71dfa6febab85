/*
 * err: one record of what went wrong.
 *
 * A function that can fail returns 0/-1 (or a pointer/NULL) and takes a `struct err *` last. It
 * fills the record once, where the failure is found; a caller on the way up may put context in
 * front with err_prefix(). A message is lower case, has no full stop, and says what failed and on
 * what: "cannot open 'x': No such file or directory". It may hold hostile bytes (a file's name):
 * whoever prints it passes it through text_printable() first.
 */
#ifndef SWARM_ERR_H
#define SWARM_ERR_H

#define ERR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ERR_CHECK             __attribute__((warn_unused_result))

#define ERR_MSG_MAX 4096

enum err_code {
	ERR_NONE = 0,
	/* The caller's side: exit status 2. */
	ERR_USAGE,   /* asked for what cannot be */
	ERR_SYSTEM,  /* the system refused; `sys` is its errno */
	ERR_CONFIG,  /* the caller's own rules, keys or state cannot be used */
	ERR_CHANGED, /* an input changed while it was read */
	/* The answer is no: exit status 1. */
	ERR_MALFORMED, /* data does not follow its format */
	ERR_REFUSED,   /* policy: unlabelled, unportable, stale, not what was asked for */
	ERR_UNTRUSTED, /* no signature, too few, or over other bytes */
};

struct err {
	enum err_code code;
	int sys; /* errno where code is ERR_SYSTEM, else 0 */
	char msg[ERR_MSG_MAX];
};

/* Fills `e` and returns -1, so that a failure reads `return err_set(e, ...)`. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) ERR_PRINTF(3, 4);

/* The same for a failed system call: code ERR_SYSTEM, and ": <strerror(errno)>" is appended. */
int err_sys(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

/* Out of memory. Returns -1. */
int err_nomem(struct err *e);

/* Puts "<text>: " in front of the message. Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

/* The exit status that `code` stands for: 0, 1 (the answer is no) or 2 (could not be done). */
int err_status(enum err_code code);
/* The same for a call that returned `result`: never 0 for one that failed, whatever `e` says. */
int err_result(int result, const struct err *e);

#endif
