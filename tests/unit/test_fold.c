#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/fold.h"

#include "patience.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_folds(const char *text, const char *folded)
{
	struct buf to = BUF_INIT;
	struct err e = {0};

	if (fold_text(&to, text, &e) != 0)
		fail_msg("'%s': %s", text, e.msg);
	if (strcmp(to.data, folded) != 0)
		fail_msg("'%s' became '%s', not '%s'", text, to.data, folded);
	buf_release(&to);
}

/* --- what becomes equal ----------------------------------------------------------------------- */

static void fold_lowers_ascii_and_nothing_else_of_it(void **state)
{
	(void)state;
	assert_folds("", "");
	assert_folds("README.md", "readme.md");
	assert_folds("AZaz@[`{09-_./~\x7F\x01", "azaz@[`{09-_./~\x7F\x01");
}

static void fold_makes_equal_what_differs_in_case(void **state)
{
	static const struct {
		const char *text, *folded;
	} cases[] = {
	    {"\xC3\x84\xC3\x96", "\xC3\xA4\xC3\xB6"},                 /* A and O with diaeresis */
	    {"Stra\xC3\x9F\x65", "strasse"},                          /* sharp s */
	    {"STRA\xE1\xBA\x9E\x45", "strasse"},                      /* capital sharp s */
	    {"\xC5\xBF", "s"},                                        /* long s */
	    {"\xE2\x84\xAA", "k"},                                    /* Kelvin sign */
	    {"\xE2\x84\xAB", "\xC3\xA5"},                             /* Angstrom sign */
	    {"\xC3\x85", "\xC3\xA5"},                                 /* A with ring */
	    {"A\xCC\x8A", "\xC3\xA5"},                                /* A and ring */
	    {"\xCE\xA3\xCF\x83\xCF\x82", "\xCF\x83\xCF\x83\xCF\x83"}, /* sigmas, the last final */
	    {"\xC4\xB0", "i\xCC\x87"},                                /* I with dot */
	    {"I\xCC\x87", "i\xCC\x87"},                               /* I and dot */
	    {"\xC4\xB1", "\xC4\xB1"},                                 /* dotless i stays one */
	    {"\xEF\xAC\x81", "fi"},                                   /* ligature */
	    {"\xEF\xAC\x86\xEF\xAC\x85", "stst"},                     /* two ligatures of s and t */
	    {"\xCE\x90", "\xCE\x90"},                                 /* iota, diaeresis, tonos */
	    {"\xE1\xBF\x93", "\xCE\x90"},                             /* the same with oxia */
	    {"\xCE\xB9\xCC\x88\xCC\x81", "\xCE\x90"},                 /* the same, decomposed */
	    {"\xC7\xB0", "\xC7\xB0"},                                 /* j with caron */
	    {"J\xCC\x8C", "\xC7\xB0"},                                /* J and caron */
	    {"\xE1\xBA\x9A", "a\xCA\xBE"},                            /* a with half ring */
	    {"\xE1\x8E\xA0\xEA\xAD\xB0", "\xE1\x8E\xA0\xE1\x8E\xA0"}, /* Cherokee: to capitals */
	    {"\xF0\x90\x90\x80", "\xF0\x90\x90\xA8"},                 /* Deseret, not in the BMP */
	    {"\xE1\x84\x80\xE1\x85\xA1", "\xEA\xB0\x80"},             /* Hangul: jamo, two */
	    {"\xEA\xB0\x80\xE1\x86\xA8", "\xEA\xB0\x81"},             /* a syllable and a jamo */
	    {"\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8", "\xEA\xB0\x81"}, /* three */
	    {"\xEA\xB0\x81", "\xEA\xB0\x81"},
	    {"a\xCC\xA3\xCC\x82", "\xE1\xBA\xAD"}, /* marks below and above ... */
	    {"a\xCC\x82\xCC\xA3", "\xE1\xBA\xAD"}, /* ... in either order */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_folds(cases[i].text, cases[i].folded);
}

/* alpha with U+0345 below and an acute above, in four spellings of one text. */
static void fold_moves_the_iota_below_behind_other_marks(void **state)
{
	static const char folded[] = "\xCE\xAC\xCE\xB9";

	(void)state;
	assert_folds("\xE1\xBE\xB4", folded);
	assert_folds("\xCE\xB1\xCD\x85\xCC\x81", folded);
	assert_folds("\xCE\xB1\xCC\x81\xCD\x85", folded);
	assert_folds("\xE1\xBE\xB3\xCC\x81", folded);
	assert_folds("\xCE\x91\xCC\x81\xCE\x99", folded);
	/* What is a letter from the start bears the accent itself. */
	assert_folds("\xCE\xB1\xCE\xB9\xCC\x81", "\xCE\xB1\xCE\xAF");
}

static void fold_keeps_apart_what_differs_in_more_than_case(void **state)
{
	(void)state;
	assert_folds("\xC3\xA9", "\xC3\xA9");         /* e with acute is no e */
	assert_folds("\xEF\xBC\xA1", "\xEF\xBD\x81"); /* wide A becomes wide a, not a */
	assert_folds("\xC2\xB2", "\xC2\xB2");         /* superscript two */
	assert_folds("\xD0\x90", "\xD0\xB0");         /* Cyrillic A is no Latin one */
	assert_folds("a\xE2\x80\x8D", "a\xE2\x80\x8D");
}

/* --- what it promises ------------------------------------------------------------------------- */

static void encode(char to[5], unsigned point)
{
	if (point < 0x80) {
		(void)snprintf(to, 5, "%c", (int)point);
	} else if (point < 0x800) {
		(void)snprintf(to, 5, "%c%c", (int)(0xC0 | point >> 6),
			       (int)(0x80 | (point & 0x3F)));
	} else if (point < 0x10000) {
		(void)snprintf(to, 5, "%c%c%c", (int)(0xE0 | point >> 12),
			       (int)(0x80 | (point >> 6 & 0x3F)), (int)(0x80 | (point & 0x3F)));
	} else {
		(void)snprintf(to, 5, "%c%c%c%c", (int)(0xF0 | point >> 18),
			       (int)(0x80 | (point >> 12 & 0x3F)),
			       (int)(0x80 | (point >> 6 & 0x3F)), (int)(0x80 | (point & 0x3F)));
	}
}

/* Behind nothing, a letter, letters that bear marks, and a vowel of Hangul. */
static void fold_of_what_is_folded_changes_nothing(void **state)
{
	static const char *const before[] = {"", "a", "\xCE\xB1\xCD\x85",
					     "\xE1\x84\x80\xE1\x85\xA1"};
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct err e = {0};
	const unsigned step = (unsigned)patience_step(13);
	unsigned changed = 0;

	(void)state;
	for (unsigned point = 1; point <= 0x10FFFF; point += step) {
		if (point >= 0xD800 && point < 0xE000)
			point = 0xE000;
		/* Beyond these planes there are no letters, as yet. */
		if (point >= 0x40000 && point < 0xE0000)
			point = 0xE0000;
		for (size_t i = 0; i < COUNT(before); i++) {
			char text[16], encoded[5];
			encode(encoded, point);
			(void)snprintf(text, sizeof text, "%s%s", before[i], encoded);
			assert_int_equal(fold_text(&once, text, &e), 0);
			assert_int_equal(fold_text(&twice, once.data, &e), 0);
			if (strcmp(once.data, twice.data) != 0)
				fail_msg("U+%04X behind '%s' changes twice", point, before[i]);
			changed += i == 0 && strcmp(text, once.data) != 0;
		}
	}
	/* 1,530 have a folding in Unicode 15, and some 1,000 another spelling. */
	assert_true(changed > 2000 / step && changed < 4000 / step);
	buf_release(&once);
	buf_release(&twice);
}

static void fold_refuses_what_is_not_utf8(void **state)
{
	static const char *const texts[] = {
	    "\x80",         "a\xC3",        "\xC0\xAF",         "\xED\xA0\x80",
	    "\xFF",         "\xE2\x82",     "\xF4\x90\x80\x80", "\xF0\x80\x80\x80",
	    "\xC3\x84\xFE", "\xE0\x80\xAF",
	};
	struct buf to = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct err e = {0};
		assert_int_equal(fold_text(&to, texts[i], &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
		assert_string_equal(e.msg, "it is not valid UTF-8");
	}
	buf_release(&to);
}

static void fold_replaces_what_was_there(void **state)
{
	struct buf to = BUF_INIT;
	struct err e = {0};

	(void)state;
	buf_adds(&to, "before");
	assert_int_equal(fold_text(&to, "A", &e), 0);
	assert_string_equal(to.data, "a");
	assert_int_equal(fold_text(&to, "\xC3\x84", &e), 0);
	assert_string_equal(to.data, "\xC3\xA4");
	buf_release(&to);
}

static void fold_takes_names_of_any_bytes(void **state)
{
	static const char *const pairs[][2] = {
	    {"", ""},
	    {"README.md", "readme.md"},
	    {"\xC3\x84", "\xC3\xA4"},
	    {"A\xFF", "a\xFF"},
	    {"\xC3\x84\xFE\xC3\x84Z", "\xC3\x84\xFE\xC3\x84z"},
	};
	struct buf to = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		assert_int_equal(fold_name(&to, pairs[i][0], &e), 0);
		assert_string_equal(to.data, pairs[i][1]);
	}
	assert_int_equal(e.code, ERR_NONE);
	buf_release(&to);
}

static void fold_spelling_composes_and_keeps_case(void **state)
{
	static const char *const pairs[][2] = {
	    {"Cafe\xCC\x81", "Caf\xC3\xA9"}, {"Caf\xC3\xA9", "Caf\xC3\xA9"}, {"K", "K"},
	    {"\xE2\x84\xAA", "K"},           {"\xC3\x9F", "\xC3\x9F"},       {"", ""},
	};
	struct buf to = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		assert_int_equal(fold_spelling(&to, pairs[i][0], &e), 0);
		assert_string_equal(to.data, pairs[i][1]);
	}
	assert_int_equal(fold_spelling(&to, "caf\xE9", &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	buf_release(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fold_lowers_ascii_and_nothing_else_of_it),
	    cmocka_unit_test(fold_makes_equal_what_differs_in_case),
	    cmocka_unit_test(fold_moves_the_iota_below_behind_other_marks),
	    cmocka_unit_test(fold_keeps_apart_what_differs_in_more_than_case),
	    cmocka_unit_test(fold_of_what_is_folded_changes_nothing),
	    cmocka_unit_test(fold_refuses_what_is_not_utf8),
	    cmocka_unit_test(fold_replaces_what_was_there),
	    cmocka_unit_test(fold_takes_names_of_any_bytes),
	    cmocka_unit_test(fold_spelling_composes_and_keeps_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
