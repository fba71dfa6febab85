/* Input: a rules file. Whatever is accepted must decide every path consistently. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a folder that does not exist, so that nothing can be included. */
#define NAME "no/such/folder/swarm.yaml"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_place(struct marked_place place)
{
	check(strcmp(place.file, NAME) == 0 && place.line > 0 && place.column > 0);
}

static void check_rule(const struct rules *r, size_t i)
{
	const struct rule *rule = rules_get(r, i);

	check(rule->index == i && rule->label <= LABEL_PRIVATE);
	check(rule->cache == NULL || (*rule->cache != '\0' && strlen(rule->cache) <= 255));
	check(rule->type == NULL || (*rule->type != '\0' && strlen(rule->type) <= 255));
	check_place(rule->place);
}

/* What the default does with a path is noted in by_default, by whether that labels it. */
static void check_decision(const struct rules *r, const char *path, bool is_directory,
			   bool by_default[2])
{
	struct rules_verdict v, again;
	size_t n = rules_count(r);

	rules_decide(r, path, is_directory, &v);
	if (v.rule == NULL) {
		check(v.pattern == NULL && (!v.labelled || v.label == LABEL_PRIVATE));
		by_default[v.labelled] = true;
	} else {
		n = v.rule->index + 1;
		check(v.labelled && v.rule == rules_get(r, n - 1) && v.label == v.rule->label);
		check(rules_match(r, n - 1, path, is_directory, &again));
		check(again.pattern == v.pattern && *v.pattern != '!' && *v.pattern != '\0');
		check_place(v.pattern_place);
	}
	for (size_t i = v.rule != NULL ? n : 0; i < rules_count(r); i++)
		check(!rules_match(r, i, path, is_directory, &again));
}

static void check_failure(const struct err *e)
{
	static const char named[] = NAME ":", quoted[] = "'" NAME "'";

	check(e->code == ERR_CONFIG || e->code == ERR_SYSTEM);
	check(strncmp(e->msg, named, sizeof named - 1) == 0 ||
	      strncmp(e->msg, quoted, sizeof quoted - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {
	    "a", "index.html", "a/b.png", "img/a/b/c.png", "uploads/x", "static/js/a.map", "é/ü"};
	bool by_default[2] = {false, false};
	struct err e = {0};
	struct rules *r = rules_parse(NAME, (const char *)data, size, &e);

	if (r == NULL) {
		check_failure(&e);
		return 0;
	}
	check(rules_count(r) > 0 && rules_symlinks(r) <= RULES_SYMLINKS_FOLLOW);
	for (size_t i = 0; i < rules_count(r); i++)
		check_rule(r, i);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		check_decision(r, paths[i], false, by_default);
		check_decision(r, paths[i], true, by_default);
	}
	/* The default is one for all paths. */
	check(!(by_default[false] && by_default[true]));
	rules_free(r);
	return 0;
}
