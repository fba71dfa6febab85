#include "swarm/guardlist.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/grow.h"
#include "swarm/jsonl.h"

#define ID_MAX       64
#define TEXT_MAX     255
#define GUARDS_MAX   1000
#define KEYWORDS_MAX 100

static const char *keep(struct arena *arena, const char *text, struct err *e)
{
	const char *copy = arena_copy(arena, text, strlen(text));

	if (copy == NULL)
		(void)err_nomem(e);
	return copy;
}

/* A required or optional string, kept; *ret is NULL where there is none. */
static int read_text(struct arena *arena, const struct marked *at, const char *what,
		     const char **ret, struct err *e)
{
	*ret = NULL;
	if (at == NULL)
		return 0;
	if (marked_expect(at, what, MARKED_STRING, e) != 0)
		return -1;
	*ret = keep(arena, at->text, e);
	return *ret != NULL ? 0 : -1;
}

static bool is_id(const char *id)
{
	size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return *id != '-' && len > 0 && len <= ID_MAX && id[len] == '\0';
}

static int read_keywords(struct guardlist_guard *guard, struct arena *arena,
			 const struct marked *list, struct err *e)
{
	size_t n = 0;

	if (list == NULL)
		return 0;
	if (marked_expect(list, "keywords", MARKED_LIST, e) != 0)
		return -1;
	for (const struct marked *at = list->first; at != NULL; at = at->next)
		n++;
	if (n == 0)
		return marked_reject(e, list, "keywords is empty");
	if (n > KEYWORDS_MAX)
		return marked_reject(e, list, "more than %d keywords", KEYWORDS_MAX);
	const char **keywords = arena_alloc(arena, n * sizeof *keywords);
	if (keywords == NULL)
		return err_nomem(e);
	guard->keywords = keywords;
	for (const struct marked *at = list->first; at != NULL; at = at->next)
		if (read_text(arena, at, "a keyword", &keywords[guard->keyword_count++], e) != 0)
			return -1;
	return 0;
}

static struct guardlist_guard *add_guard(struct guardlist *to, const struct marked *at,
					 struct err *e)
{
	if (to->count == GUARDS_MAX) {
		(void)marked_reject(e, at, "more than %d guards", GUARDS_MAX);
		return NULL;
	}
	struct guardlist_guard *more =
	    grow_for_one(to->guards, to->count, &to->room, sizeof *more, e);
	if (more == NULL)
		return NULL;
	to->guards = more;
	struct guardlist_guard *guard = &more[to->count++];
	*guard = (struct guardlist_guard){.place = marked_place(at)};
	return guard;
}

static int read_guard(struct guardlist *to, struct arena *arena, const struct marked *at,
		      struct err *e)
{
	enum { ID, DESCRIPTION, REGEX, KEYWORDS, ALLOW, COUNT };
	static const char *const keys[COUNT + 1] = {"id",       "description", "regex",
						    "keywords", "allow",       NULL};
	const struct marked *field[COUNT];

	if (marked_fields(at, "a guard", keys, field, e) != 0)
		return -1;
	if (field[ID] == NULL)
		return marked_reject(e, at, "a guard has no id");
	if (field[REGEX] == NULL && field[ALLOW] == NULL)
		return marked_reject(e, at, "a guard has neither regex nor allow");
	for (size_t i = DESCRIPTION; i <= KEYWORDS; i++)
		if (field[REGEX] == NULL && field[i] != NULL)
			return marked_reject(e, field[i], "%s belongs to a regex", keys[i]);
	struct guardlist_guard *guard = add_guard(to, at, e);
	if (guard == NULL || read_text(arena, field[ID], "id", &guard->id, e) != 0)
		return -1;
	if (!is_id(guard->id))
		return marked_reject(e, field[ID],
				     "an id is at most %d of a-z, 0-9 and '-', not '%.100s'",
				     ID_MAX, guard->id);
	if (read_text(arena, field[DESCRIPTION], "description", &guard->description, e) != 0 ||
	    read_text(arena, field[REGEX], "regex", &guard->regex, e) != 0 ||
	    read_keywords(guard, arena, field[KEYWORDS], e) != 0)
		return -1;
	if (guard->description != NULL && strlen(guard->description) > TEXT_MAX)
		return marked_reject(e, field[DESCRIPTION], "description is longer than %d bytes",
				     TEXT_MAX);
	if (guard->regex != NULL)
		guard->regex_place = marked_place(field[REGEX]);
	if (field[ALLOW] == NULL)
		return 0;
	return selection_read(&guard->allow, arena, field[ALLOW], "allow", e);
}

static int read_disabled(struct guardlist *to, struct arena *arena, const struct marked *at,
			 struct err *e)
{
	if (marked_expect(at, "an id of a guard", MARKED_STRING, e) != 0)
		return -1;
	if (to->disabled_count == GUARDS_MAX)
		return marked_reject(e, at, "more than %d guards", GUARDS_MAX);
	struct guardlist_disabled *more =
	    grow_for_one(to->disabled, to->disabled_count, &to->disabled_room, sizeof *more, e);
	if (more == NULL)
		return -1;
	to->disabled = more;
	struct guardlist_disabled *disabled = &more[to->disabled_count];
	*disabled =
	    (struct guardlist_disabled){.id = keep(arena, at->text, e), .place = marked_place(at)};
	if (disabled->id == NULL)
		return -1;
	to->disabled_count++;
	return 0;
}

int guardlist_read(struct guardlist *to, struct arena *arena, const struct marked *guards,
		   const struct marked *disabled, struct err *e)
{
	if (guards != NULL && marked_expect(guards, "guards", MARKED_LIST, e) != 0)
		return -1;
	if (disabled != NULL && marked_expect(disabled, "disable-guards", MARKED_LIST, e) != 0)
		return -1;
	for (const struct marked *at = guards != NULL ? guards->first : NULL; at != NULL;
	     at = at->next)
		if (read_guard(to, arena, at, e) != 0)
			return -1;
	for (const struct marked *at = disabled != NULL ? disabled->first : NULL; at != NULL;
	     at = at->next)
		if (read_disabled(to, arena, at, e) != 0)
			return -1;
	return 0;
}

void guardlist_release(struct guardlist *l)
{
	for (size_t i = 0; i < l->count; i++)
		selection_release(&l->guards[i].allow);
	free(l->guards);
	free(l->disabled);
	*l = (struct guardlist){.count = 0};
}

static void format_guard(struct buf *to, const struct guardlist_guard *guard)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_string(&w, "id", guard->id);
	if (guard->regex != NULL)
		jsonl_any_string(&w, "regex", guard->regex);
	jsonl_open_array(&w, "keywords");
	for (size_t i = 0; i < guard->keyword_count; i++)
		jsonl_any_string(&w, NULL, guard->keywords[i]);
	jsonl_close_array(&w);
	jsonl_open_array(&w, "allow");
	for (size_t i = 0; i < guard->allow.count; i++)
		jsonl_any_string(&w, NULL, guard->allow.patterns[i].text);
	jsonl_close_array(&w);
	jsonl_close(&w);
	buf_addc(to, '\n');
}

void guardlist_format(struct buf *to, const struct guardlist *l)
{
	for (size_t i = 0; i < l->count; i++)
		format_guard(to, &l->guards[i]);
	for (size_t i = 0; i < l->disabled_count; i++) {
		struct jsonl_writer w = {.to = to};
		jsonl_open(&w, NULL);
		jsonl_any_string(&w, "disabled", l->disabled[i].id);
		jsonl_close(&w);
		buf_addc(to, '\n');
	}
}
