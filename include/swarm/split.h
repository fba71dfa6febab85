/*
 * split: which of several machines hashes which file.
 *
 * The large files are dealt out, the largest first, each to the machine that has the least; the
 * others fill up what is left in file-tree order, so that a machine reads whole folders. The result
 * depends on nothing but the sizes and their order: machines that see one tree need not talk.
 */
#ifndef SWARM_SPLIT_H
#define SWARM_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/scan.h"

/*
 * What opening a file costs, in bytes that could be hashed meanwhile. Measured: 8 KiB where all is
 * cached (10 us a file at 0.8 GB/s, guards included); a disk or a network takes some times that.
 */
#define SPLIT_FILE_COST ((uint64_t)32 * 1024)

/*
 * Fills ret[i] with the share, from 0, that takes files[i]; of n files for `shares` machines. The
 * cost of a file is its size and SPLIT_FILE_COST, and no share costs more than the shares-th part
 * of all and the most expensive file. Shares may be empty.
 */
ERR_CHECK int split_files(const struct scan_file *files, size_t n, uint32_t shares, uint32_t *ret,
			  struct err *e);

#endif
