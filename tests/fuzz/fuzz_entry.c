/* Input: a file line of a document. What is accepted has one spelling and a portable path. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/entry.h"
#include "swarm/num.h"
#include "swarm/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Short, so that small inputs can have several. */
#define PIECE 16384

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_entry(const struct entry *entry)
{
	uint8_t root[SHA256_SIZE];
	struct err e;

	check(path_unportable(entry->path) == NULL);
	check(entry->size <= NUM_MAX);
	check(entry->label == LABEL_PUBLIC || entry->label == LABEL_ORIGIN);
	check(entry->piece_count == (entry->size > PIECE ? merkle_pieces(entry->size, PIECE) : 0));
	if (entry->piece_count > 0) {
		check(merkle_layer_root(entry->pieces, entry->piece_count, PIECE, root, &e) == 0);
		check(memcmp(root, entry->root, SHA256_SIZE) == 0);
	}
	check(entry->type == NULL || entry_is_attribute(entry->type));
	check(entry->cache == NULL || entry_is_attribute(entry->cache));
	check(entry->hot >= ENTRY_NOT_HOT && entry->hot <= 63);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct entry entry;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	if (entry_parse((const char *)data, size, PIECE, &arena, &entry, &e) == 0) {
		check_entry(&entry);
		entry_format(&b, &entry);
		check(b.len == size && memcmp(b.data, data, size) == 0);
	} else {
		check(e.code == ERR_MALFORMED);
	}
	arena_release(&arena);
	buf_release(&b);
	return 0;
}
