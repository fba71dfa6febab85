#define _DEFAULT_SOURCE /* flock() */
#include "swarm/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "swarm/hex.h"
#include "swarm/io.h"
#include "swarm/jsonl.h"
#include "swarm/outfile.h"
#include "swarm/path.h"
#include "swarm/text.h"
#include "swarm/utc.h"

/* Times 50 ms. */
#define LOCK_TRIES    200
#define STATE_VERSION "state/1"
#define STATE_MAX     ((size_t)4096)

static int check_names(const struct release_id *id, const char *product, const char *channel,
		       struct err *e)
{
	if (product != NULL && strcmp(id->product, product) != 0)
		return err_set(e, ERR_REFUSED, "this is a release of '%s', not of '%s'",
			       id->product, product);
	if (channel != NULL && strcmp(id->channel, channel) != 0)
		return err_set(e, ERR_REFUSED, "this is a release for the channel '%s', not '%s'",
			       id->channel, channel);
	return 0;
}

int policy_check_id(const struct policy *p, const struct release_id *id, struct err *e)
{
	if (check_names(id, p->product, p->channel, e) != 0)
		return -1;
	if (id->serial < p->min_serial)
		return err_set(e, ERR_REFUSED,
			       "this is serial %llu (version %s), but at least %llu was asked for",
			       (unsigned long long)id->serial, id->version,
			       (unsigned long long)p->min_serial);
	return 0;
}

int policy_check(const struct policy *p, const struct head *head, struct err *e)
{
	return policy_check_id(p, &head->id, e);
}

/* Appends the largest whole unit of it. */
static void add_duration(struct buf *to, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *noun;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	size_t i = 0;

	while (seconds < units[i].seconds && units[i].seconds > 1)
		i++;
	text_plural(to, (unsigned long long)(seconds / units[i].seconds), units[i].noun);
}

int policy_check_expiry(const struct policy *p, const struct head *head, struct err *e)
{
	char expires[UTC_SIZE];
	struct buf ago = BUF_INIT;

	if (p->now < head->expires)
		return 0;
	utc_format(expires, head->expires);
	add_duration(&ago, p->now - head->expires);
	(void)err_set(e, ERR_REFUSED, "%s %s expired %s, %s ago", head->id.product,
		      head->id.version, expires, ago.data);
	buf_release(&ago);
	return -1;
}

/* --- state ------------------------------------------------------------------------------------ */

void policy_state_format(struct buf *to, const struct policy_state *state)
{
	char issued[UTC_SIZE];
	struct jsonl_writer w = {.to = to};

	utc_format(issued, state->issued);
	jsonl_open(&w, NULL);
	jsonl_string(&w, "swarm", STATE_VERSION);
	jsonl_string(&w, "product", state->id.product);
	jsonl_string(&w, "channel", state->id.channel);
	jsonl_number(&w, "serial", state->id.serial);
	jsonl_hex(&w, "sha256", state->digest, sizeof state->digest);
	jsonl_string(&w, "issued", issued);
	jsonl_close(&w);
}

static int read_state(struct jsonl_object *o, struct policy_state *ret, struct err *e)
{
	*ret = (struct policy_state){.exists = true};
	if (strcmp(jsonl_get_string(o, "swarm"), STATE_VERSION) != 0)
		jsonl_reject(o, "swarm", "is not " STATE_VERSION);
	header_get_name(o, "product", "is no name", ret->id.product);
	header_get_name(o, "channel", "is no name", ret->id.channel);
	ret->id.serial = jsonl_get_number(o, "serial");
	if (ret->id.serial == 0)
		jsonl_reject(o, "serial", "is not at least 1");
	jsonl_get_hex(o, "sha256", ret->digest, sizeof ret->digest);
	if (!utc_parse(jsonl_get_string(o, "issued"), &ret->issued))
		jsonl_reject(o, "issued", "is no time");
	return jsonl_done(o, e);
}

int policy_state_parse(const char *text, size_t len, struct policy_state *ret, struct err *e)
{
	struct buf again = BUF_INIT;
	struct jsonl_object *o = jsonl_parse(text, len, e);
	int status = o != NULL ? read_state(o, ret, e) : -1;

	if (status == 0) {
		policy_state_format(&again, ret);
		status = jsonl_check_spelling(&again, text, len, e);
		if (status != 0 && e->code == ERR_MALFORMED)
			(void)err_set(e, ERR_MALFORMED, "it is not spelt as a state file is");
	}
	jsonl_free(o);
	buf_release(&again);
	/* What lies about on the caller's own disk is nothing that was received. */
	if (status != 0 && e->code == ERR_MALFORMED)
		e->code = ERR_CONFIG;
	return status;
}

static int refuse_body(const struct policy_state *state, const struct head *head, struct err *e)
{
	char seen[2 * SHA256_SIZE + 1], now[2 * SHA256_SIZE + 1];

	hex_format(seen, state->digest, SHA256_SIZE);
	hex_format(now, head->digest, SHA256_SIZE);
	return err_set(e, ERR_REFUSED,
		       "serial %llu was seen before over another manifest (SHA-256 %.12s…, now "
		       "%.12s…)",
		       (unsigned long long)head->id.serial, seen, now);
}

int policy_check_state(const struct policy_state *state, const struct head *head, struct err *e)
{
	char issued[UTC_SIZE], seen[UTC_SIZE];

	if (!state->exists)
		return 0;
	if (check_names(&head->id, state->id.product, state->id.channel, e) != 0)
		return err_prefix(e, "the state is of another one");
	if (head->id.serial < state->id.serial)
		return err_set(e, ERR_REFUSED,
			       "this is serial %llu (version %s), but serial %llu was seen before",
			       (unsigned long long)head->id.serial, head->id.version,
			       (unsigned long long)state->id.serial);
	if (head->id.serial == state->id.serial &&
	    memcmp(head->digest, state->digest, SHA256_SIZE) != 0)
		return refuse_body(state, head, e);
	if (head->issued < state->issued) {
		utc_format(issued, head->issued);
		utc_format(seen, state->issued);
		return err_set(e, ERR_REFUSED,
			       "this head was issued %s, but one issued %s was seen before", issued,
			       seen);
	}
	return 0;
}

/* --- the file --------------------------------------------------------------------------------- */

struct policy_file {
	char *path;
	mode_t mode; /* of the file, 0 while there is none */
	struct policy_state state;
};

static int parse_file(struct policy_file *f, const struct buf *text, struct err *e)
{
	struct policy_state state;

	if (text->len == 0 || text->data[text->len - 1] != '\n')
		return err_set(e, ERR_CONFIG, "it is not one line: is it cut off?");
	if (policy_state_parse(text->data, text->len - 1, &state, e) != 0)
		return -1;
	f->state = state;
	return 0;
}

static int read_fd(struct policy_file *f, int fd, struct err *e)
{
	int status = -1;
	struct stat st;
	struct buf text = BUF_INIT;
	char *room = buf_room(&text, STATE_MAX);

	if (room == NULL)
		return err_nomem(e);
	if (fstat(fd, &st) != 0) {
		(void)err_sys(e, "cannot examine '%s'", f->path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)err_set(e, ERR_CONFIG, "cannot use the state '%s': it is no regular file",
			      f->path);
		goto out;
	}
	ssize_t n = io_read(fd, room, STATE_MAX, f->path, e);
	if (n < 0)
		goto out;
	buf_grew(&text, (size_t)n);
	f->mode = st.st_mode & 0777;
	status = parse_file(f, &text, e);
	if (status != 0)
		(void)err_prefix(e, "cannot use the state '%s'", f->path);
out:
	buf_release(&text);
	return status;
}

/* Where the file is gone, what it said before still counts. */
static int load(struct policy_file *f, struct err *e)
{
	/* O_NONBLOCK: a pipe is refused, not waited for. */
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot open '%s'", f->path);
	int status = read_fd(f, fd, e);
	(void)close(fd);
	return status;
}

void policy_file_close(struct policy_file *f)
{
	if (f == NULL)
		return;
	free(f->path);
	free(f);
}

const struct policy_state *policy_file_state(const struct policy_file *f)
{
	return &f->state;
}

static char *folder_of(const char *path)
{
	/* A link and the file that it leads to must end at the same lock. */
	char *real = realpath(path, NULL);

	/* What is not there yet can be made, unless its name is that of a folder. */
	if (real == NULL && (errno != ENOENT || *path_base(path) == '\0'))
		return NULL;
	char *folder = outfile_folder(real != NULL ? real : path);
	free(real);
	return folder;
}

/*
 * The lock is on the folder: one on the file would be on what the rename throws away, and a file
 * beside it would be litter. It is held for a moment only, so other states there hardly wait.
 */
static int lock(const char *path, struct err *e)
{
	int status, fd = -1;
	char *folder = folder_of(path);

	if (folder != NULL)
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		(void)err_sys(e, "cannot lock the folder of '%s'", path);
		goto out;
	}
	/* Whoever can read the folder can lock it: do not wait for ever. */
	for (int tries = 0; (status = flock(fd, LOCK_EX | LOCK_NB)) != 0; tries++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || tries == LOCK_TRIES)
			break;
		(void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
	if (status != 0) {
		(void)err_sys(e, "cannot lock the folder of '%s'", path);
		(void)close(fd);
		fd = -1;
	}
out:
	free(folder);
	return fd;
}

struct policy_file *policy_file_open(const char *path, struct err *e)
{
	struct policy_file *f = NULL;
	int held = -1;

	if (strcmp(path, "-") == 0) {
		(void)err_set(e, ERR_USAGE,
			      "a state cannot be kept in '-': it is read and written");
		return NULL;
	}
	f = calloc(1, sizeof *f);
	if (f == NULL || (f->path = strdup(path)) == NULL) {
		(void)err_nomem(e);
		goto fail;
	}
	/* A folder that is not there shows now, not after the hours that an audit may take. */
	held = lock(path, e);
	if (held < 0 || load(f, e) != 0)
		goto fail;
	(void)close(held);
	return f;
fail:
	if (held >= 0)
		(void)close(held);
	policy_file_close(f);
	return NULL;
}

static int write_state(const struct policy_file *f, const struct policy_state *state,
		       struct scratch *scratch, struct err *e)
{
	int status = -1;
	struct outfile_options options = {.force = true, .mode = f->mode};
	struct outfile *o = NULL;
	struct buf line = BUF_INIT;

	policy_state_format(&line, state);
	buf_addc(&line, '\n');
	if (buf_check(&line, e) != 0)
		goto out;
	o = outfile_open(f->path, &options, scratch, e);
	if (o == NULL || outfile_write(o, line.data, line.len, e) != 0 || outfile_commit(o, e) != 0)
		goto out;
	status = 0;
out:
	outfile_free(o);
	buf_release(&line);
	return status;
}

static bool is_same_state(const struct policy_state *a, const struct policy_state *b)
{
	return a->exists && b->exists && a->id.serial == b->id.serial && a->issued == b->issued &&
	       memcmp(a->digest, b->digest, SHA256_SIZE) == 0;
}

int policy_file_update(struct policy_file *f, const struct head *head, struct scratch *scratch,
		       struct err *e)
{
	int status = -1;
	struct policy_state state = {.id = head->id, .issued = head->issued, .exists = true};
	int held = lock(f->path, e);

	if (held < 0)
		return -1;
	state.id.version[0] = '\0';
	memcpy(state.digest, head->digest, SHA256_SIZE);
	/* Others may have seen a newer head since the file was opened. */
	if (policy_check_state(&f->state, head, e) != 0 || load(f, e) != 0 ||
	    policy_check_state(&f->state, head, e) != 0)
		goto out;
	if (!is_same_state(&f->state, &state) && write_state(f, &state, scratch, e) != 0)
		goto out;
	f->state = state;
	status = 0;
out:
	(void)close(held);
	return status;
}
