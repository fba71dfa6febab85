#include "swarm/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/header.h"
#include "swarm/jsonl.h"
#include "swarm/num.h"

/* Above the number of keys, so that one too many gets a message of its own. */
#define MEMBERS_MAX 20
#define SHARD_SIZE  (sizeof "65535/65535")

bool part_parse_shard(const char *text, struct part_shard *ret)
{
	const char *slash = strchr(text, '/');
	char number[SHARD_SIZE];
	uint64_t k, n;

	if (slash == NULL || (size_t)(slash - text) >= sizeof number)
		return false;
	(void)snprintf(number, sizeof number, "%.*s", (int)(slash - text), text);
	if (!num_parse(number, &k) || !num_parse(slash + 1, &n) || k == 0 || k > n ||
	    n > PART_SHARDS_MAX)
		return false;
	*ret = (struct part_shard){(uint32_t)k, (uint32_t)n};
	return true;
}

void part_format(struct buf *to, const struct part *part)
{
	struct jsonl_writer w = {.to = to};
	char shard[SHARD_SIZE];

	(void)snprintf(shard, sizeof shard, "%u/%u", part->shard.number % (PART_SHARDS_MAX + 1),
		       part->shard.count % (PART_SHARDS_MAX + 1));
	jsonl_open(&w, NULL);
	jsonl_string(&w, "swarm", "part/1");
	jsonl_string(&w, "shard", shard);
	jsonl_number(&w, "piece_length", part->piece_length);
	jsonl_bool(&w, "sha256", part->plain);
	jsonl_number(&w, "files", part->files);
	jsonl_number(&w, "bytes", part->bytes);
	jsonl_hex(&w, "listing", part->listing, SHA256_SIZE);
	jsonl_hex(&w, "guards", part->guards, SHA256_SIZE);
	jsonl_number(&w, "own_files", part->own_files);
	jsonl_number(&w, "own_bytes", part->own_bytes);
	jsonl_hex(&w, "own_digest", part->own_digest, SHA256_SIZE);
	jsonl_close(&w);
}

static void read_kind(struct jsonl_object *o)
{
	const char *swarm = jsonl_get_string(o, "swarm");

	if (strncmp(swarm, "inventory/", 10) == 0)
		jsonl_reject(o, "swarm", "is that of an inventory, which is whole already");
	else if (strcmp(swarm, "part/1") != 0)
		jsonl_reject(o, "swarm", "is not part/1");
}

static void read_members(struct jsonl_object *o, struct part *ret)
{
	read_kind(o);
	if (!part_parse_shard(jsonl_get_string(o, "shard"), &ret->shard))
		jsonl_reject(o, "shard", "is not K/N with 1 <= K <= N <= 65535");
	ret->piece_length = jsonl_get_number(o, "piece_length");
	if (!header_is_piece_length(ret->piece_length))
		jsonl_reject(o, "piece_length", "is not a power of two from 16 KiB to 128 MiB");
	ret->plain = jsonl_get_bool(o, "sha256");
	ret->files = jsonl_get_positive(o, "files");
	ret->bytes = jsonl_get_number(o, "bytes");
	jsonl_get_hex(o, "listing", ret->listing, SHA256_SIZE);
	jsonl_get_hex(o, "guards", ret->guards, SHA256_SIZE);
	ret->own_files = jsonl_get_number(o, "own_files");
	if (ret->own_files > ret->files)
		jsonl_reject(o, "own_files", "is above 'files'");
	ret->own_bytes = jsonl_get_number(o, "own_bytes");
	if (ret->own_bytes > ret->bytes)
		jsonl_reject(o, "own_bytes", "is above 'bytes'");
	jsonl_get_hex(o, "own_digest", ret->own_digest, SHA256_SIZE);
}

int part_parse(const char *line, size_t len, struct part *ret, struct err *e)
{
	int status = -1;
	struct buf again = BUF_INIT;
	struct jsonl_object *o = NULL;

	*ret = (struct part){.files = 0};
	if (jsonl_check_flat(line, len, MEMBERS_MAX, e) == 0)
		o = jsonl_parse(line, len, e);
	if (o == NULL)
		goto out;
	read_members(o, ret);
	if (jsonl_done(o, e) != 0)
		goto out;
	part_format(&again, ret);
	status = jsonl_check_spelling(&again, line, len, e);
out:
	jsonl_free(o);
	buf_release(&again);
	return status;
}

int part_list(struct sha256 *listing, struct buf *room, const struct entry *entry, struct err *e)
{
	buf_clear(room);
	entry_format_judged(room, entry);
	buf_addc(room, '\n');
	sha256_update(listing, room->data, room->len);
	return buf_check(room, e);
}

int part_judges(const struct guardlist *list, uint8_t ret[static SHA256_SIZE], struct err *e)
{
	struct buf text = BUF_INIT;
	struct sha256 *sha = sha256_new(e);
	int status = -1;

	if (sha == NULL)
		return -1;
	buf_addf(&text, "swarm %s\n", SWARM_VERSION);
	guardlist_format(&text, list);
	if (buf_check(&text, e) == 0) {
		sha256_once(sha, text.data, text.len, ret);
		status = sha256_check(sha, e);
	}
	buf_release(&text);
	sha256_free(sha);
	return status;
}
