#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/binary.h"
#include "swarm/buf.h"
#include "swarm/io.h"

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
static enum binary_find find_in(const void *bytes, size_t len)
{
	uint8_t *exact = malloc(len + (len == 0));

	if (len > 0)
		memcpy(exact, bytes, len);
	struct file file = {.data = exact, .size = len};
	struct probe memory = {.size = len, .first = exact, .first_len = len};
	struct probe disk = {.size = len,
			     .first = exact,
			     .first_len = len < 10 ? len : 10,
			     .read_at = read_at,
			     .context = &file};
	enum binary_find found = binary_examine(&memory);
	assert_int_equal(binary_examine(&disk), found);
	assert_false(disk.failed || memory.failed);
	assert_true(found == BINARY_NOTHING || binary_is_known(exact, 16));
	free(exact);
	return found;
}

static enum binary_find find(struct buf *b)
{
	enum binary_find found = find_in(b->data, b->len);

	assert_false(b->failed);
	buf_release(b);
	return found;
}

/* --- building --------------------------------------------------------------------------------- */

static void add_number(struct buf *b, uint64_t n, unsigned width, bool big)
{
	for (unsigned i = 0; i < width; i++)
		buf_addc(b, (char)(uint8_t)(n >> 8 * (big ? width - 1 - i : i)));
}

static void add_zeros(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_addc(b, '\0');
}

/* Text in a field of `len` bytes. */
static void add_text(struct buf *b, const char *text, size_t len)
{
	size_t n = strlen(text);

	assert_true(n <= len);
	buf_add(b, text, n);
	add_zeros(b, len - n);
}

/* What a test flips in a file that has one section of a name. */
struct spec {
	bool wide, big;
	const char *name;    /* ".debug_info" or what the format has if NULL */
	const char *segment; /* of Mach-O */
	unsigned type;       /* of the file */
	unsigned kind;       /* of the section: of ELF; 1 if 0 */
	bool is_empty;
	bool is_escaped; /* numbers are too large for the file header of ELF */
	unsigned before; /* other sections */
	uint32_t magic;  /* 0: the right one */
};

static const char *name_of(const struct spec *s)
{
	return s->name != NULL ? s->name : ".debug_info";
}

static void add_elf_section(struct buf *b, const struct spec *s, uint32_t name, uint32_t type,
			    uint64_t offset, uint64_t size, uint32_t link)
{
	unsigned word = s->wide ? 8 : 4;

	add_number(b, name, 4, s->big);
	add_number(b, type, 4, s->big);
	add_number(b, 0, 2 * word > 8 ? 8 : word, s->big); /* flags */
	add_number(b, 0, word, s->big);                    /* address */
	add_number(b, offset, word, s->big);
	add_number(b, size, word, s->big);
	add_number(b, link, 4, s->big);
	add_number(b, 0, 4, s->big);
	add_number(b, 1, word, s->big);
	add_number(b, 0, word, s->big);
}

/* Header, names, sections: none, names, others, the one that is asked about. */
static struct buf elf_of(const struct spec *s)
{
	struct buf b = BUF_INIT, names = BUF_INIT;
	unsigned word = s->wide ? 8 : 4, header = s->wide ? 64 : 52, n = 3 + s->before;

	buf_add(&names, "\0.text", 7);
	uint32_t name = (uint32_t)names.len;
	buf_add(&names, name_of(s), strlen(name_of(s)) + 1);
	buf_add(&b, "\177ELF", 4);
	buf_addc(&b, s->wide ? 2 : 1);
	buf_addc(&b, s->big ? 2 : 1);
	add_text(&b, "\1", 10);
	add_number(&b, s->type != 0 ? s->type : 2, 2, s->big);
	add_number(&b, 62, 2, s->big);
	add_number(&b, 1, 4, s->big);
	add_number(&b, 0, word, s->big);                  /* entry */
	add_number(&b, 0, word, s->big);                  /* program headers */
	add_number(&b, header + names.len, word, s->big); /* section headers */
	add_number(&b, 0, 4, s->big);
	add_number(&b, header, 2, s->big);
	add_number(&b, 0, 4, s->big);
	add_number(&b, s->wide ? 64 : 40, 2, s->big);
	add_number(&b, s->is_escaped ? 0 : n, 2, s->big);
	add_number(&b, s->is_escaped ? 0xFFFF : 1, 2, s->big);
	assert_int_equal(b.len, header);
	buf_add(&b, names.data, names.len);
	add_elf_section(&b, s, 0, 0, 0, s->is_escaped ? n : 0, s->is_escaped ? 1 : 0);
	add_elf_section(&b, s, 0, 3, header, names.len, 0);
	for (unsigned i = 0; i < s->before; i++)
		add_elf_section(&b, s, 1, 1, header, 10, 0);
	add_elf_section(&b, s, name, s->kind != 0 ? s->kind : 1, header, s->is_empty ? 0 : 10, 0);
	buf_release(&names);
	return b;
}

/* Of a PE file: a section with a name that is in the table of strings or short enough. */
static void add_coff(struct buf *b, const struct spec *s, const char *field, uint64_t at)
{
	unsigned n = 1 + s->before;
	/* COFF header, optional header, sections, two symbols, strings. */
	uint64_t optional = s->type == 0 ? 240 : 0, symbols = at + 20 + optional + n * 40;

	add_number(b, 0x8664, 2, false);
	add_number(b, n, 2, false);
	add_number(b, 0, 4, false);
	add_number(b, symbols, 4, false);
	add_number(b, 2, 4, false);
	add_number(b, optional, 2, false);
	add_number(b, 0, 2, false);
	add_zeros(b, optional);
	for (unsigned i = 0; i < n; i++) {
		add_text(b, i + 1 < n ? ".text" : field, 8);
		add_number(b, 0x1000, 4, false);
		add_number(b, 0x1000, 4, false);
		add_number(b, i + 1 < n || !s->is_empty ? 512 : 0, 4, false);
		add_zeros(b, 20);
	}
	add_zeros(b, 2 * 18);
	add_number(b, 4 + 3 + strlen(name_of(s)) + 1, 4, false);
	buf_adds(b, "abc");
	buf_add(b, name_of(s), strlen(name_of(s)) + 1);
}

static struct buf pe_of(const struct spec *s, const char *field)
{
	struct buf b = BUF_INIT;

	add_text(&b, "MZ", 0x3C);
	add_number(&b, 0x80, 4, false);
	add_zeros(&b, 0x40);
	add_number(&b, s->magic != 0 ? s->magic : 0x4550, 4, false);
	add_coff(&b, s, field, b.len);
	return b;
}

static void add_mach(struct buf *b, const struct spec *s)
{
	unsigned word = s->wide ? 8 : 4, section = s->wide ? 80 : 68, segment = s->wide ? 72 : 56;

	add_number(b, s->magic != 0 ? s->magic : s->wide ? 0xFEEDFACF : 0xFEEDFACE, 4, s->big);
	add_number(b, 0x01000007, 4, s->big);
	add_number(b, 3, 4, s->big);
	add_number(b, s->type != 0 ? s->type : 2, 4, s->big);
	add_number(b, 2, 4, s->big);
	add_number(b, 24 + segment + (1 + s->before) * section, 4, s->big);
	add_number(b, 0, 4, s->big);
	if (s->wide)
		add_number(b, 0, 4, s->big);
	add_number(b, 0x1B, 4, s->big); /* the UUID */
	add_number(b, 24, 4, s->big);
	add_zeros(b, 16);
	add_number(b, s->wide ? 0x19 : 1, 4, s->big);
	add_number(b, segment + (1 + s->before) * section, 4, s->big);
	add_text(b, "", 16);
	add_zeros(b, 4 * word + 8);
	add_number(b, 1 + s->before, 4, s->big);
	add_number(b, 0, 4, s->big);
	for (unsigned i = 0; i <= s->before; i++) {
		bool is_last = i == s->before;
		const char *name = s->name != NULL ? s->name : "__debug_info";
		add_text(b, is_last ? name : "__text", 16);
		add_text(b, is_last && s->segment != NULL ? s->segment : "__TEXT", 16);
		add_number(b, 0x1000, word, s->big);
		add_number(b, is_last && s->is_empty ? 0 : 10, word, s->big);
		add_zeros(b, s->wide ? 32 : 28);
	}
}

static struct buf mach_of(const struct spec *s)
{
	struct buf b = BUF_INIT;

	add_mach(&b, s);
	return b;
}

/* Two slices: one without, then the one of `s`. */
static struct buf fat_of(const struct spec *s, bool wide, uint32_t magic, uint32_t count)
{
	static const struct spec other = {.wide = true, .name = "__text"};
	struct buf b = BUF_INIT, first = mach_of(&other), second = mach_of(s);
	size_t at = 8 + 2 * (wide ? 32U : 20U);

	add_number(&b, magic != 0 ? magic : wide ? 0xCAFEBABF : 0xCAFEBABE, 4, true);
	add_number(&b, count, 4, true);
	for (int i = 0; i < 2; i++) {
		add_number(&b, 0x01000007, 4, true);
		add_number(&b, 3, 4, true);
		add_number(&b, i == 0 ? at : at + first.len, wide ? 8 : 4, true);
		add_number(&b, i == 0 ? first.len : second.len, wide ? 8 : 4, true);
		add_number(&b, 12, 4, true);
		if (wide)
			add_number(&b, 0, 4, true);
	}
	buf_add(&b, first.data, first.len);
	buf_add(&b, second.data, second.len);
	buf_release(&first);
	buf_release(&second);
	return b;
}

/* With `padding` more bytes in the LEB128 of lengths. */
static void add_leb(struct buf *b, size_t n, unsigned padding)
{
	for (; n >= 0x80; n >>= 7)
		buf_addc(b, (char)(uint8_t)(n | 0x80));
	buf_addc(b, (char)(uint8_t)(n | (padding > 0 ? 0x80 : 0)));
	for (; padding > 0; padding--)
		buf_addc(b, (char)(uint8_t)(padding > 1 ? 0x80 : 0));
}

static struct buf wasm_of(uint8_t id, const char *name, size_t content, unsigned padding)
{
	struct buf b = BUF_INIT;

	buf_add(&b, "\0asm\1\0\0\0", 8);
	buf_add(&b, "\1\4\1\x60\0\0", 6); /* a type */
	buf_addc(&b, 0x0A);               /* code of 300 bytes */
	add_leb(&b, 300, 0);
	add_zeros(&b, 300);
	buf_addc(&b, (char)id);
	add_leb(&b, 1 + strlen(name) + content, padding);
	add_leb(&b, strlen(name), 0);
	buf_adds(&b, name);
	add_zeros(&b, content);
	return b;
}

/* --- ELF -------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool is_debug;
} names[] = {
    {".debug_info", true},
    {".debug_line", true},
    {".debug_str.dwo", true},
    {".zdebug_info", true},
    {".stab", true},
    {".debug_loclists.dwo", true},
    {".debug_gdb_scripts", false},
    {".debug", false},
    {".debugs", false},
    {".stabs", false},
    {".stabstr", false},
    {".symtab", false},
    {".gnu_debuglink", false},
    {".gnu_debugaltlink", false},
    {".gnu_debugdata", false},
    {".text.debug_info", false},
    {"debug_info", false},
    {"", false},
};

static void binary_finds_debug_sections_of_elf(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++)
		for (size_t i = 0; i < COUNT(names); i++) {
			struct spec s = {.wide = kind & 1, .big = kind >> 1, .name = names[i].name};
			struct buf b = elf_of(&s);
			if (find(&b) != (names[i].is_debug ? BINARY_DEBUG : BINARY_NOTHING))
				fail_msg("wrong about %s", names[i].name);
		}
}

static void binary_finds_core_dumps_of_elf(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++)
		for (unsigned type = 1; type < 6; type++) {
			struct spec s = {
			    .wide = kind & 1, .big = kind >> 1, .name = ".text", .type = type};
			struct buf b = elf_of(&s);
			assert_int_equal(find(&b), type == 4 ? BINARY_CORE : BINARY_NOTHING);
		}
}

/* What `objcopy --only-keep-debug` leaves of the program, or the other way round. */
static void binary_passes_over_sections_of_elf_without_bytes(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct spec full = {.wide = kind & 1, .big = kind >> 1}, empty = full,
			    absent = full;
		empty.is_empty = true;
		absent.kind = 8;
		struct buf yes = elf_of(&full), no = elf_of(&empty), neither = elf_of(&absent);
		assert_int_equal(find(&yes), BINARY_DEBUG);
		assert_int_equal(find(&no), BINARY_NOTHING);
		assert_int_equal(find(&neither), BINARY_NOTHING);
	}
}

static void binary_reads_numbers_too_large_for_the_header_of_elf(void **state)
{
	(void)state;
	for (int kind = 0; kind < 8; kind++) {
		struct spec s = {.wide = kind & 1,
				 .big = kind >> 1 & 1,
				 .name = kind >> 2 ? ".data" : NULL,
				 .is_escaped = true,
				 .before = 70000};
		struct buf b = elf_of(&s);
		assert_int_equal(find(&b), kind >> 2 ? BINARY_NOTHING : BINARY_DEBUG);
	}
}

static void binary_needs_the_table_and_the_name_of_elf(void **state)
{
	static const struct spec s = {.wide = true};
	struct buf b = elf_of(&s);

	(void)state;
	assert_int_equal(find_in(b.data, b.len), BINARY_DEBUG);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(find_in(b.data, len), BINARY_NOTHING);
	/* Classes and byte orders that there are not. */
	for (size_t at = 4; at < 6; at++)
		for (char c = 0; c < 4; c += 3) {
			char was = b.data[at];
			b.data[at] = c;
			assert_int_equal(find_in(b.data, b.len), BINARY_NOTHING);
			b.data[at] = was;
		}
	buf_release(&b);
}

/* --- PE --------------------------------------------------------------------------------------- */

static void binary_finds_short_names_in_pe(void **state)
{
	static const struct {
		const char *field;
		bool is_debug;
	} cases[] = {
	    {".debug$S", true},  {".debug$T", true},  {".debug_i", true},
	    {".stab", true},     {".stabstr", false}, {".text", false},
	    {".buildid", false}, {".debug", false}, /* the directory of debug records */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (unsigned type = 0; type < 2; type++) {
			struct spec s = {.before = 2, .type = type};
			struct buf b = pe_of(&s, cases[i].field);
			if (find(&b) != (cases[i].is_debug ? BINARY_DEBUG : BINARY_NOTHING))
				fail_msg("wrong about %s", cases[i].field);
		}
}

static void binary_finds_long_names_in_pe(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct spec s = {.before = 2, .name = names[i].name};
		/* Behind the length and "abc". */
		struct buf b = pe_of(&s, "/7");
		if (find(&b) != (names[i].is_debug ? BINARY_DEBUG : BINARY_NOTHING))
			fail_msg("wrong about %s", names[i].name);
	}
}

static void binary_takes_only_numbers_for_long_names(void **state)
{
	static const char *const fields[] = {"/8", "/", "/7x", "7", "/9999999", "\\7"};

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		struct spec s = {.before = 2};
		struct buf b = pe_of(&s, fields[i]);
		assert_int_equal(find(&b), BINARY_NOTHING);
	}
}

static void binary_passes_over_sections_of_pe_without_bytes(void **state)
{
	static const struct spec empty = {.is_empty = true}, other = {.magic = 0x454E};
	struct buf b = pe_of(&empty, "/7");

	(void)state;
	assert_int_equal(find(&b), BINARY_NOTHING);
	b = pe_of(&empty, ".debug$S");
	assert_int_equal(find(&b), BINARY_NOTHING);
	/* A program of another system that has the same beginning. */
	b = pe_of(&other, "/7");
	assert_int_equal(find(&b), BINARY_NOTHING);
}

static void binary_finds_debug_sections_of_coff_objects(void **state)
{
	static const char *const fields[] = {".debug$S", "/7", ".drectve"};
	static const uint16_t machines[] = {0x8664, 0x14C, 0xAA64, 0x1C4, 0x8665};

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++)
		for (size_t m = 0; m < COUNT(machines); m++) {
			struct spec s = {.type = 1};
			struct buf b = BUF_INIT;
			add_coff(&b, &s, fields[i], 0);
			b.data[0] = (char)(uint8_t)machines[m];
			b.data[1] = (char)(uint8_t)(machines[m] >> 8);
			assert_int_equal(find(&b), i < 2 && m < 4 ? BINARY_DEBUG : BINARY_NOTHING);
		}
}

/* --- Mach-O ----------------------------------------------------------------------------------- */

static const struct spec mach_cases[] = {
    {.name = "__debug_info"},
    {.name = "__zdebug_line"},
    {.name = "__apple_names", .segment = "__DWARF"},
    {.name = "__debug_str", .segment = "__DWARF", .before = 5},
};
static const struct spec mach_twins[] = {
    {.name = "__debug"},
    {.name = "__apple_names", .segment = "__DWARG"},
    {.name = "__debug_info", .segment = "__DWARF", .is_empty = true},
    {.name = "__debug_info", .magic = 0xFEEDFACD},
    {.name = "__swift5_types", .before = 5},
};

static void binary_finds_debug_sections_of_mach(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		for (size_t i = 0; i < COUNT(mach_cases); i++) {
			struct spec s = mach_cases[i];
			s.wide = kind & 1;
			s.big = kind >> 1;
			struct buf b = mach_of(&s);
			assert_int_equal(find(&b), BINARY_DEBUG);
		}
		for (size_t i = 0; i < COUNT(mach_twins); i++) {
			struct spec s = mach_twins[i];
			s.wide = kind & 1;
			s.big = kind >> 1;
			struct buf b = mach_of(&s);
			if (find(&b) != BINARY_NOTHING)
				fail_msg("twin %zu was found", i);
		}
	}
}

static void binary_finds_core_dumps_of_mach(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++)
		for (unsigned type = 1; type < 12; type++) {
			struct spec s = {
			    .wide = kind & 1, .big = kind >> 1, .name = "__text", .type = type};
			struct buf b = mach_of(&s);
			assert_int_equal(find(&b), type == 4 ? BINARY_CORE : BINARY_NOTHING);
		}
}

static void binary_looks_into_every_slice_of_fat_files(void **state)
{
	(void)state;
	for (int kind = 0; kind < 8; kind++) {
		bool wide = kind >> 2;
		struct spec s = {.wide = kind & 1, .big = kind >> 1 & 1};
		struct buf b = fat_of(&s, wide, 0, 2);
		assert_int_equal(find(&b), BINARY_DEBUG);
		s.type = 4;
		b = fat_of(&s, wide, 0, 2);
		assert_int_equal(find(&b), BINARY_CORE);
		s.type = 0;
		s.name = "__text";
		b = fat_of(&s, wide, 0, 2);
		assert_int_equal(find(&b), BINARY_NOTHING);
		s.name = NULL;
		b = fat_of(&s, wide, 0, 1);
		assert_int_equal(find(&b), BINARY_NOTHING);
		b = fat_of(&s, wide, 0xCAFEBABA, 2);
		assert_int_equal(find(&b), BINARY_NOTHING);
		/* The version of a class file. */
		b = fat_of(&s, wide, 0, 52);
		assert_int_equal(find(&b), BINARY_NOTHING);
	}
}

/* --- WebAssembly ------------------------------------------------------------------------------ */

static void binary_finds_debug_sections_of_wasm(void **state)
{
	static const struct {
		const char *name;
		bool is_debug;
	} cases[] = {
	    {".debug_info", true},          {".debug_str", true}, {".debug_gdb_scripts", false},
	    {"external_debug_info", false}, {"name", false},      {"sourceMappingURL", false},
	    {"reloc..debug_info", false},   {".debug", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (unsigned padding = 0; padding < 4; padding += 3) {
			struct buf b = wasm_of(0, cases[i].name, 200, padding);
			if (find(&b) != (cases[i].is_debug ? BINARY_DEBUG : BINARY_NOTHING))
				fail_msg("wrong about %s", cases[i].name);
		}
}

static void binary_takes_only_custom_sections_of_wasm(void **state)
{
	struct buf b = wasm_of(11, ".debug_info", 200, 0); /* data of that name */

	(void)state;
	assert_int_equal(find(&b), BINARY_NOTHING);
	b = wasm_of(0, ".debug_info", 0, 0); /* without content */
	assert_int_equal(find(&b), BINARY_NOTHING);
	b = wasm_of(0, ".debug_info", 200, 5); /* a length of six bytes */
	assert_int_equal(find(&b), BINARY_NOTHING);
	b = wasm_of(0, ".debug_info", 200, 0);
	b.data[4] = 2; /* another version */
	assert_int_equal(find(&b), BINARY_NOTHING);
}

/* --- what holds nothing else ------------------------------------------------------------------ */

static void binary_knows_files_by_their_beginning(void **state)
{
#define BYTES(text) text, sizeof text - 1
	static const struct {
		const char *bytes;
		size_t len;
		enum binary_find found;
	} cases[] = {
	    {BYTES("Microsoft C/C++ MSF 7.00\r\n\x1A\x44S\0\0\0"), BINARY_DEBUG},
	    {BYTES("Microsoft C/C++ MSF 7.00\r\n\x1A\x45S\0\0\0"), BINARY_NOTHING},
	    {BYTES("Microsoft C/C++ program database 2.00\r\n\x1AJG\0\0"), BINARY_DEBUG},
	    {BYTES("Microsoft C/C++ program database 3.00\r\n\x1AJG\0\0"), BINARY_NOTHING},
	    {BYTES(
		 "BSJB\1\0\1\0\0\0\0\0\x0C\0\0\0PDB v1.0\0\0\0\0\0\0\6\0\x7C\0\0\0\x54\0\0\0#Pdb\0"
		 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	     BINARY_DEBUG},
	    {BYTES(
		 "BSJB\1\0\1\0\0\0\0\0\x0C\0\0\0PDB v1.0\0\0\0\0\0\0\6\0\x7C\0\0\0\x54\0\0\0#Pdc\0"
		 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	     BINARY_NOTHING},
	    {BYTES("MDMP\x93\xA7\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), BINARY_CORE},
	    {BYTES("MDMP\x94\xA7\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), BINARY_NOTHING},
	    {BYTES("MDMP is what a readme may begin with"), BINARY_NOTHING},
	    {BYTES(""), BINARY_NOTHING},
	    {BYTES("\177ELF"), BINARY_NOTHING},
	    {BYTES("MZ"), BINARY_NOTHING},
	    {BYTES("#!/bin/sh\necho .debug_info\n"), BINARY_NOTHING},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (find_in(cases[i].bytes, cases[i].len) != cases[i].found)
			fail_msg("wrong about case %zu", i);
}

static void binary_knows_what_it_can_examine(void **state)
{
	static const struct {
		const char *first;
		bool is_known;
	} cases[] = {
	    {"\177ELF____________", true},
	    {"\177ELG____________", false},
	    {"MZ______________", true},
	    {"ZM______________", false},
	    {"\0asm\1\0\0\0________", true},
	    {"\0asm\x0D\0\1\0________", false},
	    {"\xFE\xED\xFA\xCE____________", true},
	    {"\xCF\xFA\xED\xFE____________", true},
	    {"\xCE\xFE\xED\xFA____________", false},
	    {"\xCA\xFE\xBA\xBE\0\0\0\2________", true},
	    {"\xCA\xFE\xBA\xBF\0\0\0\2________", true},
	    {"\xCA\xFE\xBA\xBE\0\0\0\x34________", false},
	    {"MDMP\x93\xA7__________", true},
	    {"MDMP____________", false},
	    {"Microsoft C/C++ ", true},
	    {"Microsoft C/C+++", false},
	    {"BSJB____________", true},
	    {"\x64\x86______________", true},
	    {"\x65\x86______________", false},
	    {"#!/bin/sh\n______", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (binary_is_known(cases[i].first, 16) != cases[i].is_known)
			fail_msg("wrong about case %zu", i);
		assert_false(binary_is_known(cases[i].first, 15));
	}
	assert_false(binary_is_known("", 0));
}

static void binary_tells_of_a_read_that_failed(void **state)
{
	static const struct spec s = {.wide = true};
	struct buf b = elf_of(&s);

	(void)state;
	for (size_t first = 0; first < 100; first += 30) {
		struct file file = {
		    .data = (const uint8_t *)b.data, .size = b.len, .refuses = true};
		struct probe p = {.size = b.len,
				  .first = file.data,
				  .first_len = first,
				  .read_at = read_at,
				  .context = &file};
		assert_int_equal(binary_examine(&p), BINARY_NOTHING);
		assert_true(p.failed);
	}
	buf_release(&b);
}

static void binary_does_not_read_once_a_section(void **state)
{
	static const struct spec s = {.wide = true, .before = 10000};
	struct buf b = elf_of(&s);
	struct file file = {.data = (const uint8_t *)b.data, .size = b.len};
	struct probe p = {.size = b.len, .read_at = read_at, .context = &file};

	(void)state;
	assert_int_equal(binary_examine(&p), BINARY_DEBUG);
	assert_in_range(file.calls, 1, 400);
	buf_release(&b);
}

/* Files that compilers wrote. */
static void binary_agrees_with_the_names_of_real_files(void **state)
{
	static const char *const kinds[] = {"plain-", "debug-", "core-"};
	unsigned count[COUNT(kinds)] = {0};
	struct dirent *entry;
	DIR *dir = opendir("testdata/corpus/binary");

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		size_t kind = 0;
		struct buf b = BUF_INIT;
		char path[300];
		struct err e;
		while (kind < COUNT(kinds) &&
		       strncmp(entry->d_name, kinds[kind], strlen(kinds[kind])) != 0)
			kind++;
		if (kind == COUNT(kinds))
			continue;
		(void)snprintf(path, sizeof path, "testdata/corpus/binary/%.200s", entry->d_name);
		int fd = io_open(path, &e);
		assert_true(fd >= 0);
		assert_int_equal(io_read_all(fd, &b, SIZE_MAX, path, &e), 0);
		(void)close(fd);
		if (find(&b) != (enum binary_find)kind)
			fail_msg("wrong about %s", path);
		count[kind]++;
	}
	(void)closedir(dir);
	assert_true(count[BINARY_NOTHING] >= 5 && count[BINARY_DEBUG] >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(binary_finds_debug_sections_of_elf),
	    cmocka_unit_test(binary_finds_core_dumps_of_elf),
	    cmocka_unit_test(binary_passes_over_sections_of_elf_without_bytes),
	    cmocka_unit_test(binary_reads_numbers_too_large_for_the_header_of_elf),
	    cmocka_unit_test(binary_needs_the_table_and_the_name_of_elf),
	    cmocka_unit_test(binary_finds_short_names_in_pe),
	    cmocka_unit_test(binary_finds_long_names_in_pe),
	    cmocka_unit_test(binary_takes_only_numbers_for_long_names),
	    cmocka_unit_test(binary_passes_over_sections_of_pe_without_bytes),
	    cmocka_unit_test(binary_finds_debug_sections_of_coff_objects),
	    cmocka_unit_test(binary_finds_debug_sections_of_mach),
	    cmocka_unit_test(binary_finds_core_dumps_of_mach),
	    cmocka_unit_test(binary_looks_into_every_slice_of_fat_files),
	    cmocka_unit_test(binary_finds_debug_sections_of_wasm),
	    cmocka_unit_test(binary_takes_only_custom_sections_of_wasm),
	    cmocka_unit_test(binary_knows_files_by_their_beginning),
	    cmocka_unit_test(binary_knows_what_it_can_examine),
	    cmocka_unit_test(binary_tells_of_a_read_that_failed),
	    cmocka_unit_test(binary_does_not_read_once_a_section),
	    cmocka_unit_test(binary_agrees_with_the_names_of_real_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
