#include "swarm/entryline.h"

#include <string.h>

#include "swarm/base64.h"
#include "swarm/hex.h"
#include "swarm/merkle.h"
#include "swarm/num.h"
#include "swarm/path.h"

/* What has not been read yet. */
struct rest {
	const char *at, *end;
};

/* Whether it goes on like this; then it is read. */
static bool skip(struct rest *r, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, text, len) != 0)
		return false;
	r->at += len;
	return true;
}

/* Up to the quote that ends a string, which is read too; NULL: there is none, or an escape. */
static const char *read_text(struct rest *r, size_t *ret_len)
{
	const char *from = r->at, *quote = memchr(from, '"', (size_t)(r->end - from));

	if (quote == NULL || memchr(from, '\\', (size_t)(quote - from)) != NULL ||
	    memchr(from, '\0', (size_t)(quote - from)) != NULL)
		return NULL;
	*ret_len = (size_t)(quote - from);
	r->at = quote + 1;
	return from;
}

static bool read_kept(struct rest *r, struct arena *arena, const char **ret)
{
	size_t len;
	const char *text = read_text(r, &len);

	*ret = text != NULL ? arena_copy(arena, text, len) : NULL;
	return *ret != NULL;
}

static bool read_number(struct rest *r, uint64_t *ret)
{
	const char *from = r->at;
	uint64_t n = 0;

	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
		n = n * 10 + (uint64_t)(*r->at - '0');
		if (n > NUM_MAX)
			return false;
	}
	*ret = n;
	return r->at > from;
}

static bool read_hash(struct rest *r, uint8_t *ret)
{
	size_t len;
	const char *text = read_text(r, &len);

	return text != NULL && hex_parse(ret, SHA256_SIZE, text, len);
}

static bool read_label(struct rest *r, enum label *ret)
{
	if (skip(r, "public\""))
		*ret = LABEL_PUBLIC;
	else if (skip(r, "origin\""))
		*ret = LABEL_ORIGIN;
	else
		return false;
	return true;
}

static bool read_pieces(struct rest *r, uint64_t piece_length, struct arena *arena,
			struct entry *ret)
{
	uint64_t count = merkle_pieces(ret->size, piece_length);
	size_t len;
	const char *text = read_text(r, &len);

	/* Before there is memory for it. */
	if (text == NULL || base64_size(text, len) != count * SHA256_SIZE)
		return false;
	uint8_t *bytes = arena_alloc(arena, (size_t)count * SHA256_SIZE);
	ret->pieces = bytes;
	ret->piece_count = (size_t)count;
	return bytes != NULL && base64_parse(bytes, text, len);
}

static bool read_attribute(struct rest *r, struct arena *arena, const char **ret)
{
	return read_kept(r, arena, ret) && entry_is_attribute(*ret);
}

static bool read_hot(struct rest *r, struct entry *ret)
{
	uint64_t hot;

	if (!read_number(r, &hot) || hot > ENTRY_HOT_MAX)
		return false;
	ret->hot = (int)hot;
	return true;
}

static bool read_content(struct rest *r, uint64_t piece_length, struct arena *arena,
			 struct entry *ret)
{
	ret->has_sha256 = skip(r, ",\"sha256\":\"");
	if (ret->has_sha256 && !read_hash(r, ret->sha256))
		return false;
	if (ret->size > 0 && (!skip(r, ",\"root\":\"") || !read_hash(r, ret->root)))
		return false;
	return ret->size <= piece_length ||
	       (skip(r, ",\"pieces\":\"") && read_pieces(r, piece_length, arena, ret));
}

static bool read_attributes(struct rest *r, struct arena *arena, struct entry *ret)
{
	ret->exec = skip(r, ",\"exec\":true");
	if (skip(r, ",\"type\":\"") && !read_attribute(r, arena, &ret->type))
		return false;
	if (skip(r, ",\"cache\":\"") && !read_attribute(r, arena, &ret->cache))
		return false;
	return !skip(r, ",\"hot\":") || read_hot(r, ret);
}

bool entryline_read(const char *line, size_t len, uint64_t piece_length, struct arena *arena,
		    struct entry *ret)
{
	struct rest r = {line, line + len};

	*ret = (struct entry){.hot = ENTRY_NOT_HOT};
	if (!skip(&r, "{\"path\":\"") || !read_kept(&r, arena, &ret->path) ||
	    path_unportable(ret->path) != NULL || !skip(&r, ",\"size\":") ||
	    !read_number(&r, &ret->size) || !skip(&r, ",\"label\":\"") ||
	    !read_label(&r, &ret->label))
		return false;
	return read_content(&r, piece_length, arena, ret) && read_attributes(&r, arena, ret) &&
	       skip(&r, "}") && r.at == r.end;
}
