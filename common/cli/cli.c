#include "swarm/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "swarm/jsonl.h"
#include "swarm/path.h"
#include "swarm/text.h"
#include "swarm/utc.h"

#define THREADS_MAX   1024
#define FILES_OF_OURS 64 /* beside those that a command is asked to open */

struct cli_signals {
	sigset_t set;
	int first; /* one of them; 0: none */
	atomic_bool over;
	atomic_bool taken; /* one has come: the process is about to end */
	struct scratch *scratch;
	pthread_t thread;
};

static const char *const progress_modes[] = {"auto", "always", "never", NULL};

static const struct opt common_options[] = {
    {.kind = OPT_SECTION, .help = "Common options"},
    {OPT_FLAG, 'f', "force", NULL, "replace outputs that exist",
     offsetof(struct cli_options, force), NULL},
    {OPT_FLAG, 0, "json", NULL, "results as JSON lines on standard output",
     offsetof(struct cli_options, json), NULL},
    {OPT_NUMBER, 'j', "threads", "N", "threads to use (default: one a processor)",
     offsetof(struct cli_options, threads), NULL},
    {OPT_CHOICE, 0, "progress", "MODE", "auto (on a terminal; the default), always or never",
     offsetof(struct cli_options, progress_mode), progress_modes},
    {OPT_FLAG, 'q', "quiet", NULL, "no summary: only warnings and errors",
     offsetof(struct cli_options, quiet), NULL},
    {OPT_COUNT, 'v', "verbose", NULL, "more detail", offsetof(struct cli_options, verbose), NULL},
    {OPT_FLAG, 0, "help", NULL, "print this help and exit", offsetof(struct cli_options, help),
     NULL},
    {OPT_FLAG, 0, "version", NULL, "print the version and exit",
     offsetof(struct cli_options, version), NULL},
    OPT_END,
};

/* --- messages -----------------------------------------------------------------------------------
 */

/* `kind` NULL: a line of a summary, without the program's name. */
static void print_line(const struct cli *c, const char *kind, const char *text, size_t len)
{
	struct buf line = BUF_INIT;

	if (kind != NULL)
		buf_addf(&line, "%s: %s", c->program->name, kind);
	text_printable(&line, text, len);
	/* One call, so that lines of several processes do not mix. */
	fprintf(stderr, "%s\n", line.data);
	buf_release(&line);
}

ERR_PRINTF(3, 0)
static void print_list(const struct cli *c, const char *kind, const char *fmt, va_list ap)
{
	char text[ERR_MSG_MAX];

	(void)vsnprintf(text, sizeof text, fmt, ap);
	progress_end(c->progress);
	print_line(c, kind, text, strlen(text));
}

void cli_warn(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_list(c, "warning: ", fmt, ap);
	va_end(ap);
}

void cli_say(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->options->quiet)
		return;
	va_start(ap, fmt);
	print_list(c, NULL, fmt, ap);
	va_end(ap);
}

static void print_lines(const struct cli *c, const char *kind, const struct buf *text)
{
	progress_end(c->progress);
	for (const char *p = text->data; *p != '\0';) {
		size_t n = strcspn(p, "\n");
		print_line(c, kind, p, n);
		p += n + (p[n] == '\n');
	}
}

void cli_complain(const struct cli *c, const struct buf *text)
{
	print_lines(c, "", text);
}

void cli_warn_lines(const struct cli *c, const struct buf *text)
{
	print_lines(c, "warning: ", text);
}

void cli_say_lines(const struct cli *c, const struct buf *text)
{
	if (!c->options->quiet)
		print_lines(c, NULL, text);
}

void cli_put_lines(const struct buf *text)
{
	(void)fwrite(text->data, 1, text->len, stdout);
}

int cli_strip(const struct opt_number *n, unsigned *ret, struct err *e)
{
	if (n->value > PATH_LENGTH_MAX)
		return err_set(e, ERR_USAGE, "--strip-components needs a number from 0 to %d",
			       PATH_LENGTH_MAX);
	*ret = (unsigned)n->value;
	return 0;
}

int cli_time(const char *at, int64_t *ret, struct err *e)
{
	*ret = utc_now();
	if (at == NULL || utc_parse(at, ret))
		return 0;
	return err_set(e, ERR_USAGE, "--at needs a time such as 2026-12-31T00:00:00Z, not '%s'",
		       at);
}

void cli_allow_files(size_t n)
{
	struct rlimit limit;

	/* What is not allowed shows when a file is opened. */
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= n + FILES_OF_OURS)
		return;
	limit.rlim_cur = limit.rlim_max < n + FILES_OF_OURS ? limit.rlim_max : n + FILES_OF_OURS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

unsigned cli_threads(const struct cli *c)
{
	return (unsigned)c->options->threads.value;
}

/* --- signals ------------------------------------------------------------------------------------
 */

static void end_by(int sig)
{
	sigset_t one;

	(void)signal(sig, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	(void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	(void)kill(getpid(), sig);
}

static void *await_signal(void *arg)
{
	struct cli_signals *s = arg;
	int sig = 0;

	if (sigwait(&s->set, &sig) != 0 || atomic_load(&s->over))
		return NULL;
	atomic_store(&s->taken, true);
	scratch_remove_all(s->scratch);
	end_by(sig);
	return NULL;
}

/* A thread of its own may take locks and remove whole trees, which a handler may not. */
static struct cli_signals *watch_signals(struct scratch *scratch)
{
	static const int wanted[] = {SIGINT, SIGTERM, SIGHUP};
	struct cli_signals *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->scratch = scratch;
	sigemptyset(&s->set);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		struct sigaction now;
		/* One that is ignored (nohup) stays ignored. */
		if (sigaction(wanted[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
			sigaddset(&s->set, wanted[i]);
			s->first = wanted[i];
		}
	}
	/* These come as errors of the write instead. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)pthread_sigmask(SIG_BLOCK, &s->set, NULL);
	if (s->first == 0 || pthread_create(&s->thread, NULL, await_signal, s) != 0) {
		(void)pthread_sigmask(SIG_UNBLOCK, &s->set, NULL);
		free(s);
		return NULL;
	}
	return s;
}

static void unwatch_signals(struct cli_signals *s)
{
	if (s == NULL)
		return;
	/* Woken rather than cancelled, which sanitizers do not survive. */
	atomic_store(&s->over, true);
	(void)pthread_kill(s->thread, s->first);
	(void)pthread_join(s->thread, NULL);
	free(s);
}

/* --- a run --------------------------------------------------------------------------------------
 */

/* The command's options and the common ones in one table. */
static struct opt *join_tables(const struct opt *own)
{
	size_t n = 0, m = sizeof common_options / sizeof *common_options;

	while (own[n].kind != OPT_SECTION || own[n].help != NULL)
		n++;
	struct opt *all = calloc(n + m, sizeof *all);
	if (all != NULL) {
		memcpy(all, own, n * sizeof *all);
		memcpy(all + n, common_options, m * sizeof *all);
	}
	return all;
}

static int parse(struct cli *c, int argc, char **argv, void *options, struct err *e)
{
	struct opt *all = join_tables(c->program->options);

	if (all == NULL)
		return err_nomem(e);
	int status = opt_parse(all, argc, argv, options, &c->operands, e);
	free(all);
	if (status != 0 || c->options->help || c->options->version)
		return status;
	const struct opt_number *threads = &c->options->threads;
	if (threads->given && (threads->value == 0 || threads->value > THREADS_MAX))
		return err_set(e, ERR_USAGE, "--threads needs a number from 1 to %d", THREADS_MAX);
	return opt_check_operands(c->program, &c->operands, e);
}

static int start_progress(struct cli *c, struct err *e)
{
	const char *mode = c->options->progress_mode;
	bool terminal = isatty(STDERR_FILENO) == 1;

	if (mode == NULL || strcmp(mode, "auto") == 0)
		mode = terminal && !c->options->quiet ? "always" : "never";
	if (strcmp(mode, "never") == 0)
		return 0;
	c->progress = progress_new(stderr, terminal, e);
	return c->progress != NULL ? 0 : -1;
}

/*
 * Opens what is closed of the first three descriptors: else the next file to be opened, an output
 * perhaps, would get the messages. They are opened so that using them fails as it would have.
 */
static void reserve_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Returns an exit status. */
static int print_version(const struct opt_program *program, struct err *e)
{
	struct buf text = BUF_INIT;
	int status = 0;

	buf_addf(&text, "%s %s\n", program->name, SWARM_VERSION);
	if (program->details != NULL)
		status = program->details(&text, e);
	if (status == 0)
		status = buf_check(&text, e);
	if (status == 0)
		(void)fputs(text.data, stdout);
	buf_release(&text);
	return err_result(status, e);
}

int cli_begin(struct cli *c, const struct opt_program *program, int argc, char **argv,
	      void *options)
{
	struct err e = {.code = ERR_NONE};

	*c = (struct cli){.program = program, .options = options};
	reserve_descriptors();
	/* Times are UTC in all that is written, and libarchive asks for the local one. */
	(void)setenv("TZ", "UTC0", 1);
	tzset();
	c->scratch = scratch_new(&e);
	if (c->scratch == NULL)
		return cli_end(c, 2, &e);
	c->signals = watch_signals(c->scratch);
	if (parse(c, argc, argv, options, &e) != 0) {
		(void)cli_end(c, err_status(e.code), &e);
		if (e.code == ERR_USAGE)
			fprintf(stderr, "Try '%s --help'.\n", program->name);
		return err_status(e.code);
	}
	if (c->options->help) {
		opt_help(stdout, program, common_options);
		return cli_end(c, 0, NULL);
	}
	if (c->options->version) {
		return cli_end(c, print_version(program, &e), &e);
	}
	if (start_progress(c, &e) != 0)
		return cli_end(c, 2, &e);
	return -1;
}

static void report(const struct cli *c, int status, const struct err *e)
{
	/* Results first, also where both streams are one log. */
	(void)fflush(stdout);
	print_line(c, "", e->msg, strlen(e->msg));
	if (!c->options->json || c->reported)
		return;
	struct buf line = BUF_INIT;
	struct jsonl_writer w = {.to = &line};
	jsonl_open(&w, NULL);
	jsonl_any_string(&w, "error", e->msg);
	jsonl_number(&w, "status", (uint64_t)status);
	jsonl_close(&w);
	(void)puts(line.data);
	buf_release(&line);
}

int cli_end(struct cli *c, int status, const struct err *e)
{
	/* What failed because of a signal is not worth a message: the signal ends us. */
	while (c->signals != NULL && atomic_load(&c->signals->taken))
		(void)pause();
	bool broken_pipe = e != NULL && e->code == ERR_SYSTEM && e->sys == EPIPE;

	progress_free(c->progress);
	c->progress = NULL;
	if (status != 0 && !broken_pipe && e != NULL && e->code != ERR_NONE)
		report(c, status, e);
	/* A full disk may show only now. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		broken_pipe = broken_pipe || errno == EPIPE;
		if (!broken_pipe) {
			struct err why;
			(void)err_sys(&why, "cannot write '%s'", "standard output");
			print_line(c, "", why.msg, strlen(why.msg));
			status = 2;
		}
	}
	/* The thread that waits for signals uses the scratch. */
	unwatch_signals(c->signals);
	c->signals = NULL;
	scratch_free(c->scratch);
	c->scratch = NULL;
	opt_release(c->program->options, c->options, &c->operands);
	if (broken_pipe)
		end_by(SIGPIPE);
	return status;
}
