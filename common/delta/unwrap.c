#define ZLIB_CONST /* what is only read is const */
#include "swarm/unwrap.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define STEP ((size_t)256 * 1024)
/* Tells inflate() that a gzip header is there; a zlib header. */
#define GZIP_BITS (15 + 16)
#define ZLIB_BITS 15

struct magic {
	const char *bytes;
	size_t len, at;
	enum unwrap_format format;
	const char *name;
};

enum unwrap_format unwrap_format(const uint8_t *bytes, size_t len, const char **ret_name)
{
	static const struct magic known[] = {
	    {"\x1F\x8B\x08", 3, 0, UNWRAP_GZIP, "gzip"},
	    {"\x89PNG\r\n\x1A\n", 8, 0, UNWRAP_PNG, "PNG"},
	    {"PK\x03\x04", 4, 0, UNWRAP_ZIP, "zip"},
	    {"ustar", 5, 257, UNWRAP_TAR, "tar"},
	    {"\x28\xB5\x2F\xFD", 4, 0, UNWRAP_OTHER, "zstd"},
	    {"\xFD\x37zXZ\0", 6, 0, UNWRAP_OTHER, "xz"},
	    {"BZh", 3, 0, UNWRAP_OTHER, "bzip2"},
	    {"7z\xBC\xAF\x27\x1C", 6, 0, UNWRAP_OTHER, "7z"},
	    {"\xFF\xD8\xFF", 3, 0, UNWRAP_OTHER, "JPEG"},
	    {"WEBP", 4, 8, UNWRAP_OTHER, "WebP"},
	    {"GIF8", 4, 0, UNWRAP_OTHER, "GIF"},
	    {"ftyp", 4, 4, UNWRAP_OTHER, "MP4"},
	    {"\x1A\x45\xDF\xA3", 4, 0, UNWRAP_OTHER, "WebM"},
	    {"OggS", 4, 0, UNWRAP_OTHER, "Ogg"},
	    {"ID3", 3, 0, UNWRAP_OTHER, "MP3"},
	    {"wOFF", 4, 0, UNWRAP_OTHER, "WOFF"},
	    {"wOF2", 4, 0, UNWRAP_OTHER, "WOFF2"},
	    {"\xABKTX 20\xBB", 8, 0, UNWRAP_OTHER, "KTX2"},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		const struct magic *m = &known[i];
		if (len >= m->at + m->len && memcmp(bytes + m->at, m->bytes, m->len) == 0) {
			*ret_name = m->name;
			return m->format;
		}
	}
	*ret_name = "";
	return UNWRAP_PLAIN;
}

/* --- streams of zlib ----------------------------------------------------------------------------
 */

/* A stream whose input comes in parts. */
struct stream {
	z_stream z;
	struct buf *to;
	uint64_t left; /* bytes that may still come */
	bool ended;    /* all of it has come, as it should */
	bool failed;   /* damaged, or more than may come */
	bool again;    /* another member may follow */
};

static int feed(struct stream *s, const uint8_t *bytes, size_t len, struct err *e)
{
	s->z.next_in = bytes;
	while (len > 0 && !s->failed) {
		size_t part = len < STEP ? len : STEP;
		char *room = buf_room(s->to, s->left < STEP ? (size_t)s->left + 1 : STEP);
		if (room == NULL)
			return err_nomem(e);
		unsigned space = s->left < STEP ? (unsigned)s->left + 1 : (unsigned)STEP;
		s->z.avail_in = (unsigned)part;
		s->z.next_out = (Bytef *)room;
		s->z.avail_out = space;
		int status = inflate(&s->z, Z_NO_FLUSH);
		size_t made = space - s->z.avail_out;
		if (made > s->left) {
			s->failed = true;
			made = (size_t)s->left;
		}
		buf_grew(s->to, made);
		s->left -= made;
		len -= part - s->z.avail_in;
		s->ended = status == Z_STREAM_END;
		if (s->ended && (!s->again || len == 0 || *s->z.next_in != 0x1F))
			return 0;
		if (s->ended ? inflateReset(&s->z) != Z_OK
			     : status != Z_OK && status != Z_BUF_ERROR)
			s->failed = true;
	}
	return 0;
}

static uint32_t big32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The IDAT chunks, one behind the other, are one stream. */
static int feed_chunks(struct stream *s, const uint8_t *bytes, size_t len, struct err *e)
{
	for (size_t at = 8; len - at >= 12;) {
		size_t size = big32(bytes + at);
		if (size > len - at - 12)
			return 0;
		if (memcmp(bytes + at + 4, "IDAT", 4) == 0 && !s->ended && !s->failed &&
		    feed(s, bytes + at + 8, size, e) != 0)
			return -1;
		at += size + 12;
	}
	return 0;
}

int unwrap_inflate(enum unwrap_format format, const uint8_t *bytes, size_t len, uint64_t limit,
		   struct buf *ret, bool *ret_whole, struct err *e)
{
	bool gzip = format == UNWRAP_GZIP;
	struct stream s = {.to = ret, .left = limit, .again = gzip};

	*ret_whole = false;
	if (inflateInit2(&s.z, gzip ? GZIP_BITS : ZLIB_BITS) != Z_OK)
		return err_nomem(e);
	int status = gzip ? feed(&s, bytes, len, e) : feed_chunks(&s, bytes, len, e);
	(void)inflateEnd(&s.z);
	*ret_whole = s.ended && !s.failed;
	return status;
}

/* --- zip ----------------------------------------------------------------------------------------
 */

#define END_SIZE    ((size_t)22)
#define ENTRY_SIZE  ((size_t)46)
#define COMMENT_MAX ((size_t)65535)

static uint32_t little16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t little32(const uint8_t *p)
{
	return little16(p) | little16(p + 2) << 16;
}

/* The record at the end of the file that says where the directory is; NULL: there is none. */
static const uint8_t *find_end(const uint8_t *bytes, size_t len)
{
	for (size_t back = END_SIZE; back <= len && back <= END_SIZE + COMMENT_MAX; back++)
		if (memcmp(bytes + len - back, "PK\x05\x06", 4) == 0)
			return bytes + len - back;
	return NULL;
}

static int compare_place(const void *a, const void *b)
{
	const struct unwrap_member *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static bool read_entries(const uint8_t *p, size_t left, struct unwrap_members *m, size_t count)
{
	for (; m->count < count; m->count++) {
		if (left < ENTRY_SIZE || memcmp(p, "PK\x01\x02", 4) != 0)
			return false;
		size_t name_len = little16(p + 28);
		size_t size = ENTRY_SIZE + name_len + little16(p + 30) + little16(p + 32);
		if (size > left)
			return false;
		m->items[m->count] = (struct unwrap_member){.name = p + ENTRY_SIZE,
							    .name_len = name_len,
							    .crc = little32(p + 16),
							    .packed = little32(p + 20),
							    .size = little32(p + 24),
							    .at = little32(p + 42)};
		p += size;
		left -= size;
	}
	return true;
}

int unwrap_zip(const uint8_t *bytes, size_t len, size_t max, struct unwrap_members *ret,
	       bool *ret_known, struct err *e)
{
	const uint8_t *end = find_end(bytes, len);

	*ret = (struct unwrap_members){.items = NULL};
	*ret_known = false;
	if (end == NULL)
		return 0;
	size_t count = little16(end + 10), at = little32(end + 16);
	size_t before = (size_t)(end - bytes);
	if (count == 0 || count == 0xFFFF || count > max || at > before)
		return 0;
	ret->items = calloc(count, sizeof *ret->items);
	if (ret->items == NULL)
		return err_nomem(e);
	*ret_known = read_entries(bytes + at, before - at, ret, count);
	if (*ret_known) {
		qsort(ret->items, ret->count, sizeof *ret->items, compare_place);
		return 0;
	}
	free(ret->items);
	*ret = (struct unwrap_members){.items = NULL};
	return 0;
}
