#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/header.h"
#include "swarm/hex.h"
#include "swarm/io.h"
#include "swarm/num.h"
#include "swarm/outfile.h"
#include "swarm/path.h"

#define TITLE "swarm-patch journal/1"
/* A path and what stands before it, for a release of some millions of files. */
#define SIZE_LIMIT ((size_t)1 << 32)

void journal_release(struct journal *j)
{
	free(j->moves);
	arena_release(&j->arena);
	*j = (struct journal)JOURNAL_INIT;
}

int journal_add(struct journal *j, bool in, const char *path, struct err *e)
{
	if (j->count == j->room) {
		size_t want = j->room == 0 ? 64 : j->room * 2;
		struct journal_move *more = reallocarray(j->moves, want, sizeof *more);
		if (more == NULL)
			return err_nomem(e);
		j->moves = more;
		j->room = want;
	}
	j->moves[j->count++] = (struct journal_move){in, path};
	return 0;
}

bool journal_has(const struct journal *j, bool in, const char *path)
{
	size_t low = 0, high = j->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct journal_move *m = &j->moves[middle];
		int order = m->in - in;
		if (order == 0)
			order = path_compare(m->path, path);
		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* --- the text -----------------------------------------------------------------------------------
 */

void journal_format(struct buf *to, const struct journal *j)
{
	char hex[2 * SHA256_SIZE + 1];

	hex_format(hex, j->from, SHA256_SIZE);
	buf_addf(to, TITLE "\nfrom %s\n", hex);
	hex_format(hex, j->to.digest, SHA256_SIZE);
	buf_addf(to, "to %s %llu %s\n", hex, (unsigned long long)j->to.serial, j->to.version);
	for (size_t i = 0; i < j->count; i++)
		buf_addf(to, "%s %s\n", j->moves[i].in ? "in" : "out", j->moves[i].path);
	buf_adds(to, "end\n");
}

/* The next line, which is ended by a NUL in place of its line feed; NULL if there is none. */
static char *next_line(char **at)
{
	char *line = *at, *feed = strchr(line, '\n');

	if (feed == NULL)
		return NULL;
	*feed = '\0';
	*at = feed + 1;
	return line;
}

/* What stands behind a word and a space; NULL if the line does not begin with them. */
static char *behind(char *line, const char *word)
{
	size_t len = strlen(word);

	if (line == NULL || strncmp(line, word, len) != 0 || line[len] != ' ')
		return NULL;
	return line + len + 1;
}

static bool parse_to(char *text, struct delta_end *ret)
{
	char *serial = text != NULL ? strchr(text, ' ') : NULL;
	char *version = serial != NULL ? strchr(serial + 1, ' ') : NULL;

	if (version == NULL)
		return false;
	*serial++ = *version++ = '\0';
	if (!hex_parse(ret->digest, SHA256_SIZE, text, strlen(text)) ||
	    !num_parse(serial, &ret->serial) || !header_is_version(version))
		return false;
	memcpy(ret->version, version, strlen(version) + 1);
	return true;
}

/* Whether a move may stand behind the last one. */
static bool follows(const struct journal *j, bool in, const char *path)
{
	const struct journal_move *last = j->count > 0 ? &j->moves[j->count - 1] : NULL;

	if (last == NULL || last->in != in)
		return last == NULL || in;
	return path_compare(last->path, path) < 0;
}

/* Returns 1 at the end. */
static int parse_move(char *line, struct journal *j, struct err *e)
{
	if (line != NULL && strcmp(line, "end") == 0)
		return 1;
	char *in = behind(line, "in"), *out = behind(line, "out");
	const char *path = in != NULL ? in : out;
	if (path == NULL || path_unportable(path) != NULL || !follows(j, in != NULL, path))
		return err_set(e, ERR_CONFIG, "it is not a journal, or one that is cut off");
	return journal_add(j, in != NULL, path, e);
}

int journal_parse(const char *text, size_t len, struct journal *ret, struct err *e)
{
	char *at = arena_copy(&ret->arena, text, len);
	int got = 0;

	if (at == NULL)
		return err_nomem(e);
	const char *end = at + len, *title = next_line(&at);
	char *from = behind(next_line(&at), "from"), *to = behind(next_line(&at), "to");
	if (title == NULL || strcmp(title, TITLE) != 0 || from == NULL ||
	    !hex_parse(ret->from, SHA256_SIZE, from, strlen(from)) || !parse_to(to, &ret->to))
		return err_set(e, ERR_CONFIG, "it is not a journal");
	while (got == 0)
		got = parse_move(next_line(&at), ret, e);
	if (got == 1 && at != end)
		return err_set(e, ERR_CONFIG, "there is something behind its end");
	return got == 1 ? 0 : -1;
}

/* --- the file -----------------------------------------------------------------------------------
 */

static char *name_in(const char *folder, struct err *e)
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s/journal", folder);
	char *text = buf_detach(&name);
	if (text == NULL)
		(void)err_nomem(e);
	return text;
}

int journal_write(const struct journal *j, const char *folder, struct scratch *scratch,
		  struct err *e)
{
	int status = -1;
	struct outfile_options options = {.mode = 0600};
	struct outfile *out = NULL;
	struct buf text = BUF_INIT;
	char *name = name_in(folder, e);

	if (name == NULL)
		return -1;
	journal_format(&text, j);
	if (buf_check(&text, e) != 0)
		goto out;
	out = outfile_open(name, &options, scratch, e);
	if (out == NULL || outfile_write(out, text.data, text.len, e) != 0 ||
	    outfile_commit(out, e) != 0)
		goto out;
	status = 0;
out:
	outfile_free(out);
	buf_release(&text);
	free(name);
	return status;
}

int journal_read(const char *folder, struct journal *ret, struct err *e)
{
	int status = -1, fd = -1;
	struct buf text = BUF_INIT;
	char *name = name_in(folder, e);

	if (name == NULL)
		return -1;
	fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		status = 0;
	else if (fd < 0)
		(void)err_sys(e, "cannot open '%s'", name);
	else if (io_read_all(fd, &text, SIZE_LIMIT, name, e) == 0)
		status = journal_parse(text.data, text.len, ret, e) == 0
			     ? 1
			     : err_prefix(e, "cannot use '%s'", name);
	if (fd >= 0)
		(void)close(fd);
	buf_release(&text);
	free(name);
	return status;
}

int journal_remove(const char *folder, struct err *e)
{
	char *name = name_in(folder, e);

	if (name == NULL)
		return -1;
	int status = unlink(name) == 0 ? 0 : err_sys(e, "cannot remove '%s'", name);
	free(name);
	return status;
}
