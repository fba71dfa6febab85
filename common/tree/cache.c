#define _DEFAULT_SOURCE /* htole64(), le64toh() */
#include "swarm/cache.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "swarm/grow.h"
#include "swarm/io.h"
#include "swarm/outfile.h"

/* Of any version, a cache begins so. */
#define FAMILY      "swarm: cache/"
#define MAGIC       FAMILY "1\n"
#define HEADER_SIZE ((size_t)64)
#define RECORD_SIZE ((size_t)152)
/* Where things stand in a record. Numbers are of 64 bits unless it is said. */
enum {
	AT_DEVICE = 0,
	AT_INODE = 8,
	AT_SIZE = 16,
	AT_MTIME = 24,
	AT_CTIME = 32,
	AT_MTIME_NS = 40, /* of 32 bits */
	AT_CTIME_NS = 44, /* of 32 bits */
	AT_LAYER = 48,    /* where its layer begins, in bytes */
	AT_PIECES = 56,   /* of 32 bits: hashes in the layer */
	AT_DAY = 60,      /* of 32 bits: since 1970, when it was last asked for or made */
	AT_HEIGHT = 64,   /* of 32 bits: that of a piece, above its blocks */
	AT_FLAGS = 68,    /* of 32 bits */
	AT_SEAL = 72,
	AT_ROOT = 88,
	AT_SHA256 = 120,
};
#define FLAG_SHA256 1U
#define KEY_END     AT_LAYER
/* The coarsest clock of a file system that tells nanoseconds at all is far finer. */
#define RACY_SECONDS 2
/* What exFAT keeps; and, once it is mounted again, its ctime is the mtime, which can be set. */
#define COARSE_NS 10000000
/* A day of last use is written again when it is so old, not each time. */
#define DAYS_IDLE  7
#define DAY        86400
#define FILE_LIMIT ((uint64_t)1 << 36)

struct made {
	uint8_t record[RECORD_SIZE]; /* its layer stands in `layers` */
};

struct cache {
	char *path;
	time_t opened;
	uint32_t today;
	uint8_t *file; /* as it was read; NULL: none */
	uint64_t count, layer_bytes;
	struct made *made;
	size_t made_count, made_room;
	struct buf layers;
	bool stale;    /* a day of last use should be written */
	bool is_taken; /* the name, by what is no cache: it stays as it is */
};

/* --- numbers ------------------------------------------------------------------------------------
 */

static void put(uint8_t *to, uint64_t n, size_t bytes)
{
	n = htole64(n);
	memcpy(to, &n, bytes);
}

static uint64_t get(const uint8_t *from, size_t bytes)
{
	uint64_t n = 0;

	memcpy(&n, from, bytes);
	return le64toh(n);
}

static void put_key(uint8_t *record, const struct cache_key *key)
{
	put(record + AT_DEVICE, key->stamp.device, 8);
	put(record + AT_INODE, key->stamp.inode, 8);
	put(record + AT_SIZE, key->size, 8);
	put(record + AT_MTIME, (uint64_t)key->stamp.mtime_s, 8);
	put(record + AT_CTIME, (uint64_t)key->stamp.ctime_s, 8);
	put(record + AT_MTIME_NS, (uint64_t)key->stamp.mtime_ns, 4);
	put(record + AT_CTIME_NS, (uint64_t)key->stamp.ctime_ns, 4);
	memcpy(record + AT_SEAL, key->seal, CACHE_SEAL);
}

static int compare_inode(const uint8_t *x, const uint8_t *y)
{
	for (int at = AT_DEVICE; at <= AT_INODE; at += 8) {
		uint64_t a = get(x + at, 8), b = get(y + at, 8);
		if (a != b)
			return a < b ? -1 : 1;
	}
	return 0;
}

/* By device, inode and seal: links to one file may be looked at by different guards. */
static int compare_record(const void *left, const void *right)
{
	int order = compare_inode(left, right);

	return order != 0 ? order
			  : memcmp((const uint8_t *)left + AT_SEAL,
				   (const uint8_t *)right + AT_SEAL, CACHE_SEAL);
}

/* --- reading ------------------------------------------------------------------------------------
 */

static uint8_t *record_at(const struct cache *c, uint64_t i)
{
	return c->file + HEADER_SIZE + i * RECORD_SIZE;
}

static const uint8_t *layer_of(const struct cache *c, const uint8_t *record)
{
	return record_at(c, c->count) + get(record + AT_LAYER, 8);
}

/* Who else can write to it could have any digest published. */
static const char *distrust(const struct stat *st)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "it belongs to another user";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "others may write to it";
	return NULL;
}

static const char *check_sizes(const struct cache *c, uint64_t size)
{
	if (size > FILE_LIMIT || size > SIZE_MAX || c->count > size / RECORD_SIZE ||
	    c->layer_bytes > size ||
	    HEADER_SIZE + c->count * RECORD_SIZE + c->layer_bytes + SHA256_SIZE != size)
		return "it is cut off or damaged";
	return NULL;
}

static const char *check_sum(const struct cache *c, uint64_t size)
{
	uint8_t digest[SHA256_SIZE];
	struct err ignored;
	struct sha256 *sha = sha256_new(&ignored);
	bool right = false;

	if (sha != NULL) {
		sha256_once(sha, c->file, (size_t)size - SHA256_SIZE, digest);
		right = sha256_check(sha, &ignored) == 0 &&
			memcmp(digest, c->file + size - SHA256_SIZE, SHA256_SIZE) == 0;
	}
	sha256_free(sha);
	return right ? NULL : "it is damaged";
}

/* Nothing in it may lead out of it, whoever made the sum fit. */
static const char *check_records(const struct cache *c)
{
	for (uint64_t i = 0; i < c->count; i++) {
		const uint8_t *record = record_at(c, i);
		uint64_t at = get(record + AT_LAYER, 8),
			 bytes = get(record + AT_PIECES, 4) * SHA256_SIZE;
		if (at > c->layer_bytes || bytes > c->layer_bytes - at)
			return "it is damaged";
		if (i > 0 && compare_record(record_at(c, i - 1), record) >= 0)
			return "it is damaged";
	}
	return NULL;
}

static const char *say(struct buf *reason, const struct err *e)
{
	buf_adds(reason, e->msg);
	return reason->data;
}

/* Only a cache may be replaced, and what is left of one. */
static const char *read_header(struct cache *c, int fd, uint8_t header[static HEADER_SIZE],
			       struct buf *reason)
{
	struct err e;
	ssize_t n = io_read(fd, header, HEADER_SIZE, c->path, &e);

	if (n < 0)
		return say(reason, &e);
	size_t known = (size_t)n < strlen(FAMILY) ? (size_t)n : strlen(FAMILY);
	c->is_taken = memcmp(header, FAMILY, known) != 0;
	if ((size_t)n < HEADER_SIZE || memcmp(header, MAGIC, sizeof MAGIC) != 0)
		return "it is no cache of this version";
	c->count = get(header + 16, 8);
	c->layer_bytes = get(header + 24, 8);
	return NULL;
}

static const char *read_file(struct cache *c, int fd, struct buf *reason)
{
	uint8_t header[HEADER_SIZE];
	struct stat st;
	struct err e;

	c->is_taken = true; /* unless read_header() knows better */
	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "it is no regular file";
	const char *why = read_header(c, fd, header, reason);
	if (why == NULL)
		why = distrust(&st);
	uint64_t size = (uint64_t)st.st_size;
	if (why == NULL)
		why = check_sizes(c, size);
	if (why != NULL)
		return why;
	c->file = malloc((size_t)size);
	if (c->file == NULL)
		return "there is no memory for it";
	memcpy(c->file, header, HEADER_SIZE);
	ssize_t n = io_read(fd, c->file + HEADER_SIZE, (size_t)size - HEADER_SIZE, c->path, &e);
	if (n < 0)
		return say(reason, &e);
	if ((uint64_t)n != size - HEADER_SIZE)
		return "it is cut off or damaged";
	why = check_sum(c, size);
	return why == NULL ? check_records(c) : why;
}

static void forget(struct cache *c)
{
	free(c->file);
	c->file = NULL;
	c->count = c->layer_bytes = 0;
}

/* Why what is there cannot be used; NULL: it can, or nothing is there. */
static const char *load(struct cache *c, struct buf *reason)
{
	int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		c->is_taken = errno != ENOENT;
		return errno == ENOENT ? NULL : strerror(errno);
	}
	const char *why = read_file(c, fd, reason);
	(void)close(fd);
	return why;
}

struct cache *cache_open(const char *path, struct buf *ret_why, struct err *e)
{
	struct cache *c = calloc(1, sizeof *c);
	struct buf reason = BUF_INIT;

	if (c == NULL || (c->path = strdup(path)) == NULL) {
		free(c);
		(void)err_nomem(e);
		return NULL;
	}
	c->opened = time(NULL);
	c->today = (uint32_t)(c->opened / DAY);
	buf_init(&c->layers);
	const char *why = load(c, &reason);
	if (why != NULL) {
		buf_addf(ret_why, "the cache '%s' is not used: %s\n", path, why);
		forget(c);
	}
	buf_release(&reason);
	return c;
}

void cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	free(c->path);
	free(c->file);
	free(c->made);
	buf_release(&c->layers);
	free(c);
}

/* --- asking and remembering ---------------------------------------------------------------------
 */

static uint8_t *search(const struct cache *c, const uint8_t *key)
{
	uint64_t low = 0, high = c->count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (compare_record(record_at(c, middle), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->count && memcmp(record_at(c, low), key, KEY_END) == 0 ? record_at(c, low)
									      : NULL;
}

static bool has_pieces(uint64_t size, uint64_t piece_length)
{
	return size > piece_length;
}

/* Whether the record tells all that is wanted; the root is the same for all piece lengths. */
static bool suffices(const uint8_t *record, uint64_t size, const struct filehash_options *options)
{
	uint64_t pieces = get(record + AT_PIECES, 4);

	if (options->plain && (get(record + AT_FLAGS, 4) & FLAG_SHA256) == 0)
		return false;
	if (!has_pieces(size, options->piece_length))
		return true;
	return get(record + AT_HEIGHT, 4) == merkle_height(options->piece_length) &&
	       pieces == merkle_pieces(size, options->piece_length);
}

int cache_find(struct cache *c, const struct cache_key *key, const struct filehash_options *options,
	       struct filehash_digests *ret, struct err *e)
{
	uint8_t asked[RECORD_SIZE];

	put_key(asked, key);
	uint8_t *record = search(c, asked);
	if (record == NULL || memcmp(record + AT_SEAL, key->seal, CACHE_SEAL) != 0 ||
	    !suffices(record, key->size, options))
		return 0;
	ret->size = key->size;
	ret->has_sha256 = options->plain;
	memcpy(ret->root, record + AT_ROOT, SHA256_SIZE);
	memcpy(ret->sha256, record + AT_SHA256, SHA256_SIZE);
	buf_clear(&ret->layer);
	if (has_pieces(key->size, options->piece_length))
		buf_add(&ret->layer, layer_of(c, record),
			(size_t)get(record + AT_PIECES, 4) * SHA256_SIZE);
	if (buf_check(&ret->layer, e) != 0)
		return -1;
	uint32_t day = (uint32_t)get(record + AT_DAY, 4);
	c->stale = c->stale || day + DAYS_IDLE < c->today;
	put(record + AT_DAY, c->today, 4);
	return 1;
}

/* A change within the same tick of the clock as what was read would not show. */
static bool is_racy(const struct cache *c, const struct source_stamp *s)
{
	int64_t safe = (int64_t)c->opened - RACY_SECONDS;

	return s->mtime_s >= safe || s->ctime_s >= safe;
}

static bool is_coarse(const struct source_stamp *s)
{
	return s->ctime_ns % COARSE_NS == 0;
}

int cache_add(struct cache *c, const struct cache_key *key, const struct filehash_options *options,
	      const struct filehash_digests *digests, struct err *e)
{
	if (is_racy(c, &key->stamp) || is_coarse(&key->stamp))
		return 0;
	struct made *more = grow_for_one(c->made, c->made_count, &c->made_room, sizeof *more, e);
	if (more == NULL)
		return -1;
	c->made = more;
	uint8_t *record = more[c->made_count].record;
	memset(record, 0, RECORD_SIZE);
	put_key(record, key);
	put(record + AT_LAYER, c->layers.len, 8);
	put(record + AT_PIECES, digests->layer.len / SHA256_SIZE, 4);
	put(record + AT_DAY, c->today, 4);
	put(record + AT_HEIGHT, merkle_height(options->piece_length), 4);
	put(record + AT_FLAGS, digests->has_sha256 ? FLAG_SHA256 : 0, 4);
	memcpy(record + AT_ROOT, digests->root, SHA256_SIZE);
	if (digests->has_sha256)
		memcpy(record + AT_SHA256, digests->sha256, SHA256_SIZE);
	buf_add(&c->layers, digests->layer.data, digests->layer.len);
	if (buf_check(&c->layers, e) != 0)
		return -1;
	c->made_count++;
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------
 */

/* A record that is to be written, and its layer. */
struct chosen {
	const uint8_t *record, *layer;
};

static bool is_in_use(const struct cache *c, const uint8_t *record)
{
	return (uint32_t)get(record + AT_DAY, 4) + CACHE_DAYS >= c->today;
}

static struct chosen choose_made(const struct cache *c, size_t i)
{
	const uint8_t *record = c->made[i].record;

	return (struct chosen){record, (const uint8_t *)c->layers.data + get(record + AT_LAYER, 8)};
}

/* Whether what is new knows another state of the file; it goes on at k, or a little before. */
static bool is_outdated(const struct cache *c, const uint8_t *record, size_t k)
{
	for (size_t i = k > 0 ? k - 1 : 0; i <= k && i < c->made_count; i++)
		if (compare_inode(c->made[i].record, record) == 0)
			return memcmp(c->made[i].record, record, KEY_END) != 0;
	return false;
}

/* What is new, and what is old and still asked for, in order; of two for one inode and seal the new
 * one. */
static size_t choose(const struct cache *c, struct chosen *to)
{
	size_t count = 0, k = 0;

	for (uint64_t i = 0; i < c->count || k < c->made_count;) {
		int order = i == c->count ? 1
			    : k == c->made_count
				? -1
				: compare_record(record_at(c, i), c->made[k].record);
		if (order >= 0) {
			to[count++] = choose_made(c, k);
			/* Links to one file. */
			for (k++; k < c->made_count &&
				  compare_record(c->made[k - 1].record, c->made[k].record) == 0;)
				k++;
		} else if (is_in_use(c, record_at(c, i)) && !is_outdated(c, record_at(c, i), k)) {
			to[count++] =
			    (struct chosen){record_at(c, i), layer_of(c, record_at(c, i))};
		}
		if (order <= 0)
			i++;
	}
	return count;
}

struct sink {
	struct outfile *out;
	struct sha256 *sha;
	struct buf block;
};

static int flush(struct sink *s, struct err *e)
{
	if (buf_check(&s->block, e) != 0)
		return -1;
	sha256_update(s->sha, s->block.data, s->block.len);
	int status = outfile_write(s->out, s->block.data, s->block.len, e);
	buf_clear(&s->block);
	return status;
}

static int emit(struct sink *s, const void *bytes, size_t len, struct err *e)
{
	buf_add(&s->block, bytes, len);
	return s->block.len < (size_t)256 * 1024 ? 0 : flush(s, e);
}

static size_t layer_length(const struct chosen *x)
{
	return (size_t)get(x->record + AT_PIECES, 4) * SHA256_SIZE;
}

static int emit_all(struct sink *s, const struct chosen *list, size_t count, struct err *e)
{
	uint8_t header[HEADER_SIZE] = MAGIC, record[RECORD_SIZE], digest[SHA256_SIZE];
	uint64_t layers = 0;

	for (size_t i = 0; i < count; i++)
		layers += layer_length(&list[i]);
	put(header + 16, count, 8);
	put(header + 24, layers, 8);
	if (emit(s, header, sizeof header, e) != 0)
		return -1;
	layers = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(record, list[i].record, RECORD_SIZE);
		put(record + AT_LAYER, layers, 8);
		layers += layer_length(&list[i]);
		if (emit(s, record, RECORD_SIZE, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++)
		if (emit(s, list[i].layer, layer_length(&list[i]), e) != 0)
			return -1;
	if (flush(s, e) != 0)
		return -1;
	sha256_final(s->sha, digest);
	if (sha256_check(s->sha, e) != 0)
		return -1;
	return outfile_write(s->out, digest, sizeof digest, e);
}

static int write_out(struct cache *c, const struct chosen *list, size_t count,
		     struct scratch *scratch, struct err *e)
{
	const struct outfile_options how = {.force = true, .mode = 0600};
	struct sink s = {.block = BUF_INIT};
	int status = -1;

	s.out = outfile_open(c->path, &how, scratch, e);
	if (s.out == NULL)
		return -1;
	s.sha = sha256_new(e);
	if (s.sha != NULL && emit_all(&s, list, count, e) == 0)
		status = outfile_commit(s.out, e);
	sha256_free(s.sha);
	buf_release(&s.block);
	outfile_free(s.out);
	return status;
}

int cache_save(struct cache *c, struct scratch *scratch, struct err *e)
{
	if (c->is_taken || (c->made_count == 0 && !c->stale))
		return 0;
	struct chosen *list = calloc((size_t)c->count + c->made_count + 1, sizeof *list);
	if (list == NULL)
		return err_nomem(e);
	if (c->made_count > 0)
		qsort(c->made, c->made_count, sizeof *c->made, compare_record);
	size_t count = choose(c, list);
	int status = write_out(c, list, count, scratch, e);
	free(list);
	return status;
}
