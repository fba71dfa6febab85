#include "swarm/marked.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "swarm/buf.h"
#include "swarm/text.h"

struct marked_place marked_place(const struct marked *at)
{
	return (struct marked_place){at->file, at->line, at->column};
}

int marked_prefix(struct err *e, struct marked_place at)
{
	return err_prefix(e, "%s:%u:%u", at.file, at.line, at.column);
}

int marked_reject(struct err *e, const struct marked *at, const char *fmt, ...)
{
	char msg[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	(void)err_set(e, ERR_CONFIG, "%s", msg);
	return marked_prefix(e, marked_place(at));
}

int marked_reject_unknown(struct err *e, struct marked_place at, const char *what, const char *word,
			  const char *const *words)
{
	const char *nearest = text_nearest(word, words);

	if (nearest == NULL)
		(void)err_set(e, ERR_CONFIG, "unknown %s '%.100s'", what, word);
	else
		(void)err_set(e, ERR_CONFIG, "unknown %s '%.100s' (did you mean '%s'?)", what, word,
			      nearest);
	return marked_prefix(e, at);
}

/* --- parsing ---------------------------------------------------------------------------------- */

struct builder {
	struct arena *arena;
	const char *file;
	const char *text;
	size_t len;
	yaml_parser_t yaml;
	unsigned documents;
	struct marked *root;
	/* The lists and maps that are open, and where each one's next node goes. */
	struct level {
		struct marked *node;
		const struct marked **next;
	} levels[MARKED_DEPTH_MAX];
	size_t depth;
};

static struct marked node_at(const struct builder *b, yaml_mark_t mark)
{
	return (struct marked){.file = b->file,
			       .text = "",
			       .line = (unsigned)mark.line + 1,
			       .column = (unsigned)mark.column + 1};
}

/* Where the byte at `offset` stands: a reader's error has no mark. */
static yaml_mark_t mark_at(const struct builder *b, size_t offset)
{
	yaml_mark_t mark = {0};

	for (size_t i = 0; i < offset && i < b->len; i++) {
		if (b->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else {
			mark.column += ((uint8_t)b->text[i] & 0xC0) != 0x80;
		}
	}
	return mark;
}

static char byte_at(const struct builder *b, yaml_mark_t mark)
{
	const char *p = b->text, *end = b->text + b->len;

	for (size_t line = 0; line < mark.line && p < end; line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p != NULL ? p + 1 : end;
	}
	for (size_t column = 0; column < mark.column && p < end; column++) {
		unsigned long point;
		size_t n = text_utf8(p, (size_t)(end - p), &point);
		p += n > 0 ? n : 1;
	}
	return p < end ? *p : '\0';
}

static int reject_syntax(const struct builder *b, struct err *e)
{
	const yaml_parser_t *yaml = &b->yaml;
	const char *problem = yaml->problem != NULL ? yaml->problem : "it is not YAML";

	/* libyaml 0.2.5 forgets to say so when it has no memory for a tag. */
	if (yaml->error == YAML_MEMORY_ERROR || yaml->error == YAML_NO_ERROR)
		return err_nomem(e);
	if (yaml->error == YAML_READER_ERROR) {
		struct marked at = node_at(b, mark_at(b, yaml->problem_offset));
		return marked_reject(e, &at, "%s", problem);
	}
	struct marked at = node_at(b, yaml->problem_mark);
	if (byte_at(b, yaml->problem_mark) == '\t')
		return marked_reject(e, &at, "a tab cannot indent: use spaces");
	/* The mistakes that a list of patterns invites. */
	char mark = yaml->context != NULL ? byte_at(b, yaml->context_mark) : '\0';
	if (strchr("*!&", mark) == NULL || mark == '\0')
		return marked_reject(e, &at, "%s", problem);
	at = node_at(b, yaml->context_mark);
	return marked_reject(e, &at, "text that starts with '%c' must be quoted", mark);
}

static bool is_null(const char *text, size_t len)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return true;
	return false;
}

static struct marked *add_node(struct builder *b, const yaml_event_t *event, enum marked_kind kind,
			       struct err *e)
{
	struct marked *node = arena_alloc(b->arena, sizeof *node);

	if (node == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	*node = node_at(b, event->start_mark);
	node->kind = kind;
	if (b->depth == 0) {
		b->root = node;
		return node;
	}
	struct level *level = &b->levels[b->depth - 1];
	*level->next = node;
	level->next = &node->next;
	return node;
}

static int add_scalar(struct builder *b, const yaml_event_t *event, struct err *e)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct marked *node =
	    add_node(b, event, plain && is_null(text, len) ? MARKED_NULL : MARKED_STRING, e);

	if (node == NULL)
		return -1;
	if (memchr(text, '\0', len) != NULL)
		return marked_reject(e, node, "a string has a NUL character");
	node->text = arena_copy(b->arena, text, len);
	return node->text != NULL ? 0 : err_nomem(e);
}

static int open_level(struct builder *b, const yaml_event_t *event, enum marked_kind kind,
		      struct err *e)
{
	struct marked *node = add_node(b, event, kind, e);

	if (node == NULL)
		return -1;
	if (b->depth == MARKED_DEPTH_MAX)
		return marked_reject(e, node, "nested more than %d levels deep", MARKED_DEPTH_MAX);
	b->levels[b->depth++] = (struct level){node, &node->first};
	return 0;
}

static int close_level(struct builder *b, struct err *e)
{
	const struct marked *node = b->levels[--b->depth].node;

	if (node->kind != MARKED_MAP)
		return 0;
	for (const struct marked *key = node->first; key != NULL; key = key->next->next)
		if (key->kind != MARKED_STRING)
			return marked_reject(e, key, "a key must be a string");
	return 0;
}

static int reject_properties(const struct builder *b, const yaml_event_t *event,
			     const yaml_char_t *anchor, const yaml_char_t *tag, struct err *e)
{
	struct marked at = node_at(b, event->start_mark);

	if (anchor != NULL)
		return marked_reject(e, &at,
				     "anchors are not allowed: quote it if '&%.100s' is text",
				     (const char *)anchor);
	if (tag != NULL)
		return marked_reject(e, &at, "tags are not allowed: quote it if '%.100s' is text",
				     (const char *)tag);
	return 0;
}

static int take_event(struct builder *b, const yaml_event_t *event, struct err *e)
{
	struct marked at = node_at(b, event->start_mark);

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++ > 0)
			return marked_reject(e, &at, "only one document is allowed in a file");
		return 0;
	case YAML_ALIAS_EVENT:
		return marked_reject(e, &at,
				     "aliases are not allowed: quote it if '*%.100s' is text",
				     (const char *)event->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		if (reject_properties(b, event, event->data.scalar.anchor, event->data.scalar.tag,
				      e) != 0)
			return -1;
		return add_scalar(b, event, e);
	case YAML_SEQUENCE_START_EVENT:
		if (reject_properties(b, event, event->data.sequence_start.anchor,
				      event->data.sequence_start.tag, e) != 0)
			return -1;
		return open_level(b, event, MARKED_LIST, e);
	case YAML_MAPPING_START_EVENT:
		if (reject_properties(b, event, event->data.mapping_start.anchor,
				      event->data.mapping_start.tag, e) != 0)
			return -1;
		return open_level(b, event, MARKED_MAP, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return close_level(b, e);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT: break;
	}
	return 0;
}

static int build(struct builder *b, struct err *e)
{
	yaml_parser_set_encoding(&b->yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->yaml, (const unsigned char *)b->text, b->len);
	for (bool end = false; !end;) {
		yaml_event_t event;
		if (!yaml_parser_parse(&b->yaml, &event))
			return reject_syntax(b, e);
		end = event.type == YAML_STREAM_END_EVENT;
		int status = take_event(b, &event, e);
		yaml_event_delete(&event);
		if (status != 0)
			return -1;
	}
	if (b->root == NULL) {
		struct marked at = node_at(b, (yaml_mark_t){0});
		return marked_reject(e, &at, "the file is empty");
	}
	return 0;
}

const struct marked *marked_parse(struct arena *arena, const char *file, const char *text,
				  size_t len, struct err *e)
{
	/* libyaml would take another encoding from a byte order mark. */
	size_t bom = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	struct builder b = {.arena = arena, .file = file, .text = text + bom, .len = len - bom};

	if (!yaml_parser_initialize(&b.yaml)) {
		(void)err_nomem(e);
		return NULL;
	}
	int status = build(&b, e);
	yaml_parser_delete(&b.yaml);
	return status == 0 ? b.root : NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

const struct marked *marked_get(const struct marked *map, const char *key)
{
	if (map->kind != MARKED_MAP)
		return NULL;
	for (const struct marked *k = map->first; k != NULL; k = k->next->next)
		if (strcmp(k->text, key) == 0)
			return k->next;
	return NULL;
}

static size_t index_of(const char *word, const char *const *words)
{
	size_t i = 0;

	while (words[i] != NULL && strcmp(words[i], word) != 0)
		i++;
	return i;
}

int marked_fields(const struct marked *map, const char *what, const char *const *keys,
		  const struct marked **ret, struct err *e)
{
	if (marked_expect(map, what, MARKED_MAP, e) != 0)
		return -1;
	for (size_t i = 0; keys[i] != NULL; i++)
		ret[i] = NULL;
	for (const struct marked *key = map->first; key != NULL; key = key->next->next) {
		size_t i = index_of(key->text, keys);
		if (keys[i] == NULL)
			return marked_reject_unknown(e, marked_place(key), "key", key->text, keys);
		if (ret[i] != NULL)
			return marked_reject(e, key, "duplicate key '%s'", key->text);
		ret[i] = key->next;
	}
	return 0;
}

int marked_expect(const struct marked *at, const char *what, enum marked_kind kind, struct err *e)
{
	static const char *const kinds[] = {"null", "a string", "a list", "a mapping"};

	if (at->kind != kind)
		return marked_reject(e, at, "%s must be %s, not %s", what, kinds[kind],
				     kinds[at->kind]);
	if (kind == MARKED_STRING && *at->text == '\0')
		return marked_reject(e, at, "%s is empty", what);
	return 0;
}

int marked_choose(const struct marked *at, const char *what, const char *const *words, size_t *ret,
		  struct err *e)
{
	if (marked_expect(at, what, MARKED_STRING, e) != 0)
		return -1;
	*ret = index_of(at->text, words);
	if (words[*ret] != NULL)
		return 0;
	if (text_nearest(at->text, words) != NULL)
		return marked_reject_unknown(e, marked_place(at), what, at->text, words);
	struct buf all = BUF_INIT;
	for (size_t i = 0; words[i] != NULL; i++)
		buf_addf(&all, "%s%s", i > 0 ? ", " : "", words[i]);
	if (buf_check(&all, e) == 0)
		(void)marked_reject(e, at, "unknown %s '%.100s', not one of %s", what, at->text,
				    all.data);
	buf_release(&all);
	return -1;
}
