#include "swarm/head.h"

#include <stdio.h>
#include <string.h>

#include "swarm/jsonl.h"
#include "swarm/statement.h"
#include "swarm/utc.h"

#define SUBJECT_MAX (HEADER_PRODUCT_MAX + HEADER_VERSION_MAX + sizeof "-.manifest")

static void subject_name(char ret[static SUBJECT_MAX], const struct release_id *id)
{
	(void)snprintf(ret, SUBJECT_MAX, "%s-%s.manifest", id->product, id->version);
}

static void put_time(struct jsonl_writer *w, const char *key, int64_t t)
{
	char text[UTC_SIZE];

	utc_format(text, t);
	jsonl_string(w, key, text);
}

static void put_predicate(struct jsonl_writer *w, const struct head *head)
{
	jsonl_string(w, "product", head->id.product);
	jsonl_string(w, "channel", head->id.channel);
	jsonl_string(w, "version", head->id.version);
	jsonl_number(w, "serial", head->id.serial);
	jsonl_open(w, "manifest");
	jsonl_number(w, "bytes", head->bytes);
	jsonl_number(w, "files", head->files);
	jsonl_close(w);
	put_time(w, "issued", head->issued);
	put_time(w, "expires", head->expires);
	if (head->has_rollout) {
		jsonl_open(w, "rollout");
		put_time(w, "start", head->rollout_start);
		jsonl_number(w, "window", head->rollout_window);
		jsonl_close(w);
	}
	if (head->has_previous) {
		jsonl_open(w, "previous");
		jsonl_string(w, "version", head->previous.version);
		jsonl_number(w, "serial", head->previous.serial);
		jsonl_hex(w, "sha256", head->previous.digest, SHA256_SIZE);
		jsonl_close(w);
	}
	if (head->has_btmh)
		jsonl_hex(w, "btmh", head->btmh, SHA256_SIZE);
	if (head->has_hybrid) {
		jsonl_open(w, "hybrid");
		jsonl_hex(w, "btmh", head->hybrid_btmh, SHA256_SIZE);
		jsonl_hex(w, "btih", head->hybrid_btih, HEAD_BTIH_SIZE);
		jsonl_close(w);
	}
}

void head_format(struct buf *to, const struct head *head)
{
	struct jsonl_writer w = {.to = to};
	char name[SUBJECT_MAX];

	subject_name(name, &head->id);
	statement_open(&w, name, head->digest, HEAD_PREDICATE);
	put_predicate(&w, head);
	jsonl_close(&w);
	jsonl_close(&w);
}

static int64_t get_time(struct jsonl_object *o, const char *key)
{
	int64_t t = 0;

	if (!utc_parse(jsonl_get_string(o, key), &t))
		jsonl_reject(o, key, "is not a time as YYYY-MM-DDTHH:MM:SSZ");
	return t;
}

static void read_predicate(struct jsonl_object *o, struct head *ret)
{
	static const char no_name[] = "is not a product or channel";
	static const char no_version[] = "is not a version";

	header_get_name(o, "product", no_name, ret->id.product);
	header_get_name(o, "channel", no_name, ret->id.channel);
	header_get_version(o, "version", no_version, ret->id.version);
	ret->id.serial = jsonl_get_positive(o, "serial");
	struct jsonl_object *manifest = jsonl_get_object(o, "manifest");
	ret->bytes = jsonl_get_positive(manifest, "bytes");
	ret->files = jsonl_get_positive(manifest, "files");
	ret->issued = get_time(o, "issued");
	ret->expires = get_time(o, "expires");
	if (ret->expires <= ret->issued)
		jsonl_reject(o, "expires", "is not after 'issued'");
	ret->has_rollout = jsonl_has(o, "rollout");
	if (ret->has_rollout) {
		struct jsonl_object *rollout = jsonl_get_object(o, "rollout");
		ret->rollout_start = get_time(rollout, "start");
		ret->rollout_window = jsonl_get_number(rollout, "window");
	}
	ret->has_previous = jsonl_has(o, "previous");
	if (ret->has_previous) {
		struct jsonl_object *previous = jsonl_get_object(o, "previous");
		header_get_version(previous, "version", no_version, ret->previous.version);
		ret->previous.serial = jsonl_get_positive(previous, "serial");
		if (ret->previous.serial >= ret->id.serial)
			jsonl_reject(previous, "serial", "is not below that of the release");
		jsonl_get_hex(previous, "sha256", ret->previous.digest, SHA256_SIZE);
	}
	ret->has_btmh = jsonl_has(o, "btmh");
	if (ret->has_btmh)
		jsonl_get_hex(o, "btmh", ret->btmh, SHA256_SIZE);
	ret->has_hybrid = jsonl_has(o, "hybrid");
	if (ret->has_hybrid) {
		struct jsonl_object *hybrid = jsonl_get_object(o, "hybrid");
		jsonl_get_hex(hybrid, "btmh", ret->hybrid_btmh, SHA256_SIZE);
		jsonl_get_hex(hybrid, "btih", ret->hybrid_btih, HEAD_BTIH_SIZE);
	}
}

int head_parse(const char *text, size_t len, struct head *ret, struct err *e)
{
	int status = -1;
	char name[SUBJECT_MAX];
	struct buf again = BUF_INIT;
	struct jsonl_object *o = jsonl_parse(text, len, e);

	*ret = (struct head){.bytes = 0};
	if (o == NULL)
		goto out;
	read_predicate(statement_get_predicate(o, HEAD_PREDICATE), ret);
	subject_name(name, &ret->id);
	statement_get_subject(o, name, ret->digest);
	if (jsonl_done(o, e) != 0)
		goto out;
	head_format(&again, ret);
	status = jsonl_check_spelling(&again, text, len, e);
out:
	jsonl_free(o);
	buf_release(&again);
	return status;
}
