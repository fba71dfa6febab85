#include "swarm/entry.h"

#include <stdio.h>
#include <string.h>

#include "swarm/entryline.h"
#include "swarm/jsonl.h"
#include "swarm/path.h"

#define ATTRIBUTE_MAX 255
/* Above the number of keys, so that one too many gets a message of its own. */
#define MEMBERS_MAX 20

bool entry_same_content(const struct entry *a, const struct entry *b)
{
	return a->size == b->size && memcmp(a->root, b->root, SHA256_SIZE) == 0;
}

bool entry_is_attribute(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > ATTRIBUTE_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7E)
			return false;
	return true;
}

static void format(struct buf *to, const struct entry *entry, bool hashes)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_string(&w, "path", entry->path);
	jsonl_number(&w, "size", entry->size);
	jsonl_string(&w, "label", label_name(entry->label));
	if (hashes && entry->has_sha256)
		jsonl_hex(&w, "sha256", entry->sha256, SHA256_SIZE);
	if (hashes && entry->size > 0)
		jsonl_hex(&w, "root", entry->root, SHA256_SIZE);
	if (hashes && entry->piece_count > 0)
		jsonl_base64(&w, "pieces", entry->pieces, entry->piece_count * SHA256_SIZE);
	if (entry->exec)
		jsonl_bool(&w, "exec", true);
	if (entry->type != NULL)
		jsonl_string(&w, "type", entry->type);
	if (entry->cache != NULL)
		jsonl_string(&w, "cache", entry->cache);
	if (entry->hot != ENTRY_NOT_HOT)
		jsonl_number(&w, "hot", (uint64_t)entry->hot);
	jsonl_close(&w);
}

void entry_format(struct buf *to, const struct entry *entry)
{
	format(to, entry, true);
}

void entry_format_judged(struct buf *to, const struct entry *entry)
{
	format(to, entry, false);
}

/* A copy that lives in the arena; an arena that is full makes the parse fail. */
static const char *keep(struct jsonl_object *o, const char *key, struct arena *arena,
			const char *text)
{
	const char *copy = arena_copy(arena, text, strlen(text));

	if (copy == NULL)
		jsonl_reject(o, key, "does not fit into memory");
	return copy;
}

static const char *read_attribute(struct jsonl_object *o, const char *key, struct arena *arena)
{
	if (!jsonl_has(o, key))
		return NULL;
	const char *text = jsonl_get_string(o, key);
	if (!entry_is_attribute(text)) {
		jsonl_reject(o, key, "is not 1-255 printable ASCII characters");
		return NULL;
	}
	return keep(o, key, arena, text);
}

static void read_pieces(struct jsonl_object *o, uint64_t piece_length, struct arena *arena,
			struct entry *ret)
{
	uint64_t count = merkle_pieces(ret->size, piece_length);
	struct buf layer = BUF_INIT;

	jsonl_get_base64(o, "pieces", &layer);
	if (layer.failed || layer.len % SHA256_SIZE != 0 || layer.len / SHA256_SIZE != count) {
		jsonl_reject(o, "pieces", "does not hold one hash for each piece");
	} else {
		uint8_t *copy = arena_alloc(arena, layer.len);
		if (copy == NULL) {
			jsonl_reject(o, "pieces", "does not fit into memory");
		} else {
			memcpy(copy, layer.data, layer.len);
			ret->pieces = copy;
			ret->piece_count = (size_t)count;
		}
	}
	buf_release(&layer);
}

static void read_hot(struct jsonl_object *o, struct entry *ret)
{
	ret->hot = ENTRY_NOT_HOT;
	if (!jsonl_has(o, "hot"))
		return;
	uint64_t hot = jsonl_get_number(o, "hot");
	if (hot > ENTRY_HOT_MAX)
		jsonl_reject(o, "hot", "is above 63");
	else
		ret->hot = (int)hot;
}

static void read_entry(struct jsonl_object *o, uint64_t piece_length, struct arena *arena,
		       struct entry *ret)
{
	const char *path = jsonl_get_string(o, "path");
	const char *why = path_unportable(path);
	if (why != NULL) {
		char text[128];
		(void)snprintf(text, sizeof text, "is not portable: %s", why);
		jsonl_reject(o, "path", text);
	}
	ret->path = keep(o, "path", arena, path);
	ret->size = jsonl_get_number(o, "size");
	if (!label_parse(jsonl_get_string(o, "label"), &ret->label) || ret->label == LABEL_PRIVATE)
		jsonl_reject(o, "label", "is neither public nor origin");
	ret->has_sha256 = jsonl_has(o, "sha256");
	if (ret->has_sha256)
		jsonl_get_hex(o, "sha256", ret->sha256, SHA256_SIZE);
	if (ret->size > 0)
		jsonl_get_hex(o, "root", ret->root, SHA256_SIZE);
	if (ret->size > piece_length)
		read_pieces(o, piece_length, arena, ret);
	if (jsonl_has(o, "exec")) {
		ret->exec = jsonl_get_bool(o, "exec");
		if (!ret->exec)
			jsonl_reject(o, "exec", "is false: it is to be left out");
	}
	ret->type = read_attribute(o, "type", arena);
	ret->cache = read_attribute(o, "cache", arena);
	read_hot(o, ret);
}

static int check_pieces(const struct entry *entry, uint64_t piece_length, struct err *e)
{
	uint8_t root[SHA256_SIZE];

	if (entry->piece_count == 0)
		return 0;
	if (merkle_layer_root(entry->pieces, entry->piece_count, piece_length, root, e) != 0)
		return -1;
	if (memcmp(root, entry->root, SHA256_SIZE) != 0)
		return err_set(e, ERR_MALFORMED, "'pieces' does not give 'root'");
	return 0;
}

/* The way that knows what is wrong with a line. */
static int parse_json(const char *line, size_t len, uint64_t piece_length, struct arena *arena,
		      struct buf *again, struct entry *ret, struct err *e)
{
	struct jsonl_object *o = NULL;
	int status = -1;

	if (jsonl_check_flat(line, len, MEMBERS_MAX, e) == 0)
		o = jsonl_parse(line, len, e);
	*ret = (struct entry){.hot = ENTRY_NOT_HOT};
	if (o == NULL)
		return -1;
	read_entry(o, piece_length, arena, ret);
	if (jsonl_done(o, e) == 0) {
		buf_clear(again);
		entry_format(again, ret);
		status = jsonl_check_spelling(again, line, len, e);
	}
	jsonl_free(o);
	return status;
}

int entry_parse(const char *line, size_t len, uint64_t piece_length, struct arena *arena,
		struct entry *ret, struct err *e)
{
	struct buf again = BUF_INIT;
	int status = 0;

	(void)buf_room(&again, len);
	bool quick = entryline_read(line, len, piece_length, arena, ret);
	if (quick)
		entry_format(&again, ret);
	if (!quick || again.failed || again.len != len || memcmp(again.data, line, len) != 0)
		status = parse_json(line, len, piece_length, arena, &again, ret, e);
	if (status == 0)
		status = check_pieces(ret, piece_length, e);
	buf_release(&again);
	return status;
}
