#include "swarm/rules.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/arena.h"
#include "swarm/fold.h"
#include "swarm/grow.h"
#include "swarm/io.h"
#include "swarm/text.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)
#define HEADER_MAX    255
#define DEPTH_MAX     16 /* of includes */
/* What rules of strangers may cost: a file is read as often as it is included. */
#define INCLUDES_MAX 1000
#define RULES_MAX    100000
#define PATTERNS_MAX 1000000

struct numbered {
	struct rule rule;
	struct selection match;
};

struct read_file {
	const char *name;
	bool is_file; /* dev and ino tell it from others */
	dev_t dev;
	ino_t ino;
};

struct rules {
	struct arena arena;
	struct numbered *entries;
	size_t n, room;
	struct read_file *files; /* that were read */
	size_t file_count, file_room;
	size_t patterns; /* of all entries */
	size_t includes;
	enum rules_symlinks symlinks;
	bool default_is_private;
	struct guardlist guards;
};

/* --- one rule --------------------------------------------------------------------------------- */

static const char *keep(struct rules *r, const char *text, struct err *e)
{
	const char *copy = arena_copy(&r->arena, text, strlen(text));

	if (copy == NULL)
		(void)err_nomem(e);
	return copy;
}

/* A value of an HTTP header, or NULL in *ret where there is none. */
static int read_header(struct rules *r, const struct marked *at, const char *what, const char **ret,
		       struct err *e)
{
	*ret = NULL;
	if (at == NULL)
		return 0;
	if (marked_expect(at, what, MARKED_STRING, e) != 0)
		return -1;
	for (const char *p = at->text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return marked_reject(e, at, "%s must be printable ASCII", what);
	if (strlen(at->text) > HEADER_MAX)
		return marked_reject(e, at, "%s is longer than %d bytes", what, HEADER_MAX);
	*ret = keep(r, at->text, e);
	return *ret != NULL ? 0 : -1;
}

static struct numbered *add_entry(struct rules *r, const struct marked *at, struct err *e)
{
	if (r->n == RULES_MAX) {
		(void)marked_reject(e, at, "more than %d rules", RULES_MAX);
		return NULL;
	}
	struct numbered *more = grow_for_one(r->entries, r->n, &r->room, sizeof *more, e);
	if (more == NULL)
		return NULL;
	r->entries = more;
	struct numbered *entry = &more[r->n];
	*entry = (struct numbered){.rule = {.index = r->n++, .place = marked_place(at)}};
	return entry;
}

static int read_rule(struct rules *r, const struct marked *at, struct err *e)
{
	enum { LABEL, MATCH, CACHE, TYPE, COUNT };
	static const char *const keys[COUNT + 1] = {"label", "match", "cache", "type", NULL};
	const struct marked *field[COUNT];
	size_t label;

	if (marked_fields(at, "a rule", keys, field, e) != 0)
		return -1;
	if (field[LABEL] == NULL)
		return marked_reject(e, at, "a rule has no label");
	if (field[MATCH] == NULL)
		return marked_reject(e, at, "a rule has no match");
	if (marked_choose(field[LABEL], "label", label_names, &label, e) != 0)
		return -1;
	struct numbered *entry = add_entry(r, at, e);
	if (entry == NULL)
		return -1;
	entry->rule.label = (enum label)label;
	if (read_header(r, field[CACHE], "cache", &entry->rule.cache, e) != 0 ||
	    read_header(r, field[TYPE], "type", &entry->rule.type, e) != 0)
		return -1;
	if (selection_read(&entry->match, &r->arena, field[MATCH], "match", e) != 0)
		return -1;
	r->patterns += entry->match.count;
	if (r->patterns > PATTERNS_MAX)
		return marked_reject(e, field[MATCH], "more than %d patterns", PATTERNS_MAX);
	return 0;
}

static int read_rules(struct rules *r, const struct marked *list, struct err *e)
{
	if (marked_expect(list, "rules", MARKED_LIST, e) != 0)
		return -1;
	if (list->first == NULL)
		return marked_reject(e, list, "rules is empty");
	for (const struct marked *at = list->first; at != NULL; at = at->next)
		if (read_rule(r, at, e) != 0)
			return -1;
	return 0;
}

/* --- one file --------------------------------------------------------------------------------- */

/* A file that is being read. */
struct input {
	const char *name;
	const struct marked *at;      /* where it is included, or NULL */
	const struct input *includer; /* likewise */
	bool again;                   /* it was read before: its guards are known */
	bool is_file;                 /* dev and ino tell it from others */
	dev_t dev;
	ino_t ino;
};

static int read_file(struct rules *r, struct input *self, struct err *e);

/* "a.yaml -> b.yaml -> a.yaml" from `s`, or one that it includes, down to `end`. */
static void add_chain(struct buf *to, const struct input *s, const struct input *end)
{
	const struct input *chain[DEPTH_MAX + 1];
	size_t n = 0;

	for (; s != end; s = s->includer)
		chain[n++] = s;
	buf_adds(to, end->name);
	while (n > 0)
		buf_addf(to, " -> %s", chain[--n]->name);
}

static int check_cycle(const struct input *self, struct err *e)
{
	for (const struct input *s = self->includer; s != NULL; s = s->includer) {
		if (!s->is_file || s->dev != self->dev || s->ino != self->ino)
			continue;
		struct buf chain = BUF_INIT;
		add_chain(&chain, self, s);
		if (buf_check(&chain, e) == 0)
			(void)marked_reject(e, self->at, "include goes round in a circle: %s",
					    chain.data);
		buf_release(&chain);
		return -1;
	}
	return 0;
}

/* `path` as the file `name` means it. */
static const char *resolve(struct rules *r, const char *name, const char *path, struct err *e)
{
	const char *slash = strrchr(name, '/');
	struct buf joined = BUF_INIT;
	const char *resolved = NULL;

	if (slash != NULL)
		buf_add(&joined, name, (size_t)(slash - name) + 1);
	/* A file of this name, not standard input. */
	else if (strcmp(path, "-") == 0)
		buf_adds(&joined, "./");
	buf_adds(&joined, path);
	if (buf_check(&joined, e) == 0)
		resolved = keep(r, joined.data, e);
	buf_release(&joined);
	return resolved;
}

static int read_included(struct rules *r, const struct input *self, const struct marked *at,
			 struct err *e)
{
	unsigned depth = 1;
	struct stat st;

	if (marked_expect(at, "a file to include", MARKED_STRING, e) != 0)
		return -1;
	if (*at->text == '/')
		return marked_reject(e, at, "'%.200s' is absolute: name it relative to this file",
				     at->text);
	for (const struct input *s = self->includer; s != NULL; s = s->includer)
		depth++;
	if (depth > DEPTH_MAX)
		return marked_reject(e, at, "included more than %d levels deep", DEPTH_MAX);
	if (++r->includes > INCLUDES_MAX)
		return marked_reject(e, at, "more than %d files are included", INCLUDES_MAX);
	struct input source = {
	    .name = resolve(r, self->name, at->text, e), .at = at, .includer = self};
	if (source.name == NULL)
		return -1;
	/* Else opening a pipe would wait for ever. */
	if (stat(source.name, &st) == 0 && !S_ISREG(st.st_mode))
		return marked_reject(e, at, "'%.200s' is not a regular file", source.name);
	return read_file(r, &source, e);
}

static int read_includes(struct rules *r, const struct input *self, const struct marked *list,
			 struct err *e)
{
	if (list == NULL)
		return 0;
	if (marked_expect(list, "include", MARKED_LIST, e) != 0)
		return -1;
	for (const struct marked *at = list->first; at != NULL; at = at->next)
		if (read_included(r, self, at, e) != 0)
			return -1;
	return 0;
}

/* Before all else: the keys of another version need not be those known here. */
static int check_version(const struct marked *root, struct err *e)
{
	const struct marked *version = marked_get(root, "swarm");

	if (marked_expect(root, "the file", MARKED_MAP, e) != 0)
		return -1;
	if (version == NULL)
		return marked_reject(e, root, "the file must say 'swarm: rules/1'");
	if (marked_expect(version, "swarm", MARKED_STRING, e) != 0)
		return -1;
	if (strcmp(version->text, "rules/1") != 0)
		return marked_reject(e, version, "swarm must be rules/1, not '%.100s'",
				     version->text);
	return 0;
}

static int read_settings(struct rules *r, const struct marked *fallback,
			 const struct marked *symlinks, struct err *e)
{
	static const char *const defaults[] = {"error", "private", NULL};
	static const char *const choices[] = {"error", "skip", "follow", NULL};
	size_t i = 0;

	if (fallback != NULL) {
		if (marked_choose(fallback, "default", defaults, &i, e) != 0)
			return -1;
		r->default_is_private = i == 1;
	}
	if (symlinks != NULL) {
		if (marked_choose(symlinks, "symlinks", choices, &i, e) != 0)
			return -1;
		r->symlinks = (enum rules_symlinks)i;
	}
	return 0;
}

static int read_tree(struct rules *r, const struct input *self, const struct marked *root,
		     struct err *e)
{
	enum { SWARM, INCLUDE, DEFAULT, SYMLINKS, RULES, GUARDS, DISABLE, COUNT };
	static const char *const keys[COUNT + 1] = {
	    "swarm", "include", "default", "symlinks", "rules", "guards", "disable-guards", NULL};
	const struct marked *field[COUNT];

	if (check_version(root, e) != 0 || marked_fields(root, "the file", keys, field, e) != 0 ||
	    read_includes(r, self, field[INCLUDE], e) != 0 ||
	    read_settings(r, field[DEFAULT], field[SYMLINKS], e) != 0 ||
	    guardlist_read(&r->guards, &r->arena, self->again ? NULL : field[GUARDS],
			   field[DISABLE], e) != 0)
		return -1;
	return field[RULES] != NULL ? read_rules(r, field[RULES], e) : 0;
}

static int read_text(struct rules *r, const struct input *self, const char *text, size_t len,
		     struct err *e)
{
	struct arena arena = ARENA_INIT;
	const struct marked *root = marked_parse(&arena, self->name, text, len, e);
	int status = root != NULL ? read_tree(r, self, root, e) : -1;

	arena_release(&arena);
	return status;
}

/* *ret_again: it was read before, by whatever name. */
static int note_file(struct rules *r, const struct input *self, bool *ret_again, struct err *e)
{
	*ret_again = false;
	for (size_t i = 0; i < r->file_count; i++)
		if (self->is_file && r->files[i].is_file && r->files[i].dev == self->dev &&
		    r->files[i].ino == self->ino)
			*ret_again = true;
	struct read_file *more =
	    grow_for_one(r->files, r->file_count, &r->file_room, sizeof *more, e);
	if (more == NULL)
		return -1;
	r->files = more;
	more[r->file_count++] = (struct read_file){self->name, self->is_file, self->dev, self->ino};
	return 0;
}

static int read_bytes(struct input *self, struct buf *to, struct err *e)
{
	struct stat st;

	int fd = io_open(self->name, e);
	if (fd < 0)
		return -1;
	self->name = io_name(self->name);
	self->is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (self->is_file) {
		self->dev = st.st_dev;
		self->ino = st.st_ino;
	}
	int status = io_read_all(fd, to, FILE_SIZE_MAX, self->name, e);
	if (status != 0 && e->code == ERR_MALFORMED)
		e->code = ERR_CONFIG;
	(void)close(fd);
	return status;
}

static int read_file(struct rules *r, struct input *self, struct err *e)
{
	struct buf text = BUF_INIT;
	int status = read_bytes(self, &text, e);

	if (status != 0 && self->at != NULL)
		(void)marked_prefix(e, marked_place(self->at));
	if (status == 0)
		status = check_cycle(self, e);
	if (status == 0)
		status = note_file(r, self, &self->again, e);
	if (status == 0)
		status = read_text(r, self, text.data, text.len, e);
	buf_release(&text);
	return status;
}

/* --- all files -------------------------------------------------------------------------------- */

/* `r` if all went well, else NULL. */
static struct rules *finish(struct rules *r, const char *name, int status, struct err *e)
{
	if (status == 0 && r->n > 0)
		return r;
	if (status == 0)
		(void)err_set(e, ERR_CONFIG, "%s:1:1: there are no rules", name);
	rules_free(r);
	return NULL;
}

static struct rules *new_rules(struct err *e)
{
	struct rules *r = calloc(1, sizeof *r);

	if (r == NULL)
		(void)err_nomem(e);
	return r;
}

struct rules *rules_load(const char *const *files, size_t n, struct err *e)
{
	int status = 0;

	if (n == 0) {
		(void)err_set(e, ERR_CONFIG, "there is no rules file");
		return NULL;
	}
	struct rules *r = new_rules(e);
	if (r == NULL)
		return NULL;
	for (size_t i = 0; i < n && status == 0; i++) {
		struct input source = {.name = keep(r, files[i], e)};
		status = source.name != NULL ? read_file(r, &source, e) : -1;
	}
	return finish(r, io_name(files[0]), status, e);
}

struct rules *rules_parse(const char *name, const char *text, size_t len, struct err *e)
{
	struct rules *r = new_rules(e);
	int status = -1;

	if (r == NULL)
		return NULL;
	struct input source = {.name = keep(r, name, e)};
	if (len > FILE_SIZE_MAX)
		(void)err_set(e, ERR_CONFIG, "'%s' is larger than %zu bytes", name, FILE_SIZE_MAX);
	else if (source.name != NULL)
		status = read_text(r, &source, text, len, e);
	return finish(r, name, status, e);
}

void rules_free(struct rules *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		selection_release(&r->entries[i].match);
	guardlist_release(&r->guards);
	free(r->entries);
	free(r->files);
	arena_release(&r->arena);
	free(r);
}

/* --- deciding --------------------------------------------------------------------------------- */

static bool match(const struct rules *r, size_t i, const char *path, bool is_directory,
		  struct rules_verdict *ret)
{
	const struct numbered *entry = &r->entries[i];
	const struct selection_pattern *pattern;

	/* Where a `!` can be read in two ways, in the one that publishes less. */
	enum glob_negation negation =
	    entry->rule.label == LABEL_PRIVATE ? GLOB_NEGATES_DIRECTORY : GLOB_NEGATES_BELOW;

	*ret = (struct rules_verdict){0};
	if (!selection_match(&entry->match, path, is_directory, negation, &pattern))
		return false;
	*ret = (struct rules_verdict){.labelled = true,
				      .label = entry->rule.label,
				      .rule = &entry->rule,
				      .pattern = pattern->text,
				      .pattern_place = pattern->place};
	return true;
}

/*
 * A name in the spelling that patterns have, which is `path` itself in most cases: what one tar
 * keeps as it was, another archive composes. NULL: out of memory.
 */
static const char *spell(struct buf *to, const char *path)
{
	struct err e;

	if (fold_is_ascii(path))
		return path;
	if (fold_spelling(to, path, &e) == 0)
		return to->data;
	/* What is not UTF-8 has no other spelling. */
	return e.code == ERR_MALFORMED ? path : NULL;
}

bool rules_match(const struct rules *r, size_t i, const char *path, bool is_directory,
		 struct rules_verdict *ret)
{
	struct buf room = BUF_INIT;
	const char *name = spell(&room, path);

	*ret = (struct rules_verdict){0};
	bool matches = name != NULL && match(r, i, name, is_directory, ret);
	buf_release(&room);
	return matches;
}

void rules_decide(const struct rules *r, const char *path, bool is_directory,
		  struct rules_verdict *ret)
{
	struct buf room = BUF_INIT;
	const char *name = spell(&room, path);
	size_t i = name != NULL ? r->n : 0;

	while (i > 0 && !match(r, i - 1, name, is_directory, ret))
		i--;
	/* Without memory there is no label. */
	if (i == 0)
		*ret = (struct rules_verdict){.labelled = r->default_is_private && name != NULL,
					      .label = LABEL_PRIVATE};
	buf_release(&room);
}

size_t rules_count(const struct rules *r)
{
	return r->n;
}

const struct rule *rules_get(const struct rules *r, size_t i)
{
	return &r->entries[i].rule;
}

void rules_format_place(struct buf *to, const struct rule *rule)
{
	if (rule == NULL)
		buf_adds(to, "default");
	else
		buf_addf(to, "%s:%u:%u", rule->place.file, rule->place.line, rule->place.column);
}

void rules_describe_place(struct buf *to, const struct rule *rule)
{
	struct buf place = BUF_INIT;

	rules_format_place(&place, rule);
	text_printable(to, place.data, place.len);
	to->failed = to->failed || place.failed;
	buf_release(&place);
}

size_t rules_file_count(const struct rules *r)
{
	return r->file_count;
}

const char *rules_file(const struct rules *r, size_t i)
{
	return r->files[i].name;
}

enum rules_symlinks rules_symlinks(const struct rules *r)
{
	return r->symlinks;
}

const struct guardlist *rules_guards(const struct rules *r)
{
	return &r->guards;
}
