#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/io.h"
#include "swarm/photo.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- asking ----------------------------------------------------------------------------------- */

struct file {
	const uint8_t *data;
	size_t size;
	unsigned calls;
	bool refuses;
};

static ssize_t read_at(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	struct file *f = context;

	f->calls++;
	if (f->refuses)
		return err_set(e, ERR_SYSTEM, "the disk is gone");
	assert_true(offset <= f->size && len <= f->size - offset);
	memcpy(to, f->data + offset, len);
	return (ssize_t)len;
}

/* The answer, which must be the same in memory and from a disk, and told by the first 16 bytes. */
static bool found_in(const void *bytes, size_t len)
{
	uint8_t *exact = malloc(len + (len == 0));
	bool found = false;

	if (len > 0)
		memcpy(exact, bytes, len);
	for (size_t first = 0; first <= len; first = first == 0    ? 40
						     : first < len ? len
								   : len + 1) {
		struct file file = {.data = exact, .size = len};
		struct probe p = {.size = len, .first = exact, .first_len = first};
		if (first < len) {
			p.read_at = read_at;
			p.context = &file;
		}
		bool now = photo_has_position(&p);
		assert_false(p.failed);
		assert_true(first == 0 || now == found);
		found = now;
	}
	assert_true(!found || photo_is_known(exact, 16));
	free(exact);
	return found;
}

static bool found(struct buf *b)
{
	bool yes = found_in(b->data, b->len);

	assert_false(b->failed);
	buf_release(b);
	return yes;
}

/* --- building --------------------------------------------------------------------------------- */

static void add_number(struct buf *b, uint64_t n, unsigned width, bool big)
{
	for (unsigned i = 0; i < width; i++)
		buf_addc(b, (char)(uint8_t)(n >> 8 * (big ? width - 1 - i : i)));
}

static void add_all(struct buf *b, struct buf *from)
{
	buf_add(b, from->data, from->len);
	buf_release(from);
}

/* What a test flips in a TIFF structure that has a position. */
struct exif {
	bool big;
	bool in_exif_directory;
	bool in_second_directory;
	unsigned pointer; /* 0x8825 if 0 */
	unsigned tag;     /* 2 if 0 */
	unsigned type;    /* 5 if 0 */
	uint32_t degrees; /* 0 is 0 */
	uint32_t divisor; /* 0 is 0 */
	uint32_t count;   /* 3 if 0 */
	uint32_t version; /* 42 if 0 */
};

static const struct exif here = {.degrees = 48, .divisor = 1};

static void add_field(struct buf *b, bool big, unsigned tag, unsigned type, uint32_t count,
		      uint32_t value)
{
	add_number(b, tag, 2, big);
	add_number(b, type, 2, big);
	add_number(b, count, 4, big);
	add_number(b, value, 4, big);
}

/* Directories: at 8 the main one, at 38 another one, at 68 that of GPS; its values are at 122. */
static void add_exif(struct buf *b, const struct exif *x)
{
	unsigned pointer = x->pointer != 0 ? x->pointer : 0x8825;
	bool is_first = !x->in_exif_directory && !x->in_second_directory;

	buf_adds(b, x->big ? "MM" : "II");
	add_number(b, x->version != 0 ? x->version : 42, 2, x->big);
	add_number(b, 8, 4, x->big);
	add_number(b, 2, 2, x->big);
	add_field(b, x->big, 0x112, 3, 1, x->big ? 0x10000 : 1);
	if (is_first)
		add_field(b, x->big, pointer, 4, 1, 68);
	else
		add_field(b, x->big, x->in_exif_directory ? 0x8769 : 0x131, 4, 1, 38);
	add_number(b, x->in_second_directory ? 38 : 0, 4, x->big);
	add_number(b, 2, 2, x->big);
	add_field(b, x->big, 0x9000, 7, 4, 0x30303230);
	add_field(b, x->big, is_first ? 0xA001 : pointer, 4, 1, 68);
	add_number(b, 0, 4, x->big);
	add_number(b, 4, 2, x->big);
	add_field(b, x->big, 0, 1, 4, x->big ? 0x02030000 : 0x302);
	add_field(b, x->big, 1, 2, 2, x->big ? 'N' << 24 : 'N');
	add_field(b, x->big, x->tag != 0 ? x->tag : 2, x->type != 0 ? x->type : 5,
		  x->count != 0 ? x->count : 3, 122);
	add_field(b, x->big, 6, 5, 1, 146);
	add_number(b, 0, 4, x->big);
	add_number(b, x->degrees, 4, x->big);
	for (unsigned i = 0; i < 2; i++) {
		add_number(b, x->divisor, 4, x->big);
		add_number(b, 0, 4, x->big);
	}
	add_number(b, x->divisor, 4, x->big);
	add_number(b, 350, 4, x->big); /* the altitude */
	add_number(b, 1, 4, x->big);
}

static void add_jpeg_start(struct buf *b)
{
	static const uint8_t start[] = {0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F',
					0,    1,    1,    0,    0, 1,  0,   1,   0,   0};

	buf_add(b, start, sizeof start);
}

static void add_segment(struct buf *b, uint8_t marker, const char *prefix, size_t prefix_len,
			struct buf *content)
{
	buf_addc(b, (char)0xFF);
	buf_addc(b, (char)marker);
	add_number(b, 2 + prefix_len + content->len, 2, true);
	buf_add(b, prefix, prefix_len);
	add_all(b, content);
}

static void add_jpeg_end(struct buf *b)
{
	static const uint8_t end[] = {0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x55, 0xFF, 0xD9};

	buf_add(b, end, sizeof end);
}

static struct buf jpeg_of(uint8_t marker, const char *prefix, size_t prefix_len,
			  struct buf *content)
{
	struct buf b = BUF_INIT;

	add_jpeg_start(&b);
	add_segment(&b, marker, prefix, prefix_len, content);
	add_jpeg_end(&b);
	return b;
}

static struct buf jpeg_with(const struct exif *x)
{
	struct buf exif = BUF_INIT;

	add_exif(&exif, x);
	return jpeg_of(0xE1, "Exif\0", 6, &exif);
}

static void add_chunk(struct buf *b, const char *type, const void *bytes, size_t len)
{
	add_number(b, len, 4, true);
	buf_add(b, type, 4);
	buf_add(b, bytes, len);
	add_number(b, 0xABCDEF01, 4, true); /* nobody checks the sum */
}

static void add_png_start(struct buf *b)
{
	buf_add(b, "\x89PNG\r\n\x1A\n", 8);
	add_chunk(b, "IHDR", "\0\0\0\1\0\0\0\1\x08\0\0\0\0", 13);
}

static struct buf png_of(const char *type, const void *bytes, size_t len)
{
	struct buf b = BUF_INIT;

	add_png_start(&b);
	add_chunk(&b, "IDAT", "\x78\x9C\x63\0\0\0\1\0\1", 9);
	add_chunk(&b, type, bytes, len);
	add_chunk(&b, "IEND", "", 0);
	return b;
}

static struct buf png_with(const char *type, const struct buf *content)
{
	return png_of(type, content->data, content->len);
}

static void add_box(struct buf *b, const char *type, struct buf *content)
{
	add_number(b, 8 + content->len, 4, true);
	buf_add(b, type, 4);
	add_all(b, content);
}

/* --- EXIF ------------------------------------------------------------------------------------- */

static void photo_finds_gps_in_jpeg(void **state)
{
	struct exif x = here, zero = here;

	(void)state;
	zero.degrees = 0;
	for (int big = 0; big < 2; big++) {
		x.big = zero.big = big == 1;
		struct buf yes = jpeg_with(&x), no = jpeg_with(&zero);
		assert_true(found(&yes));
		assert_false(found(&no));
	}
}

/* Each is refused for the one thing that is flipped, and found without. */
static void photo_takes_only_positions_for_one(void **state)
{
	static const struct exif twins[] = {
	    {.degrees = 48, .divisor = 1, .pointer = 0x8826},
	    {.degrees = 48, .divisor = 1, .tag = 7}, /* the time of day */
	    {.degrees = 48, .divisor = 1, .tag = 3}, /* E or W alone */
	    {.degrees = 48, .divisor = 0},
	    {.degrees = 48, .divisor = 1, .type = 99},
	    {.degrees = 48, .divisor = 1, .version = 43},
	    {.degrees = 48, .divisor = 1, .count = 6}, /* more than there are */
	};
	struct buf yes = jpeg_with(&here);

	(void)state;
	assert_true(found(&yes));
	for (size_t i = 0; i < COUNT(twins); i++)
		for (int big = 0; big < 2; big++) {
			struct exif x = twins[i];
			x.big = big == 1;
			struct buf no = jpeg_with(&x);
			if (found(&no))
				fail_msg("twin %zu was found", i);
		}
}

static void photo_takes_every_way_to_write_a_position(void **state)
{
	static const struct exif ways[] = {
	    {.degrees = 48, .divisor = 1, .tag = 4},
	    {.degrees = 48, .divisor = 1, .type = 10},
	    {.degrees = 48, .divisor = 0, .type = 4},
	    {.degrees = 48, .divisor = 1, .count = 1},
	    {.degrees = 48, .divisor = 1, .in_exif_directory = true},
	    {.degrees = 48, .divisor = 1, .in_second_directory = true},
	    {.degrees = 0x35352E34, .divisor = 0, .type = 2, .count = 8},
	    {.degrees = 0, .divisor = 0x40480000, .type = 12, .count = 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct buf yes = jpeg_with(&ways[i]);
		if (!found(&yes))
			fail_msg("way %zu was not found", i);
		struct exif x = ways[i];
		x.degrees = 0;
		x.divisor = x.divisor == 1;
		struct buf no = jpeg_with(&x);
		if (found(&no))
			fail_msg("zeros were found in way %zu", i);
	}
}

static void photo_finds_what_fits_into_its_field(void **state)
{
	(void)state;
	for (uint32_t value = 0; value < 2; value++) {
		struct buf b = BUF_INIT;
		buf_add(&b, "II*\0", 4);
		add_number(&b, 8, 4, false);
		add_number(&b, 1, 2, false);
		add_field(&b, false, 0x8825, 4, 1, 26);
		add_number(&b, 0, 4, false);
		add_number(&b, 1, 2, false);
		add_field(&b, false, 4, 3, 1, value);
		add_number(&b, 0, 4, false);
		assert_int_equal(found(&b), value == 1);
	}
}

static void photo_finds_gps_in_tiff_and_dng(void **state)
{
	struct exif x = here;

	(void)state;
	for (int big = 0; big < 2; big++) {
		struct buf yes = BUF_INIT, no = BUF_INIT;
		x.big = big == 1;
		x.pointer = 0;
		add_exif(&yes, &x);
		assert_true(found(&yes));
		x.pointer = 0x8824;
		add_exif(&no, &x);
		assert_false(found(&no));
	}
}

/* SubIFDs: as raw pictures have them. */
static void photo_follows_sub_directories(void **state)
{
	static const unsigned tags[] = {0x14A, 0x14B};

	(void)state;
	for (size_t i = 0; i < COUNT(tags); i++) {
		struct buf b = BUF_INIT;
		buf_add(&b, "MM\0*", 4);
		add_number(&b, 8, 4, true);
		add_number(&b, 1, 2, true);
		add_field(&b, true, tags[i], 4, 2, 26);
		add_number(&b, 0, 4, true);
		add_number(&b, 0, 4, true); /* no directory is here */
		add_number(&b, 34, 4, true);
		add_number(&b, 1, 2, true);
		add_field(&b, true, 0x8825, 4, 1, 52);
		add_number(&b, 0, 4, true);
		add_number(&b, 1, 2, true);
		add_field(&b, true, 2, 5, 1, 70);
		add_number(&b, 0, 4, true);
		add_number(&b, 48, 4, true);
		add_number(&b, 1, 4, true);
		assert_int_equal(found(&b), i == 0);
	}
}

static void photo_ends_where_directories_go_round(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_add(&b, "II*\0", 4);
	add_number(&b, 8, 4, false);
	add_number(&b, 3, 2, false);
	add_field(&b, false, 0x8769, 4, 1, 8);
	add_field(&b, false, 0x14A, 4, 1, 8);
	add_field(&b, false, 0x8825, 4, 1, 8);
	add_number(&b, 8, 4, false);
	assert_false(found(&b));
}

/* --- JPEG ------------------------------------------------------------------------------------- */

static void photo_looks_at_every_app1(void **state)
{
	struct exif elsewhere = here;

	(void)state;
	elsewhere.pointer = 0x8826;
	for (int i = 0; i < 2; i++) {
		struct buf b = BUF_INIT, first = BUF_INIT, second = BUF_INIT;
		add_exif(&first, &elsewhere);
		add_exif(&second, i == 0 ? &here : &elsewhere);
		add_jpeg_start(&b);
		add_segment(&b, 0xE1, "Exif\0", 6, &first);
		add_segment(&b, 0xE1, "Exif\0", 6, &second);
		add_jpeg_end(&b);
		assert_int_equal(found(&b), i == 0);
	}
}

static void photo_looks_at_app1_only(void **state)
{
	struct buf exif = BUF_INIT;

	(void)state;
	for (unsigned marker = 0xE0; marker <= 0xEF; marker++) {
		add_exif(&exif, &here);
		struct buf b = jpeg_of((uint8_t)marker, "Exif\0", 6, &exif);
		assert_int_equal(found(&b), marker == 0xE1);
	}
	add_exif(&exif, &here);
	struct buf other = jpeg_of(0xE1, "Exid\0", 6, &exif);
	assert_false(found(&other));
}

static void photo_ends_a_jpeg_where_its_pixels_begin(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buf b = BUF_INIT, exif = BUF_INIT;
		add_exif(&exif, &here);
		add_jpeg_start(&b);
		if (i == 1)
			add_jpeg_end(&b);
		add_segment(&b, 0xE1, "Exif\0", 6, &exif);
		assert_int_equal(found(&b), i == 0);
	}
}

static void photo_passes_over_padding_between_markers(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct exif x = here;
		struct buf b = BUF_INIT, exif = BUF_INIT;
		x.degrees = i == 0 ? 48 : 0;
		add_exif(&exif, &x);
		add_jpeg_start(&b);
		buf_add(&b, "\xFF\xFF\xFF\x01\xFF\xD0garbage\xFF\0\xFF\xFF", 17);
		add_segment(&b, 0xE1, "Exif\0", 6, &exif);
		assert_int_equal(found(&b), i == 0);
	}
}

static void photo_needs_a_whole_position(void **state)
{
	struct buf b = jpeg_with(&here);
	/* The last byte of the last rational: 8 of altitude and the pixels follow. */
	size_t end = b.len - 13 - 8;

	(void)state;
	assert_true(found_in(b.data, end));
	for (size_t len = 0; len < end; len++)
		assert_false(found_in(b.data, len));
	buf_release(&b);
}

/* --- XMP -------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	bool is_position;
} packets[] = {
    {"<rdf:Description exif:GPSLatitude=\"48,51.5N\"/>", true},
    {"<rdf:Description exif:GPSLatitude='0,0.5N'/>", true},
    {"<rdf:Description exif:GPSLongitude = \n \"2,0E\"/>", true},
    {"<exif:GPSLatitude>48,51.5N</exif:GPSLatitude>", true},
    {"<exif:GPSLongitude>\n2,0E\n</exif:GPSLongitude>", true},
    {"<exif:GPSLongitude xml:lang=\"x\">2,0E</exif:GPSLongitude>", true},
    {"<rdf:Description exif:GPSLatitude=\"0,0.000N\" tiff:Orientation=\"1\"/>", false},
    {"<rdf:Description exif:GPSLatitude=\"\" tiff:Orientation=\"1\"/>", false},
    {"<rdf:Description exif:GPSLatitudeRef=\"48,51.5N\"/>", false},
    {"<rdf:Description exif:GPSLattitude=\"48,51.5N\"/>", false},
    {"<rdf:Description exif:GPSLongitud=\"48,51.5N\"/>", false},
    {"<rdf:Description exif:GPSAltitude=\"48/1\"/>", false},
    {"<exif:GPSLatitude>0,0N</exif:GPSLatitude>\n<tiff:Orientation>1</tiff:Orientation>", false},
    {"<exif:GPSLatitude/><tiff:Orientation>1</tiff:Orientation>", false},
    {"<exif:GPSLongitude xml:lang=\"1\"", false},
    {"exif:GPSLatitude", false},
    {"exif:GPSL", false},
    {"", false},
};

static struct buf xmp_in_jpeg(const char *text)
{
	static const char name[] = "http://ns.adobe.com/xap/1.0/";
	struct buf xmp = BUF_INIT;

	buf_adds(&xmp, text);
	return jpeg_of(0xE1, name, sizeof name, &xmp);
}

static void photo_finds_gps_in_xmp_of_jpeg(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(packets); i++) {
		struct buf b = xmp_in_jpeg(packets[i].text);
		if (found(&b) != packets[i].is_position)
			fail_msg("wrong about %s", packets[i].text);
	}
}

static void photo_knows_xmp_by_its_name(void **state)
{
	static const char name[] = "http://ns.adobe.com/xap/1.1/";
	struct buf xmp = BUF_INIT;

	(void)state;
	buf_adds(&xmp, packets[0].text);
	struct buf b = jpeg_of(0xE1, name, sizeof name, &xmp);
	assert_false(found(&b));
	buf_add(&xmp, name, sizeof name - 1);
	b = jpeg_of(0xE1, "", 0, &xmp);
	assert_false(found(&b));
}

/* Wherever it stands to the blocks in which a long packet is read. */
static void photo_finds_gps_anywhere_in_long_xmp(void **state)
{
	for (size_t at = 4000; at < 5300; at += 3)
		for (size_t i = 0; i < 7; i += 6) {
			struct buf text = BUF_INIT;
			while (text.len < at)
				buf_addc(&text, "exif:GPSLxyz"[text.len % 12]);
			buf_adds(&text, packets[i].text);
			while (text.len < 9000)
				buf_addc(&text, ' ');
			struct buf b = xmp_in_jpeg(text.data);
			buf_release(&text);
			assert_int_equal(found(&b), packets[i].is_position);
		}
	(void)state;
}

static void photo_finds_gps_in_extended_xmp(void **state)
{
	static const char name[] = "http://ns.adobe.com/xmp/extension/";
	static const char part[] = "<exif:GPSLati";

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buf b = BUF_INIT, first = BUF_INIT, second = BUF_INIT;
		buf_adds(&first, "0123456789ABCDEF0123456789ABCDEF________");
		buf_adds(&second, "0123456789ABCDEF0123456789ABCDEF________");
		buf_adds(&first, part);
		buf_adds(&second, i == 0 ? "tude>48,5N<" : "tude>0,0N<");
		add_jpeg_start(&b);
		add_segment(&b, 0xE1, name, sizeof name, &first);
		add_segment(&b, 0xE1, name, sizeof name, &second);
		assert_int_equal(found(&b), i == 0);
	}
}

static void photo_finds_gps_in_xmp_of_tiff(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(packets); i++) {
		struct buf b = BUF_INIT;
		buf_add(&b, "II*\0", 4);
		add_number(&b, 8, 4, false);
		add_number(&b, 1, 2, false);
		add_field(&b, false, 0x2BC, 1, (uint32_t)strlen(packets[i].text), 26);
		add_number(&b, 0, 4, false);
		buf_adds(&b, packets[i].text);
		assert_int_equal(found(&b), packets[i].is_position);
	}
}

/* --- PNG -------------------------------------------------------------------------------------- */

static void deflate_to(struct buf *b, const struct buf *from)
{
	uLongf len = compressBound((uLong)from->len);
	char *room = buf_room(b, len);

	assert_non_null(room);
	assert_int_equal(compress((Bytef *)room, &len, (const Bytef *)from->data, (uLong)from->len),
			 Z_OK);
	buf_grew(b, len);
}

static void photo_finds_gps_in_exif_of_png(void **state)
{
	static const char *const types[] = {"eXIf", "eXIg"};

	(void)state;
	for (int prefixed = 0; prefixed < 2; prefixed++)
		for (size_t i = 0; i < COUNT(types); i++) {
			struct buf exif = BUF_INIT;
			buf_add(&exif, "Exif\0", prefixed == 1 ? 6 : 0);
			add_exif(&exif, &here);
			struct buf b = png_with(types[i], &exif);
			buf_release(&exif);
			assert_int_equal(found(&b), i == 0);
		}
}

/* tEXt, zTXt, iTXt and a compressed iTXt of `keyword`. */
static struct buf text_in_png(int form, const char *keyword, const struct buf *text)
{
	static const char *const types[] = {"tEXt", "zTXt", "iTXt", "iTXt"};
	struct buf content = BUF_INIT;

	buf_add(&content, keyword, strlen(keyword) + 1);
	if (form == 1)
		buf_addc(&content, '\0');
	if (form >= 2) {
		buf_addc(&content, form == 3 ? 1 : 0);
		buf_add(&content, "\0de\0Schl\xC3\xBCssel", 15);
	}
	if (form % 2 == 1)
		deflate_to(&content, text);
	else
		buf_add(&content, text->data, text->len);
	struct buf b = png_with(types[form], &content);
	buf_release(&content);
	return b;
}

static void photo_finds_gps_in_xmp_of_png(void **state)
{
	static const char *const keywords[] = {"XML:com.adobe.xmp", "XML:com.adobe.xmq"};

	(void)state;
	for (int form = 0; form < 4; form++)
		for (size_t i = 0; i < COUNT(packets); i++)
			for (size_t k = 0; k < COUNT(keywords); k++) {
				struct buf text = BUF_INIT;
				buf_adds(&text, packets[i].text);
				struct buf b = text_in_png(form, keywords[k], &text);
				buf_release(&text);
				assert_int_equal(found(&b), k == 0 && packets[i].is_position);
			}
}

/* As ImageMagick writes it. */
static void add_raw_profile(struct buf *b, const char *name, const struct buf *bytes)
{
	buf_addf(b, "\n%s\n%8zu", name, bytes->len);
	for (size_t i = 0; i < bytes->len; i++)
		buf_addf(b, "%s%02x", i % 36 == 0 ? "\n" : "", (uint8_t)bytes->data[i]);
	buf_addc(b, '\n');
}

static void photo_finds_gps_in_raw_profiles_of_png(void **state)
{
	static const struct {
		const char *keyword, *name;
		bool prefixed, is_read;
	} cases[] = {
	    {"Raw profile type exif", "exif", true, true},
	    {"Raw profile type exif", "exif", false, true},
	    {"Raw profile type APP1", "generic profile", true, true},
	    {"Raw profile type icc", "icc", true, false},
	};

	(void)state;
	for (int form = 0; form < 4; form++)
		for (size_t i = 0; i < 2 * COUNT(cases); i++) {
			struct exif x = here;
			struct buf exif = BUF_INIT, text = BUF_INIT;
			x.degrees = i % 2 == 0 ? 48 : 0;
			buf_add(&exif, "Exif\0", cases[i / 2].prefixed ? 6 : 0);
			add_exif(&exif, &x);
			add_raw_profile(&text, cases[i / 2].name, &exif);
			struct buf b = text_in_png(form, cases[i / 2].keyword, &text);
			buf_release(&exif);
			buf_release(&text);
			assert_int_equal(found(&b), i % 2 == 0 && cases[i / 2].is_read);
		}
}

static void photo_finds_xmp_in_raw_profiles_of_png(void **state)
{
	static const char *const keywords[] = {"Raw profile type APP1", "Raw profile type xmp"};

	(void)state;
	for (size_t k = 0; k < COUNT(keywords); k++)
		for (size_t i = 0; i < COUNT(packets); i++) {
			struct buf xmp = BUF_INIT, text = BUF_INIT;
			buf_add(&xmp, "http://ns.adobe.com/xap/1.0/", k == 0 ? 29 : 0);
			buf_adds(&xmp, packets[i].text);
			add_raw_profile(&text, "x", &xmp);
			struct buf b = text_in_png(1, keywords[k], &text);
			buf_release(&xmp);
			buf_release(&text);
			assert_int_equal(found(&b), packets[i].is_position);
		}
}

static void photo_finds_properties_that_imagemagick_writes(void **state)
{
	static const struct {
		const char *keyword, *text;
		bool is_position;
	} cases[] = {
	    {"exif:GPSLatitude", "48/1, 30/1, 0/1", true},
	    {"exif:GPSLongitude", "0/1, 30/1, 0/1", true},
	    {"exif:GPSLatitude", "0/1, 0/1, 0/10", false},
	    {"exif:GPSLatitude", "", false},
	    {"exif:GPSAltitude", "48/1, 30/1, 0/1", false},
	    {"exif:GPSLatitudeRef", "48/1, 30/1, 0/1", false},
	};

	(void)state;
	for (int form = 0; form < 4; form++)
		for (size_t i = 0; i < COUNT(cases); i++) {
			struct buf text = BUF_INIT;
			buf_adds(&text, cases[i].text);
			struct buf b = text_in_png(form, cases[i].keyword, &text);
			buf_release(&text);
			assert_int_equal(found(&b), cases[i].is_position);
		}
}

static void photo_reads_what_a_damaged_text_still_has(void **state)
{
	struct buf text = BUF_INIT, deflated = BUF_INIT, content = BUF_INIT;

	(void)state;
	buf_adds(&text, packets[0].text);
	for (unsigned i = 0; i < 2000; i++)
		buf_addf(&text, "%u", i * 2654435761U);
	deflate_to(&deflated, &text);
	buf_add(&content, "XML:com.adobe.xmp\0", 19);
	size_t start = content.len;
	buf_add(&content, deflated.data, deflated.len);
	for (size_t cut = 0; cut < 2; cut++) {
		struct buf b =
		    png_of("zTXt", content.data, cut == 0 ? content.len - 1000 : start + 10);
		assert_int_equal(found(&b), cut == 0);
	}
	buf_release(&text);
	buf_release(&deflated);
	buf_release(&content);
}

static void photo_inflates_no_more_than_a_mebibyte(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buf text = BUF_INIT;
		char *room = buf_room(&text, 3 << 20);
		assert_non_null(room);
		memset(room, ' ', 3 << 20);
		memcpy(room + (i == 0 ? 1000000 : 1100000), packets[0].text,
		       strlen(packets[0].text));
		buf_grew(&text, 3 << 20);
		struct buf b = text_in_png(1, "XML:com.adobe.xmp", &text);
		buf_release(&text);
		assert_int_equal(found(&b), i == 0);
	}
}

static void photo_ends_a_png_at_its_end(void **state)
{
	struct buf b = png_of("tEXt", "", 0), exif = BUF_INIT;

	(void)state;
	add_exif(&exif, &here);
	add_chunk(&b, "eXIf", exif.data, exif.len);
	buf_release(&exif);
	assert_false(found(&b));
}

static unsigned calls_for(const struct buf *b, bool expected)
{
	struct file file = {.data = (const uint8_t *)b->data, .size = b->len};
	struct probe p = {.size = b->len, .read_at = read_at, .context = &file};

	assert_int_equal(photo_has_position(&p), expected);
	return file.calls;
}

static void photo_reads_a_large_png_by_chunks(void **state)
{
	struct buf b = BUF_INIT, exif = BUF_INIT;
	char pixels[8192] = {0};

	(void)state;
	add_png_start(&b);
	for (int i = 0; i < 1280; i++)
		add_chunk(&b, "IDAT", pixels, sizeof pixels);
	/* Small ones share a read. */
	for (int i = 0; i < 10000; i++)
		add_chunk(&b, "IDAT", pixels, 1);
	assert_in_range(calls_for(&b, false), 1, 1400);
	add_exif(&exif, &here);
	add_chunk(&b, "eXIf", exif.data, exif.len);
	assert_in_range(calls_for(&b, true), 1, 1410);
	buf_release(&exif);
	buf_release(&b);
}

static void photo_reads_a_large_jpeg_once_a_segment(void **state)
{
	struct buf b = BUF_INIT, exif = BUF_INIT;
	static const char zeros[65000];

	(void)state;
	add_jpeg_start(&b);
	for (int i = 0; i < 100; i++) {
		struct buf profile = BUF_INIT;
		buf_add(&profile, zeros, sizeof zeros);
		add_segment(&b, 0xE2, "ICC_PROFILE", 12, &profile);
	}
	add_exif(&exif, &here);
	add_segment(&b, 0xE1, "Exif\0", 6, &exif);
	assert_in_range(calls_for(&b, true), 1, 110);
	buf_release(&b);
}

/* --- WebP ------------------------------------------------------------------------------------- */

static struct buf webp_with(const char *form, const char *type, const char *padding, size_t len,
			    struct buf *content)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "RIFF");
	add_number(&b, 4 + 8 + len + len % 2 + 8 + content->len, 4, false);
	buf_adds(&b, form);
	buf_adds(&b, "VP8L");
	add_number(&b, len, 4, false);
	buf_add(&b, padding, len + len % 2);
	buf_adds(&b, type);
	add_number(&b, content->len, 4, false);
	add_all(&b, content);
	return b;
}

static void photo_finds_gps_in_webp(void **state)
{
	static const struct {
		const char *form, *type;
		bool is_webp;
	} cases[] = {{"WEBP", "EXIF", true}, {"WEBP", "EXIG", false}, {"WAVE", "EXIF", false}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int odd = 0; odd < 2; odd++)
			for (int prefixed = 0; prefixed < 2; prefixed++) {
				struct buf exif = BUF_INIT;
				buf_add(&exif, "Exif\0", prefixed == 1 ? 6 : 0);
				add_exif(&exif, &here);
				struct buf b = webp_with(cases[i].form, cases[i].type, "abcdef",
							 (size_t)(4 + odd), &exif);
				assert_int_equal(found(&b), cases[i].is_webp);
			}
}

static void photo_finds_gps_in_xmp_of_webp(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(packets); i++) {
		struct buf yes = BUF_INIT, no = BUF_INIT;
		buf_adds(&yes, packets[i].text);
		buf_adds(&no, packets[i].text);
		struct buf b = webp_with("WEBP", "XMP ", "abcd", 4, &yes);
		assert_int_equal(found(&b), packets[i].is_position);
		b = webp_with("WEBP", "XMQ ", "abcd", 4, &no);
		assert_false(found(&b));
	}
}

/* --- HEIC ------------------------------------------------------------------------------------- */

/* What a test flips in a HEIC file whose second item has the position. */
struct heic {
	const char *brand;     /* "heic" if NULL */
	const char *item_type; /* "Exif" if NULL */
	const char *mime;      /* of an item of type "mime" */
	unsigned info_version; /* of infe; 2 if 0 */
	unsigned version;      /* of iloc */
	unsigned method;       /* 1: in idat */
	unsigned reference;    /* of a file */
	unsigned located;      /* the item that is said to be there; 2 if 0 */
	unsigned pieces;       /* 1 if 0 */
	uint32_t skip;         /* what the item says is before its TIFF header */
	uint32_t prefix;       /* what is */
	bool is_zero;
	bool wide; /* sizes of boxes are 64 bits */
	bool all;  /* the length is 0: to the end */
	bool base; /* offsets are relative to one, and 8 bytes wide */
};

static void add_info(struct buf *b, unsigned version, unsigned id, const char *type,
		     const char *mime)
{
	struct buf info = BUF_INIT;

	add_number(&info, (uint64_t)version << 24, 4, true);
	add_number(&info, id, version == 3 ? 4 : 2, true);
	add_number(&info, 0, 2, true);
	buf_adds(&info, type);
	buf_add(&info, "name", 5);
	if (mime != NULL)
		buf_add(&info, mime, strlen(mime) + 1);
	add_box(b, "infe", &info);
}

static void add_location(struct buf *b, const struct heic *x, unsigned id, uint64_t at,
			 uint64_t len)
{
	unsigned pieces = x->pieces != 0 ? x->pieces : 1;
	uint64_t base = x->base ? at - 3 : 0;

	add_number(b, id, x->version < 2 ? 2 : 4, true);
	if (x->version > 0)
		add_number(b, x->method, 2, true);
	add_number(b, x->reference, 2, true);
	if (x->base)
		add_number(b, base, 8, true);
	add_number(b, pieces, 2, true);
	for (unsigned i = 0; i < pieces; i++) {
		uint64_t from = len * i / pieces, to = len * (i + 1) / pieces;
		if (x->version > 0)
			add_number(b, 0, 4, true); /* an index, which nobody needs */
		add_number(b, at - base + from, x->base ? 8 : 4, true);
		add_number(b, x->all ? 0 : to - from, 4, true);
	}
}

static void add_meta(struct buf *b, const struct heic *x, const struct buf *item, uint64_t at)
{
	struct buf meta = BUF_INIT, infos = BUF_INIT, places = BUF_INIT;
	unsigned info_version = x->info_version != 0 ? x->info_version : 2;

	add_number(&meta, 0, 4, true);
	add_number(&infos, info_version == 3 ? 1 << 24 : 0, 4, true);
	add_number(&infos, 2, info_version == 3 ? 4 : 2, true);
	add_info(&infos, info_version, 1, "hvc1", NULL);
	add_info(&infos, info_version, 2, x->item_type != NULL ? x->item_type : "Exif", x->mime);
	add_box(&meta, "iinf", &infos);
	add_number(&places, (uint64_t)x->version << 24, 4, true);
	add_number(&places, (x->base ? 0x8480 : 0x4400) | (x->version > 0 ? 4 : 0), 2, true);
	add_number(&places, 2, x->version < 2 ? 2 : 4, true);
	add_location(&places, x, 1, at, 3);
	add_location(&places, x, x->located != 0 ? x->located : 2, x->method == 1 ? 0 : at,
		     item->len);
	add_box(&meta, "iloc", &places);
	if (x->method == 1) {
		struct buf idat = BUF_INIT;
		buf_add(&idat, item->data, item->len);
		add_box(&meta, "idat", &idat);
	}
	if (x->wide) {
		add_number(b, 1, 4, true);
		buf_adds(b, "meta");
		add_number(b, 16 + meta.len, 8, true);
		add_all(b, &meta);
	} else {
		add_box(b, "meta", &meta);
	}
}

static struct buf heic_with(const struct heic *x, struct buf *item)
{
	struct buf b = BUF_INIT, brands = BUF_INIT;
	size_t at = 0;

	/* Once to learn where the item will stand. */
	for (int i = 0; i < 2; i++) {
		buf_clear(&b);
		buf_adds(&brands, x->brand != NULL ? x->brand : "heic");
		add_number(&brands, 0, 4, true);
		buf_adds(&brands, "mif1");
		add_box(&b, "ftyp", &brands);
		add_meta(&b, x, item, at);
		at = b.len + 8;
	}
	if (x->method == 1)
		buf_release(item);
	add_box(&b, "mdat", item);
	return b;
}

static bool found_in_heic(const struct heic *x)
{
	struct buf item = BUF_INIT;
	struct exif exif = here;

	exif.degrees = x->is_zero ? 0 : 48;
	if (x->mime != NULL) {
		buf_adds(&item, packets[x->is_zero ? 6 : 0].text);
	} else {
		add_number(&item, x->skip, 4, true);
		buf_add(&item, "Exif\0\0\0\0\0\0\0\0", x->prefix);
		add_exif(&item, &exif);
	}
	struct buf b = heic_with(x, &item);
	return found(&b);
}

static void photo_finds_gps_in_heic(void **state)
{
	static const struct heic ways[] = {
	    {0},
	    {.brand = "avif"},
	    {.brand = "mif1"},
	    {.info_version = 3, .version = 2},
	    {.version = 1},
	    {.version = 1, .method = 1},
	    {.version = 2, .method = 1},
	    {.version = 2},
	    {.pieces = 2},
	    {.pieces = 5, .version = 1},
	    {.pieces = 7, .version = 1, .method = 1},
	    {.skip = 6, .prefix = 6},
	    {.skip = 0, .prefix = 6},
	    {.skip = 11, .prefix = 11},
	    {.wide = true},
	    {.all = true},
	    {.base = true},
	    {.base = true, .pieces = 3, .version = 1},
	    {.item_type = "mime", .mime = "application/rdf+xml"},
	    {.item_type = "mime", .mime = "application/rdf+xml", .pieces = 40},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct heic x = ways[i];
		if (!found_in_heic(&x))
			fail_msg("way %zu was not found", i);
		x.is_zero = true;
		if (found_in_heic(&x))
			fail_msg("zeros were found in way %zu", i);
	}
}

static void photo_takes_only_items_of_exif(void **state)
{
	static const struct heic twins[] = {
	    {.item_type = "Exig"},
	    {.item_type = "mime", .mime = "application/rdf+xmk"},
	    {.item_type = "mine", .mime = "application/rdf+xml"},
	    {.info_version = 1},
	    {.info_version = 4},
	    {.version = 3},
	    {.version = 1, .method = 2},
	    {.reference = 1},
	    {.located = 3},
	    {.skip = 5, .prefix = 6},
	    {.skip = 0xFFFFFFFF},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(twins); i++)
		if (found_in_heic(&twins[i]))
			fail_msg("twin %zu was found", i);
}

/* --- whatever comes --------------------------------------------------------------------------- */

static void photo_finds_nothing_in_other_files(void **state)
{
	static const char *const others[] = {
	    "",         "\xFF",    "\xFF\xD8\xFF",    "GIF89a",
	    "RIFF____", "II*",     "plain text exif", "\x89PNG\r\n\x1A\n",
	    "MM",       "____ftyp"};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(found_in(others[i], strlen(others[i])));
}

static void photo_knows_its_formats_by_their_beginning(void **state)
{
	static const struct {
		const char *first;
		bool is_known;
	} cases[] = {
	    {"\xFF\xD8\xFF\xE0____________", true},
	    {"\xFF\xD8\xFE\xE0____________", false},
	    {"\x89PNG\r\n\x1A\n________", true},
	    {"\x89PNG\r\n\x1A\r________", false},
	    {"RIFF____WEBPVP8X", true},
	    {"RIFF____WAVEfmt ", false},
	    {"____ftypavif____", true},
	    {"____ftyqavif____", false},
	    {"II*\0____________", true},
	    {"II*\1____________", false},
	    {"MM\0*____________", true},
	    {"MM*\0____________", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(photo_is_known(cases[i].first, 16), cases[i].is_known);
		assert_false(photo_is_known(cases[i].first, 8));
	}
	assert_false(photo_is_known("", 0));
}

static void photo_tells_of_a_read_that_failed(void **state)
{
	struct buf b = jpeg_with(&here);

	(void)state;
	for (size_t first = 0; first < 100; first += 30) {
		struct file file = {
		    .data = (const uint8_t *)b.data, .size = b.len, .refuses = true};
		struct probe p = {.size = b.len,
				  .first = file.data,
				  .first_len = first,
				  .read_at = read_at,
				  .context = &file};
		assert_false(photo_has_position(&p));
		assert_true(p.failed);
		assert_string_equal(p.err.msg, "the disk is gone");
	}
	buf_release(&b);
}

/* Many directories that each claim all the entries there can be. */
static void photo_ends_soon_on_what_goes_on_for_ever(void **state)
{
	struct buf b = BUF_INIT, sub = BUF_INIT;

	(void)state;
	buf_add(&b, "II*\0", 4);
	add_number(&b, 8, 4, false);
	while (b.len < 1 << 20) {
		add_number(&b, 0xFFFF, 2, false);
		add_field(&b, false, 0x14A, 4, 64, (uint32_t)(b.len * 3 % 1000000));
		add_field(&b, false, 0x2BC, 1, 1 << 20, 0);
	}
	for (int i = 0; i < 3; i++)
		add_chunk(&sub, "eXIf", b.data, b.len);
	struct buf png = png_with("eXIf", &sub);
	buf_release(&sub);
	assert_false(found(&png));
	assert_false(found(&b));
}

/* Files that cameras' and other people's programs wrote. */
static void photo_agrees_with_the_names_of_real_files(void **state)
{
	unsigned with = 0, without = 0;
	struct dirent *entry;
	DIR *dir = opendir("testdata/corpus/photo");

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		bool is_hit = strncmp(entry->d_name, "gps-", 4) == 0;
		struct buf b = BUF_INIT;
		char path[300];
		struct err e;
		if (!is_hit && strncmp(entry->d_name, "plain-", 6) != 0)
			continue;
		(void)snprintf(path, sizeof path, "testdata/corpus/photo/%.200s", entry->d_name);
		int fd = io_open(path, &e);
		assert_true(fd >= 0);
		assert_int_equal(io_read_all(fd, &b, SIZE_MAX, path, &e), 0);
		(void)close(fd);
		if (found(&b) != is_hit)
			fail_msg("wrong about %s", path);
		*(is_hit ? &with : &without) += 1;
	}
	(void)closedir(dir);
	assert_true(with >= 8 && without >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(photo_finds_gps_in_jpeg),
	    cmocka_unit_test(photo_takes_only_positions_for_one),
	    cmocka_unit_test(photo_takes_every_way_to_write_a_position),
	    cmocka_unit_test(photo_finds_what_fits_into_its_field),
	    cmocka_unit_test(photo_finds_gps_in_tiff_and_dng),
	    cmocka_unit_test(photo_follows_sub_directories),
	    cmocka_unit_test(photo_ends_where_directories_go_round),
	    cmocka_unit_test(photo_looks_at_every_app1),
	    cmocka_unit_test(photo_looks_at_app1_only),
	    cmocka_unit_test(photo_ends_a_jpeg_where_its_pixels_begin),
	    cmocka_unit_test(photo_passes_over_padding_between_markers),
	    cmocka_unit_test(photo_needs_a_whole_position),
	    cmocka_unit_test(photo_finds_gps_in_xmp_of_jpeg),
	    cmocka_unit_test(photo_knows_xmp_by_its_name),
	    cmocka_unit_test(photo_finds_gps_anywhere_in_long_xmp),
	    cmocka_unit_test(photo_finds_gps_in_extended_xmp),
	    cmocka_unit_test(photo_finds_gps_in_xmp_of_tiff),
	    cmocka_unit_test(photo_finds_gps_in_exif_of_png),
	    cmocka_unit_test(photo_finds_gps_in_xmp_of_png),
	    cmocka_unit_test(photo_finds_gps_in_raw_profiles_of_png),
	    cmocka_unit_test(photo_finds_xmp_in_raw_profiles_of_png),
	    cmocka_unit_test(photo_finds_properties_that_imagemagick_writes),
	    cmocka_unit_test(photo_reads_what_a_damaged_text_still_has),
	    cmocka_unit_test(photo_inflates_no_more_than_a_mebibyte),
	    cmocka_unit_test(photo_ends_a_png_at_its_end),
	    cmocka_unit_test(photo_reads_a_large_png_by_chunks),
	    cmocka_unit_test(photo_reads_a_large_jpeg_once_a_segment),
	    cmocka_unit_test(photo_finds_gps_in_webp),
	    cmocka_unit_test(photo_finds_gps_in_xmp_of_webp),
	    cmocka_unit_test(photo_finds_gps_in_heic),
	    cmocka_unit_test(photo_takes_only_items_of_exif),
	    cmocka_unit_test(photo_finds_nothing_in_other_files),
	    cmocka_unit_test(photo_knows_its_formats_by_their_beginning),
	    cmocka_unit_test(photo_tells_of_a_read_that_failed),
	    cmocka_unit_test(photo_ends_soon_on_what_goes_on_for_ever),
	    cmocka_unit_test(photo_agrees_with_the_names_of_real_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
