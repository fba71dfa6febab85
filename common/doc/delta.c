#include "swarm/delta.h"

#include <stdio.h>
#include <string.h>

#include "swarm/path.h"

/* Longest first line; longest line without the new manifest's line in it. */
#define HEADER_MAX ((size_t)4096)
#define OWN_MAX    ((size_t)4096)

static const char file_key[] = "{\"file\":";

const char *delta_source_name(enum delta_source source)
{
	static const char *const names[DELTA_SOURCES] = {"bare", "copy", "dcz", "zstd"};

	return names[source];
}

/* --- the first line -----------------------------------------------------------------------------
 */

static void put_end(struct jsonl_writer *w, const char *key, const struct delta_end *end)
{
	jsonl_open(w, key);
	jsonl_string(w, "version", end->version);
	jsonl_number(w, "serial", end->serial);
	jsonl_hex(w, "sha256", end->digest, SHA256_SIZE);
	jsonl_close(w);
}

void delta_format_ends(struct jsonl_writer *w, const struct delta_end *from,
		       const struct delta_end *to)
{
	put_end(w, "from", from);
	put_end(w, "to", to);
}

void delta_format_header(struct buf *to, const struct delta_header *header)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_string(&w, "swarm", "delta/1");
	jsonl_string(&w, "product", header->product);
	jsonl_string(&w, "channel", header->channel);
	delta_format_ends(&w, &header->from, &header->to);
	jsonl_number(&w, "removes", header->removes);
	jsonl_number(&w, "files", header->files);
	buf_adds(to, ",\"header\":");
	header_format(to, &header->header);
	if (header->has_solid) {
		jsonl_open(&w, "solid");
		jsonl_number(&w, "version", header->solid.version);
		jsonl_number(&w, "size", header->solid.size);
		jsonl_hex(&w, "sha256", header->solid.sha256, SHA256_SIZE);
		jsonl_close(&w);
	}
	jsonl_close(&w);
}

static void read_end(struct jsonl_object *o, const char *key, struct delta_end *ret)
{
	struct jsonl_object *end = jsonl_get_object(o, key);

	header_get_version(end, "version", "is not a version", ret->version);
	ret->serial = jsonl_get_positive(end, "serial");
	jsonl_get_hex(end, "sha256", ret->digest, SHA256_SIZE);
}

void delta_get_ends(struct jsonl_object *o, struct delta_end *ret_from, struct delta_end *ret_to)
{
	read_end(o, "from", ret_from);
	read_end(o, "to", ret_to);
	if (ret_from->serial >= ret_to->serial)
		jsonl_reject(o, "to", "has no higher serial than 'from'");
}

/* The new manifest is the one that `to` names, and can hold what the delta says. */
static void check_header(struct jsonl_object *o, const struct delta_header *d)
{
	const struct header *h = &d->header;

	if (h->kind != HEADER_MANIFEST)
		jsonl_reject(o, "header", "is not the first line of a manifest");
	else if (strcmp(h->id.product, d->product) != 0 || strcmp(h->id.channel, d->channel) != 0)
		jsonl_reject(o, "header", "is of another product or channel than the delta");
	else if (strcmp(h->id.version, d->to.version) != 0 || h->id.serial != d->to.serial)
		jsonl_reject(o, "header", "is of another release than 'to'");
	else if (d->files > h->files)
		jsonl_reject(o, "files", "is more than the new manifest has");
}

static void read_header(struct jsonl_object *o, struct delta_header *ret)
{
	static const char no_name[] = "is not a product or channel";

	jsonl_get_fixed(o, "swarm", "delta/1");
	header_get_name(o, "product", no_name, ret->product);
	header_get_name(o, "channel", no_name, ret->channel);
	delta_get_ends(o, &ret->from, &ret->to);
	ret->removes = jsonl_get_number(o, "removes");
	ret->files = jsonl_get_number(o, "files");
	header_get(jsonl_get_object(o, "header"), &ret->header);
	check_header(o, ret);
	ret->has_solid = jsonl_has(o, "solid");
	if (ret->has_solid) {
		struct jsonl_object *solid = jsonl_get_object(o, "solid");
		ret->solid.version = jsonl_get_positive(solid, "version");
		ret->solid.size = jsonl_get_positive(solid, "size");
		jsonl_get_hex(solid, "sha256", ret->solid.sha256, SHA256_SIZE);
	}
}

int delta_parse_header(const char *text, size_t len, struct delta_header *ret, struct err *e)
{
	int status = -1;
	struct buf again = BUF_INIT;
	struct jsonl_object *o = NULL;

	*ret = (struct delta_header){.removes = 0};
	if (len > HEADER_MAX)
		return err_set(e, ERR_MALFORMED, "no first line of a delta is this long");
	o = jsonl_parse(text, len, e);
	if (o == NULL)
		goto out;
	read_header(o, ret);
	if (jsonl_done(o, e) != 0)
		goto out;
	delta_format_header(&again, ret);
	status = jsonl_check_spelling(&again, text, len, e);
out:
	jsonl_free(o);
	buf_release(&again);
	return status;
}

/* --- the other lines ----------------------------------------------------------------------------
 */

static void put_patch(struct jsonl_writer *w, const struct delta_line *line)
{
	jsonl_open(w, "patch");
	jsonl_string(w, "codec", delta_source_name(line->source));
	if (line->source == DELTA_DCZ)
		jsonl_string(w, "base", line->from);
	jsonl_number(w, "size", line->size);
	jsonl_hex(w, "sha256", line->sha256, SHA256_SIZE);
	jsonl_close(w);
}

static void format_file(struct buf *to, const struct delta_line *line)
{
	struct jsonl_writer w = {.to = to, .comma = true};

	buf_adds(to, file_key);
	buf_add(to, line->text, line->text_len);
	if (line->source == DELTA_COPY)
		jsonl_string(&w, "copy", line->from);
	else if (line->source != DELTA_BARE)
		put_patch(&w, line);
	if (line->solid)
		jsonl_bool(&w, "solid", true);
	jsonl_close(&w);
}

void delta_format_line(struct buf *to, const struct delta_line *line)
{
	struct jsonl_writer w = {.to = to};

	if (!line->remove) {
		format_file(to, line);
		return;
	}
	jsonl_open(&w, NULL);
	jsonl_string(&w, "remove", line->path);
	jsonl_close(&w);
}

static const char *read_path(struct jsonl_object *o, const char *key, struct arena *arena)
{
	const char *path = jsonl_get_string(o, key);
	const char *why = path_unportable(path);

	if (why != NULL) {
		char text[128];
		(void)snprintf(text, sizeof text, "is not portable: %s", why);
		jsonl_reject(o, key, text);
	}
	const char *copy = arena_copy(arena, path, strlen(path));
	if (copy == NULL)
		jsonl_reject(o, key, "does not fit into memory");
	return copy;
}

static void read_patch(struct jsonl_object *o, struct arena *arena, struct delta_line *ret)
{
	struct jsonl_object *patch = jsonl_get_object(o, "patch");
	const char *codec = jsonl_get_string(patch, "codec");

	ret->source = DELTA_ZSTD;
	if (strcmp(codec, "dcz") == 0) {
		ret->source = DELTA_DCZ;
		ret->from = read_path(patch, "base", arena);
	} else if (strcmp(codec, "zstd") != 0) {
		jsonl_reject(patch, "codec", "is neither dcz nor zstd");
	}
	ret->size = jsonl_get_positive(patch, "size");
	jsonl_get_hex(patch, "sha256", ret->sha256, SHA256_SIZE);
}

/* Where the content comes from: all members but 'file'. */
static void read_source(struct jsonl_object *o, struct arena *arena, struct delta_line *ret)
{
	bool copy = jsonl_has(o, "copy"), patch = jsonl_has(o, "patch");

	if (copy) {
		ret->source = DELTA_COPY;
		ret->from = read_path(o, "copy", arena);
	} else if (patch) {
		read_patch(o, arena, ret);
	}
	ret->solid = jsonl_has(o, "solid");
	if (ret->solid && !jsonl_get_bool(o, "solid"))
		jsonl_reject(o, "solid", "is false: it is to be left out");
	if (copy && (patch || ret->solid))
		jsonl_reject(o, "copy", "leaves nothing to be made by a payload");
	if (ret->file.size == 0 && (copy || patch || ret->solid))
		jsonl_reject(o, "file", "is empty, and needs no source");
}

/*
 * The length of the JSON object at the start of the text; 0 if it does not end. The new manifest's
 * line may be of megabytes: it is found in one pass, and left to entry_parse().
 */
static size_t object_length(const char *text, size_t len)
{
	size_t depth = 0;
	bool in_string = false;

	if (len == 0 || *text != '{')
		return 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* `text` is what stands behind the new manifest's line. */
static int parse_source(const char *text, size_t len, struct arena *arena, struct delta_line *ret,
			struct err *e)
{
	int status = -1;
	struct buf alone = BUF_INIT;
	struct jsonl_object *o = NULL;

	if (len > OWN_MAX)
		return err_set(e, ERR_MALFORMED, "too much stands behind 'file'");
	buf_addc(&alone, '{');
	/* Of `,"copy":...}` the comma goes; any other spelling is noticed in the whole line. */
	buf_add(&alone, text + (len > 0 && *text == ','), len - (len > 0 && *text == ','));
	if (buf_check(&alone, e) == 0)
		o = jsonl_parse(alone.data, alone.len, e);
	if (o != NULL) {
		read_source(o, arena, ret);
		status = jsonl_done(o, e);
	}
	jsonl_free(o);
	buf_release(&alone);
	return status;
}

static int parse_file(const char *text, size_t len, uint64_t piece_length, struct arena *arena,
		      struct delta_line *ret, struct err *e)
{
	size_t start = sizeof file_key - 1;
	size_t file_len = object_length(text + start, len - start);

	if (file_len == 0)
		return err_set(e, ERR_MALFORMED, "'file' is not an object, or does not end");
	if (entry_parse(text + start, file_len, piece_length, arena, &ret->file, e) != 0)
		return err_prefix(e, "'file'");
	ret->path = ret->file.path;
	ret->text = arena_copy(arena, text + start, file_len);
	ret->text_len = file_len;
	if (ret->text == NULL)
		return err_nomem(e);
	return parse_source(text + start + file_len, len - start - file_len, arena, ret, e);
}

static int parse_remove(const char *text, size_t len, struct arena *arena, struct delta_line *ret,
			struct err *e)
{
	int status = -1;
	struct jsonl_object *o = NULL;

	if (len > OWN_MAX)
		return err_set(e, ERR_MALFORMED, "no line that removes a file is this long");
	o = jsonl_parse(text, len, e);
	if (o != NULL) {
		ret->remove = true;
		ret->path = read_path(o, "remove", arena);
		status = jsonl_done(o, e);
	}
	jsonl_free(o);
	return status;
}

int delta_parse_line(const char *text, size_t len, uint64_t piece_length, struct arena *arena,
		     struct delta_line *ret, struct err *e)
{
	struct buf again = BUF_INIT;
	bool is_file = len >= sizeof file_key && memcmp(text, file_key, sizeof file_key - 1) == 0;

	*ret = (struct delta_line){.source = DELTA_BARE};
	int status = is_file ? parse_file(text, len, piece_length, arena, ret, e)
			     : parse_remove(text, len, arena, ret, e);
	if (status == 0) {
		delta_format_line(&again, ret);
		status = jsonl_check_spelling(&again, text, len, e);
	}
	buf_release(&again);
	return status;
}
