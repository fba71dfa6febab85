#define _GNU_SOURCE /* memfd_create() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/hybrid.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PIECE        UINT64_C(16384)

/* --- torrents -----------------------------------------------------------------------------------
 */

#define ROOT      "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
#define HASH      "hhhhhhhhhhhhhhhhhhhh"
#define LEAF      "d0:d6:lengthi5e11:pieces root32:" ROOT "ee"
#define ITEM(p)   "d6:lengthi5e4:path" p "e"
#define PAD(size) "d4:attr1:p6:lengthi" size "e4:pathl4:.pad1:Xee"
/* Of the files a and b/c of 5 bytes each. */
#define TREE    "d1:a" LEAF "1:bd1:c" LEAF "ee"
#define ITEM_A  ITEM("l1:ae")
#define ITEM_B  ITEM("l1:b1:ce")
#define LIST    "l" ITEM_A PAD("16379") ITEM_B "e"
#define HASHES  "40:" HASH HASH
#define TEXT(s) s, sizeof(s) - 1

static void add_torrent(struct buf *to, const char *tree, size_t tree_len, const char *list,
			const char *pieces)
{
	buf_adds(to, "d4:infod9:file tree");
	buf_add(to, tree, tree_len);
	buf_addf(to, "5:files%s12:meta versioni2e4:name6:farm-1", list);
	buf_addf(to, "12:piece lengthi16384e6:pieces%see", pieces);
}

static const struct entry files[] = {
    {.path = "a", .size = 5},
    {.path = "b/c", .size = 5},
};

static int compare(struct hybrid *h, struct err *e)
{
	if (hybrid_begin(h, "farm-1", PIECE, e) != 0)
		return -1;
	for (size_t i = 0; i < COUNT(files); i++) {
		struct entry entry = files[i];
		memset(entry.root, 'r', SHA256_SIZE);
		if (hybrid_add(h, &entry, e) != 0)
			return -1;
	}
	return hybrid_end(h, e);
}

/* Whether it is a torrent of these files. */
static int judge(const struct buf *torrent, struct err *e)
{
	char path[64];
	int fd = memfd_create("torrent", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, torrent->data, torrent->len), torrent->len);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct hybrid *h = hybrid_open(path, e);
	assert_int_equal(close(fd), 0);
	int status = h != NULL ? compare(h, e) : -1;
	hybrid_close(h);
	return status;
}

static void assert_refused(const char *tree, size_t tree_len, const char *list, const char *pieces,
			   enum err_code code, const char *why)
{
	struct buf torrent = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	add_torrent(&torrent, tree, tree_len, list, pieces);
	assert_int_equal(judge(&torrent, &e), -1);
	if (e.code != code || strstr(e.msg, why) == NULL)
		fail_msg("'%s' is not: %s", e.msg, why);
	buf_release(&torrent);
}

/* --- tests --------------------------------------------------------------------------------------
 */

static void hybrid_takes_the_torrent_of_its_files(void **state)
{
	struct buf torrent = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	(void)state;
	add_torrent(&torrent, TEXT(TREE), LIST, HASHES);
	if (judge(&torrent, &e) != 0)
		fail_msg("%s", e.msg);
	buf_release(&torrent);
	hybrid_close(NULL);
}

/* Names that a client would make other files of. */
static void hybrid_refuses_trees_that_are_none(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} trees[] = {
	    {TEXT("d1:a" LEAF "3:b/c" LEAF "e")},
	    {TEXT("d1:a" LEAF "3:b\0c" LEAF "e")},
	    {TEXT("d0:" LEAF "1:a" LEAF "e")},
	    {TEXT("d1:ade1:b" LEAF "e")},
	    {TEXT("d1:ai5e1:b" LEAF "e")},
	    {TEXT("d1:al" LEAF "e1:b" LEAF "e")},
	    {TEXT("d1:ad0:i5eee")},
	    /* A file that is a folder, too. */
	    {TEXT("d1:ad0:d6:lengthi5e11:pieces root32:" ROOT "e1:x" LEAF "ee")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(trees); i++)
		assert_refused(trees[i].text, trees[i].len, LIST, HASHES, ERR_MALFORMED,
			       "is no hybrid torrent: its 'file tree' is none");
}

static void hybrid_refuses_other_trees(void **state)
{
	static const struct {
		const char *tree, *why;
	} cases[] = {
	    {"d1:a" LEAF "e", "'b/c' is missing in it"},
	    {"d1:a" LEAF "1:bd1:c" LEAF "1:d" LEAF "ee", "'b/d' is no public file of it"},
	    {"d1:a" LEAF "1:b" LEAF "e", "'b' is no public file of it"},
	    {"d1:a" LEAF "2:b.d1:c" LEAF "ee", "'b/c' is missing in it"},
	    {"d1:a" LEAF "1:bd1:cd1:c" LEAF "eee", "'b/c' is missing in it"},
	    {"d1:ad0:d6:lengthi-5e11:pieces root32:" ROOT "eee", "'a' has another length"},
	    {"d1:ad0:d6:lengthi9223372036854775813e11:pieces root32:" ROOT "eee",
	     "'a' has another length"},
	    {"d1:ad0:d6:length1:511:pieces root32:" ROOT "eee", "'a' has another length"},
	    {"d1:ad0:d11:pieces root32:" ROOT "eee", "'a' has another length"},
	    {"d1:ad0:d6:lengthi5eeee", "'a' has another content"},
	    {"d1:ad0:d6:lengthi5e11:pieces rooti5eeee", "'a' has another content"},
	    {"d1:ad0:d6:lengthi5e11:pieces root31:rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrreee",
	     "'a' has another content"},
	    {"d1:ad0:d4:attr1:l6:lengthi5e11:pieces root32:" ROOT "eee",
	     "'a' is no plain file in it"},
	    {"d1:ad0:d4:attr2:xp6:lengthi5e11:pieces root32:" ROOT "eee",
	     "'a' is no plain file in it"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(cases[i].tree, strlen(cases[i].tree), LIST, HASHES, ERR_UNTRUSTED,
			       cases[i].why);
}

static void hybrid_refuses_other_lists(void **state)
{
	static const char other[] = "is not what stands there in its v1 'files'";
	static const char pad[] = "its padding does not end on a piece";
	static const struct {
		const char *list, *why;
	} cases[] = {
	    {"le", other},
	    {"l" ITEM_A "e", other},
	    {"l" ITEM_A ITEM_B "e", "'b/c' does not start at a piece"},
	    {"l" ITEM_B PAD("16379") ITEM_A "e", other},
	    {"l" ITEM_A PAD("16379") ITEM("l3:b/ce") "e", other},
	    {"l" ITEM_A PAD("16379") ITEM("l1:b1:c0:e") "e", other},
	    {"l" ITEM_A PAD("16379") ITEM("l1:be") "e", other},
	    {"l" ITEM("le") "e", other},
	    {"l" ITEM("1:a") "e", other},
	    {"l" ITEM("d1:ai1ee") "e", other},
	    {"ld6:lengthi5eee", other},
	    {"l" ITEM_A PAD("16379") ITEM_B PAD("16379") ITEM_B "e", "its v1 'files' are more"},
	    {"l" PAD("5") ITEM_A ITEM_B "e", pad},
	    {"l" ITEM_A PAD("0") PAD("16379") ITEM_B "e", pad},
	    {"l" ITEM_A PAD("16379") PAD("16384") ITEM_B "e", pad},
	    {"l" ITEM_A PAD("9223372036854775807") ITEM_B "e", pad},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(TEXT(TREE), cases[i].list, HASHES, ERR_UNTRUSTED, cases[i].why);
	assert_refused(TEXT(TREE), "l" ITEM_A PAD("-1") ITEM_B "e", HASHES, ERR_MALFORMED,
		       "a file of v1 has no length");
	assert_refused(TEXT(TREE), "l" ITEM_A "i5ee", HASHES, ERR_MALFORMED,
		       "a file of v1 has no length");
}

static void hybrid_counts_the_pieces_of_v1(void **state)
{
	static const char *const pieces[] = {"0:",  "20:" HASH,          "60:" HASH HASH HASH,
					     "1:x", "41:" HASH HASH "x", "i40e"};

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++)
		assert_refused(TEXT(TREE), LIST, pieces[i], ERR_UNTRUSTED,
			       "its v1 'pieces' are not as many as its files have");
}

/* As deep as bencode may be: the folders that are open have room. */
static void hybrid_follows_folders_to_the_end(void **state)
{
	struct buf tree = BUF_INIT;
	const int depth = 530;

	(void)state;
	for (int i = 0; i < depth; i++)
		buf_adds(&tree, "d1:a");
	buf_adds(&tree, LEAF);
	for (int i = 0; i < depth; i++)
		buf_adds(&tree, "e");
	assert_refused(tree.data, tree.len, LIST, HASHES, ERR_UNTRUSTED, "is missing in it");
	buf_release(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hybrid_takes_the_torrent_of_its_files),
	    cmocka_unit_test(hybrid_refuses_trees_that_are_none),
	    cmocka_unit_test(hybrid_refuses_other_trees),
	    cmocka_unit_test(hybrid_refuses_other_lists),
	    cmocka_unit_test(hybrid_counts_the_pieces_of_v1),
	    cmocka_unit_test(hybrid_follows_folders_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
