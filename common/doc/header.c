#include "swarm/header.h"

#include <string.h>

#include "swarm/merkle.h"
#include "swarm/num.h"

/* Above the number of keys, so that one too many gets a message of its own. */
#define MEMBERS_MAX 20

static bool is_word(const char *text, size_t max, const char *others)
{
	size_t len = strlen(text);

	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool plain =
		    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!plain && (i == 0 || strchr(others, c) == NULL))
			return false;
	}
	return true;
}

bool header_is_name(const char *text)
{
	return is_word(text, HEADER_PRODUCT_MAX, "._-");
}

bool header_is_version(const char *text)
{
	return is_word(text, HEADER_VERSION_MAX, ".+_-");
}

bool header_is_piece_length(uint64_t n)
{
	return n >= MERKLE_PIECE_MIN && n <= MERKLE_PIECE_MAX && (n & (n - 1)) == 0;
}

void header_get_name(struct jsonl_object *o, const char *key, const char *why,
		     char ret[static HEADER_PRODUCT_MAX + 1])
{
	const char *text = jsonl_get_string(o, key);

	if (header_is_name(text))
		memcpy(ret, text, strlen(text) + 1);
	else
		jsonl_reject(o, key, why);
}

void header_get_version(struct jsonl_object *o, const char *key, const char *why,
			char ret[static HEADER_VERSION_MAX + 1])
{
	const char *text = jsonl_get_string(o, key);

	if (header_is_version(text))
		memcpy(ret, text, strlen(text) + 1);
	else
		jsonl_reject(o, key, why);
}

void header_format(struct buf *to, const struct header *header)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	if (header->kind == HEADER_MANIFEST) {
		jsonl_string(&w, "swarm", "manifest/1");
		jsonl_string(&w, "product", header->id.product);
		jsonl_string(&w, "channel", header->id.channel);
		jsonl_string(&w, "version", header->id.version);
		jsonl_number(&w, "serial", header->id.serial);
	} else {
		jsonl_string(&w, "swarm", "inventory/1");
	}
	jsonl_number(&w, "piece_length", header->piece_length);
	jsonl_number(&w, "files", header->files);
	jsonl_number(&w, "bytes", header->bytes);
	jsonl_close(&w);
}

static void read_id(struct jsonl_object *o, struct release_id *ret)
{
	static const char no_name[] =
	    "is not 1-32 of A-Z a-z 0-9 . _ -, the first a letter or digit";
	static const char no_version[] =
	    "is not 1-48 of A-Z a-z 0-9 . + _ -, the first a letter or digit";

	header_get_name(o, "product", no_name, ret->product);
	header_get_name(o, "channel", no_name, ret->channel);
	header_get_version(o, "version", no_version, ret->version);
	ret->serial = jsonl_get_positive(o, "serial");
}

void header_torrent_name(struct buf *to, const struct release_id *id)
{
	buf_addf(to, "%s-%s", id->product, id->version);
}

void header_get(struct jsonl_object *o, struct header *ret)
{
	*ret = (struct header){.kind = HEADER_INVENTORY};
	const char *swarm = jsonl_get_string(o, "swarm");
	if (strcmp(swarm, "manifest/1") == 0) {
		ret->kind = HEADER_MANIFEST;
		read_id(o, &ret->id);
	} else if (strcmp(swarm, "inventory/1") != 0) {
		jsonl_reject(o, "swarm", "is neither inventory/1 nor manifest/1");
	}
	ret->piece_length = jsonl_get_number(o, "piece_length");
	if (!header_is_piece_length(ret->piece_length))
		jsonl_reject(o, "piece_length", "is not a power of two from 16 KiB to 128 MiB");
	ret->files = jsonl_get_positive(o, "files");
	ret->bytes = jsonl_get_number(o, "bytes");
}

int header_parse(const char *line, size_t len, struct header *ret, struct err *e)
{
	int status = -1;
	struct buf again = BUF_INIT;
	struct jsonl_object *o = NULL;

	if (jsonl_check_flat(line, len, MEMBERS_MAX, e) == 0)
		o = jsonl_parse(line, len, e);

	*ret = (struct header){.kind = HEADER_INVENTORY};
	if (o == NULL)
		goto out;
	header_get(o, ret);
	if (jsonl_done(o, e) != 0)
		goto out;
	header_format(&again, ret);
	status = jsonl_check_spelling(&again, line, len, e);
out:
	jsonl_free(o);
	buf_release(&again);
	return status;
}
