#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/dcz.h"
#include "swarm/filehash.h"
#include "swarm/hex.h"
#include "swarm/io.h"
#include "swarm/payload.h"
#include "swarm/payloads.h"

#define FILES_MAX 40
#define MEMORY    (UINT64_C(256) << 20)

/* --- content ---------------------------------------------------------------------------------- */

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void noise(struct buf *to, size_t len, uint64_t seed)
{
	uint8_t *bytes = (uint8_t *)buf_room(to, len);

	assert_non_null(bytes);
	seed = (seed + 1) * 0x9E3779B97F4A7C15;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(next(&seed) >> 32);
	buf_grew(to, len);
}

/* --- releases --------------------------------------------------------------------------------- */

/* Every test works in a folder of its own. */
static char folder[64];

static int enter_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-payloads-XXXXXX");
	return mkdtemp(folder) == NULL || chdir(folder) != 0 ? -1 : 0;
}

static int leave_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 ? system(command) : -1;
}

/* A tree on disk, and what its manifest says. */
struct release {
	const char *tree;
	struct entry entries[FILES_MAX];
	struct buf content[FILES_MAX];
	char paths[FILES_MAX][32];
	struct listing listing;
	struct stock *stock;
};

static void begin(struct release *r, const char *tree)
{
	memset(r, 0, sizeof *r);
	r->tree = tree;
	r->listing.entries = r->entries;
	assert_int_equal(mkdir(tree, 0777), 0);
	for (size_t i = 0; i < FILES_MAX; i++)
		buf_init(&r->content[i]);
}

static void write_file(const char *path, const struct buf *content)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(content->data, 1, content->len, f), content->len);
	assert_int_equal(fclose(f), 0);
}

/* Paths are added in order. What was appended to the buf that it returns comes by flush(). */
static struct buf *file(struct release *r, const char *path)
{
	size_t i = r->listing.count++;

	assert_true(i < FILES_MAX);
	(void)snprintf(r->paths[i], sizeof r->paths[i], "%s", path);
	r->entries[i] = (struct entry){.path = r->paths[i], .has_sha256 = true, .hot = -1};
	return &r->content[i];
}

static void describe(struct entry *entry, const struct buf *content)
{
	struct filehash_options how = {.piece_length = MERKLE_PIECE_MAX, .plain = true};
	struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
	struct err e;
	struct filehash *hash = filehash_new(&how, &e);

	assert_non_null(hash);
	filehash_update(hash, content->data, content->len);
	assert_int_equal(filehash_final(hash, &digests, &e), 0);
	entry->size = content->len;
	memcpy(entry->sha256, digests.sha256, SHA256_SIZE);
	memcpy(entry->root, digests.root, SHA256_SIZE);
	filehash_release(&digests);
	filehash_free(hash);
}

static void flush(struct release *r)
{
	struct err e;

	for (size_t i = 0; i < r->listing.count; i++) {
		char path[128];
		(void)snprintf(path, sizeof path, "%s/%s", r->tree, r->paths[i]);
		write_file(path, &r->content[i]);
		describe(&r->entries[i], &r->content[i]);
	}
	r->stock = stock_open(r->tree, NULL, &e);
	assert_non_null(r->stock);
}

static void end(struct release *r)
{
	for (size_t i = 0; i < FILES_MAX; i++)
		buf_release(&r->content[i]);
	stock_close(r->stock);
}

/* What differs, as changes.h would say. */
static void compare(const struct release *old, const struct release *new, struct changes *ret)
{
	static struct changes_item items[4][FILES_MAX];
	static size_t used;
	struct changes_item *list = items[used++ % 4];

	memset(ret, 0, sizeof *ret);
	memset(list, 0, sizeof items[0]);
	ret->items = list;
	for (size_t i = 0; i < new->listing.count; i++) {
		const struct entry *entry = &new->entries[i];
		const struct entry *was = listing_find(&old->listing, entry->path);
		struct changes_item *item = &list[ret->count++];
		*item = (struct changes_item){
		    .kind = CHANGES_ADDED, .path = entry->path, .file = *entry};
		if (was != NULL) {
			item->old = *was;
			item->kind = memcmp(was->root, entry->root, SHA256_SIZE) == 0
					 ? CHANGES_ATTRIBUTES
					 : CHANGES_CONTENT;
		}
		for (size_t k = 0; k < old->listing.count && item->copy == NULL; k++)
			if (entry->size > 0 &&
			    memcmp(old->entries[k].root, entry->root, SHA256_SIZE) == 0)
				item->copy = old->entries[k].path;
	}
}

/* --- payloads --------------------------------------------------------------------------------- */

static struct payloads_options options(void)
{
	return (struct payloads_options){
	    .folder = "payloads", .level = DCZ_LEVEL_DEFAULT, .threads = 2, .memory = MEMORY};
}

static enum err_code run(struct payloads_from *from, size_t count, const struct release *new,
			 const struct payloads_options *how, struct err *e)
{
	struct scratch *scratch = scratch_new(e);

	assert_non_null(scratch);
	*e = (struct err){.code = ERR_NONE};
	int status = payloads_make(from, count, new->stock, how, scratch, e);
	assert_int_equal(status, e->code == ERR_NONE ? 0 : -1);
	scratch_free(scratch);
	return e->code;
}

static void make(const struct release *old, const struct release *new,
		 const struct payloads_options *how, struct payloads_item *items)
{
	struct changes changes;
	struct err e;

	compare(old, new, &changes);
	memset(items, 0xAA, FILES_MAX * sizeof *items);
	struct payloads_from from = {&changes, &old->listing, old->stock, items};
	if (run(&from, 1, new, how, &e) != ERR_NONE)
		fail_msg("%s", e.msg);
}

static void read_payload(const struct entry *entry, const struct payloads_item *item,
			 const char *where, struct buf *ret)
{
	struct buf name = BUF_INIT;
	struct err e;

	buf_addf(&name, "%s/", where);
	payload_name(&name, entry->sha256, item->base != NULL ? item->base->sha256 : NULL);
	int fd = io_open(name.data, &e);
	assert_true(fd >= 0);
	assert_int_equal(io_read_all(fd, ret, SIZE_MAX, name.data, &e), 0);
	(void)close(fd);
	buf_release(&name);
}

static int collect(void *context, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	buf_add(context, bytes, len);
	return 0;
}

/* The payload of the new release's i-th file is where it should be, and right. */
static void is_right(const struct release *old, const struct release *new, size_t i,
		     const struct payloads_item *item, const char *where)
{
	struct buf payload = BUF_INIT, got = BUF_INIT;
	struct dcz_base base = {.bytes = NULL};
	uint8_t digest[SHA256_SIZE];
	struct err e;
	struct sha256 *sha = sha256_new(&e);

	assert_non_null(sha);
	assert_int_equal(item->bare, PAYLOADS_MADE);
	assert_int_equal(item->source, item->base != NULL ? DELTA_DCZ : DELTA_ZSTD);
	read_payload(&new->entries[i], item, where, &payload);
	assert_int_equal(payload.len, item->size);
	sha256_once(sha, payload.data, payload.len, digest);
	assert_memory_equal(digest, item->sha256, SHA256_SIZE);
	if (item->base != NULL) {
		size_t at = (size_t)(item->base - old->entries);
		assert_true(at < old->listing.count);
		base = (struct dcz_base){
		    (const uint8_t *)old->content[at].data, old->content[at].len, {0}};
		memcpy(base.sha256, item->base->sha256, SHA256_SIZE);
	}
	if (dcz_decode(&base, (const uint8_t *)payload.data, payload.len, new->content[i].len,
		       collect, &got, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(got.len, new->content[i].len);
	assert_memory_equal(got.data, new->content[i].data, got.len);
	sha256_free(sha);
	buf_release(&payload);
	buf_release(&got);
}

static size_t count_files(const char *where)
{
	DIR *dir = opendir(where);
	size_t count = 0;

	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir)) != NULL;)
		count += d->d_name[0] != '.';
	(void)closedir(dir);
	return count;
}

/* Two releases in which everything happens. */
enum { BUNDLE, CHANGED, EMPTY, FRESH, KEPT, LARGE_NOISE, NOTE, SMALL_NOISE, TWIN_A, TWIN_B };

static void make_pair(struct release *old, struct release *new)
{
	begin(old, "old");
	noise(file(old, "7720b.wasm"), 150000, 1);
	noise(file(old, "changed.bin"), 100000, 2);
	noise(file(old, "kept.bin"), 5000, 3);
	noise(file(old, "other.bin"), 100000, 4);
	buf_adds(file(old, "zz.empty"), "");
	flush(old);
	begin(new, "new");
	/* The bundle under a new name, with not a byte at its old offset. */
	struct buf *f = file(new, "82c9d.wasm");
	buf_adds(f, "inserted");
	buf_add(f, old->content[0].data, old->content[0].len);
	f = file(new, "changed.bin");
	buf_add(f, old->content[1].data, 60000);
	buf_adds(f, "changed");
	buf_add(f, old->content[1].data + 60000, 40000);
	(void)file(new, "empty");
	f = file(new, "fresh.txt");
	for (int i = 0; i < 5000; i++)
		buf_addf(f, "line %d\n", i);
	f = file(new, "kept.bin");
	buf_add(f, old->content[2].data, old->content[2].len);
	noise(file(new, "large-noise.bin"), 70000, 5);
	buf_adds(file(new, "note.txt"), "hello");
	noise(file(new, "small-noise.bin"), 60000, 6);
	noise(file(new, "twin-a"), 40000, 7);
	noise(file(new, "twin-b"), 40000, 7);
	flush(new);
}

/* --- what is chosen --------------------------------------------------------------------------- */

static void payloads_are_made_from_the_best_base(void **state)
{
	static struct release old, new;
	struct payloads_item items[FILES_MAX];
	struct payloads_options how = options();

	(void)state;
	make_pair(&old, &new);
	make(&old, &new, &how, items);
	is_right(&old, &new, BUNDLE, &items[BUNDLE], "payloads");
	assert_ptr_equal(items[BUNDLE].base, &old.entries[0]);
	assert_true(items[BUNDLE].size < 200);
	is_right(&old, &new, CHANGED, &items[CHANGED], "payloads");
	assert_ptr_equal(items[CHANGED].base, &old.entries[1]);
	assert_true(items[CHANGED].size < 200);
	assert_int_equal(items[EMPTY].bare, PAYLOADS_NOT_NEEDED);
	is_right(&old, &new, FRESH, &items[FRESH], "payloads");
	assert_null(items[FRESH].base);
	assert_true(items[FRESH].size < 20000);
	assert_int_equal(items[KEPT].bare, PAYLOADS_NOT_NEEDED);
	/* Over 64 KiB a payload must pay off; below it, it is made whatever it costs. */
	assert_int_equal(items[LARGE_NOISE].bare, PAYLOADS_NO_GAIN);
	assert_true(items[LARGE_NOISE].size > 70000);
	is_right(&old, &new, NOTE, &items[NOTE], "payloads");
	is_right(&old, &new, SMALL_NOISE, &items[SMALL_NOISE], "payloads");
	assert_true(items[SMALL_NOISE].size > 60000);
	/* Equal files share one. */
	is_right(&old, &new, TWIN_A, &items[TWIN_A], "payloads");
	is_right(&old, &new, TWIN_B, &items[TWIN_B], "payloads");
	assert_int_equal(count_files("payloads"), 6);
	end(&old);
	end(&new);
}

static void payloads_prefer_other_content_to_the_same_path(void **state)
{
	static struct release old, new;
	struct payloads_item items[FILES_MAX];
	struct payloads_options how = options();

	(void)state;
	begin(&old, "old");
	noise(file(&old, "a"), 30000, 1);
	noise(file(&old, "b"), 30000, 2);
	noise(file(&old, "c"), 30000, 3);
	flush(&old);
	begin(&new, "new");
	/* They change places, and two of them change a little. */
	for (size_t i = 0; i < 3; i++) {
		struct buf *f = file(&new, (const char *[]){"a", "b", "c"}[i]);
		buf_add(f, old.content[(i + 1) % 3].data, 30000);
		buf_adds(f, "more");
	}
	flush(&new);
	make(&old, &new, &how, items);
	for (size_t i = 0; i < 3; i++) {
		is_right(&old, &new, i, &items[i], "payloads");
		assert_ptr_equal(items[i].base, &old.entries[(i + 1) % 3]);
		assert_true(items[i].size < 100);
	}
	end(&old);
	end(&new);
}

static void payloads_are_as_secret_as_their_inputs(void **state)
{
	static struct release old, new;
	struct payloads_item items[FILES_MAX];
	struct payloads_options how = options();

	(void)state;
	begin(&old, "old");
	noise(file(&old, "origin"), 30000, 1);
	noise(file(&old, "public"), 30000, 2);
	flush(&old);
	old.entries[0].label = LABEL_ORIGIN;
	begin(&new, "new");
	const char *names[] = {"from-origin", "from-public", "origin-from-public", "origin-new"};
	for (size_t i = 0; i < 4; i++) {
		struct buf *f = file(&new, names[i]);
		if (i < 3)
			buf_add(f, old.content[i > 0].data, 30000);
		buf_addf(f, "%s", names[i]);
	}
	flush(&new);
	new.entries[2].label = new.entries[3].label = LABEL_ORIGIN;
	make(&old, &new, &how, items);
	assert_ptr_equal(items[0].base, &old.entries[0]);
	assert_int_equal(items[0].label, LABEL_ORIGIN);
	assert_ptr_equal(items[1].base, &old.entries[1]);
	assert_int_equal(items[1].label, LABEL_PUBLIC);
	assert_ptr_equal(items[2].base, &old.entries[1]);
	assert_int_equal(items[2].label, LABEL_ORIGIN);
	assert_null(items[3].base);
	assert_int_equal(items[3].label, LABEL_ORIGIN);
	end(&old);
	end(&new);
}

static void payloads_stay_public_where_that_costs_little(void **state)
{
	static struct release old, new;
	static const struct {
		const char *path;
		size_t like, base; /* of the old ones */
		enum label label, payload;
	} cases[] = {{"dear", 2, 2, LABEL_PUBLIC, LABEL_ORIGIN},
		     {"near", 0, 1, LABEL_PUBLIC, LABEL_PUBLIC},
		     {"origin", 0, 0, LABEL_ORIGIN, LABEL_ORIGIN}};
	struct payloads_item items[FILES_MAX];
	struct payloads_options how = options();

	(void)state;
	begin(&old, "old");
	for (size_t i = 0; i < 4; i++)
		noise(file(&old, (const char *[]){"a", "b", "c", "d"}[i]), 30000, i / 2);
	/* A public one that lacks 100 bytes of the 3,000 that change anyway, and one that lacks
	 * more. */
	memset(old.content[1].data + 10000, 0, 100);
	memset(old.content[3].data + 10000, 0, 1000);
	flush(&old);
	old.entries[0].label = old.entries[2].label = LABEL_ORIGIN;
	begin(&new, "new");
	for (size_t i = 0; i < 3; i++) {
		struct buf *f = file(&new, cases[i].path);
		buf_add(f, old.content[cases[i].like].data, 30000);
		noise(f, 3000, 10 + i);
	}
	flush(&new);
	for (size_t i = 0; i < 3; i++)
		new.entries[i].label = cases[i].label;
	make(&old, &new, &how, items);
	for (size_t i = 0; i < 3; i++) {
		is_right(&old, &new, i, &items[i], "payloads");
		assert_ptr_equal(items[i].base, &old.entries[cases[i].base]);
		assert_int_equal(items[i].label, cases[i].payload);
	}
	end(&old);
	end(&new);
}

/* --- the same whatever happens ---------------------------------------------------------------- */

static void payloads_do_not_depend_on_threads(void **state)
{
	static struct release old, new;
	struct payloads_item one[FILES_MAX], many[FILES_MAX];
	struct payloads_options how = options();

	(void)state;
	make_pair(&old, &new);
	how.threads = 1;
	how.folder = "one";
	make(&old, &new, &how, one);
	for (unsigned threads = 2; threads <= 8; threads += 3) {
		char name[16];
		(void)snprintf(name, sizeof name, "many-%u", threads);
		how.threads = threads;
		how.folder = name;
		make(&old, &new, &how, many);
		for (size_t i = 0; i < new.listing.count; i++) {
			assert_int_equal(one[i].bare, many[i].bare);
			assert_int_equal(one[i].size, many[i].size);
			assert_ptr_equal(one[i].base, many[i].base);
			assert_memory_equal(one[i].sha256, many[i].sha256, SHA256_SIZE);
		}
	}
	assert_int_equal(system("diff -r one many-2 && diff -r one many-5 && diff -r one many-8"),
			 0);
	end(&old);
	end(&new);
}

static void payloads_that_are_there_are_proven(void **state)
{
	static struct release old, new;
	struct payloads_item first[FILES_MAX], again[FILES_MAX];
	struct payloads_options how = options();

	(void)state;
	make_pair(&old, &new);
	how.level = 1;
	make(&old, &new, &how, first);
	/* Right ones stay, also those of another level: a delta may name them already. */
	how.level = 19;
	assert_int_equal(system("cp -r payloads before"), 0);
	make(&old, &new, &how, again);
	assert_int_equal(system("diff -r before payloads"), 0);
	for (size_t i = 0; i < new.listing.count; i++)
		assert_memory_equal(first[i].sha256, again[i].sha256, SHA256_SIZE);
	/* Damaged, cut off, emptied, of other content: all are made again. */
	assert_int_equal(system("for f in payloads/*.dcz; do printf x >>$f; done;"
				"for f in payloads/*.zst; do : >$f; done"),
			 0);
	make(&old, &new, &how, again);
	for (size_t i = 0; i < new.listing.count; i++)
		if (again[i].bare == PAYLOADS_MADE)
			is_right(&old, &new, i, &again[i], "payloads");
	assert_int_equal(count_files("payloads"), 6);
	end(&old);
	end(&new);
}

static void payloads_of_several_releases_are_made_at_once(void **state)
{
	static struct release old, older, new;
	struct payloads_item items[2][FILES_MAX];
	struct payloads_options how = options();
	struct changes changes[2];
	struct err e;

	(void)state;
	make_pair(&old, &new);
	begin(&older, "older");
	buf_add(file(&older, "changed.bin"), old.content[1].data, 50000);
	noise(file(&older, "large-noise.bin"), 69000, 5);
	flush(&older);
	compare(&old, &new, &changes[0]);
	compare(&older, &new, &changes[1]);
	struct payloads_from from[] = {{&changes[0], &old.listing, old.stock, items[0]},
				       {&changes[1], &older.listing, older.stock, items[1]}};
	assert_int_equal(run(from, 2, &new, &how, &e), ERR_NONE);
	is_right(&old, &new, CHANGED, &items[0][CHANGED], "payloads");
	is_right(&older, &new, CHANGED, &items[1][CHANGED], "payloads");
	assert_ptr_equal(items[1][CHANGED].base, &older.entries[0]);
	assert_true(items[1][CHANGED].size > 40000);
	assert_int_equal(items[0][LARGE_NOISE].bare, PAYLOADS_NO_GAIN);
	is_right(&older, &new, LARGE_NOISE, &items[1][LARGE_NOISE], "payloads");
	/* What an older release did not have. */
	assert_int_equal(items[0][KEPT].bare, PAYLOADS_NOT_NEEDED);
	is_right(&older, &new, KEPT, &items[1][KEPT], "payloads");
	/* Made from nothing, it is the same for both. */
	assert_memory_equal(items[0][FRESH].sha256, items[1][FRESH].sha256, SHA256_SIZE);
	/* None at all is fine. */
	assert_int_equal(run(from, 0, &new, &how, &e), ERR_NONE);
	end(&old);
	end(&older);
	end(&new);
}

/* --- limits and failures ---------------------------------------------------------------------- */

static void payloads_stay_within_their_memory(void **state)
{
	static struct release old, new;
	struct payloads_item items[FILES_MAX];
	struct payloads_options how = options();

	(void)state;
	make_pair(&old, &new);
	/* Enough for a lower level only: larger, but right. */
	how.memory = UINT64_C(3) << 20;
	make(&old, &new, &how, items);
	is_right(&old, &new, BUNDLE, &items[BUNDLE], "payloads");
	assert_ptr_equal(items[BUNDLE].base, &old.entries[0]);
	is_right(&old, &new, FRESH, &items[FRESH], "payloads");
	/* Enough for nothing. */
	how.memory = 50000;
	how.folder = "none";
	make(&old, &new, &how, items);
	assert_int_equal(items[BUNDLE].bare, PAYLOADS_NO_MEMORY);
	assert_int_equal(items[NOTE].bare, PAYLOADS_NO_MEMORY);
	assert_int_equal(items[KEPT].bare, PAYLOADS_NOT_NEEDED);
	assert_int_equal(count_files("none"), 0);
	end(&old);
	end(&new);
}

static void payloads_leave_giants_alone(void **state)
{
	static struct release old, new;
	struct payloads_item items[FILES_MAX];
	struct payloads_options how = options();

	(void)state;
	begin(&old, "old");
	noise(file(&old, "giant"), 1000, 1);
	flush(&old);
	begin(&new, "new");
	noise(file(&new, "giant"), 1001, 1);
	flush(&new);
	/* Only the manifest says so: the file is not even opened. */
	new.entries[0].size = DCZ_WINDOW_MAX + 1;
	make(&old, &new, &how, items);
	assert_int_equal(items[0].bare, PAYLOADS_TOO_LARGE);
	end(&old);
	end(&new);
}

static void fails(const struct release *old, const struct release *new, enum err_code code,
		  const char *message)
{
	struct payloads_item items[FILES_MAX];
	struct payloads_options how = options();
	struct changes changes;
	struct err e;

	compare(old, new, &changes);
	struct payloads_from from = {&changes, &old->listing, old->stock, items};
	for (how.threads = 1; how.threads <= 4; how.threads += 3) {
		assert_int_equal(run(&from, 1, new, &how, &e), code);
		assert_non_null(strstr(e.msg, message));
	}
}

static void payloads_refuse_trees_that_are_not_what_they_should_be(void **state)
{
	static struct release old, new;

	(void)state;
	make_pair(&old, &new);
	/* A base, a new file: one bit, one byte less, gone. */
	assert_int_equal(
	    system("cp -r old old.right && cp -r new new.right && "
		   "printf x | dd of=old/other.bin seek=500 bs=1 conv=notrunc status=none"),
	    0);
	fails(&old, &new, ERR_UNTRUSTED, "'other.bin' in 'old' is not the file of the manifest");
	assert_int_equal(system("cp old.right/other.bin old && truncate -s -1 new/fresh.txt"), 0);
	fails(&old, &new, ERR_UNTRUSTED, "'fresh.txt' in 'new' is not the file of the manifest");
	assert_int_equal(system("cp new.right/fresh.txt new && rm old/7720b.wasm"), 0);
	fails(&old, &new, ERR_REFUSED, "'7720b.wasm' is not in 'old'");
	/* The twin: as they were, they are taken. */
	assert_int_equal(system("cp old.right/7720b.wasm old"), 0);
	struct payloads_item items[FILES_MAX];
	struct payloads_options how = options();
	make(&old, &new, &how, items);
	is_right(&old, &new, BUNDLE, &items[BUNDLE], "payloads");
	end(&old);
	end(&new);
}

static void payloads_need_a_folder(void **state)
{
	static struct release old, new;
	struct payloads_item items[FILES_MAX];
	struct payloads_options how = options();
	struct changes changes;
	struct err e;

	(void)state;
	make_pair(&old, &new);
	compare(&old, &new, &changes);
	struct payloads_from from = {&changes, &old.listing, old.stock, items};
	how.folder = "new/note.txt";
	assert_int_equal(run(&from, 1, &new, &how, &e), ERR_USAGE);
	assert_string_equal(e.msg, "'new/note.txt' is not a directory");
	how.folder = "no/such/parent";
	assert_int_equal(run(&from, 1, &new, &how, &e), ERR_SYSTEM);
	/* Something in the way of a payload. */
	struct buf name = BUF_INIT;
	buf_adds(&name, "mkdir -p payloads/");
	payload_name(&name, new.entries[NOTE].sha256, NULL);
	assert_int_equal(system(name.data), 0);
	buf_release(&name);
	how.folder = "payloads";
	assert_int_equal(run(&from, 1, &new, &how, &e), ERR_USAGE);
	assert_non_null(strstr(e.msg, "it is a directory"));
	end(&old);
	end(&new);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(payloads_are_made_from_the_best_base),
	    IN_FOLDER(payloads_prefer_other_content_to_the_same_path),
	    IN_FOLDER(payloads_are_as_secret_as_their_inputs),
	    IN_FOLDER(payloads_stay_public_where_that_costs_little),
	    IN_FOLDER(payloads_do_not_depend_on_threads),
	    IN_FOLDER(payloads_that_are_there_are_proven),
	    IN_FOLDER(payloads_of_several_releases_are_made_at_once),
	    IN_FOLDER(payloads_stay_within_their_memory),
	    IN_FOLDER(payloads_leave_giants_alone),
	    IN_FOLDER(payloads_refuse_trees_that_are_not_what_they_should_be),
	    IN_FOLDER(payloads_need_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
