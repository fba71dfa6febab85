#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/builtin.h"
#include "swarm/guards.h"
#include "swarm/rules.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HEAD         "swarm: rules/1\nrules: [{label: public, match: \"*\"}]\n"

/* --- guards of a rules file ------------------------------------------------------------------- */

struct made {
	struct rules *rules;
	struct guards *guards; /* NULL: `err` says why */
	struct err err;
};

static struct made make(const char *text)
{
	struct made m = {.err = {.code = ERR_NONE}};
	char all[4096];

	assert_true(snprintf(all, sizeof all, "%s%s", HEAD, text) < (int)sizeof all);
	m.rules = rules_parse("t.yaml", all, strlen(all), &m.err);
	if (m.rules == NULL)
		fail_msg("%s", m.err.msg);
	m.guards = guards_new(rules_guards(m.rules), &m.err);
	return m;
}

static void release(struct made *m)
{
	guards_free(m->guards);
	rules_free(m->rules);
}

static void rejects(const char *text, const char *msg)
{
	struct made m = make(text);

	assert_null(m.guards);
	assert_int_equal(m.err.code, ERR_CONFIG);
	assert_string_equal(m.err.msg, msg);
	release(&m);
}

static size_t find(const struct guards *g, const char *id)
{
	for (size_t i = 0; i < guards_count(g); i++)
		if (strcmp(guards_get(g, i)->id, id) == 0)
			return i;
	fail_msg("there is no '%s'", id);
	return 0;
}

static bool applies(const struct guards *g, const char *id, const char *path, enum label label)
{
	return guards_applies(g, find(g, id), path, label);
}

static const char *refuser(const struct guards *g, const char *path)
{
	const struct guards_guard *guard = guards_judge_name(g, path, path);

	return guard != NULL ? guard->id : "nobody";
}

/* --- those that are built in ------------------------------------------------------------------ */

static void guards_have_each_builtin_id_once(void **state)
{
	struct made m = make("");
	size_t ids = 0;

	(void)state;
	assert_non_null(m.guards);
	for (const struct builtin *b = builtin_guards; b->id != NULL; b++) {
		size_t i = find(m.guards, b->id);
		assert_false(guards_is_disabled(m.guards, i));
		assert_null(guards_get(m.guards, i)->place.file);
		assert_non_null(guards_get(m.guards, i)->description);
		ids += b == builtin_guards || strcmp(b->id, b[-1].id) != 0;
	}
	assert_int_equal(guards_count(m.guards), ids);
	release(&m);
}

static void guards_know_those_that_code_finds(void **state)
{
	static const struct {
		enum guards_format format;
		const char *id;
	} formats[] = {
	    {GUARDS_PHOTO, "photo-position"},
	    {GUARDS_DEBUG, "debug-information"},
	    {GUARDS_CORE, "core-dump"},
	    {GUARDS_HTML, "html-asset"},
	};
	struct made m = make("");

	(void)state;
	assert_int_equal(COUNT(formats), GUARDS_FORMATS);
	for (size_t i = 0; i < COUNT(formats); i++) {
		size_t guard = guards_of_format(m.guards, formats[i].format);
		assert_true(guard < guards_count(m.guards));
		assert_string_equal(guards_get(m.guards, guard)->id, formats[i].id);
	}
	release(&m);
}

static void guards_refuse_names(void **state)
{
	static const struct {
		const char *path, *id;
	} names[] = {
	    {".env", "secret-file"},
	    {"a/b/.env.local", "secret-file"},
	    {"a/.env.example", "nobody"},
	    {"textures/sky.env", "nobody"},
	    {"id_rsa", "secret-file"},
	    {"id_rsa.pub", "nobody"},
	    {".git/config", "vcs"},
	    {"a/.git", "vcs"},
	    {".gitignore", "nobody"},
	    {"Game_DoNotShip/a", "do-not-ship"},
	    {"do-not-ship.txt", "do-not-ship"},
	    {"js/.a.swp", "editor-dropping"},
	    {"js/a~", "editor-dropping"},
	    {"~", "nobody"},
	    {"a.dSYM/Contents/Info.plist", "build-leftover"},
	    {"ID_RSA", "secret-file"},
	    {".SSH/\xC3\x84", "secret-file"},
	    /* To most file systems without case, a long s is an s, and a Kelvin sign a k. */
	    {"id_r\xC5\xBF\x61", "secret-file"},
	    {"a.\xE2\x84\xAA\x44\x42X", "secret-file"},
	    {"id_r\xC3\x9F\x61", "nobody"},
	    /* Of bytes that are no text, the letters of ASCII. */
	    {"\xFF/.SSH/config", "secret-file"},
	    {"\xFF/.S\xC5\xBFH/config", "nobody"},
	    {"index.html", "nobody"},
	};
	struct made m = make("");

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(refuser(m.guards, names[i].path), names[i].id);
	release(&m);
}

static void guards_of_places_apply_to_public_files_only(void **state)
{
	struct made m = make("");

	(void)state;
	assert_true(applies(m.guards, "photo-position", "a.jpg", LABEL_PUBLIC));
	assert_false(applies(m.guards, "photo-position", "a.jpg", LABEL_ORIGIN));
	assert_true(applies(m.guards, "private-key", "a.js", LABEL_PUBLIC));
	assert_true(applies(m.guards, "private-key", "a.js", LABEL_ORIGIN));
	assert_true(applies(m.guards, "debug-information", "a", LABEL_ORIGIN));
	release(&m);
}

/* --- those of the rules ----------------------------------------------------------------------- */

static void guards_take_those_of_the_rules(void **state)
{
	struct made m = make("guards:\n"
			     "  - id: internal-host\n"
			     "    description: names a host\n"
			     "    regex: 'build[0-9]+'\n"
			     "    keywords: [build, corp]\n"
			     "  - {id: other, regex: other}\n");

	(void)state;
	size_t i = find(m.guards, "internal-host"), other = find(m.guards, "other");
	assert_string_equal(guards_get(m.guards, i)->description, "names a host");
	assert_string_equal(guards_get(m.guards, other)->description,
			    "matches a guard of the rules");
	assert_string_equal(guards_get(m.guards, i)->place.file, "t.yaml");
	assert_int_equal(guards_get(m.guards, i)->place.line, 4);
	assert_int_equal(guards_get(m.guards, i)->place.column, 5);
	size_t ways = 0;
	for (size_t k = 0; k < guards_way_count(m.guards); k++) {
		const struct guards_way *way = guards_way(m.guards, k);
		if (way->guard == other)
			assert_int_equal(way->keyword_count, 0);
		if (way->guard != i)
			continue;
		ways++;
		assert_int_equal(way->keyword_count, 2);
		assert_string_equal(way->keywords[1], "corp");
		assert_true(way->entropy <= 0);
	}
	assert_int_equal(ways, 1);
	assert_true(guards_applies(m.guards, i, "a", LABEL_ORIGIN));
	release(&m);
}

static void guards_stand_back_where_they_are_allowed(void **state)
{
	struct made m = make("guards:\n"
			     "  - {id: host, regex: corp, allow: [\"/docs/\", \"!/docs/a.txt\"]}\n"
			     "  - {id: host, allow: \"*.md\"}\n"
			     "  - {id: private-key, allow: /js/crypto.js}\n"
			     "  - {id: secret-file, allow: /.env}\n");

	(void)state;
	assert_non_null(m.guards);
	assert_false(applies(m.guards, "host", "docs/b.txt", LABEL_PUBLIC));
	assert_true(applies(m.guards, "host", "docs/a.txt", LABEL_PUBLIC));
	assert_true(applies(m.guards, "host", "a/docs/b.txt", LABEL_PUBLIC));
	assert_false(applies(m.guards, "host", "a/b.md", LABEL_PUBLIC));
	assert_false(applies(m.guards, "private-key", "js/crypto.js", LABEL_PUBLIC));
	assert_true(applies(m.guards, "private-key", "js/crypto2.js", LABEL_PUBLIC));
	assert_string_equal(refuser(m.guards, ".env"), "nobody");
	assert_string_equal(refuser(m.guards, "a/.env"), "secret-file");
	release(&m);
}

/* The digest stands for what is looked for; where it is allowed is another matter. */
static void guards_have_a_digest_of_what_they_look_for(void **state)
{
	static const char *const rules[] = {
	    "",
	    "disable-guards: [private-key]\n",
	    "disable-guards: [\"*\"]\n",
	    "guards: [{id: host, regex: corp}]\n",
	    "guards: [{id: host, regex: corp2}]\n",
	    "guards: [{id: host2, regex: corp}]\n",
	    "guards: [{id: host, regex: corp, keywords: [a, b]}]\n",
	    "guards: [{id: host, regex: corp, keywords: [ab]}]\n",
	};
	uint8_t digests[COUNT(rules)][SHA256_SIZE], again[SHA256_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct made m = make(rules[i]);
		guards_digest(m.guards, digests[i]);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(digests[i], digests[k], SHA256_SIZE);
		assert_int_equal(guards_look_inside(m.guards), i != 2);
		release(&m);
	}
	struct made m = make("guards: [{id: private-key, allow: [/docs/]}]\n");
	guards_digest(m.guards, again);
	assert_memory_equal(again, digests[0], SHA256_SIZE);
	release(&m);
	m = make("guards: [{id: host, regex: corp}]\ndisable-guards: [\"*\"]\n");
	assert_true(guards_look_inside(m.guards));
	release(&m);
}

static void guards_that_are_disabled_refuse_nothing(void **state)
{
	struct made m = make("disable-guards: [secret-file, private-key, photo-position]\n");

	(void)state;
	assert_string_equal(refuser(m.guards, ".env"), "nobody");
	assert_string_equal(refuser(m.guards, ".git/config"), "vcs");
	assert_false(applies(m.guards, "private-key", "a", LABEL_PUBLIC));
	assert_false(applies(m.guards, "photo-position", "a", LABEL_PUBLIC));
	assert_true(applies(m.guards, "age-identity", "a", LABEL_PUBLIC));
	assert_true(guards_is_disabled(m.guards, find(m.guards, "private-key")));
	assert_false(guards_is_disabled(m.guards, find(m.guards, "age-identity")));
	/* Nothing is spent on them. */
	for (size_t k = 0; k < guards_way_count(m.guards); k++)
		assert_int_not_equal(guards_way(m.guards, k)->guard, find(m.guards, "private-key"));
	release(&m);
}

static void guards_of_the_rules_stay_when_all_others_are_disabled(void **state)
{
	struct made m = make("guards: [{id: host, regex: corp}]\ndisable-guards: [\"*\"]\n");

	(void)state;
	for (size_t i = 0; i < guards_count(m.guards); i++)
		assert_int_equal(guards_is_disabled(m.guards, i),
				 strcmp(guards_get(m.guards, i)->id, "host") != 0);
	assert_true(applies(m.guards, "host", "a", LABEL_PUBLIC));
	assert_string_equal(refuser(m.guards, ".env"), "nobody");
	release(&m);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void guards_name_the_place_of_what_is_wrong(void **state)
{
	(void)state;
	rejects("guards:\n  - id: a\n    regex: 'a(b'\n",
		"t.yaml:5:12: regex of 'a': at character 4: missing closing parenthesis");
	rejects("guards:\n  - {id: a, regex: 'b*'}\n",
		"t.yaml:4:20: regex of 'a': it matches the empty text, and so everything");
	rejects("guards:\n  - {id: a, regex: b}\n  - {id: a, regex: c}\n",
		"t.yaml:5:5: the guard 'a' stands at t.yaml:4:5 already");
	rejects("guards:\n  - {id: vcs, regex: b}\n",
		"t.yaml:4:5: 'vcs' is a built-in guard: choose another id");
	rejects("guards:\n  - {id: private-kye, allow: b}\n",
		"t.yaml:4:5: unknown guard 'private-kye' (did you mean 'private-key'?)");
	rejects("guards:\n  - {id: a, allow: b}\n  - {id: a, regex: b}\n",
		"t.yaml:4:5: unknown guard 'a'");
	rejects("disable-guards: [source-maps]\n",
		"t.yaml:3:18: unknown guard 'source-maps' (did you mean 'source-map'?)");
	rejects("disable-guards:\n  - vcs\n  - nothing-like-it\n",
		"t.yaml:5:5: unknown guard 'nothing-like-it'");
	rejects("guards: [{id: mine, regex: b}]\ndisable-guards: [mine]\n",
		"t.yaml:4:18: 'mine' is no built-in guard: remove it from guards");
}

/* --- engines ---------------------------------------------------------------------------------- */

static void guards_take_their_engine_from_the_environment(void **state)
{
	struct made m;

	(void)state;
	assert_int_equal(setenv("SWARM_GUARD_ENGINE", "pcre2", 1), 0);
	m = make("");
	assert_int_equal(strncmp(guards_engine(m.guards), "PCRE2 ", 6), 0);
	release(&m);
	assert_int_equal(setenv("SWARM_GUARD_ENGINE", "", 1), 0);
	m = make("");
	assert_non_null(m.guards);
	assert_non_null(guards_engine(m.guards));
	release(&m);
	assert_int_equal(setenv("SWARM_GUARD_ENGINE", "none", 1), 0);
	m = make("");
	assert_null(m.guards);
	assert_int_equal(m.err.code, ERR_USAGE);
	assert_string_equal(m.err.msg, "SWARM_GUARD_ENGINE can only be pcre2, not 'none'");
	release(&m);
	assert_int_equal(unsetenv("SWARM_GUARD_ENGINE"), 0);
	guards_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(guards_have_each_builtin_id_once),
	    cmocka_unit_test(guards_know_those_that_code_finds),
	    cmocka_unit_test(guards_refuse_names),
	    cmocka_unit_test(guards_of_places_apply_to_public_files_only),
	    cmocka_unit_test(guards_take_those_of_the_rules),
	    cmocka_unit_test(guards_stand_back_where_they_are_allowed),
	    cmocka_unit_test(guards_have_a_digest_of_what_they_look_for),
	    cmocka_unit_test(guards_that_are_disabled_refuse_nothing),
	    cmocka_unit_test(guards_of_the_rules_stay_when_all_others_are_disabled),
	    cmocka_unit_test(guards_name_the_place_of_what_is_wrong),
	    cmocka_unit_test(guards_take_their_engine_from_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
