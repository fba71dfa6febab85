#include "swarm/jsonl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/base64.h"
#include "swarm/hex.h"
#include "swarm/num.h"
#include "swarm/text.h"

/* --- writing ------------------------------------------------------------------------------------
 */

static void put_key(struct jsonl_writer *w, const char *key)
{
	if (w->comma)
		buf_addc(w->to, ',');
	w->comma = true;
	if (key != NULL) {
		buf_addc(w->to, '"');
		buf_adds(w->to, key);
		buf_adds(w->to, "\":");
	}
}

void jsonl_open(struct jsonl_writer *w, const char *key)
{
	put_key(w, key);
	buf_addc(w->to, '{');
	w->comma = false;
}

void jsonl_close(struct jsonl_writer *w)
{
	buf_addc(w->to, '}');
	w->comma = true;
}

void jsonl_open_array(struct jsonl_writer *w, const char *key)
{
	put_key(w, key);
	buf_addc(w->to, '[');
	w->comma = false;
}

void jsonl_close_array(struct jsonl_writer *w)
{
	buf_addc(w->to, ']');
	w->comma = true;
}

void jsonl_string(struct jsonl_writer *w, const char *key, const char *text)
{
	put_key(w, key);
	buf_addc(w->to, '"');
	while (*text != '\0') {
		size_t n = strcspn(text, "\"\\");
		buf_add(w->to, text, n);
		text += n;
		if (*text != '\0') {
			buf_addc(w->to, '\\');
			buf_addc(w->to, *text++);
		}
	}
	buf_addc(w->to, '"');
}

/* Returns whether the text was UTF-8 throughout. */
static bool put_any(struct jsonl_writer *w, const char *key, const char *text)
{
	bool exact = true;

	put_key(w, key);
	buf_addc(w->to, '"');
	for (size_t len = strlen(text), i = 0; i < len;) {
		unsigned long point = 0;
		size_t n = text_utf8(text + i, len - i, &point);
		if (n == 0) {
			buf_adds(w->to, "\xEF\xBF\xBD");
			exact = false;
			i++;
			continue;
		}
		if (point < 0x20 || (point >= 0x7F && point <= 0x9F))
			buf_addf(w->to, "\\u%04lx", point);
		else if (point == '"' || point == '\\')
			buf_addf(w->to, "\\%c", (int)point);
		else
			buf_add(w->to, text + i, n);
		i += n;
	}
	buf_addc(w->to, '"');
	return exact;
}

void jsonl_any_string(struct jsonl_writer *w, const char *key, const char *text)
{
	(void)put_any(w, key, text);
}

void jsonl_path(struct jsonl_writer *w, const char *key, const char *path)
{
	char exact[64];

	if (put_any(w, key, path))
		return;
	(void)snprintf(exact, sizeof exact, "%s_base64", key);
	jsonl_base64(w, exact, (const uint8_t *)path, strlen(path));
}

void jsonl_number(struct jsonl_writer *w, const char *key, uint64_t n)
{
	put_key(w, key);
	buf_addf(w->to, "%llu", (unsigned long long)n);
}

void jsonl_bool(struct jsonl_writer *w, const char *key, bool value)
{
	put_key(w, key);
	buf_adds(w->to, value ? "true" : "false");
}

void jsonl_hex(struct jsonl_writer *w, const char *key, const uint8_t *bytes, size_t len)
{
	put_key(w, key);
	buf_addc(w->to, '"');
	char *to = buf_room(w->to, 2 * len);
	if (to != NULL) {
		hex_format(to, bytes, len);
		buf_grew(w->to, 2 * len);
	}
	buf_addc(w->to, '"');
}

void jsonl_base64(struct jsonl_writer *w, const char *key, const uint8_t *bytes, size_t len)
{
	put_key(w, key);
	buf_addc(w->to, '"');
	base64_format(w->to, bytes, len);
	buf_addc(w->to, '"');
}

/* --- reading ------------------------------------------------------------------------------------
 */

#define KEYS_MAX 24

struct jsonl_object {
	json_t *json; /* an object, or NULL once something failed */
	bool owns_json;
	size_t used; /* how many keys were asked for and found */
	const char *keys[KEYS_MAX];
	struct jsonl_object *root; /* where problems are kept */
	struct jsonl_object *next; /* all objects taken out of the root */
	char problem[256];         /* of the root: "" while all is well */
};

int jsonl_check_flat(const char *text, size_t len, size_t members, struct err *e)
{
	size_t opened = 0, commas = 0;
	bool in_string = false;

	if (len > 0 && text[0] == '[')
		return err_set(e, ERR_MALFORMED, "not a JSON object: another kind of value");
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if (c == '[' || (c == '{' && ++opened > 1))
			return err_set(e, ERR_MALFORMED,
				       "column %zu: an array or object inside the line", i + 1);
		else if (c == ',' && ++commas >= members)
			return err_set(e, ERR_MALFORMED, "column %zu: more than %zu keys", i + 1,
				       members);
	}
	return 0;
}

struct jsonl_object *jsonl_parse(const char *text, size_t len, struct err *e)
{
	json_error_t why;
	struct jsonl_object *o = calloc(1, sizeof *o);

	if (o == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	o->root = o;
	o->owns_json = true;
	o->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(o->json)) {
		(void)err_set(e, ERR_MALFORMED, "not a JSON object: %s",
			      o->json != NULL ? "another kind of value" : why.text);
		jsonl_free(o);
		return NULL;
	}
	return o;
}

void jsonl_free(struct jsonl_object *o)
{
	while (o != NULL) {
		struct jsonl_object *next = o->next;
		if (o->owns_json)
			json_decref(o->json);
		free(o);
		o = next;
	}
}

bool jsonl_has(const struct jsonl_object *o, const char *key)
{
	return json_object_get(o->json, key) != NULL;
}

void jsonl_reject(struct jsonl_object *o, const char *key, const char *why)
{
	struct jsonl_object *root = o->root;

	if (root->problem[0] == '\0')
		(void)snprintf(root->problem, sizeof root->problem, "'%s' %s", key, why);
}

static bool was_taken(const struct jsonl_object *o, const char *key)
{
	for (size_t i = 0; i < o->used; i++)
		if (strcmp(o->keys[i], key) == 0)
			return true;
	return false;
}

static json_t *take(struct jsonl_object *o, const char *key)
{
	json_t *value = json_object_get(o->json, key);

	if (o->json == NULL)
		return NULL;
	if (value == NULL)
		jsonl_reject(o, key, "is missing");
	else if (!was_taken(o, key) && o->used < KEYS_MAX)
		o->keys[o->used++] = key;
	return value;
}

const char *jsonl_get_string(struct jsonl_object *o, const char *key)
{
	const json_t *value = take(o, key);

	if (value == NULL)
		return "";
	if (!json_is_string(value)) {
		jsonl_reject(o, key, "is not a string");
		return "";
	}
	return json_string_value(value);
}

void jsonl_get_fixed(struct jsonl_object *o, const char *key, const char *value)
{
	char why[128];

	if (strcmp(jsonl_get_string(o, key), value) == 0)
		return;
	(void)snprintf(why, sizeof why, "is not %s", value);
	jsonl_reject(o, key, why);
}

uint64_t jsonl_get_number(struct jsonl_object *o, const char *key)
{
	const json_t *value = take(o, key);

	if (value == NULL)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) > NUM_MAX) {
		jsonl_reject(o, key, "is not a whole number from 0 to 2^53-1");
		return 0;
	}
	return (uint64_t)json_integer_value(value);
}

uint64_t jsonl_get_positive(struct jsonl_object *o, const char *key)
{
	uint64_t n = jsonl_get_number(o, key);

	if (n == 0)
		jsonl_reject(o, key, "is not at least 1");
	return n;
}

bool jsonl_get_bool(struct jsonl_object *o, const char *key)
{
	const json_t *value = take(o, key);

	if (value != NULL && !json_is_boolean(value))
		jsonl_reject(o, key, "is neither true nor false");
	return json_is_true(value);
}

void jsonl_get_hex(struct jsonl_object *o, const char *key, uint8_t *ret, size_t len)
{
	const char *text = jsonl_get_string(o, key);

	memset(ret, 0, len);
	if (o->root->problem[0] == '\0' && !hex_parse(ret, len, text, strlen(text)))
		jsonl_reject(o, key, "is not lower-case hex of the right length");
}

void jsonl_get_base64(struct jsonl_object *o, const char *key, struct buf *ret)
{
	const char *text = jsonl_get_string(o, key);
	size_t len = strlen(text), size = base64_size(text, len);
	char *to = buf_room(ret, size);

	if (to == NULL)
		return;
	if (base64_parse((uint8_t *)to, text, len))
		buf_grew(ret, size);
	else
		jsonl_reject(o, key, "is not canonical base64");
}

static struct jsonl_object *wrap(struct jsonl_object *o, const char *key, json_t *value)
{
	struct jsonl_object *child = calloc(1, sizeof *child);

	if (child == NULL) {
		jsonl_reject(o, key, "does not fit into memory");
		return o;
	}
	child->root = o->root;
	child->next = o->root->next;
	o->root->next = child;
	if (json_is_object(value))
		child->json = value;
	else if (value != NULL)
		jsonl_reject(o, key, "is not an object");
	return child;
}

struct jsonl_object *jsonl_get_object(struct jsonl_object *o, const char *key)
{
	return wrap(o, key, take(o, key));
}

size_t jsonl_get_array(struct jsonl_object *o, const char *key)
{
	const json_t *value = take(o, key);

	if (value != NULL && !json_is_array(value))
		jsonl_reject(o, key, "is not an array");
	return json_array_size(value);
}

struct jsonl_object *jsonl_get_item(struct jsonl_object *o, const char *key, size_t i)
{
	return wrap(o, key, json_array_get(take(o, key), i));
}

static void find_left_over(struct jsonl_object *o)
{
	const char *key;
	json_t *value;

	if (o->json == NULL || json_object_size(o->json) == o->used)
		return;
	json_object_foreach(o->json, key, value)
	{
		if (!was_taken(o, key)) {
			jsonl_reject(o, key, "is not a key known here");
			return;
		}
	}
}

int jsonl_done(struct jsonl_object *o, struct err *e)
{
	struct jsonl_object *root = o->root;

	find_left_over(root);
	for (struct jsonl_object *each = root->next; each != NULL; each = each->next)
		find_left_over(each);
	if (root->problem[0] != '\0')
		return err_set(e, ERR_MALFORMED, "%s", root->problem);
	return 0;
}

int jsonl_check_spelling(const struct buf *again, const char *line, size_t len, struct err *e)
{
	size_t same = 0;

	if (buf_check(again, e) != 0)
		return -1;
	if (again->len == len && memcmp(again->data, line, len) == 0)
		return 0;
	while (same < len && same < again->len && line[same] == again->data[same])
		same++;
	return err_set(e, ERR_MALFORMED,
		       "column %zu: not the one spelling that a document may use (order of keys, "
		       "white space, escapes)",
		       same + 1);
}
