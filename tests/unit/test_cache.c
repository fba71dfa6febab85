/* Its inline read() and write() would stand in the way of those that are faked here. */
#undef _FORTIFY_SOURCE
#define _GNU_SOURCE /* syscall() */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/cache.h"
#include "swarm/sha256.h"

#include "patience.h"

/* --- a system that can be told to fail, and its clock ----------------------------------------- */

#define NOW ((time_t)1800000000)
#define DAY 86400

static struct {
	time_t now;
	int write_errno, rename_errno;
	size_t writes_left; /* before write_errno */
	size_t bytes_read;
} fake;

time_t time(time_t *ret)
{
	if (ret != NULL)
		*ret = fake.now;
	return fake.now;
}

ssize_t read(int fd, void *to, size_t len)
{
	ssize_t n = syscall(SYS_read, fd, to, len);

	if (n > 0)
		fake.bytes_read += (size_t)n;
	return n;
}

ssize_t write(int fd, const void *from, size_t len)
{
	if (fake.write_errno != 0 && fake.writes_left-- == 0) {
		errno = fake.write_errno;
		return -1;
	}
	return syscall(SYS_write, fd, from, len);
}

int rename(const char *from, const char *to)
{
	if (fake.rename_errno != 0) {
		errno = fake.rename_errno;
		return -1;
	}
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* --- helpers ---------------------------------------------------------------------------------- */

/* Where things stand, see cache.h and cache.c. */
#define HEADER     ((size_t)64)
#define RECORD     ((size_t)152)
#define AT_COUNT   16
#define AT_LAYERS  24
#define AT_INODE   8
#define AT_LAYER   48
#define AT_SEAL    72
#define AT_PIECES  56
#define AT_DAY     60
#define AT_HEIGHT  64
#define IMAGE_ROOM 8192

/* Every test works in a folder of its own, in which only `c` is left at its end. */
static char folder[64];
static struct scratch *scratch;

static int enter_folder(void **state)
{
	struct err e;

	(void)state;
	memset(&fake, 0, sizeof fake);
	fake.now = NOW;
	scratch = scratch_new(&e);
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-cache-XXXXXX");
	return scratch != NULL && mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	(void)state;
	scratch_free(scratch);
	(void)unlink("c");
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

#define PIECE ((uint64_t)32768)
static const struct filehash_options how = {.piece_length = PIECE, .plain = true};
static const struct filehash_options roots_only = {.piece_length = PIECE};

/* What cache_open() says of "c"; none where `why` is NULL. */
static struct cache *open_saying(const char *why)
{
	struct buf said = BUF_INIT;
	struct err e;
	char want[256] = "";
	struct cache *c = cache_open("c", &said, &e);

	assert_non_null(c);
	if (why != NULL)
		(void)snprintf(want, sizeof want, "the cache 'c' is not used: %s\n", why);
	assert_string_equal(said.data, want);
	buf_release(&said);
	return c;
}

static struct cache *open_cache(void)
{
	return open_saying(NULL);
}

static void save(struct cache *c)
{
	struct err e;

	if (cache_save(c, scratch, &e) != 0)
		fail_msg("%s", e.msg);
	cache_free(c);
}

/* A file that changed long ago. */
static struct cache_key key_of(uint64_t inode, uint64_t size)
{
	struct cache_key key = {
	    .stamp = {.device = 7,
		      .inode = inode,
		      .mtime_s = NOW - 1000 * DAY,
		      .mtime_ns = 123456789,
		      .ctime_s = NOW - 999 * DAY,
		      .ctime_ns = 987654321},
	    .size = size,
	};

	for (size_t i = 0; i < CACHE_SEAL; i++)
		key.seal[i] = (uint8_t)(inode + i);
	return key;
}

/* Bytes that belong to a file and no other. */
static void fill(uint8_t *to, size_t len, uint64_t inode, unsigned what)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(inode * 31 + what * 7 + i + (inode >> 8));
}

/* As they would be of a file of this size. */
static struct filehash_digests digests_of(const struct cache_key *key,
					  const struct filehash_options *options)
{
	struct filehash_digests d = FILEHASH_DIGESTS_INIT;
	uint64_t inode = key->stamp.inode;

	d.size = key->size;
	d.has_sha256 = options->plain;
	fill(d.root, SHA256_SIZE, inode, 1);
	if (options->plain)
		fill(d.sha256, SHA256_SIZE, inode, 2);
	if (key->size > options->piece_length) {
		size_t len = (size_t)merkle_pieces(key->size, options->piece_length) * SHA256_SIZE;
		char *room = buf_room(&d.layer, len);
		assert_non_null(room);
		fill((uint8_t *)room, len, inode, 3);
		buf_grew(&d.layer, len);
	}
	return d;
}

static void add_for(struct cache *c, const struct cache_key *key,
		    const struct filehash_options *options)
{
	struct filehash_digests d = digests_of(key, options);
	struct err e;

	assert_int_equal(cache_add(c, key, options, &d, &e), 0);
	filehash_release(&d);
}

static void add(struct cache *c, const struct cache_key *key)
{
	add_for(c, key, &how);
}

static int find_for(struct cache *c, const struct cache_key *key,
		    const struct filehash_options *options, struct filehash_digests *ret)
{
	struct err e;

	*ret = (struct filehash_digests)FILEHASH_DIGESTS_INIT;
	return cache_find(c, key, options, ret, &e);
}

static bool is_known_for(struct cache *c, const struct cache_key *key,
			 const struct filehash_options *options)
{
	struct filehash_digests got;
	int status = find_for(c, key, options, &got);

	filehash_release(&got);
	assert_in_range(status, 0, 1);
	return status == 1;
}

static bool is_known(struct cache *c, const struct cache_key *key)
{
	return is_known_for(c, key, &how);
}

/* With just what was added. */
static void assert_known_for(struct cache *c, const struct cache_key *key,
			     const struct filehash_options *options)
{
	struct filehash_digests got, want = digests_of(key, options);

	assert_int_equal(find_for(c, key, options, &got), 1);
	assert_int_equal(got.size, want.size);
	assert_int_equal(got.has_sha256, want.has_sha256);
	assert_memory_equal(got.root, want.root, SHA256_SIZE);
	if (want.has_sha256)
		assert_memory_equal(got.sha256, want.sha256, SHA256_SIZE);
	assert_int_equal(got.layer.len, want.layer.len);
	assert_memory_equal(got.layer.data, want.layer.data, want.layer.len);
	filehash_release(&got);
	filehash_release(&want);
}

static void assert_known(struct cache *c, const struct cache_key *key)
{
	assert_known_for(c, key, &how);
}

/* A cache file that knows this, and nothing else. */
static void make_with(const struct cache_key *key, const struct filehash_options *options)
{
	struct cache *c = open_cache();

	add_for(c, key, options);
	save(c);
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

static size_t read_cache(uint8_t *to, size_t room)
{
	int fd = open("c", O_RDONLY);

	assert_true(fd >= 0);
	ssize_t n = read(fd, to, room);
	assert_int_equal(close(fd), 0);
	assert_in_range(n, 1, room - 1);
	return (size_t)n;
}

static ino_t inode_of_cache(void)
{
	struct stat st;

	assert_int_equal(stat("c", &st), 0);
	return st.st_ino;
}

/* --- what it remembers ------------------------------------------------------------------------ */

#define MANY 2000

/* Files of all kinds: empty, of one piece, of several. */
static uint64_t size_of(uint64_t inode)
{
	static const uint64_t sizes[] = {0, 1, PIECE, PIECE + 1, 3 * PIECE, 100 * PIECE - 1};

	return sizes[inode % (sizeof sizes / sizeof *sizes)];
}

static void cache_gives_back_what_it_was_told(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	/* In no order. */
	for (uint64_t i = 0; i < MANY; i++) {
		struct cache_key key = key_of(i * 7919 % MANY, size_of(i * 7919 % MANY));
		add_for(c, &key, key.stamp.inode % 5 == 0 ? &roots_only : &how);
	}
	save(c);
	c = open_cache();
	for (uint64_t i = 0; i < MANY; i++) {
		struct cache_key key = key_of(i, size_of(i));
		assert_known_for(c, &key, i % 5 == 0 ? &roots_only : &how);
	}
	struct cache_key other = key_of(MANY, size_of(MANY));
	assert_false(is_known(c, &other));
	cache_free(c);
}

static void cache_keeps_old_and_new_in_order(void **state)
{
	(void)state;
	/* Before, between, and behind what is there. */
	for (uint64_t first = 3; first > 0; first--) {
		struct cache *c = open_cache();
		for (uint64_t i = first; i < 100; i += 3) {
			struct cache_key key = key_of(i, size_of(i));
			/* Devices count first. */
			key.stamp.device = i % 2;
			add(c, &key);
		}
		save(c);
	}
	struct cache *c = open_cache();
	for (uint64_t i = 1; i < 100; i++) {
		struct cache_key key = key_of(i, size_of(i));
		key.stamp.device = i % 2;
		assert_known(c, &key);
	}
	cache_free(c);
}

static void cache_knows_extreme_keys(void **state)
{
	(void)state;
	struct cache_key keys[] = {key_of(0, 0), key_of(UINT64_MAX, 1), key_of(1, 2), key_of(2, 2)};
	keys[1].stamp.device = UINT64_MAX;
	keys[2].stamp.mtime_s = INT64_MIN;
	keys[2].stamp.mtime_ns = 0;
	keys[3].stamp.mtime_s = keys[3].stamp.ctime_s = -1;
	keys[3].stamp.ctime_ns = keys[3].stamp.mtime_ns = 999999999;
	struct cache *c = open_cache();
	for (size_t i = 0; i < 4; i++)
		add(c, &keys[i]);
	save(c);
	c = open_cache();
	for (size_t i = 0; i < 4; i++)
		assert_known(c, &keys[i]);
	cache_free(c);
}

/* A run asks what it knew when it began. */
static void cache_does_not_find_what_is_not_saved(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	struct cache_key key = key_of(1, 5);
	add(c, &key);
	assert_false(is_known(c, &key));
	cache_free(c);
	assert_int_equal(access("c", F_OK), -1);
}

static void cache_finds_only_the_very_same_key(void **state)
{
	const struct cache_key key = key_of(10, 3 * PIECE);
	struct cache_key other;

	(void)state;
	make_with(&key, &how);
	struct cache *c = open_cache();
	assert_known(c, &key);
#define OTHER(field, by)                           \
	do {                                       \
		other = key;                       \
		other.field += (by);               \
		assert_false(is_known(c, &other)); \
	} while (0)
	for (int by = -1; by <= 1; by += 2) {
		OTHER(stamp.device, (uint64_t)by);
		OTHER(stamp.inode, (uint64_t)by);
		OTHER(stamp.mtime_s, by);
		OTHER(stamp.mtime_ns, by);
		OTHER(stamp.ctime_s, by);
		OTHER(stamp.ctime_ns, by);
		OTHER(size, (uint64_t)by);
		for (size_t i = 0; i < CACHE_SEAL; i++)
			OTHER(seal[i], (uint8_t)by);
	}
	/* The high halves count, too. */
	OTHER(stamp.device, (uint64_t)1 << 32);
	OTHER(stamp.inode, (uint64_t)1 << 63);
	OTHER(stamp.mtime_s, INT64_C(1) << 32);
	OTHER(stamp.ctime_s, -(INT64_C(1) << 32));
	OTHER(size, (uint64_t)1 << 32);
	assert_known(c, &key);
	cache_free(c);
}

static void cache_knows_a_file_of_one_piece_for_all_piece_lengths(void **state)
{
	const struct cache_key key = key_of(1, PIECE);

	(void)state;
	make_with(&key, &how);
	struct cache *c = open_cache();
	for (uint64_t length = PIECE; length <= MERKLE_PIECE_MAX; length *= 2)
		assert_known_for(c, &key, &(struct filehash_options){length, true});
	/* Here it has two. */
	assert_false(is_known_for(c, &key, &(struct filehash_options){PIECE / 2, true}));
	cache_free(c);
}

static void cache_knows_a_layer_only_at_its_height(void **state)
{
	const struct cache_key key = key_of(1, 3 * PIECE);

	(void)state;
	make_with(&key, &how);
	struct cache *c = open_cache();
	assert_known(c, &key);
	/* Also 2 pieces for 3, and 6 for 3. */
	for (uint64_t length = MERKLE_PIECE_MIN; length < 3 * PIECE; length *= 2)
		assert_int_equal(is_known_for(c, &key, &(struct filehash_options){length, true}),
				 length == PIECE);
	/* The root alone is enough where there is one piece. */
	assert_known_for(c, &key, &(struct filehash_options){4 * PIECE, true});
	cache_free(c);
}

static void cache_has_plain_digests_only_where_they_were_made(void **state)
{
	const struct cache_key key = key_of(1, 3 * PIECE);

	(void)state;
	make_with(&key, &roots_only);
	struct cache *c = open_cache();
	assert_false(is_known(c, &key));
	assert_known_for(c, &key, &roots_only);
	/* They are made now, and still there for who wants none. */
	add(c, &key);
	save(c);
	c = open_cache();
	assert_known(c, &key);
	assert_known_for(c, &key, &roots_only);
	cache_free(c);
}

/* What was in *ret before is no part of the answer. */
static void cache_replaces_what_stands_in_the_answer(void **state)
{
	const struct cache_key large = key_of(1, 3 * PIECE), small = key_of(2, 5);
	struct filehash_digests got = FILEHASH_DIGESTS_INIT;
	struct err e;

	(void)state;
	struct cache *c = open_cache();
	add(c, &large);
	add(c, &small);
	save(c);
	c = open_cache();
	assert_int_equal(cache_find(c, &large, &how, &got, &e), 1);
	assert_int_equal(cache_find(c, &large, &how, &got, &e), 1);
	assert_int_equal(got.layer.len, 3 * SHA256_SIZE);
	assert_int_equal(cache_find(c, &small, &how, &got, &e), 1);
	assert_int_equal(got.layer.len, 0);
	filehash_release(&got);
	cache_free(c);
}

static void cache_keeps_the_newer_of_one_inode(void **state)
{
	const struct cache_key old = key_of(5, 3 * PIECE);
	struct cache_key new = old;

	(void)state;
	make_with(&old, &how);
	new.size = 5 * PIECE;
	new.stamp.ctime_s++;
	struct cache *c = open_cache();
	add(c, &new);
	save(c);
	c = open_cache();
	assert_false(is_known(c, &old));
	assert_known(c, &new);
	cache_free(c);
}

/* By the seal, which may not be the same for all links; until the file changes. */
static void cache_keeps_each_of_two_names_of_an_inode(void **state)
{
	struct cache_key one = key_of(5, 3 * PIECE), two = one, new = one;

	(void)state;
	two.seal[0] ^= 1;
	struct cache *c = open_cache();
	add(c, &one);
	add(c, &two);
	add(c, &one);
	save(c);
	c = open_cache();
	assert_known(c, &one);
	assert_known(c, &two);
	new.stamp.ctime_s++;
	add(c, &new);
	save(c);
	c = open_cache();
	assert_known(c, &new);
	assert_false(is_known(c, &one));
	assert_false(is_known(c, &two));
	cache_free(c);
}

/* --- what it must not remember ---------------------------------------------------------------- */

/* Whether it is remembered by a run that begins at NOW. */
static bool is_remembered(const struct cache_key *key)
{
	const struct cache_key witness = key_of(1000, 1);
	struct cache *c = open_cache();

	add(c, &witness);
	add(c, key);
	/* When it was added does not matter. */
	fake.now += 1000;
	save(c);
	c = open_cache();
	assert_known(c, &witness);
	bool known = is_known(c, key);
	cache_free(c);
	fake.now = NOW;
	assert_int_equal(unlink("c"), 0);
	return known;
}

static void cache_forgets_what_may_change_in_the_same_tick(void **state)
{
	static const struct {
		int64_t age; /* when the run begins */
		bool known;
	} cases[] = {{-DAY, false}, {-1, false}, {0, false}, {1, false},
		     {2, false},    {3, true},   {4, true},  {DAY, true}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cache_key key = key_of(1, 5);
		key.stamp.ctime_s = NOW - cases[i].age;
		assert_int_equal(is_remembered(&key), cases[i].known);
		key = key_of(1, 5);
		key.stamp.mtime_s = NOW - cases[i].age;
		assert_int_equal(is_remembered(&key), cases[i].known);
	}
}

static void cache_forgets_what_has_coarse_times(void **state)
{
	struct cache_key key = key_of(1, 5);

	(void)state;
	key.stamp.ctime_ns = 0;
	assert_false(is_remembered(&key));
	key.stamp.ctime_ns = 1;
	assert_true(is_remembered(&key));
	/* exFAT keeps hundredths, and its ctime can be set. */
	key.stamp.ctime_ns = 990000000;
	assert_false(is_remembered(&key));
	key.stamp.ctime_ns = 990000001;
	assert_true(is_remembered(&key));
	/* Who sets an mtime seldom gives nanoseconds. */
	key.stamp.mtime_ns = 0;
	assert_true(is_remembered(&key));
}

static void cache_forgets_what_is_not_asked_for(void **state)
{
	const struct cache_key used = key_of(1, 5), unused = key_of(2, 3 * PIECE);
	const size_t one = HEADER + RECORD + SHA256_SIZE, both = one + RECORD + 3 * SHA256_SIZE;
	uint8_t bytes[1024];

	(void)state;
	struct cache *c = open_cache();
	add(c, &used);
	add(c, &unused);
	save(c);
	for (unsigned day = 10; day <= 60; day += 10) {
		fake.now = NOW + (time_t)day * DAY;
		c = open_cache();
		assert_known(c, &used);
		save(c);
		/* With its layer. */
		assert_int_equal(read_cache(bytes, sizeof bytes), day <= CACHE_DAYS ? both : one);
	}
	c = open_cache();
	assert_known(c, &used);
	assert_false(is_known(c, &unused));
	cache_free(c);
}

static void cache_remembers_for_thirty_days(void **state)
{
	const struct cache_key old = key_of(1, 5), new = key_of(2, 5);

	(void)state;
	for (unsigned day = CACHE_DAYS; day <= CACHE_DAYS + 1; day++) {
		fake.now = NOW;
		make_with(&old, &how);
		fake.now = NOW + (time_t)day * DAY;
		make_with(&new, &how);
		struct cache *c = open_cache();
		assert_int_equal(is_known(c, &old), day == CACHE_DAYS);
		cache_free(c);
		assert_int_equal(unlink("c"), 0);
	}
}

/* A file that is not asked for for long, and then is, is still there if nothing was saved. */
static void cache_keeps_what_comes_back(void **state)
{
	const struct cache_key key = key_of(1, 5), other = key_of(2, 5);

	(void)state;
	make_with(&key, &how);
	fake.now += 400 * (time_t)DAY;
	struct cache *c = open_cache();
	assert_known(c, &key);
	add(c, &other);
	save(c);
	c = open_cache();
	assert_known(c, &key);
	assert_known(c, &other);
	cache_free(c);
}

/* --- saving ----------------------------------------------------------------------------------- */

static void cache_is_saved_only_with_something_new(void **state)
{
	const struct cache_key key = key_of(1, 5);

	(void)state;
	save(open_cache());
	assert_int_equal(access("c", F_OK), -1);
	make_with(&key, &how);
	ino_t before = inode_of_cache();
	struct cache *c = open_cache();
	assert_known(c, &key);
	save(c);
	assert_int_equal(inode_of_cache(), before);
	/* That it was used is news after a week. */
	fake.now += 7 * DAY;
	c = open_cache();
	assert_known(c, &key);
	save(c);
	assert_int_equal(inode_of_cache(), before);
	fake.now += DAY;
	c = open_cache();
	assert_known(c, &key);
	save(c);
	assert_int_not_equal(inode_of_cache(), before);
	before = inode_of_cache();
	/* What is racy is no news. */
	struct cache_key racy = key;
	racy.stamp.mtime_s = fake.now;
	c = open_cache();
	add(c, &racy);
	save(c);
	assert_int_equal(inode_of_cache(), before);
}

static void cache_is_private(void **state)
{
	const struct cache_key key = key_of(1, 5), other = key_of(2, 5);
	struct stat st;

	(void)state;
	mode_t mask = umask(0);
	make_with(&key, &how);
	assert_int_equal(stat("c", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* Also one that replaces another. */
	assert_int_equal(chmod("c", 0644), 0);
	struct cache *c = open_cache();
	add(c, &other);
	save(c);
	(void)umask(mask);
	assert_int_equal(stat("c", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void assert_not_saved(struct cache *c, const char *message)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(cache_save(c, scratch, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	if (strstr(e.msg, message) == NULL)
		fail_msg("%s", e.msg);
	cache_free(c);
}

static void cache_that_cannot_be_saved_stays_as_it_was(void **state)
{
	const struct cache_key key = key_of(1, 3 * PIECE);

	(void)state;
	make_with(&key, &how);
	ino_t before = inode_of_cache();
	for (size_t round = 0; round < 3; round++) {
		struct cache *c = open_cache();
		for (uint64_t i = 2; i < 5000; i++) {
			struct cache_key more = key_of(i, 5);
			add(c, &more);
		}
		/* At the first block, at the second, and at the end. */
		fake.writes_left = round < 2 ? round : 0;
		fake.write_errno = round < 2 ? ENOSPC : 0;
		fake.rename_errno = round < 2 ? 0 : EPERM;
		assert_not_saved(c, round < 2 ? "No space left" : "Operation not permitted");
		fake.write_errno = fake.rename_errno = 0;
		assert_int_equal(inode_of_cache(), before);
		c = open_cache();
		assert_known(c, &key);
		cache_free(c);
	}
}

static void cache_cannot_be_saved_where_no_folder_is(void **state)
{
	const struct cache_key key = key_of(1, 5);
	struct buf said = BUF_INIT;
	struct err e;

	(void)state;
	struct cache *c = cache_open("no/c", &said, &e);
	assert_non_null(c);
	assert_string_equal(said.data, "");
	add(c, &key);
	assert_not_saved(c, "cannot write 'no/c': No such file or directory");
}

static void cache_free_takes_nothing(void **state)
{
	(void)state;
	cache_free(NULL);
}

/* --- what is there is not to be trusted ------------------------------------------------------- */

#define OTHER_VERSION "it is no cache of this version"
#define CUT_OFF       "it is cut off or damaged"
#define DAMAGED       "it is damaged"

/* Three records, of which the second has a layer of three pieces. */
static struct cache_key image_key(uint64_t i)
{
	return key_of(i + 1, i == 1 ? 3 * PIECE : 5);
}

static size_t make_image(uint8_t *to)
{
	struct cache *c = open_cache();

	for (uint64_t i = 0; i < 3; i++) {
		struct cache_key key = image_key(i);
		add(c, &key);
	}
	save(c);
	size_t len = read_cache(to, IMAGE_ROOM);
	assert_int_equal(len, HEADER + 3 * RECORD + 3 * SHA256_SIZE + SHA256_SIZE);
	return len;
}

static void put(uint8_t *to, uint64_t n, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(n >> 8 * i);
}

static void fix_sum(uint8_t *image, size_t len)
{
	struct err e;
	struct sha256 *sha = sha256_new(&e);

	assert_non_null(sha);
	sha256_once(sha, image, len - SHA256_SIZE, image + len - SHA256_SIZE);
	sha256_free(sha);
}

/* Nothing of it is used, and it says why. */
static void assert_distrusted(const uint8_t *image, size_t len, const char *why)
{
	write_file("c", image, len);
	struct cache *c = open_saying(why);
	for (uint64_t i = 0; i < 3; i++) {
		struct cache_key key = image_key(i);
		assert_false(is_known(c, &key));
	}
	cache_free(c);
}

static void cache_with_a_wrong_bit_is_ignored(void **state)
{
	uint8_t image[IMAGE_ROOM];
	size_t len = make_image(image);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		uint8_t bit = (uint8_t)(1U << i % 8);
		image[i] ^= bit;
		const char *why = i < 16 ? OTHER_VERSION : i < AT_LAYERS + 8 ? CUT_OFF : DAMAGED;
		assert_distrusted(image, len, why);
		image[i] ^= bit;
	}
	/* It was not the image. */
	write_file("c", image, len);
	struct cache *c = open_cache();
	struct cache_key key = image_key(1);
	assert_known(c, &key);
	cache_free(c);
}

static void cache_that_is_cut_off_is_ignored(void **state)
{
	uint8_t image[IMAGE_ROOM];
	size_t len = make_image(image);

	(void)state;
	for (size_t i = 0; i < len; i++)
		assert_distrusted(image, i, i < HEADER ? OTHER_VERSION : CUT_OFF);
	/* Also where what is left has a sum that fits. */
	for (size_t i = HEADER + SHA256_SIZE; i < len; i++) {
		uint8_t copy[IMAGE_ROOM];
		memcpy(copy, image, i);
		fix_sum(copy, i);
		assert_distrusted(copy, i, CUT_OFF);
	}
}

static void cache_with_more_behind_it_is_ignored(void **state)
{
	uint8_t image[IMAGE_ROOM] = {0};
	size_t len = make_image(image);

	(void)state;
	for (size_t more = 1; more < 400; more += 13) {
		memset(image + len, 0, more);
		assert_distrusted(image, len + more, CUT_OFF);
		uint8_t copy[IMAGE_ROOM];
		memcpy(copy, image, len + more);
		fix_sum(copy, len + more);
		assert_distrusted(copy, len + more, CUT_OFF);
	}
}

static void cache_with_wrong_counts_is_ignored(void **state)
{
	/* 2^61 records more are 152 * 2^61 bytes more, which is 0 in 64 bits. */
	static const uint64_t more[] = {1,
					UINT64_MAX,
					(uint64_t)1 << 61,
					(uint64_t)1 << 62,
					(uint64_t)1 << 63,
					((uint64_t)1 << 61) + 1,
					UINT32_MAX};
	uint8_t image[IMAGE_ROOM];
	size_t len = make_image(image);

	(void)state;
	for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
		/* With as many layers fewer, the sizes would add up. */
		for (unsigned balanced = 0; balanced < 2; balanced++) {
			put(image + AT_COUNT, 3 + more[i], 8);
			put(image + AT_LAYERS, 3 * SHA256_SIZE - balanced * RECORD * more[i], 8);
			fix_sum(image, len);
			bool shifted = balanced == 1 && more[i] == UINT64_MAX;
			if (!shifted)
				assert_distrusted(image, len, CUT_OFF);
			put(image + AT_COUNT, 3, 8);
			put(image + AT_LAYERS, 3 * SHA256_SIZE + more[i], 8);
			fix_sum(image, len);
			assert_distrusted(image, len, CUT_OFF);
			put(image + AT_LAYERS, 3 * SHA256_SIZE, 8);
		}
	}
}

static void cache_with_a_layer_outside_is_ignored(void **state)
{
	static const uint64_t places[] = {1,
					  3 * SHA256_SIZE,
					  3 * SHA256_SIZE + 1,
					  UINT64_MAX,
					  UINT64_MAX - 95,
					  UINT64_MAX - 31,
					  (uint64_t)1 << 63};
	static const uint32_t pieces[] = {4, 0x08000000, UINT32_MAX};
	uint8_t image[IMAGE_ROOM];
	size_t len = make_image(image);
	uint8_t *record = image + HEADER + RECORD;

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		put(record + AT_LAYER, places[i], 8);
		fix_sum(image, len);
		assert_distrusted(image, len, DAMAGED);
	}
	put(record + AT_LAYER, 0, 8);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		put(record + AT_PIECES, pieces[i], 4);
		fix_sum(image, len);
		assert_distrusted(image, len, DAMAGED);
	}
	/* A record of which nobody asks a layer, too. */
	put(record + AT_PIECES, 3, 4);
	put(image + HEADER + AT_LAYER, UINT64_MAX, 8);
	fix_sum(image, len);
	assert_distrusted(image, len, DAMAGED);
}

/* Inside, but not what a file of this size has. */
static void cache_with_a_layer_of_another_length_does_not_know_the_file(void **state)
{
	const struct cache_key key = image_key(1), next = image_key(2);
	uint8_t image[IMAGE_ROOM];
	size_t len = make_image(image);
	uint8_t *record = image + HEADER + RECORD;

	(void)state;
	for (uint32_t pieces = 0; pieces <= 3; pieces++) {
		put(record + AT_PIECES, pieces, 4);
		fix_sum(image, len);
		write_file("c", image, len);
		struct cache *c = open_cache();
		assert_int_equal(is_known(c, &key), pieces == 3);
		assert_known(c, &next);
		cache_free(c);
	}
	static const uint32_t heights[] = {0, 2, 64, 0x101, UINT32_MAX};
	for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
		put(record + AT_HEIGHT, heights[i], 4);
		fix_sum(image, len);
		write_file("c", image, len);
		struct cache *c = open_cache();
		assert_false(is_known(c, &key));
		cache_free(c);
	}
}

/* Days that no calendar has are nothing to fall over. */
static void cache_with_odd_days_is_used(void **state)
{
	static const uint32_t days[] = {0, UINT32_MAX, UINT32_MAX - CACHE_DAYS, 0x80000000};
	const struct cache_key key = image_key(1), new = key_of(9, 9);
	uint8_t image[IMAGE_ROOM];
	size_t len = make_image(image);

	(void)state;
	for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
		put(image + HEADER + RECORD + AT_DAY, days[i], 4);
		fix_sum(image, len);
		write_file("c", image, len);
		struct cache *c = open_cache();
		assert_known(c, &key);
		add(c, &new);
		save(c);
		c = open_cache();
		assert_known(c, &key);
		assert_known(c, &new);
		cache_free(c);
	}
}

static void cache_without_order_is_ignored(void **state)
{
	uint8_t image[IMAGE_ROOM], copy[IMAGE_ROOM];
	size_t len = make_image(image);

	(void)state;
	memcpy(copy, image, len);
	memcpy(copy + HEADER, image + HEADER + 2 * RECORD, RECORD);
	memcpy(copy + HEADER + 2 * RECORD, image + HEADER, RECORD);
	fix_sum(copy, len);
	assert_distrusted(copy, len, DAMAGED);
	/* Two of one inode. */
	memcpy(copy, image, len);
	put(copy + HEADER + 2 * RECORD + AT_INODE, 2, 8);
	memcpy(copy + HEADER + 2 * RECORD + AT_SEAL, copy + HEADER + RECORD + AT_SEAL, CACHE_SEAL);
	fix_sum(copy, len);
	assert_distrusted(copy, len, DAMAGED);
	put(copy + HEADER + AT_INODE, 3, 8);
	fix_sum(copy, len);
	assert_distrusted(copy, len, DAMAGED);
}

static void cache_of_no_records_is_used(void **state)
{
	uint8_t image[IMAGE_ROOM];
	const struct cache_key key = image_key(0);

	(void)state;
	(void)make_image(image);
	put(image + AT_COUNT, 0, 8);
	put(image + AT_LAYERS, 0, 8);
	fix_sum(image, HEADER + SHA256_SIZE);
	write_file("c", image, HEADER + SHA256_SIZE);
	struct cache *c = open_cache();
	assert_false(is_known(c, &key));
	cache_free(c);
}

static void cache_that_is_damaged_is_replaced(void **state)
{
	uint8_t image[IMAGE_ROOM];
	size_t len = make_image(image);
	const struct cache_key old = image_key(0), new = key_of(9, 9);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		static const size_t lengths[] = {0, 3, HEADER, HEADER + RECORD};
		write_file("c", image, lengths[i]);
		struct cache *c = open_saying(lengths[i] < HEADER ? OTHER_VERSION : CUT_OFF);
		add(c, &new);
		save(c);
		c = open_cache();
		assert_known(c, &new);
		assert_false(is_known(c, &old));
		cache_free(c);
	}
	/* One of another version. */
	image[strlen("swarm: cache/")] = '2';
	fix_sum(image, len);
	assert_distrusted(image, len, OTHER_VERSION);
	struct cache *c = open_saying(OTHER_VERSION);
	add(c, &new);
	save(c);
	c = open_cache();
	assert_known(c, &new);
	cache_free(c);
}

/* --- what is no cache ------------------------------------------------------------------------- */

/* It stays as it was, and nobody waits for it. */
static void assert_left_alone(const char *why)
{
	const struct cache_key key = key_of(1, 5);
	ino_t before = inode_of_cache();
	struct cache *c = open_saying(why);

	add(c, &key);
	(void)alarm(20);
	save(c);
	(void)alarm(0);
	assert_int_equal(inode_of_cache(), before);
}

static void cache_leaves_other_files_alone(void **state)
{
	static const char *const texts[] = {"x", "precious\n", "swarm: rules/1\n",
					    "swarm: manifest/1\n", "swarm: cache1"};
	char got[64] = "";

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		write_file("c", texts[i], strlen(texts[i]));
		assert_left_alone(OTHER_VERSION);
		assert_int_equal(read_cache((uint8_t *)got, sizeof got), strlen(texts[i]));
		assert_memory_equal(got, texts[i], strlen(texts[i]));
	}
	/* Even if it could not be used if it were one. */
	assert_int_equal(chmod("c", 0666), 0);
	assert_left_alone(OTHER_VERSION);
}

/* It could be as large as a disk. */
static void cache_does_not_read_other_files_to_their_end(void **state)
{
	static uint8_t bytes[1 << 20];

	(void)state;
	write_file("c", bytes, sizeof bytes);
	fake.bytes_read = 0;
	cache_free(open_saying(OTHER_VERSION));
	assert_in_range(fake.bytes_read, 0, 4096);
}

static void cache_leaves_what_is_no_file_alone(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("c", 0600), 0);
	assert_left_alone("it is no regular file");
	assert_int_equal(unlink("c"), 0);
	assert_int_equal(mkdir("c", 0700), 0);
	assert_left_alone("it is no regular file");
	assert_int_equal(rmdir("c"), 0);
	assert_int_equal(symlink("/dev/null", "c"), 0);
	assert_left_alone("it is no regular file");
	assert_int_equal(unlink("c"), 0);
	assert_int_equal(symlink("c", "c"), 0);
	struct cache *c = open_saying("Too many levels of symbolic links");
	struct cache_key key = key_of(1, 5);
	add(c, &key);
	save(c);
}

static void cache_may_be_a_link(void **state)
{
	const struct cache_key key = key_of(1, 5), other = key_of(2, 5);
	struct stat st;

	(void)state;
	make_with(&key, &how);
	assert_int_equal(rename("c", "real"), 0);
	assert_int_equal(symlink("real", "c"), 0);
	struct cache *c = open_cache();
	assert_known(c, &key);
	add(c, &other);
	save(c);
	assert_int_equal(lstat("c", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	c = open_cache();
	assert_known(c, &key);
	assert_known(c, &other);
	cache_free(c);
	assert_int_equal(unlink("real"), 0);
}

static void cache_that_others_may_write_is_ignored(void **state)
{
	const struct cache_key key = key_of(1, 5), new = key_of(2, 5);
	struct stat st;

	(void)state;
	for (mode_t bits = 1; bits < 0200; bits <<= 1) {
		bool open_to_others = (bits & (S_IWGRP | S_IWOTH)) != 0;
		make_with(&key, &how);
		assert_int_equal(chmod("c", 0600 | bits), 0);
		struct cache *c = open_saying(open_to_others ? "others may write to it" : NULL);
		assert_int_equal(is_known(c, &key), !open_to_others);
		/* The next one is private again. */
		add(c, &new);
		save(c);
		assert_int_equal(stat("c", &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		c = open_cache();
		assert_known(c, &new);
		assert_int_equal(is_known(c, &key), !open_to_others);
		cache_free(c);
		assert_int_equal(unlink("c"), 0);
	}
}

static void cache_of_another_user_is_ignored(void **state)
{
	const struct cache_key key = key_of(1, 5);

	(void)state;
	if (geteuid() != 0)
		skip();
	make_with(&key, &how);
	assert_int_equal(chown("c", 65534, (gid_t)-1), 0);
	struct cache *c = open_saying("it belongs to another user");
	assert_false(is_known(c, &key));
	cache_free(c);
	/* Root could do anything anyway. */
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(chown("c", 0, (gid_t)-1), 0);
	assert_int_equal(chmod("c", 0644), 0);
	assert_int_equal(seteuid(65534), 0);
	c = open_cache();
	assert_known(c, &key);
	cache_free(c);
	assert_int_equal(seteuid(0), 0);
}

/* --- many ------------------------------------------------------------------------------------- */

static void cache_takes_a_million(void **state)
{
	const uint64_t count = patience(1000000, 30000);

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct cache *c = open_cache();
		for (uint64_t i = 0; i < count; i++) {
			struct cache_key key = key_of(i * 7919 % count, 5);
			if (round > 0)
				assert_true(is_known(c, &key));
			else
				add(c, &key);
		}
		struct cache_key more = key_of(count, 3 * PIECE);
		add(c, &more);
		save(c);
	}
	struct cache *c = open_cache();
	struct cache_key last = key_of(count, 3 * PIECE);
	assert_known(c, &last);
	cache_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(cache_gives_back_what_it_was_told),
	    TEST(cache_keeps_old_and_new_in_order),
	    TEST(cache_knows_extreme_keys),
	    TEST(cache_does_not_find_what_is_not_saved),
	    TEST(cache_finds_only_the_very_same_key),
	    TEST(cache_knows_a_file_of_one_piece_for_all_piece_lengths),
	    TEST(cache_knows_a_layer_only_at_its_height),
	    TEST(cache_has_plain_digests_only_where_they_were_made),
	    TEST(cache_replaces_what_stands_in_the_answer),
	    TEST(cache_keeps_the_newer_of_one_inode),
	    TEST(cache_keeps_each_of_two_names_of_an_inode),
	    TEST(cache_forgets_what_may_change_in_the_same_tick),
	    TEST(cache_forgets_what_has_coarse_times),
	    TEST(cache_forgets_what_is_not_asked_for),
	    TEST(cache_remembers_for_thirty_days),
	    TEST(cache_keeps_what_comes_back),
	    TEST(cache_is_saved_only_with_something_new),
	    TEST(cache_is_private),
	    TEST(cache_that_cannot_be_saved_stays_as_it_was),
	    TEST(cache_cannot_be_saved_where_no_folder_is),
	    TEST(cache_free_takes_nothing),
	    TEST(cache_with_a_wrong_bit_is_ignored),
	    TEST(cache_that_is_cut_off_is_ignored),
	    TEST(cache_with_more_behind_it_is_ignored),
	    TEST(cache_with_wrong_counts_is_ignored),
	    TEST(cache_with_a_layer_outside_is_ignored),
	    TEST(cache_with_a_layer_of_another_length_does_not_know_the_file),
	    TEST(cache_with_odd_days_is_used),
	    TEST(cache_without_order_is_ignored),
	    TEST(cache_of_no_records_is_used),
	    TEST(cache_that_is_damaged_is_replaced),
	    TEST(cache_leaves_other_files_alone),
	    TEST(cache_does_not_read_other_files_to_their_end),
	    TEST(cache_leaves_what_is_no_file_alone),
	    TEST(cache_may_be_a_link),
	    TEST(cache_that_others_may_write_is_ignored),
	    TEST(cache_of_another_user_is_ignored),
	    TEST(cache_takes_a_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
