#include "swarm/photo.h"

#include <string.h>
#include <zlib.h>

#include "swarm/buf.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define STEPS_MAX       (1U << 22)           /* entries, chunks, boxes, ... of one picture */
#define BLOB_MAX        ((size_t)1 << 20)    /* of what has to be gathered or inflated */
#define WORK_MAX        ((uint64_t)64 << 20) /* bytes of text and blobs of one picture */
#define DIRECTORIES_MAX 64                   /* of one TIFF structure */
#define ITEMS_MAX       32                   /* of one HEIC file that may have a position */

/* An XMP property and its value are shorter. */
#define XMP_CARRY ((size_t)512)

/* One picture that is being looked at. */
struct look {
	struct probe *p;
	unsigned steps;
	uint64_t work;
	size_t xmp_len; /* of the end of the packet so far; one packet may follow another */
	char xmp[XMP_CARRY + PROBE_BLOCK];
};

static bool step(struct look *l)
{
	if (l->steps == 0)
		return false;
	l->steps--;
	return true;
}

/* As many of `len` bytes as may still be worked on. */
static uint64_t afford(struct look *l, uint64_t len)
{
	if (len > l->work)
		len = l->work;
	l->work -= len;
	return len;
}

/* --- EXIF: a TIFF structure ------------------------------------------------------------------- */

enum {
	TAG_GPS_LATITUDE = 2,
	TAG_GPS_LONGITUDE = 4,
	TAG_SUB_DIRECTORIES = 0x14A,
	TAG_XMP = 0x2BC,
	TAG_EXIF = 0x8769,
	TAG_GPS = 0x8825,
};

enum { TYPE_ASCII = 2, TYPE_RATIONAL = 5, TYPE_SRATIONAL = 10 };

struct directory {
	uint32_t at;
	bool is_gps;
};

struct tiff {
	struct look *look;
	struct probe *p; /* where it is: the picture, or a blob of it */
	uint64_t base, size;
	bool big_endian;
	size_t n; /* directories that were found */
	struct directory directories[DIRECTORIES_MAX];
};

struct field {
	uint16_t tag, type;
	uint32_t count;
	uint8_t value[4]; /* or its offset */
};

static bool in_xmp_range(struct look *l, struct probe *p, uint64_t at, uint64_t len);

static uint16_t get16(const struct tiff *t, const uint8_t *at)
{
	return t->big_endian ? probe_be16(at) : probe_le16(at);
}

static uint32_t get32(const struct tiff *t, const uint8_t *at)
{
	return t->big_endian ? probe_be32(at) : probe_le32(at);
}

static bool tiff_read(const struct tiff *t, uint64_t offset, void *to, size_t len)
{
	return offset <= t->size && len <= t->size - offset &&
	       probe_read(t->p, t->base + offset, to, len);
}

/* Each once: directories that point at each other end. */
static void add_directory(struct tiff *t, uint32_t at, bool is_gps)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->directories[i].at == at && t->directories[i].is_gps == is_gps)
			return;
	if (at != 0 && t->n < DIRECTORIES_MAX)
		t->directories[t->n++] = (struct directory){at, is_gps};
}

static void add_sub_directories(struct tiff *t, const struct field *f)
{
	uint32_t at = get32(t, f->value);
	uint8_t offset[4];

	if (f->count == 1)
		add_directory(t, at, false);
	else
		for (uint32_t i = 0; i < f->count && i < DIRECTORIES_MAX; i++)
			if (tiff_read(t, at + (uint64_t)i * 4, offset, 4))
				add_directory(t, get32(t, offset), false);
}

/* A number other than zero: "48,51.5N", "48/1, 51/1, 0/1", but not "0/1". */
static bool has_number(const char *text, size_t len)
{
	bool is_denominator = false;

	for (size_t i = 0; i < len; i++) {
		bool is_digit = text[i] >= '0' && text[i] <= '9';
		if (is_digit && text[i] != '0' && !is_denominator)
			return true;
		is_denominator = text[i] == '/' || (is_denominator && is_digit);
	}
	return false;
}

/* A camera without a fix writes 0/1, 0/0 or spaces. */
static bool is_other_than_zero(const struct tiff *t, const struct field *f)
{
	static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
	uint8_t bytes[64];

	if (f->type >= COUNT(sizes))
		return false;
	size_t size = sizes[f->type];
	size_t len = size * (f->count < 8 ? f->count : 8);
	if ((uint64_t)size * f->count <= sizeof f->value)
		memcpy(bytes, f->value, len);
	else if (!tiff_read(t, get32(t, f->value), bytes, len))
		return false;
	if (f->type == TYPE_ASCII)
		return has_number((const char *)bytes, len);
	bool is_ratio = f->type == TYPE_RATIONAL || f->type == TYPE_SRATIONAL;
	for (size_t i = 0; i < len; i += is_ratio ? 8 : 1)
		if (is_ratio ? get32(t, bytes + i) != 0 && get32(t, bytes + i + 4) != 0
			     : bytes[i] != 0)
			return true;
	return false;
}

static bool in_gps_field(const struct tiff *t, const struct field *f)
{
	return (f->tag == TAG_GPS_LATITUDE || f->tag == TAG_GPS_LONGITUDE) &&
	       is_other_than_zero(t, f);
}

static bool in_field(struct tiff *t, const struct field *f)
{
	switch (f->tag) {
	case TAG_GPS: add_directory(t, get32(t, f->value), true); return false;
	case TAG_EXIF: add_directory(t, get32(t, f->value), false); return false;
	case TAG_SUB_DIRECTORIES: add_sub_directories(t, f); return false;
	case TAG_XMP: return in_xmp_range(t->look, t->p, t->base + get32(t, f->value), f->count);
	default: return false;
	}
}

static bool in_directory(struct tiff *t, struct directory d)
{
	uint8_t bytes[12];
	uint64_t at = (uint64_t)d.at + 2;

	if (!tiff_read(t, d.at, bytes, 2))
		return false;
	for (unsigned n = get16(t, bytes); n > 0; n--, at += 12) {
		if (!step(t->look) || !tiff_read(t, at, bytes, 12))
			return false;
		struct field f = {.tag = get16(t, bytes),
				  .type = get16(t, bytes + 2),
				  .count = get32(t, bytes + 4)};
		memcpy(f.value, bytes + 8, sizeof f.value);
		if (d.is_gps ? in_gps_field(t, &f) : in_field(t, &f))
			return true;
	}
	if (!d.is_gps && tiff_read(t, at, bytes, 4))
		add_directory(t, get32(t, bytes), false);
	return false;
}

/* `len` bytes at `at` of `p`, with or without the "Exif" that JPEG puts in front. */
static bool in_exif(struct look *l, struct probe *p, uint64_t at, uint64_t len)
{
	uint8_t head[8];

	if (len >= 14 && probe_read(p, at, head, 6) && memcmp(head, "Exif", 5) == 0) {
		at += 6;
		len -= 6;
	}
	if (len < 8 || !probe_read(p, at, head, 8))
		return false;
	struct tiff t = {.look = l, .p = p, .base = at, .size = len, .big_endian = head[0] == 'M'};
	if (memcmp(head, "II*", 4) != 0 && memcmp(head, "MM\0*", 4) != 0)
		return false;
	add_directory(&t, get32(&t, head + 4), false);
	for (size_t i = 0; i < t.n; i++)
		if (in_directory(&t, t.directories[i]))
			return true;
	return false;
}

static bool in_exif_blob(struct look *l, const void *bytes, size_t len)
{
	struct probe memory = {.size = len, .first = bytes, .first_len = len};

	return in_exif(l, &memory, 0, len);
}

/* --- XMP -------------------------------------------------------------------------------------- */

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* What is behind the property's name: ="48,51.5N", or >48,51.5N</ with or without attributes. */
static bool has_value(const char *p, const char *end)
{
	const char *at = skip_space(p, end);
	char stop = '<';

	if (at < end && *at == '=') {
		at = skip_space(at + 1, end);
		if (at == end || (*at != '"' && *at != '\''))
			return false;
		stop = *at;
	} else if (at == p && at < end && *at != '>') {
		return false; /* a longer name */
	} else {
		while (at < end && *at != '>' && *at != '<')
			at++;
		if (at == end || *at == '<')
			return false;
	}
	at++;
	const char *close = memchr(at, stop, (size_t)(end - at));
	return has_number(at, (size_t)((close != NULL ? close : end) - at));
}

static bool search_xmp(const char *text, size_t len)
{
	static const char prefix[] = "exif:GPSL";
	const char *end = text + len;

	for (const char *p = text; (p = memchr(p, 'e', (size_t)(end - p))) != NULL; p++) {
		/* Both names are as long. */
		if (end - p < 16 || memcmp(p, prefix, 9) != 0)
			continue;
		size_t name = memcmp(p + 9, "atitude", 7) == 0 ? 16 : 17;
		if (name == 17 && (end - p < 17 || memcmp(p + 9, "ongitude", 8) != 0))
			continue;
		const char *limit = (size_t)(end - p) > XMP_CARRY ? p + XMP_CARRY : end;
		if (has_value(p + name, limit))
			return true;
	}
	return false;
}

/* The next bytes of a packet; what is cut off at their end is looked at again with the next. */
static bool in_xmp(struct look *l, const void *bytes, size_t len)
{
	const char *from = bytes;

	while (len > 0) {
		size_t n = sizeof l->xmp - l->xmp_len;
		if (n > len)
			n = len;
		memcpy(l->xmp + l->xmp_len, from, n);
		l->xmp_len += n;
		from += n;
		len -= n;
		if (search_xmp(l->xmp, l->xmp_len))
			return true;
		if (l->xmp_len > XMP_CARRY) {
			memmove(l->xmp, l->xmp + l->xmp_len - XMP_CARRY, XMP_CARRY);
			l->xmp_len = XMP_CARRY;
		}
	}
	return false;
}

static bool in_xmp_range(struct look *l, struct probe *p, uint64_t at, uint64_t len)
{
	uint8_t block[PROBE_BLOCK];

	if (at > p->size)
		return false;
	if (len > p->size - at)
		len = p->size - at;
	for (len = afford(l, len); len > 0;) {
		size_t n = len < sizeof block ? (size_t)len : sizeof block;
		if (!step(l) || !probe_read(p, at, block, n))
			return false;
		if (in_xmp(l, block, n))
			return true;
		at += n;
		len -= n;
	}
	return false;
}

/* --- blobs ------------------------------------------------------------------------------------ */

/* Appends what is there of `len` bytes at `at`, while `to` is not full. */
static void load(struct look *l, struct buf *to, uint64_t at, uint64_t len)
{
	if (at > l->p->size)
		return;
	if (len > l->p->size - at)
		len = l->p->size - at;
	if (len > BLOB_MAX - to->len)
		len = BLOB_MAX - to->len;
	len = afford(l, len);
	char *room = buf_room(to, (size_t)len);
	if (room != NULL && probe_read(l->p, at, room, (size_t)len))
		buf_grew(to, (size_t)len);
}

/* A blob that no memory was left for was not looked at: that must not pass for "no". */
static bool is_whole(struct look *l, const struct buf *b)
{
	if (buf_check(b, &l->p->err) == 0)
		return true;
	l->p->failed = true;
	return false;
}

/* Whatever can be inflated of a zlib stream: a damaged end does not hide what was before it. */
static void inflate_blob(struct look *l, struct buf *to, uint8_t *from, size_t len)
{
	z_stream z = {.next_in = from, .avail_in = (unsigned)len};
	Bytef out[PROBE_BLOCK];
	int status = inflateInit(&z);

	if (status != Z_OK)
		to->failed = true;
	while (status == Z_OK && to->len < BLOB_MAX) {
		z.next_out = out;
		z.avail_out = sizeof out;
		status = inflate(&z, Z_NO_FLUSH);
		size_t n = sizeof out - z.avail_out;
		if (status == Z_MEM_ERROR)
			to->failed = true;
		if (n == 0 || afford(l, n) < n)
			break;
		buf_add(to, out, n);
	}
	(void)inflateEnd(&z);
}

/* --- JPEG ------------------------------------------------------------------------------------- */

static bool in_app1(struct look *l, uint64_t at, uint64_t len)
{
	static const char packet[] = "http://ns.adobe.com/xap/1.0/";
	/* Followed by a digest, the length and the offset of this part of a long packet. */
	static const char extension[] = "http://ns.adobe.com/xmp/extension/";
	const size_t extension_len = sizeof extension + 32 + 4 + 4;
	uint8_t head[sizeof extension] = {0};

	if (!probe_read(l->p, at, head, len < sizeof head ? (size_t)len : sizeof head))
		return false;
	if (memcmp(head, "Exif", 5) == 0)
		return in_exif(l, l->p, at, len);
	if (len > sizeof packet && memcmp(head, packet, sizeof packet) == 0)
		return in_xmp_range(l, l->p, at + sizeof packet, len - sizeof packet);
	if (len > extension_len && memcmp(head, extension, sizeof extension) == 0)
		return in_xmp_range(l, l->p, at + extension_len, len - extension_len);
	return false;
}

/* The next marker, with *at behind it; 0 if there is none. Padding and garbage may precede it. */
static uint8_t next_marker(struct look *l, uint64_t *at)
{
	uint8_t b[2];

	while (step(l) && probe_read(l->p, *at, b, 2)) {
		if (b[0] == 0xFF && b[1] != 0xFF && b[1] != 0) {
			*at += 2;
			return b[1];
		}
		++*at;
	}
	return 0;
}

static bool in_jpeg(struct look *l)
{
	enum { TEM = 0x01, RST0 = 0xD0, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, APP1 = 0xE1 };
	uint64_t at = 2;
	uint8_t bytes[2], marker;

	while ((marker = next_marker(l, &at)) != 0 && marker != SOS && marker != EOI) {
		if (marker == TEM || (marker >= RST0 && marker <= SOI))
			continue;
		if (!probe_read(l->p, at, bytes, 2) || probe_be16(bytes) < 2)
			return false;
		if (marker == APP1 && in_app1(l, at + 2, probe_be16(bytes) - 2U))
			return true;
		at += probe_be16(bytes);
	}
	return false;
}

/* --- PNG -------------------------------------------------------------------------------------- */

static int nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* As ImageMagick writes it: a line with a name, one with a length, and hex in lines. */
static bool in_raw_profile(struct look *l, uint8_t *bytes, size_t len)
{
	size_t n = 0;
	int high = -1;
	const uint8_t *end = bytes + len, *p = bytes;

	if (p < end && *p == '\n')
		p++;
	for (int line = 0; line < 2; line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			return false;
		p++;
	}
	for (; p < end; p++) {
		int digit = nibble(*p);
		if (digit < 0)
			continue;
		if (high >= 0)
			bytes[n++] = (uint8_t)(high << 4 | digit);
		high = high >= 0 ? -1 : digit;
	}
	/* APP1 is one or the other, and says so only by what it has. */
	return in_exif_blob(l, bytes, n) || in_xmp(l, bytes, n);
}

/* Behind the keyword: where the text begins, and whether it is compressed; false if damaged. */
static bool find_text(const char *type, const struct buf *b, size_t *ret, bool *compressed)
{
	const char *p = b->data, *end = b->data + b->len;

	*compressed = *type == 'z';
	if (memcmp(type, "iTXt", 4) == 0) {
		if (b->len < 2)
			return false;
		*compressed = p[0] == 1;
		p += 2;
		/* A language, and the keyword in it. */
		for (int i = 0; i < 2; i++) {
			p = memchr(p, '\0', (size_t)(end - p));
			if (p == NULL)
				return false;
			p++;
		}
	} else if (*compressed) {
		p++; /* the method: there is only one */
	}
	*ret = (size_t)(p - b->data);
	return *ret <= b->len;
}

enum text_kind { TEXT_OTHER, TEXT_RAW_PROFILE, TEXT_XMP, TEXT_VALUE };

static enum text_kind kind_of_text(const char *key)
{
	static const struct {
		const char *key;
		enum text_kind kind;
	} kinds[] = {
	    {"Raw profile type exif", TEXT_RAW_PROFILE},
	    {"Raw profile type APP1", TEXT_RAW_PROFILE},
	    {"Raw profile type xmp", TEXT_RAW_PROFILE},
	    {"XML:com.adobe.xmp", TEXT_XMP},
	    {"exif:GPSLatitude", TEXT_VALUE},
	    {"exif:GPSLongitude", TEXT_VALUE},
	};

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(key, kinds[i].key) == 0)
			return kinds[i].kind;
	return TEXT_OTHER;
}

static bool in_text_of(struct look *l, enum text_kind kind, char *text, size_t len)
{
	if (kind == TEXT_RAW_PROFILE)
		return in_raw_profile(l, (uint8_t *)text, len);
	return kind == TEXT_XMP ? in_xmp(l, text, len) : has_number(text, len);
}

static bool in_text(struct look *l, const char *type, uint64_t at, uint64_t len,
		    enum text_kind kind)
{
	struct buf chunk = BUF_INIT, inflated = BUF_INIT;
	size_t start = 0;
	bool compressed = false, found = false;

	load(l, &chunk, at, len);
	if (!is_whole(l, &chunk) || !find_text(type, &chunk, &start, &compressed))
		goto out;
	if (compressed) {
		inflate_blob(l, &inflated, (uint8_t *)chunk.data + start, chunk.len - start);
		found = is_whole(l, &inflated) && in_text_of(l, kind, inflated.data, inflated.len);
	} else {
		found = in_text_of(l, kind, chunk.data + start, chunk.len - start);
	}
out:
	buf_release(&chunk);
	buf_release(&inflated);
	return found;
}

static bool in_png_chunk(struct look *l, const char *type, uint64_t at, uint64_t len)
{
	char key[32] = "";

	if (memcmp(type, "eXIf", 4) == 0)
		return in_exif(l, l->p, at, len);
	if (memcmp(type, "tEXt", 4) != 0 && memcmp(type, "zTXt", 4) != 0 &&
	    memcmp(type, "iTXt", 4) != 0)
		return false;
	if (!probe_read(l->p, at, key, len < sizeof key ? (size_t)len : sizeof key))
		return false;
	size_t n = strnlen(key, sizeof key);
	if (n == sizeof key || n >= len)
		return false;
	enum text_kind kind = kind_of_text(key);
	return kind != TEXT_OTHER && in_text(l, type, at + n + 1, len - n - 1, kind);
}

static bool in_png(struct look *l)
{
	uint64_t at = 8;
	uint8_t head[8];

	while (step(l) && probe_read(l->p, at, head, 8)) {
		uint32_t len = probe_be32(head);
		char type[4];
		memcpy(type, head + 4, sizeof type);
		if (memcmp(type, "IEND", 4) == 0)
			return false;
		if (in_png_chunk(l, type, at + 8, len))
			return true;
		at += 12 + (uint64_t)len;
	}
	return false;
}

/* --- WebP ------------------------------------------------------------------------------------- */

static bool in_webp(struct look *l)
{
	uint64_t at = 12;
	uint8_t head[8];

	while (step(l) && probe_read(l->p, at, head, 8)) {
		uint32_t len = probe_le32(head + 4);
		if (memcmp(head, "EXIF", 4) == 0 && in_exif(l, l->p, at + 8, len))
			return true;
		if (memcmp(head, "XMP ", 4) == 0 && in_xmp_range(l, l->p, at + 8, len))
			return true;
		at += 8 + (uint64_t)len + len % 2;
	}
	return false;
}

/* --- HEIC, AVIF: ISO/IEC 14496-12 ------------------------------------------------------------- */

struct range {
	uint64_t at, end;
};

enum item_kind { ITEM_EXIF, ITEM_XMP };

struct item {
	uint32_t id;
	enum item_kind kind;
};

struct heif {
	struct look *look;
	struct range idat;
	size_t n;
	struct item items[ITEMS_MAX];
};

/* Reads numbers one behind the other; from one that is not there on, all are 0. */
struct cursor {
	struct look *look;
	uint64_t at, end;
	bool failed;
};

static uint64_t take(struct cursor *c, unsigned width)
{
	uint8_t bytes[8] = {0};

	if (width == 0)
		return 0;
	c->failed |= !step(c->look) || width > 8 || c->at > c->end || width > c->end - c->at ||
		     !probe_read(c->look->p, c->at, bytes + 8 - width, width);
	if (c->failed)
		return 0;
	c->at += width;
	return probe_be64(bytes);
}

/* The box at r->at, which is moved behind it. */
static bool next_box(struct look *l, struct range *r, uint8_t *type, struct range *ret)
{
	uint8_t head[16];
	uint64_t header = 8;

	if (!step(l) || r->at > r->end || r->end - r->at < header ||
	    !probe_read(l->p, r->at, head, 8))
		return false;
	uint64_t len = probe_be32(head);
	memcpy(type, head + 4, 4);
	if (len == 0) {
		len = r->end - r->at;
	} else if (len == 1) {
		header = 16;
		if (!probe_read(l->p, r->at, head, 16))
			return false;
		len = probe_be64(head + 8);
	}
	if (len < header || len > r->end - r->at)
		return false;
	*ret = (struct range){r->at + header, r->at + len};
	r->at += len;
	return true;
}

static void read_item_info(struct heif *h, struct range r)
{
	static const char rdf[] = "application/rdf+xml";
	char text[256];
	struct cursor c = {.look = h->look, .at = r.at, .end = r.end};
	uint64_t version = take(&c, 1);

	(void)take(&c, 3);
	uint32_t id = (uint32_t)take(&c, version == 2 ? 2 : 4);
	(void)take(&c, 2);
	uint64_t type = take(&c, 4);
	if (c.failed || version < 2 || version > 3 || h->n == ITEMS_MAX)
		return;
	if (type == 0x45786966) /* Exif */
		h->items[h->n++] = (struct item){id, ITEM_EXIF};
	if (type != 0x6D696D65) /* mime */
		return;
	size_t n = c.end - c.at < sizeof text ? (size_t)(c.end - c.at) : sizeof text;
	if (!probe_read(h->look->p, c.at, text, n))
		return;
	const char *name_end = memchr(text, '\0', n);
	if (name_end != NULL && (size_t)(text + n - name_end) > sizeof rdf - 1 &&
	    memcmp(name_end + 1, rdf, sizeof rdf - 1) == 0)
		h->items[h->n++] = (struct item){id, ITEM_XMP};
}

static void read_item_infos(struct heif *h, struct range r)
{
	struct cursor c = {.look = h->look, .at = r.at, .end = r.end};
	uint8_t type[4];
	struct range box;
	uint64_t version = take(&c, 1);

	(void)take(&c, 3);
	(void)take(&c, version == 0 ? 2 : 4);
	r.at = c.at;
	while (!c.failed && next_box(h->look, &r, type, &box))
		if (memcmp(type, "infe", 4) == 0)
			read_item_info(h, box);
}

static bool in_item(struct look *l, enum item_kind kind, const struct buf *b)
{
	if (kind == ITEM_XMP)
		return in_xmp(l, b->data, b->len);
	/* The offset of the TIFF header, counted from behind itself. */
	if (b->len < 4)
		return false;
	uint32_t skip = probe_be32((const uint8_t *)b->data);
	if (skip > b->len - 4)
		return false;
	return in_exif_blob(l, b->data + 4 + skip, b->len - 4 - skip);
}

/* How wide the numbers of an item location box are. */
struct widths {
	uint64_t version;
	unsigned offset, length, base, index;
};

/* Gathers the pieces of one item, or passes over them. */
static void read_extents(struct heif *h, struct cursor *c, const struct widths *w, bool is_wanted,
			 struct buf *to)
{
	uint64_t method = w->version > 0 ? take(c, 2) & 15 : 0;
	uint64_t reference = take(c, 2), base = take(c, w->base), count = take(c, 2);
	struct range from = {0, h->look->p->size};

	if (method == 1)
		from = h->idat;
	/* Neither other files nor items made of items. */
	is_wanted = is_wanted && reference == 0 && method <= 1;
	for (; count > 0 && !c->failed && step(h->look); count--) {
		(void)take(c, w->version > 0 ? w->index : 0);
		uint64_t offset = take(c, w->offset), len = take(c, w->length);
		uint64_t room = from.end - from.at;
		if (!is_wanted || c->failed || base > room || offset > room - base)
			continue;
		room -= base + offset;
		/* 0 is all that follows. */
		load(h->look, to, from.at + base + offset, len == 0 || len > room ? room : len);
	}
}

static const struct item *find_item(const struct heif *h, uint64_t id)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->items[i].id == id)
			return &h->items[i];
	return NULL;
}

static bool in_locations(struct heif *h, struct range r)
{
	struct cursor c = {.look = h->look, .at = r.at, .end = r.end};
	struct widths w = {.version = take(&c, 1)};
	bool found = false;

	(void)take(&c, 3);
	uint64_t sizes = take(&c, 2);
	w.offset = sizes >> 12 & 15;
	w.length = sizes >> 8 & 15;
	w.base = sizes >> 4 & 15;
	w.index = sizes & 15;
	if (w.version > 2)
		return false;
	uint64_t count = take(&c, w.version < 2 ? 2 : 4);
	for (; count > 0 && !found && !c.failed; count--) {
		struct buf blob = BUF_INIT;
		const struct item *item = find_item(h, take(&c, w.version < 2 ? 2 : 4));
		read_extents(h, &c, &w, item != NULL, &blob);
		if (item != NULL && is_whole(h->look, &blob))
			found = in_item(h->look, item->kind, &blob);
		buf_release(&blob);
	}
	return found;
}

static bool in_meta(struct look *l, struct range meta)
{
	struct heif h = {.look = l};
	struct range locations = {0, 0}, box;
	uint8_t type[4];

	meta.at += 4; /* its version and flags */
	while (next_box(l, &meta, type, &box)) {
		if (memcmp(type, "iinf", 4) == 0)
			read_item_infos(&h, box);
		else if (memcmp(type, "iloc", 4) == 0)
			locations = box;
		else if (memcmp(type, "idat", 4) == 0)
			h.idat = box;
	}
	return h.n > 0 && in_locations(&h, locations);
}

/* Any brand: a film has no items, and brands of pictures are added year by year. */
static bool in_heif(struct look *l)
{
	struct range file = {0, l->p->size}, box;
	uint8_t type[4];

	while (next_box(l, &file, type, &box))
		if (memcmp(type, "meta", 4) == 0 && in_meta(l, box))
			return true;
	return false;
}

/* --- the formats ------------------------------------------------------------------------------ */

#define HEAD_LEN 12

enum format { FORMAT_NONE, FORMAT_JPEG, FORMAT_PNG, FORMAT_WEBP, FORMAT_HEIF, FORMAT_TIFF };

static enum format format_of(const uint8_t *head)
{
	if (memcmp(head, "\xFF\xD8\xFF", 3) == 0)
		return FORMAT_JPEG;
	if (memcmp(head, "\x89PNG\r\n\x1A\n", 8) == 0)
		return FORMAT_PNG;
	if (memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBP", 4) == 0)
		return FORMAT_WEBP;
	if (memcmp(head + 4, "ftyp", 4) == 0)
		return FORMAT_HEIF;
	if (memcmp(head, "II*", 4) == 0 || memcmp(head, "MM\0*", 4) == 0)
		return FORMAT_TIFF;
	return FORMAT_NONE;
}

bool photo_is_known(const void *first, size_t len)
{
	return len >= HEAD_LEN && format_of(first) != FORMAT_NONE;
}

bool photo_has_position(struct probe *p)
{
	uint8_t head[HEAD_LEN];
	struct look l = {.p = p, .steps = STEPS_MAX, .work = WORK_MAX};

	if (!probe_read(p, 0, head, sizeof head))
		return false;
	switch (format_of(head)) {
	case FORMAT_JPEG: return in_jpeg(&l);
	case FORMAT_PNG: return in_png(&l);
	case FORMAT_WEBP: return in_webp(&l);
	case FORMAT_HEIF: return in_heif(&l);
	case FORMAT_TIFF: return in_exif(&l, p, 0, p->size);
	case FORMAT_NONE: break;
	}
	return false;
}
