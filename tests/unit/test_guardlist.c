#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/guardlist.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A file with the keys `guards` and `disable-guards`. */
static int read_text(struct guardlist *to, struct arena *arena, const char *text, struct err *e)
{
	const struct marked *root = marked_parse(arena, "t.yaml", text, strlen(text), e);

	if (root == NULL)
		fail_msg("%s", e->msg);
	return guardlist_read(to, arena, marked_get(root, "guards"),
			      marked_get(root, "disable-guards"), e);
}

static void accepts(struct guardlist *to, struct arena *arena, const char *text)
{
	struct err e = {.code = ERR_NONE};

	if (read_text(to, arena, text, &e) != 0)
		fail_msg("%s", e.msg);
}

static void rejects(const char *text, const char *msg)
{
	struct guardlist list = {.count = 0};
	struct arena arena = ARENA_INIT;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(read_text(&list, &arena, text, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, msg);
	guardlist_release(&list);
	arena_release(&arena);
}

/* --- what is accepted ------------------------------------------------------------------------- */

static void guardlist_reads_all_that_a_guard_can_have(void **state)
{
	struct guardlist list = {.count = 0};
	struct arena arena = ARENA_INIT;

	(void)state;
	accepts(&list, &arena,
		"guards:\n"
		"  - allow: [\"/docs/\", \"!/docs/a\"]\n"
		"    keywords: [corp, \"b c\"]\n"
		"    regex: 'build[0-9]+\\.corp'\n"
		"    description: names an internal host\n"
		"    id: internal-host\n"
		"  - {id: a, regex: b}\n"
		"  - {id: 0-9, allow: c}\n");
	assert_int_equal(list.count, 3);
	const struct guardlist_guard *g = &list.guards[0];
	assert_string_equal(g->id, "internal-host");
	assert_string_equal(g->description, "names an internal host");
	assert_string_equal(g->regex, "build[0-9]+\\.corp");
	assert_int_equal(g->keyword_count, 2);
	assert_string_equal(g->keywords[0], "corp");
	assert_string_equal(g->keywords[1], "b c");
	assert_int_equal(g->allow.count, 2);
	assert_string_equal(g->place.file, "t.yaml");
	assert_int_equal(g->place.line, 2);
	assert_int_equal(g->place.column, 5);
	assert_int_equal(g->regex_place.line, 4);
	assert_int_equal(g->regex_place.column, 12);
	assert_null(list.guards[1].description);
	assert_int_equal(list.guards[1].keyword_count, 0);
	assert_int_equal(list.guards[1].allow.count, 0);
	assert_null(list.guards[2].regex);
	assert_int_equal(list.guards[2].allow.count, 1);
	assert_int_equal(list.disabled_count, 0);
	guardlist_release(&list);
	assert_int_equal(list.count, 0);
	arena_release(&arena);
}

static void guardlist_appends_what_later_files_say(void **state)
{
	struct guardlist list = {.count = 0};
	struct arena arena = ARENA_INIT;

	(void)state;
	accepts(&list, &arena, "other: 1\n");
	assert_int_equal(list.count + list.disabled_count, 0);
	accepts(&list, &arena, "guards: []\ndisable-guards: []\n");
	assert_int_equal(list.count + list.disabled_count, 0);
	for (int i = 0; i < 20; i++)
		accepts(&list, &arena,
			"guards: [{id: a, regex: b}]\ndisable-guards:\n  - \"*\"\n  - vcs\n");
	assert_int_equal(list.count, 20);
	assert_int_equal(list.disabled_count, 40);
	assert_string_equal(list.guards[19].regex, "b");
	assert_string_equal(list.disabled[38].id, "*");
	assert_string_equal(list.disabled[39].id, "vcs");
	assert_int_equal(list.disabled[39].place.line, 4);
	assert_int_equal(list.disabled[39].place.column, 5);
	guardlist_release(&list);
	arena_release(&arena);
}

/* --- what is not ------------------------------------------------------------------------------ */

static void guardlist_rejects_what_is_no_guard(void **state)
{
	static const struct {
		const char *text, *msg;
	} bad[] = {
	    {"guards: a\n", "t.yaml:1:9: guards must be a list, not a string"},
	    {"guards: {id: a}\n", "t.yaml:1:9: guards must be a list, not a mapping"},
	    {"guards:\n  - {regex: a}\n", "t.yaml:2:5: a guard has no id"},
	    {"guards:\n  - {id: a}\n", "t.yaml:2:5: a guard has neither regex nor allow"},
	    {"guards:\n  - {id: a, regexp: b}\n",
	     "t.yaml:2:13: unknown key 'regexp' (did you mean 'regex'?)"},
	    {"guards:\n  - {id: a, allow: b, keywords: [c]}\n",
	     "t.yaml:2:33: keywords belongs to a regex"},
	    {"guards:\n  - {id: a, allow: b, description: c}\n",
	     "t.yaml:2:36: description belongs to a regex"},
	    {"guards:\n  - {id: a, regex: b, keywords: []}\n", "t.yaml:2:33: keywords is empty"},
	    {"guards:\n  - {id: a, regex: b, keywords: c}\n",
	     "t.yaml:2:33: keywords must be a list, not a string"},
	    {"guards:\n  - {id: a, regex: b, keywords: [c, \"\"]}\n",
	     "t.yaml:2:37: a keyword is empty"},
	    {"guards:\n  - {id: a, regex: \"\"}\n", "t.yaml:2:20: regex is empty"},
	    {"guards:\n  - {id: a, regex: b, allow: []}\n", "t.yaml:2:30: allow is empty"},
	    {"guards:\n  - {id: a, regex: b, allow: [\"!c\"]}\n",
	     "t.yaml:2:31: '!c' excludes from nothing: put it behind a pattern"},
	    {"disable-guards: vcs\n", "t.yaml:1:17: disable-guards must be a list, not a string"},
	    {"disable-guards: [[vcs]]\n",
	     "t.yaml:1:18: an id of a guard must be a string, not a list"},
	    {"disable-guards: [\"\"]\n", "t.yaml:1:18: an id of a guard is empty"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		rejects(bad[i].text, bad[i].msg);
}

static void guardlist_rejects_what_is_no_id(void **state)
{
	static const char *const bad[] = {"A", "a_b", "-a", "a b", "\xC3\xA9", "a.b", "*"};
	char text[200], msg[300];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		(void)snprintf(text, sizeof text, "guards: [{id: \"%s\", regex: b}]\n", bad[i]);
		(void)snprintf(msg, sizeof msg,
			       "t.yaml:1:15: an id is at most 64 of a-z, 0-9 and '-', not '%s'",
			       bad[i]);
		rejects(text, msg);
	}
}

/* `n` times `of` between two texts. */
static void repeat(struct buf *to, const char *before, const char *of, size_t n, const char *after)
{
	buf_clear(to);
	buf_adds(to, before);
	for (; n > 0; n--)
		buf_adds(to, of);
	buf_adds(to, after);
	assert_false(to->failed);
}

static void guardlist_has_limits(void **state)
{
	struct buf text = BUF_INIT;
	struct guardlist list = {.count = 0};
	struct arena arena = ARENA_INIT;
	char msg[200];

	(void)state;
	repeat(&text, "guards: [{regex: b, id: ", "a", 64, "}]\n");
	accepts(&list, &arena, text.data);
	repeat(&text, "guards: [{regex: b, id: ", "a", 65, "}]\n");
	(void)snprintf(msg, sizeof msg,
		       "t.yaml:1:25: an id is at most 64 of a-z, 0-9 and '-', not '%.*s'", 65,
		       text.data + 24);
	rejects(text.data, msg);
	repeat(&text, "guards: [{regex: b, id: a, description: ", "d", 255, "}]\n");
	accepts(&list, &arena, text.data);
	repeat(&text, "guards: [{regex: b, id: a, description: ", "d", 256, "}]\n");
	rejects(text.data, "t.yaml:1:41: description is longer than 255 bytes");
	repeat(&text, "guards: [{regex: b, id: a, keywords: [", "k,", 100, "]}]\n");
	accepts(&list, &arena, text.data);
	repeat(&text, "guards: [{regex: b, id: a, keywords: [", "k,", 101, "]}]\n");
	rejects(text.data, "t.yaml:1:38: more than 100 keywords");
	guardlist_release(&list);

	repeat(&text, "guards:\n", "  - {id: a, regex: b}\n", 1000, "");
	accepts(&list, &arena, text.data);
	assert_int_equal(list.count, 1000);
	repeat(&text, "guards:\n", "  - {id: a, regex: b}\n", 1001, "");
	rejects(text.data, "t.yaml:1002:5: more than 1000 guards");
	repeat(&text, "disable-guards:\n", "  - vcs\n", 1001, "");
	rejects(text.data, "t.yaml:1002:5: more than 1000 guards");
	guardlist_release(&list);
	arena_release(&arena);
	buf_release(&text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(guardlist_reads_all_that_a_guard_can_have),
	    cmocka_unit_test(guardlist_appends_what_later_files_say),
	    cmocka_unit_test(guardlist_rejects_what_is_no_guard),
	    cmocka_unit_test(guardlist_rejects_what_is_no_id),
	    cmocka_unit_test(guardlist_has_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
