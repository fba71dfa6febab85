/*
 * cli: the run of a command, from its arguments to its exit status. This is the one module that
 * speaks for the process: it prints, sets the time zone to UTC and looks after signals. The library
 * below and above it does none of that.
 *
 * SIGINT, SIGTERM and SIGHUP remove what is temporary, then end the process as if they had not been
 * caught. A reader of our output that goes away ends it as SIGPIPE does, silently.
 */
#ifndef SWARM_CLI_H
#define SWARM_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/opt.h"
#include "swarm/progress.h"
#include "swarm/scratch.h"

/* Begins the command's own options struct, so that one table fills both. */
struct cli_options {
	bool help, version, quiet, json, force;
	unsigned verbose;
	const char *progress_mode;
	struct opt_number threads;
};

struct cli {
	const struct opt_program *program;
	struct cli_options *options; /* the command's, borrowed */
	struct opt_list operands;
	struct scratch *scratch;
	struct progress *progress; /* NULL: none is shown */
	struct cli_signals *signals;
	bool reported; /* a result on stdout has told of the failure: cli_end() adds no line */
};

/*
 * Parses the arguments into `options` (whose first member is a struct cli_options) and answers
 * --help and --version. Returns -1 to go on, else the exit status to end with, by cli_end().
 */
int cli_begin(struct cli *c, const struct opt_program *program, int argc, char **argv,
	      void *options);
/* Reports `e` (where status is not 0), closes standard output, and returns the exit status. */
int cli_end(struct cli *c, int status, const struct err *e);

/* Lines on stderr, "swarmpack: ...", of errors among several. */
void cli_complain(const struct cli *c, const struct buf *text);
/* A line on stderr, "swarmpack: warning: ...", also with --quiet. */
void cli_warn(const struct cli *c, const char *fmt, ...) ERR_PRINTF(2, 3);
/* The same for lines, each with its line feed. */
void cli_warn_lines(const struct cli *c, const struct buf *text);
/* A line of a summary on stderr, unless --quiet. */
void cli_say(const struct cli *c, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Text of several lines, each with its line feed, as cli_say(). */
void cli_say_lines(const struct cli *c, const struct buf *text);
/* Lines of a result on stdout, as they are, each with its line feed. */
void cli_put_lines(const struct buf *text);
/* What --strip-components says; ERR_USAGE for more than any path has. */
ERR_CHECK int cli_strip(const struct opt_number *n, unsigned *ret, struct err *e);
/* What --at says: a time; without it (NULL) it is now. */
ERR_CHECK int cli_time(const char *at, int64_t *ret, struct err *e);
/* Lets the process hold `n` more files open, as far as the system allows. */
void cli_allow_files(size_t n);
/* threads for pool_new(): 0 unless --threads was given. */
unsigned cli_threads(const struct cli *c);

#endif
