/*
 * Input: bencode, perhaps a torrent. What is accepted is written again, value by value, as the same
 * bytes.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/bencode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void copy(struct bencode_writer *w, const struct bencode *v);

static void copy_items(struct bencode_writer *w, const struct bencode *v)
{
	struct bencode_walk walk = bencode_begin(v);
	struct bencode key, value;

	while (bencode_next(&walk, v->type == 'd' ? &key : NULL, &value)) {
		if (v->type == 'd')
			copy(w, &key);
		copy(w, &value);
	}
	bencode_close(w);
}

static void copy(struct bencode_writer *w, const struct bencode *v)
{
	uint64_t n;
	size_t len;

	if (v->type == 's') {
		const char *text = bencode_get_string(v, &len);
		bencode_string(w, text, len);
	} else if (v->type == 'l') {
		bencode_open_list(w);
		copy_items(w, v);
	} else if (v->type == 'd') {
		bencode_open_dictionary(w);
		copy_items(w, v);
	} else if (bencode_get_number(v, &n)) {
		bencode_number(w, n);
	} else {
		/* Negative, or beyond 63 bits. */
		buf_add(w->to, v->at, v->len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {.code = ERR_NONE};
	struct buf again = BUF_INIT;
	struct bencode_writer w = {.to = &again};

	if (bencode_check((const char *)data, size, &e) != 0) {
		check(e.code == ERR_MALFORMED);
		return 0;
	}
	struct bencode root = bencode_root((const char *)data, size);
	(void)bencode_get(&root, "info");
	copy(&w, &root);
	check(again.len == size && memcmp(again.data, data, size) == 0);
	buf_release(&again);
	return 0;
}
