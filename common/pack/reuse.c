#include "swarm/reuse.h"

#include <string.h>

#include "swarm/buf.h"
#include "swarm/cache.h"
#include "swarm/mime.h"
#include "swarm/sha256.h"

/* What makes keys; one for all files of a run. */
struct sealer {
	const struct content *content;
	struct sha256 *sha;
	struct buf text; /* what is sealed */
	size_t common;   /* so much of it is the same for all files */
};

static void add_text(struct sealer *s, const char *text)
{
	buf_add(&s->text, text, strlen(text) + 1);
}

static int open_sealer(struct sealer *s, const struct content *c, struct err *e)
{
	uint8_t digest[SHA256_SIZE] = {0};

	*s = (struct sealer){.content = c, .text = BUF_INIT};
	add_text(s, SWARM_VERSION);
	if (c->guards != NULL)
		guards_digest(c->guards, digest);
	buf_add(&s->text, digest, sizeof digest);
	s->common = s->text.len;
	s->sha = sha256_new(e);
	return s->sha != NULL ? 0 : -1;
}

static void close_sealer(struct sealer *s)
{
	sha256_free(s->sha);
	buf_release(&s->text);
}

/* What the rule says that it is, or the name; "" if neither does. */
static const char *type_of(const struct scan_file *file)
{
	const char *type = file->rule != NULL ? file->rule->type : NULL;

	if (type == NULL)
		type = mime_of(file->path);
	return type != NULL ? type : "";
}

/*
 * All that decides what guards make of the content: which of them there are, what they look for
 * (their code is that of this version), which of them are asked of this file, and what its type is.
 * Its name decides no more than that, so that one record does for all the links to a file. -1: a
 * wrong seal would find nothing, but could be remembered.
 */
static int make_key(struct sealer *s, size_t i, struct cache_key *ret, struct err *e)
{
	const struct scan_file *file = &s->content->scan->files[i];
	const struct guards *guards = s->content->guards;
	uint8_t digest[SHA256_SIZE];

	*ret = (struct cache_key){.stamp = file->stamp, .size = file->size};
	buf_truncate(&s->text, s->common);
	for (size_t k = 0; guards != NULL && k < guards_count(guards); k++)
		buf_addc(&s->text, guards_applies(guards, k, file->path, file->label) ? '1' : '0');
	add_text(s, label_name(file->label));
	add_text(s, type_of(file));
	sha256_once(s->sha, s->text.data, s->text.len, digest);
	memcpy(ret->seal, digest, sizeof ret->seal);
	return buf_check(&s->text, e) == 0 ? sha256_check(s->sha, e) : -1;
}

static int find_all(struct sealer *s, bool *known, struct err *e)
{
	const struct content *c = s->content;
	struct cache_key key;

	for (size_t i = 0; i < c->scan->count; i++) {
		if (make_key(s, i, &key, e) != 0)
			return -1;
		int got = cache_find(c->cache, &key, &c->hash, &c->digests[i], e);
		if (got < 0)
			return -1;
		known[i] = got > 0;
	}
	return 0;
}

int reuse_find(const struct content *c, bool *known, struct err *e)
{
	struct sealer s;

	if (open_sealer(&s, c, e) != 0) {
		close_sealer(&s);
		return -1;
	}
	int status = find_all(&s, known, e);
	close_sealer(&s);
	return status;
}

static int remember_all(struct sealer *s, const bool *done, struct err *e)
{
	const struct content *c = s->content;
	struct cache_key key;
	size_t hit_count, at = 0;
	const struct hits_hit *hits = hits_list(c->hits, &hit_count);

	for (size_t i = 0; i < c->scan->count; i++) {
		while (at < hit_count && hits[at].file < i)
			at++;
		bool clean = at == hit_count || hits[at].file != i;
		if (!done[i] || !clean)
			continue;
		if (make_key(s, i, &key, e) != 0 ||
		    cache_add(c->cache, &key, &c->hash, &c->digests[i], e) != 0)
			return -1;
	}
	return 0;
}

int reuse_remember(const struct content *c, const bool *done, struct err *e)
{
	struct sealer s;

	if (open_sealer(&s, c, e) != 0) {
		close_sealer(&s);
		return -1;
	}
	int status = remember_all(&s, done, e);
	close_sealer(&s);
	return status;
}
