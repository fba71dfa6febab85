#include "swarm/binary.h"

#include <string.h>

#define SECTIONS_MAX (1U << 18) /* and load commands, of all slices together */
#define SLICES_MAX   42         /* Java class files begin as fat ones do, and have 45 or more */
#define NAME_MAX_LEN 24         /* enough of a name to know it */

/* One file, and what may still be looked at. */
struct work {
	struct probe *p;
	unsigned left;
};

static bool step(struct work *w)
{
	if (w->left == 0)
		return false;
	w->left--;
	return true;
}

/* --- names of sections ------------------------------------------------------------------------ */

static bool has_prefix(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_debug_name(const char *name)
{
	static const char *const prefixes[] = {".debug_",  ".zdebug_",  ".debug$",
					       "__debug_", "__zdebug_", NULL};

	/* Rust leaves it in every program, as it is loaded with it. */
	if (strcmp(name, ".debug_gdb_scripts") == 0)
		return false;
	for (size_t i = 0; prefixes[i] != NULL; i++)
		if (has_prefix(name, prefixes[i]))
			return true;
	return strcmp(name, ".stab") == 0;
}

/* A name of up to `len` bytes in the file, which may end in NUL before. */
static bool is_debug_name_at(struct probe *p, uint64_t at, size_t len)
{
	char name[NAME_MAX_LEN + 1] = "";

	if (at > p->size)
		return false;
	if (len > NAME_MAX_LEN)
		len = NAME_MAX_LEN;
	if (len > p->size - at)
		len = (size_t)(p->size - at);
	return probe_read(p, at, name, len) && is_debug_name(name);
}

/* --- ELF -------------------------------------------------------------------------------------- */

struct elf {
	struct probe *p;
	bool wide, big_endian;
	uint64_t table;
	uint64_t stride;
};

struct elf_section {
	uint32_t name, type, link;
	uint64_t offset, size;
};

static uint64_t elf_get(const struct elf *f, const uint8_t *at, unsigned width)
{
	if (width == 2)
		return f->big_endian ? probe_be16(at) : probe_le16(at);
	if (width == 4)
		return f->big_endian ? probe_be32(at) : probe_le32(at);
	return f->big_endian ? probe_be64(at) : probe_le64(at);
}

static bool elf_section(const struct elf *f, uint64_t i, struct elf_section *ret)
{
	uint8_t b[64];
	size_t len = f->wide ? 64 : 40;

	if (f->stride < len || f->table > f->p->size || i > f->p->size / f->stride ||
	    !probe_read(f->p, f->table + i * f->stride, b, len))
		return false;
	*ret = (struct elf_section){
	    .name = (uint32_t)elf_get(f, b, 4),
	    .type = (uint32_t)elf_get(f, b + 4, 4),
	    .link = (uint32_t)elf_get(f, b + (f->wide ? 40 : 24), 4),
	    .offset = elf_get(f, b + (f->wide ? 24 : 16), f->wide ? 8 : 4),
	    .size = elf_get(f, b + (f->wide ? 32 : 20), f->wide ? 8 : 4),
	};
	return true;
}

static bool elf_has_debug(struct work *w, const struct elf *f, uint64_t n, uint64_t names)
{
	enum { SHT_NOBITS = 8, SHN_XINDEX = 0xFFFF };
	struct elf_section zero, strings, s;

	if (f->table == 0 || !elf_section(f, 0, &zero))
		return false;
	/* What is too large for the file header stands in the section that does not exist. */
	if (n == 0)
		n = zero.size;
	if (names == SHN_XINDEX)
		names = zero.link;
	if (!elf_section(f, names, &strings) || strings.offset > f->p->size)
		return false;
	for (uint64_t i = 1; i < n && step(w) && elf_section(f, i, &s); i++)
		/* A section without bytes is what `objcopy --only-keep-debug` leaves of others. */
		if (s.type != SHT_NOBITS && s.size > 0 && s.name < strings.size &&
		    is_debug_name_at(f->p, strings.offset + s.name, NAME_MAX_LEN))
			return true;
	return false;
}

static enum binary_find in_elf(struct work *w)
{
	enum { ET_CORE = 4 };
	struct elf f = {.p = w->p};
	uint8_t b[64] = {0};

	if (!probe_read(w->p, 0, b, 52) || b[4] < 1 || b[4] > 2 || b[5] < 1 || b[5] > 2)
		return BINARY_NOTHING;
	f.wide = b[4] == 2;
	f.big_endian = b[5] == 2;
	if (elf_get(&f, b + 16, 2) == ET_CORE)
		return BINARY_CORE;
	if (f.wide && !probe_read(w->p, 0, b, 64))
		return BINARY_NOTHING;
	f.table = f.wide ? elf_get(&f, b + 40, 8) : elf_get(&f, b + 32, 4);
	const uint8_t *last = b + (f.wide ? 58 : 46);
	f.stride = elf_get(&f, last, 2);
	return elf_has_debug(w, &f, elf_get(&f, last + 2, 2), elf_get(&f, last + 4, 2))
		   ? BINARY_DEBUG
		   : BINARY_NOTHING;
}

/* --- PE, COFF --------------------------------------------------------------------------------- */

/* The number in "/123", at most 7 digits; false if there is none. */
static bool long_name_offset(const char *name, uint32_t *ret)
{
	const char *p = name + 1;

	*ret = 0;
	for (; *p >= '0' && *p <= '9'; p++)
		*ret = *ret * 10 + (uint32_t)(*p - '0');
	return *name == '/' && p > name + 1 && *p == '\0';
}

/* `strings` is 0 in a file that has none. */
static bool is_coff_debug(struct probe *p, const uint8_t *section, uint64_t strings)
{
	char name[9] = "";
	uint32_t offset;

	if (probe_le32(section + 16) == 0) /* SizeOfRawData */
		return false;
	memcpy(name, section, 8);
	if (!long_name_offset(name, &offset))
		return is_debug_name(name);
	return strings != 0 && is_debug_name_at(p, strings + offset, NAME_MAX_LEN);
}

/* From the COFF header on. */
static enum binary_find in_coff(struct work *w, uint64_t at)
{
	uint8_t header[20], section[40];

	if (!probe_read(w->p, at, header, sizeof header))
		return BINARY_NOTHING;
	uint64_t symbols = probe_le32(header + 8), strings = 0;
	/* Long names stand behind the symbols; MinGW's programs have them as objects do. */
	if (symbols != 0)
		strings = symbols + (uint64_t)probe_le32(header + 12) * 18;
	at += sizeof header + probe_le16(header + 16);
	for (unsigned n = probe_le16(header + 2); n > 0; n--, at += sizeof section) {
		if (!step(w) || !probe_read(w->p, at, section, sizeof section))
			return BINARY_NOTHING;
		if (is_coff_debug(w->p, section, strings))
			return BINARY_DEBUG;
	}
	return BINARY_NOTHING;
}

static enum binary_find in_pe(struct work *w)
{
	uint8_t b[4];

	if (!probe_read(w->p, 0x3C, b, 4))
		return BINARY_NOTHING;
	uint64_t at = probe_le32(b);
	if (!probe_read(w->p, at, b, 4) || memcmp(b, "PE\0\0", 4) != 0)
		return BINARY_NOTHING;
	return in_coff(w, at + 4);
}

/* An object of a usual machine. Two bytes are weak, but not the names that it must have. */
static bool is_coff(const uint8_t *head)
{
	enum { I386 = 0x14C, AMD64 = 0x8664, ARM_NT = 0x1C4, ARM64 = 0xAA64 };
	uint16_t machine = probe_le16(head);

	return machine == I386 || machine == AMD64 || machine == ARM_NT || machine == ARM64;
}

/* --- Mach-O ----------------------------------------------------------------------------------- */

struct mach {
	struct probe *p;
	bool wide, big_endian;
};

static uint32_t mach_get(const struct mach *m, const uint8_t *at)
{
	return m->big_endian ? probe_be32(at) : probe_le32(at);
}

static bool is_mach(const uint8_t *magic, struct mach *ret)
{
	static const struct {
		uint32_t magic;
		bool wide, big_endian;
	} kinds[] = {
	    {0xFEEDFACE, false, true},
	    {0xFEEDFACF, true, true},
	    {0xCEFAEDFE, false, false},
	    {0xCFFAEDFE, true, false},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (probe_be32(magic) == kinds[i].magic) {
			ret->wide = kinds[i].wide;
			ret->big_endian = kinds[i].big_endian;
			return true;
		}
	return false;
}

/* The load command of a segment, at `at` and of `len` bytes. */
static bool segment_has_debug(struct work *w, const struct mach *m, uint64_t at, uint32_t len)
{
	const size_t header = m->wide ? 72 : 56, stride = m->wide ? 80 : 68;
	uint8_t b[80];

	if (len < header || !probe_read(m->p, at, b, header))
		return false;
	/* A section says again which segment it is of: in objects only there. */
	uint32_t n = mach_get(m, b + (m->wide ? 64 : 48));
	for (uint64_t i = header; n > 0 && i + stride <= len; n--, i += stride) {
		if (!step(w) || !probe_read(m->p, at + i, b, stride))
			return false;
		const uint8_t *size = b + (m->wide ? 40 : 36);
		bool is_empty = mach_get(m, size) == 0 && (!m->wide || mach_get(m, size + 4) == 0);
		char name[17] = "", segment[17] = "";
		memcpy(name, b, 16);
		memcpy(segment, b + 16, 16);
		if (!is_empty && (is_debug_name(name) || strcmp(segment, "__DWARF") == 0))
			return true;
	}
	return false;
}

static enum binary_find in_mach(struct work *w, uint64_t at, struct mach *m)
{
	enum { MH_CORE = 4, LC_SEGMENT = 1, LC_SEGMENT_64 = 0x19 };
	uint8_t b[32];

	if (!probe_read(m->p, at, b, 28))
		return BINARY_NOTHING;
	if (mach_get(m, b + 12) == MH_CORE)
		return BINARY_CORE;
	uint32_t n = mach_get(m, b + 16);
	for (at += m->wide ? 32 : 28; n > 0; n--) {
		if (!step(w) || !probe_read(m->p, at, b, 8))
			return BINARY_NOTHING;
		uint32_t command = mach_get(m, b), len = mach_get(m, b + 4);
		if (len < 8)
			return BINARY_NOTHING;
		if (command == (m->wide ? LC_SEGMENT_64 : LC_SEGMENT) &&
		    segment_has_debug(w, m, at, len))
			return BINARY_DEBUG;
		at += len;
	}
	return BINARY_NOTHING;
}

/* Several Mach-O files in one, each for another processor. */
static enum binary_find in_fat(struct work *w, bool wide)
{
	uint8_t b[32], magic[4];
	const size_t stride = wide ? 32 : 20;
	struct mach m = {.p = w->p};

	if (!probe_read(w->p, 0, b, 8))
		return BINARY_NOTHING;
	uint32_t n = probe_be32(b + 4);
	for (uint64_t at = 8; n > 0; n--, at += stride) {
		if (!probe_read(w->p, at, b, stride))
			return BINARY_NOTHING;
		uint64_t slice = wide ? probe_be64(b + 8) : probe_be32(b + 8);
		if (!probe_read(w->p, slice, magic, 4) || !is_mach(magic, &m))
			continue;
		enum binary_find found = in_mach(w, slice, &m);
		if (found != BINARY_NOTHING)
			return found;
	}
	return BINARY_NOTHING;
}

/* --- WebAssembly ------------------------------------------------------------------------------ */

/* An unsigned LEB128 of 32 bits at *at, which is moved behind it. */
static bool take_leb(struct probe *p, uint64_t *at, uint32_t *ret)
{
	uint64_t value = 0;
	uint8_t byte;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		if (!probe_read(p, *at, &byte, 1))
			return false;
		++*at;
		value |= (uint64_t)(byte & 0x7F) << shift;
		if (byte < 0x80) {
			*ret = (uint32_t)value;
			return value <= UINT32_MAX;
		}
	}
	return false;
}

/* Of external_debug_info, sourceMappingURL and the names of functions nothing is said here. */
static bool is_wasm_debug(struct probe *p, uint64_t at, uint64_t end)
{
	uint32_t len;

	if (!take_leb(p, &at, &len) || at > end || len >= end - at)
		return false;
	return is_debug_name_at(p, at, len);
}

static enum binary_find in_wasm(struct work *w)
{
	uint64_t at = 8;
	uint32_t len;
	uint8_t id;

	while (step(w) && probe_read(w->p, at, &id, 1)) {
		at++;
		if (!take_leb(w->p, &at, &len))
			return BINARY_NOTHING;
		if (id == 0 && is_wasm_debug(w->p, at, at + len))
			return BINARY_DEBUG;
		at += len;
	}
	return BINARY_NOTHING;
}

/* --- PDB -------------------------------------------------------------------------------------- */

/* Of Microsoft's compilers, or of .NET: metadata with a stream of that name in its directory. */
static enum binary_find in_pdb(struct probe *p)
{
	static const char msf[] = "Microsoft C/C++ MSF 7.00\r\n\x1A\x44S";
	static const char old[] = "Microsoft C/C++ program database 2.00\r\n\x1AJG";
	char b[64] = "";

	if ((probe_read(p, 0, b, sizeof msf - 1) && memcmp(b, msf, sizeof msf - 1) == 0) ||
	    (probe_read(p, 0, b, sizeof old - 1) && memcmp(b, old, sizeof old - 1) == 0))
		return BINARY_DEBUG;
	if (!probe_read(p, 0, b, sizeof b) || memcmp(b, "BSJB", 4) != 0)
		return BINARY_NOTHING;
	for (size_t i = 16; i + 5 <= sizeof b; i++)
		if (memcmp(b + i, "#Pdb", 5) == 0)
			return BINARY_DEBUG;
	return BINARY_NOTHING;
}

/* --- the formats ------------------------------------------------------------------------------ */

#define HEAD_LEN 16

enum format {
	FORMAT_NONE,
	FORMAT_ELF,
	FORMAT_PE,
	FORMAT_COFF,
	FORMAT_MACH,
	FORMAT_FAT,
	FORMAT_FAT_WIDE,
	FORMAT_WASM,
	FORMAT_PDB,
	FORMAT_MINIDUMP,
};

static enum format format_of(const uint8_t *head)
{
	struct mach m;

	if (memcmp(head, "\177ELF", 4) == 0)
		return FORMAT_ELF;
	if (memcmp(head, "MZ", 2) == 0)
		return FORMAT_PE;
	if (memcmp(head, "\0asm\1\0\0\0", 8) == 0)
		return FORMAT_WASM;
	if (is_mach(head, &m))
		return FORMAT_MACH;
	if (probe_be32(head) == 0xCAFEBABE && probe_be32(head + 4) <= SLICES_MAX)
		return FORMAT_FAT;
	if (probe_be32(head) == 0xCAFEBABF && probe_be32(head + 4) <= SLICES_MAX)
		return FORMAT_FAT_WIDE;
	if (memcmp(head, "MDMP\x93\xA7", 6) == 0)
		return FORMAT_MINIDUMP;
	if (memcmp(head, "Microsoft C/C++ ", 16) == 0 || memcmp(head, "BSJB", 4) == 0)
		return FORMAT_PDB;
	return is_coff(head) ? FORMAT_COFF : FORMAT_NONE;
}

bool binary_is_known(const void *first, size_t len)
{
	return len >= HEAD_LEN && format_of(first) != FORMAT_NONE;
}

enum binary_find binary_examine(struct probe *p)
{
	struct work w = {.p = p, .left = SECTIONS_MAX};
	struct mach m = {.p = p};
	uint8_t head[HEAD_LEN];

	if (!probe_read(p, 0, head, sizeof head))
		return BINARY_NOTHING;
	switch (format_of(head)) {
	case FORMAT_ELF: return in_elf(&w);
	case FORMAT_PE: return in_pe(&w);
	case FORMAT_COFF: return in_coff(&w, 0);
	case FORMAT_MACH: return is_mach(head, &m) ? in_mach(&w, 0, &m) : BINARY_NOTHING;
	case FORMAT_FAT: return in_fat(&w, false);
	case FORMAT_FAT_WIDE: return in_fat(&w, true);
	case FORMAT_WASM: return in_wasm(&w);
	case FORMAT_PDB: return in_pdb(p);
	case FORMAT_MINIDUMP: return BINARY_CORE;
	case FORMAT_NONE: break;
	}
	return BINARY_NOTHING;
}
