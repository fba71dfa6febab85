#include "swarm/selection.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/buf.h"
#include "swarm/fold.h"

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((*text >= '\0' && *text < ' ') || *text == '\x7F')
			return true;
	return false;
}

/* In NFC, as the names that it will meet: a file of YAML is UTF-8. */
static struct glob *compile(const char *pattern, struct err *e)
{
	struct buf text = BUF_INIT;
	struct glob *glob = NULL;

	if (fold_spelling(&text, pattern, e) == 0)
		glob = glob_new(text.data, e);
	buf_release(&text);
	return glob;
}

static int add(struct selection *s, struct arena *arena, struct selection_pattern *to,
	       const struct marked *at, struct err *e)
{
	if (marked_expect(at, "a pattern", MARKED_STRING, e) != 0)
		return -1;
	/* No path that is packed has one: most likely a block of lines was meant to be a list. */
	if (has_control(at->text))
		return marked_reject(e, at, "a pattern has a control character");
	struct glob *glob = compile(at->text, e);
	if (glob == NULL && e->code == ERR_CONFIG) {
		(void)err_prefix(e, "pattern '%.200s'", at->text);
		return marked_prefix(e, marked_place(at));
	}
	if (glob == NULL)
		return -1;
	s->globs[s->count++] = glob;
	if (s->count == 1 && glob_is_negated(glob))
		return marked_reject(
		    e, at, "'%.200s' excludes from nothing: put it behind a pattern", at->text);
	to->text = arena_copy(arena, at->text, strlen(at->text));
	to->place = marked_place(at);
	return to->text != NULL ? 0 : err_nomem(e);
}

int selection_read(struct selection *ret, struct arena *arena, const struct marked *at,
		   const char *what, struct err *e)
{
	size_t n = 0;

	if (at->kind != MARKED_LIST && at->kind != MARKED_STRING)
		return marked_reject(e, at, "%s must be a pattern or a list of patterns", what);
	const struct marked *first = at->kind == MARKED_LIST ? at->first : at;
	const struct marked *end = at->kind == MARKED_LIST ? NULL : at->next;
	for (const struct marked *item = first; item != end; item = item->next)
		n++;
	if (n == 0)
		return marked_reject(e, at, "%s is empty", what);
	struct selection_pattern *patterns = arena_alloc(arena, n * sizeof *patterns);
	ret->globs = calloc(n, sizeof(struct glob *));
	if (patterns == NULL || ret->globs == NULL)
		return err_nomem(e);
	ret->patterns = patterns;
	for (const struct marked *item = first; item != end; item = item->next)
		if (add(ret, arena, &patterns[ret->count], item, e) != 0)
			return -1;
	return 0;
}

void selection_release(struct selection *s)
{
	for (size_t i = 0; i < s->count; i++)
		glob_free(s->globs[i]);
	free(s->globs);
	*s = (struct selection){.count = 0};
}

bool selection_match(const struct selection *s, const char *path, bool is_directory,
		     enum glob_negation negation, const struct selection_pattern **ret_pattern)
{
	size_t i = 0;

	if (s->count == 0 || !glob_list_match(s->globs, s->count, path, is_directory, negation, &i))
		return false;
	if (ret_pattern != NULL)
		*ret_pattern = &s->patterns[i];
	return true;
}
