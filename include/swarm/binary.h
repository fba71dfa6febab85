/*
 * binary: what is in an executable file that only its makers should have.
 *
 * Debug information is sections of DWARF (.debug_*, .zdebug_*, __debug_*, the segment __DWARF), of
 * stabs (.stab) and of CodeView (.debug$*), in ELF, PE/COFF, Mach-O (fat ones too) and WebAssembly
 * (custom sections); and what holds nothing else: PDB files, those of .NET too. A core dump is an
 * ELF file of type ET_CORE, a Mach-O file of type MH_CORE, or a Windows minidump. A format is told
 * by its first bytes, not by a name. A symbol table alone is no debug information, nor is the name
 * of a file that has it, nor a section without bytes or with names of scripts for a debugger
 * (.debug_gdb_scripts).
 *
 * Of a file that has absurdly many sections (hundreds of thousands), the first are looked at.
 */
#ifndef SWARM_BINARY_H
#define SWARM_BINARY_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/probe.h"

enum binary_find {
	BINARY_NOTHING, /* of the kind, or no executable, or a damaged one */
	BINARY_DEBUG,
	BINARY_CORE,
};

/* Whether a file that begins so can be of these formats: 16 bytes tell, fewer never do. */
bool binary_is_known(const void *first, size_t len);
enum binary_find binary_examine(struct probe *p);

#endif
