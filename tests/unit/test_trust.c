#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/hex.h"
#include "swarm/io.h"
#include "swarm/sha256.h"
#include "swarm/trust.h"

#define KEYS "testdata/keys/"

#define RELEASE_ID "b4559cee7fb284e9cb573bb878578a675df221eeb349009a2324988a9cd3a6a0"
#define SECOND_ID  "6325d9cb7e06ca1140365946b5b2b9502dc5a330bd6cec327340ef2d7f5d15eb"
#define P256_ID    "6fd17a239ed5bc2936c1ef64d9f17b02756e235fb665a6ae40bf78a24bf92b4c"

static struct key *release, *second, *p256;

static struct key *private_key(const char *path)
{
	bool exposed;
	struct err e = {0};
	struct key *k = key_load_private(path, NULL, &exposed, &e);

	if (k == NULL)
		fail_msg("%s", e.msg);
	return k;
}

static int load_keys(void **state)
{
	(void)state;
	release = private_key(KEYS "release.key");
	second = private_key(KEYS "second.key");
	p256 = private_key(KEYS "p256-pkcs8.key");
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	key_free(release);
	key_free(second);
	key_free(p256);
	return 0;
}

static struct trust *trust_in(const struct key *a, const struct key *b)
{
	struct err e = {0};
	struct trust *t = trust_new(&e);

	assert_non_null(t);
	if (a != NULL)
		assert_int_equal(trust_add_key(t, a, &e), 0);
	if (b != NULL)
		assert_int_equal(trust_add_key(t, b, &e), 0);
	return t;
}

/* Signs what the envelope holds; the signature goes by the name of `keyid`. */
static void sign_as(struct envelope *v, const struct key *k, const char *keyid)
{
	uint8_t sig[KEY_SIG_MAX];
	size_t len = 0;
	struct buf bytes = BUF_INIT;
	struct err e = {0};

	envelope_preauth(&bytes, v->payload.data, v->payload.len);
	assert_int_equal(key_sign(k, bytes.data, bytes.len, sig, &len, &e), 0);
	assert_int_equal(envelope_add(v, keyid, sig, len, &e), 0);
	buf_release(&bytes);
}

static void sign(struct envelope *v, const struct key *k)
{
	sign_as(v, k, key_id(k));
}

static void start_envelope(struct envelope *v)
{
	envelope_init(v);
	buf_adds(&v->payload, "{\"what\":\"is signed\"}");
}

static void assert_refused(const struct trust *t, const struct envelope *v, const char *message)
{
	struct trust_signers signers;
	struct err e = {0};

	assert_int_equal(trust_check(t, v, "x.manifest", &signers, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void assert_signers(const struct trust *t, const struct envelope *v, size_t count)
{
	struct trust_signers signers;
	struct err e = {0};

	if (trust_check(t, v, "x.manifest", &signers, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(signers.count, count);
}

/* --- which keys ------------------------------------------------------------------------------- */

static void key_of_several_files_counts_once(void **state)
{
	struct err e = {0};
	struct trust *t = trust_in(NULL, NULL);

	(void)state;
	assert_int_equal(trust_count(t), 0);
	assert_int_equal(trust_add_file(t, KEYS "release.pub", &e), 0);
	assert_int_equal(trust_count(t), 1);
	assert_int_equal(trust_add_file(t, KEYS "release.pub", &e), 0);
	assert_int_equal(trust_add_key(t, release, &e), 0);
	assert_int_equal(trust_count(t), 1);
	assert_int_equal(trust_add_file(t, KEYS "two.pub", &e), 0);
	assert_int_equal(trust_count(t), 2);
	assert_int_equal(trust_add_file(t, KEYS "p256.pub", &e), 0);
	assert_int_equal(trust_add_file(t, KEYS "p256-compressed.pub", &e), 0);
	assert_int_equal(trust_count(t), 3);
	trust_free(t);
}

static void list_of_files_is_split_at_colons(void **state)
{
	struct err e = {0};
	struct trust *t = trust_in(NULL, NULL);

	(void)state;
	assert_int_equal(trust_add_list(t, "", &e), 0);
	assert_int_equal(trust_count(t), 0);
	assert_int_equal(trust_add_list(t, ":" KEYS "two.pub::" KEYS "p256.pub:", &e), 0);
	assert_int_equal(trust_count(t), 3);
	assert_int_equal(trust_add_list(t, KEYS "two.pub:" KEYS "absent.pub", &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg,
			    "cannot open 'testdata/keys/absent.pub': No such file or directory");
	trust_free(t);
}

static void private_key_is_never_trusted(void **state)
{
	struct err e = {0};
	struct trust *t = trust_in(NULL, NULL);

	(void)state;
	assert_int_equal(trust_add_file(t, KEYS "release.key", &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "cannot use the key 'testdata/keys/release.key': it holds a "
				   "private key, which nobody but its owner should have: give the "
				   "public one");
	assert_int_equal(trust_count(t), 0);
	trust_free(t);
}

static void trusts_64_keys_and_no_more(void **state)
{
	struct key *keys[64];
	struct err e = {0};
	struct trust *t = trust_in(NULL, NULL);

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		keys[i] = key_generate(&e);
		assert_int_equal(trust_add_key(t, keys[i], &e), 0);
	}
	assert_int_equal(trust_add_key(t, keys[0], &e), 0);
	assert_int_equal(trust_add_file(t, KEYS "two.pub", &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "more than 64 keys to trust");
	assert_int_equal(trust_count(t), 64);
	trust_free(t);
	for (size_t i = 0; i < 64; i++)
		key_free(keys[i]);
}

static void threshold_is_from_1_to_the_number_of_keys(void **state)
{
	static const char one_of_two[] =
	    "'x.manifest' has 1 valid signature of the 2 that --threshold asks for (b4559cee…)";
	struct envelope v;
	struct err e = {0};
	struct trust *t = trust_in(release, second);

	(void)state;
	start_envelope(&v);
	sign(&v, release);
	assert_signers(t, &v, 1);
	assert_int_equal(trust_set_threshold(t, 2, &e), 0);
	assert_refused(t, &v, one_of_two);
	assert_int_equal(trust_set_threshold(t, 0, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "--threshold 0 would trust whatever comes");
	/* The same key again does not make room for a third. */
	assert_int_equal(trust_add_file(t, KEYS "release.pub", &e), 0);
	assert_int_equal(trust_set_threshold(t, 3, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "--threshold asks for 3 signatures, but the number of "
				   "different keys to trust is 2");
	/* What was refused has changed nothing. */
	assert_refused(t, &v, one_of_two);
	sign(&v, second);
	assert_signers(t, &v, 2);
	envelope_release(&v);
	trust_free(t);
}

/* --- signatures ------------------------------------------------------------------------------- */

static void trusted_signature_is_found_whatever_its_keyid(void **state)
{
	static const char *const names[] = {RELEASE_ID, SECOND_ID, "", "\x1b[2J"};
	struct trust *t = trust_in(release, NULL);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct trust_signers signers;
		struct envelope v;
		struct err e = {0};
		start_envelope(&v);
		sign_as(&v, release, names[i]);
		assert_int_equal(trust_check(t, &v, "x", &signers, &e), 0);
		assert_int_equal(signers.count, 1);
		assert_string_equal(signers.keyids[0], RELEASE_ID);
		envelope_release(&v);
	}
	trust_free(t);
}

static void changed_payload_or_signature_is_refused(void **state)
{
	static const char message[] =
	    "'x.manifest' is not signed by a key you trust (the signature in the name of "
	    "b4559cee… is invalid: was it changed after it was signed?)";
	struct envelope v;
	struct trust *t = trust_in(release, second);

	(void)state;
	start_envelope(&v);
	sign(&v, release);
	assert_signers(t, &v, 1);
	for (size_t i = 0; i < v.payload.len; i++) {
		v.payload.data[i] ^= 1;
		assert_refused(t, &v, message);
		v.payload.data[i] ^= 1;
	}
	for (size_t i = 0; i < v.signatures[0].sig_len; i++) {
		v.signatures[0].sig[i] ^= 1;
		assert_refused(t, &v, message);
		v.signatures[0].sig[i] ^= 1;
	}
	assert_signers(t, &v, 1);
	envelope_release(&v);
	trust_free(t);
}

static void signature_by_another_key_is_refused_and_both_are_named(void **state)
{
	struct envelope v;
	struct trust *t = trust_in(second, p256), *none = trust_in(NULL, NULL);

	(void)state;
	start_envelope(&v);
	sign(&v, release);
	sign_as(&v, release, "");
	assert_refused(t, &v,
		       "'x.manifest' is not signed by a key you trust (it bears signatures by "
		       "b4559cee…, an unnamed key; you trust 6325d9cb…, 6fd17a23…)");
	assert_refused(none, &v,
		       "'x.manifest' is not signed by a key you trust (it bears signatures by "
		       "b4559cee…, an unnamed key; you trust no key at all)");
	envelope_release(&v);
	trust_free(t);
	trust_free(none);
}

static void long_list_of_signatures_is_cut_short(void **state)
{
	struct envelope v;
	struct trust *t = trust_in(second, NULL);

	(void)state;
	start_envelope(&v);
	for (int i = 0; i < ENVELOPE_SIGNATURES; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "key%d", i);
		sign_as(&v, release, name);
	}
	assert_refused(t, &v,
		       "'x.manifest' is not signed by a key you trust (it bears signatures by "
		       "key0, key1, key2 and others; you trust 6325d9cb…)");
	envelope_release(&v);
	trust_free(t);
}

static void signatures_that_are_unknown_or_invalid_do_no_harm(void **state)
{
	struct envelope v;
	struct trust *t = trust_in(p256, NULL);
	struct err e = {0};

	(void)state;
	start_envelope(&v);
	sign(&v, second);
	assert_int_equal(envelope_add(&v, P256_ID, (const uint8_t *)"nonsense", 8, &e), 0);
	assert_int_equal(envelope_add(&v, "empty", (const uint8_t *)"", 0, &e), 0);
	sign_as(&v, p256, "p256");
	assert_signers(t, &v, 1);
	envelope_release(&v);
	trust_free(t);
}

static void threshold_counts_keys_and_not_signatures(void **state)
{
	struct envelope v;
	struct trust *t = trust_in(release, second);
	struct err e = {0};

	(void)state;
	assert_int_equal(trust_add_key(t, p256, &e), 0);
	assert_int_equal(trust_set_threshold(t, 2, &e), 0);
	start_envelope(&v);
	/* TUF's GHSA-pwqf-9h7j-7mv8 and GHSA-5q2r-92f9-4m49: one key again and again. */
	sign(&v, p256);
	sign_as(&v, p256, RELEASE_ID);
	sign_as(&v, p256, SECOND_ID);
	sign_as(&v, p256, "");
	assert_refused(t, &v,
		       "'x.manifest' has 1 valid signature of the 2 that --threshold asks for "
		       "(6fd17a23…)");
	sign(&v, second);
	assert_signers(t, &v, 2);
	assert_int_equal(trust_set_threshold(t, 3, &e), 0);
	assert_refused(t, &v,
		       "'x.manifest' has 2 valid signatures of the 3 that --threshold asks for "
		       "(6fd17a23…, 6325d9cb…)");
	sign(&v, release);
	assert_signers(t, &v, 3);
	envelope_release(&v);
	trust_free(t);
}

static void one_key_in_two_files_does_not_reach_a_threshold(void **state)
{
	struct envelope v;
	struct trust *t = trust_in(release, NULL);
	struct err e = {0};

	(void)state;
	/* go-tuf's GHSA-3633-5h82-39pq: one key under two ids. */
	assert_int_equal(trust_add_file(t, KEYS "p256.pub", &e), 0);
	assert_int_equal(trust_add_file(t, KEYS "p256-compressed.pub", &e), 0);
	assert_int_equal(trust_set_threshold(t, 2, &e), 0);
	start_envelope(&v);
	sign(&v, p256);
	sign_as(&v, p256, "again");
	assert_refused(t, &v,
		       "'x.manifest' has 1 valid signature of the 2 that --threshold asks for "
		       "(6fd17a23…)");
	sign(&v, release);
	assert_signers(t, &v, 2);
	envelope_release(&v);
	trust_free(t);
}

static void signature_that_fits_two_keys_counts_once(void **state)
{
	char sig[KEY_SIG_MAX];
	size_t count = 0;
	struct envelope v;
	struct err e = {0};
	struct trust *t = trust_in(NULL, NULL);
	struct key **twins = key_load_public(KEYS "twins.pub", &count, &e);
	int fd = io_open(KEYS "twins.sig", &e);

	(void)state;
	assert_non_null(twins);
	assert_int_equal(count, 2);
	ssize_t len = io_read(fd, sig, sizeof sig, "twins.sig", &e);
	assert_true(len > 0);
	assert_int_equal(close(fd), 0);
	start_envelope(&v);
	assert_int_equal(envelope_add(&v, "", (const uint8_t *)sig, (size_t)len, &e), 0);
	struct buf bytes = BUF_INIT;
	envelope_preauth(&bytes, v.payload.data, v.payload.len);
	for (size_t i = 0; i < 2; i++) {
		assert_true(key_verify(twins[i], bytes.data, bytes.len, v.signatures[0].sig,
				       v.signatures[0].sig_len));
		assert_int_equal(trust_add_key(t, twins[i], &e), 0);
	}
	assert_signers(t, &v, 1);
	assert_int_equal(trust_set_threshold(t, 2, &e), 0);
	struct trust_signers signers;
	assert_int_equal(trust_check(t, &v, "x", &signers, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(signers.count, 1);
	trust_free(t);
	for (size_t i = 0; i < 2; i++)
		key_free(twins[i]);
	free(twins);
	buf_release(&bytes);
	envelope_release(&v);
}

/* --- documents -------------------------------------------------------------------------------- */

/* A release of empty files, and what was signed for it. */
struct release {
	struct header header;
	struct head head;
	struct buf body;
	struct buf envelope;
};

static void make_body(struct release *r, const char *version, uint64_t serial,
		      const char *const *paths, size_t count)
{
	*r = (struct release){.body = BUF_INIT, .envelope = BUF_INIT};
	r->header = (struct header){.kind = HEADER_MANIFEST,
				    .id = {.product = "farm", .channel = "stable"},
				    .piece_length = 65536,
				    .files = count};
	(void)snprintf(r->header.id.version, sizeof r->header.id.version, "%s", version);
	r->header.id.serial = serial;
	header_format(&r->body, &r->header);
	buf_addc(&r->body, '\n');
	for (size_t i = 0; i < count; i++) {
		struct entry entry = {
		    .path = paths[i], .label = LABEL_PUBLIC, .hot = ENTRY_NOT_HOT};
		entry_format(&r->body, &entry);
		buf_addc(&r->body, '\n');
	}
}

static void sign_release(struct release *r)
{
	struct envelope v;
	struct err e = {0};
	struct sha256 *sha = sha256_new(&e);

	r->head = (struct head){.id = r->header.id,
				.bytes = r->body.len,
				.files = r->header.files,
				.issued = 1000000000,
				.expires = 2000000000};
	sha256_once(sha, r->body.data, r->body.len, r->head.digest);
	sha256_free(sha);
	envelope_init(&v);
	head_format(&v.payload, &r->head);
	sign(&v, release);
	buf_clear(&r->envelope);
	envelope_format(&r->envelope, &v);
	envelope_release(&v);
}

static void make_release(struct release *r, const char *version, uint64_t serial)
{
	static const char *const paths[] = {"a.txt", "b.txt"};

	make_body(r, version, serial, paths, 2);
	sign_release(r);
}

static void release_free(struct release *r)
{
	buf_release(&r->body);
	buf_release(&r->envelope);
}

/* A document of these bytes, whose file is gone already. */
static struct document *document_of(const struct buf *body, const struct buf *envelope)
{
	char path[] = "/tmp/swarm-test-trust-XXXXXX";
	struct err e = {0};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	if (body != NULL)
		assert_int_equal(io_write(fd, body->data, body->len, path, &e), 0);
	if (envelope != NULL) {
		assert_int_equal(io_write(fd, envelope->data, envelope->len, path, &e), 0);
		if (body != NULL)
			assert_int_equal(io_write(fd, "\n", 1, path, &e), 0);
	}
	assert_int_equal(close(fd), 0);
	struct document *d = document_open(path, &e);
	assert_int_equal(unlink(path), 0);
	if (d == NULL)
		fail_msg("%s", e.msg);
	return d;
}

static void head_of_a_manifest_and_a_head_file_are_the_same(void **state)
{
	struct release r;
	struct trust *t = trust_in(release, NULL);

	(void)state;
	make_release(&r, "1.0.2", 42);
	struct document *documents[] = {document_of(&r.body, &r.envelope),
					document_of(NULL, &r.envelope)};
	for (size_t i = 0; i < 2; i++) {
		struct head head;
		struct trust_signers signers;
		struct err e = {0};
		assert_int_equal(trust_head(t, documents[i], &head, &signers, &e), 0);
		assert_string_equal(head.id.version, "1.0.2");
		assert_int_equal(head.id.serial, 42);
		assert_int_equal(signers.count, 1);
		assert_string_equal(signers.keyids[0], RELEASE_ID);
		document_close(documents[i]);
	}
	release_free(&r);
	trust_free(t);
}

static void assert_head_refused(const struct trust *t, const struct buf *body,
				const struct buf *envelope, const char *why)
{
	char expected[ERR_MSG_MAX];
	struct head head;
	struct trust_signers signers;
	struct err e = {0};
	struct document *d = document_of(body, envelope);

	assert_int_equal(trust_head(t, d, &head, &signers, &e), -1);
	(void)snprintf(expected, sizeof expected, "'%s' %s", document_name(d), why);
	assert_string_equal(e.msg, expected);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	document_close(d);
}

static void head_signed_by_a_stranger_is_refused(void **state)
{
	struct release r;
	struct trust *t = trust_in(second, NULL);

	(void)state;
	make_release(&r, "1.0.2", 42);
	assert_head_refused(t, &r.body, &r.envelope,
			    "is not signed by a key you trust (it bears signatures by "
			    "b4559cee…; you trust 6325d9cb…)");
	release_free(&r);
	trust_free(t);
}

static void signed_payload_that_is_no_head_is_malformed(void **state)
{
	struct envelope v;
	struct buf line = BUF_INIT;
	struct trust *t = trust_in(release, NULL);
	struct head head;
	struct trust_signers signers;
	struct err e = {0};

	(void)state;
	start_envelope(&v);
	sign(&v, release);
	envelope_format(&line, &v);
	struct document *d = document_of(NULL, &line);
	assert_int_equal(trust_head(t, d, &head, &signers, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_int_equal(strncmp(e.msg + 1, document_name(d), strlen(document_name(d))), 0);
	document_close(d);
	buf_release(&line);
	envelope_release(&v);
	trust_free(t);
}

static void inventory_has_no_head(void **state)
{
	struct release r;
	struct trust *t = trust_in(release, NULL);

	(void)state;
	make_release(&r, "1.0.2", 42);
	r.header.kind = HEADER_INVENTORY;
	size_t rest = (size_t)(strchr(r.body.data, '\n') - r.body.data);
	struct buf inventory = BUF_INIT;
	header_format(&inventory, &r.header);
	buf_adds(&inventory, r.body.data + rest);
	struct document *d = document_of(&inventory, NULL);
	struct listing listing;
	struct head head;
	struct trust_signers signers;
	struct err e = {0};
	assert_int_equal(trust_head(t, d, &head, &signers, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(signers.count, 0);
	char expected[256];
	(void)snprintf(expected, sizeof expected,
		       "'%s' is no manifest, but an inventory: no head can be of it",
		       document_name(d));
	assert_int_equal(trust_listing(d, &r.head, &listing, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_string_equal(e.msg, expected);
	listing_release(&listing);
	document_close(d);
	buf_release(&inventory);
	release_free(&r);
	trust_free(t);
}

/* Reads a body against a head; `why` is what the message says behind the document's name. */
static void assert_listing_refused(const struct release *body, const struct head *head,
				   const char *why)
{
	struct listing listing;
	struct err e = {0};
	char expected[ERR_MSG_MAX];
	struct document *d = document_of(&body->body, &body->envelope);

	(void)snprintf(expected, sizeof expected, "'%s' %s", document_name(d), why);
	assert_int_equal(trust_listing(d, head, &listing, &e), -1);
	assert_string_equal(e.msg, expected);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	listing_release(&listing);
	document_close(d);
}

static void assert_listing_read(const struct release *body, const struct head *head)
{
	struct listing listing;
	struct err e = {0};
	struct document *d = document_of(&body->body, &body->envelope);

	if (trust_listing(d, head, &listing, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(listing.count, 2);
	assert_string_equal(listing.entries[0].path, "a.txt");
	assert_int_equal(listing.bytes, body->body.len);
	listing_release(&listing);
	document_close(d);
}

static void listing_of_the_signed_body_is_read(void **state)
{
	struct release r;

	(void)state;
	make_release(&r, "1.0.2", 42);
	assert_listing_read(&r, &r.head);
	release_free(&r);
}

static void newer_head_over_the_same_body_is_enough(void **state)
{
	struct release r;

	(void)state;
	make_release(&r, "1.0.2", 42);
	r.head.issued++;
	/* The manifest's own last line counts for nothing here. */
	buf_clear(&r.envelope);
	buf_adds(&r.envelope, "not even an envelope");
	assert_listing_read(&r, &r.head);
	release_free(&r);
}

static void manifest_of_another_release_is_refused(void **state)
{
	struct release old, new;

	(void)state;
	make_release(&old, "1.0.1", 41);
	make_release(&new, "1.0.2", 42);
	assert_listing_refused(
	    &old, &new.head,
	    "is of farm 1.0.1 (stable, serial 41), but the head is of farm 1.0.2 "
	    "(stable, serial 42)");
	struct head head = old.head;
	(void)snprintf(head.id.channel, sizeof head.id.channel, "beta");
	assert_listing_refused(
	    &old, &head,
	    "is of farm 1.0.1 (stable, serial 41), but the head is of farm 1.0.1 "
	    "(beta, serial 41)");
	head = old.head;
	head.id.serial = 42;
	assert_listing_refused(&old, &head,
			       "is of farm 1.0.1 (stable, serial 41), but the head is of farm "
			       "1.0.1 (stable, serial 42)");
	head = old.head;
	(void)snprintf(head.id.product, sizeof head.id.product, "barn");
	assert_listing_refused(&old, &head,
			       "is of farm 1.0.1 (stable, serial 41), but the head is of barn "
			       "1.0.1 (stable, serial 41)");
	head = old.head;
	(void)snprintf(head.id.version, sizeof head.id.version, "1.0.10");
	assert_listing_refused(&old, &head,
			       "is of farm 1.0.1 (stable, serial 41), but the head is of farm "
			       "1.0.10 (stable, serial 41)");
	head = old.head;
	head.files = 3;
	assert_listing_refused(&old, &head, "lists 2 files, but the head says 3");
	release_free(&old);
	release_free(&new);
}

static void body_with_one_changed_byte_is_refused(void **state)
{
	struct release r;
	struct head head;

	(void)state;
	make_release(&r, "1.0.2", 42);
	head = r.head;
	for (size_t i = 0; i + 1 < r.body.len; i++) {
		struct listing listing;
		struct err e = {0};
		/* Another first line may make another kind of document of it. */
		if (i < strlen("{\"swarm\":\"manifest/"))
			continue;
		r.body.data[i] ^= 1;
		struct document *d = document_of(&r.body, &r.envelope);
		r.body.data[i] ^= 1;
		assert_int_equal(trust_listing(d, &head, &listing, &e), -1);
		assert_true(e.code == ERR_MALFORMED || e.code == ERR_UNTRUSTED);
		listing_release(&listing);
		document_close(d);
	}
	assert_listing_read(&r, &head);
	release_free(&r);
}

static void well_formed_body_with_another_digest_is_refused(void **state)
{
	static const char *const paths[] = {"a.txt", "c.txt"};
	struct release r, other;
	char got[2 * SHA256_SIZE + 1], wanted[2 * SHA256_SIZE + 1], why[512];

	(void)state;
	make_release(&r, "1.0.2", 42);
	make_body(&other, "1.0.2", 42, paths, 2);
	sign_release(&other);
	assert_int_equal(other.body.len, r.body.len);
	hex_format(got, other.head.digest, SHA256_SIZE);
	hex_format(wanted, r.head.digest, SHA256_SIZE);
	(void)snprintf(why, sizeof why,
		       "is not the manifest that was signed: without its last line its "
		       "SHA-256 is %s, but the head says %s",
		       got, wanted);
	assert_listing_refused(&other, &r.head, why);
	assert_listing_read(&other, &other.head);
	release_free(&r);
	release_free(&other);
}

static void no_more_is_read_than_was_signed(void **state)
{
	struct release r, longer;
	char why[256];

	(void)state;
	make_release(&r, "1.0.2", 42);
	make_release(&longer, "1.0.2", 42);
	/* Nothing behind the first line is looked at: it is not even a file line. */
	for (int i = 0; i < 1000; i++)
		buf_adds(&longer.body, "more\n");
	(void)snprintf(why, sizeof why,
		       "is not the manifest that was signed: without its last line it has "
		       "%zu bytes, but the head says %zu",
		       longer.body.len, r.body.len);
	assert_listing_refused(&longer, &r.head, why);
	release_free(&r);
	release_free(&longer);
}

static void head_file_has_no_listing(void **state)
{
	struct release r;
	struct listing listing;
	struct err e = {0};
	char expected[256];

	(void)state;
	make_release(&r, "1.0.2", 42);
	struct document *d = document_of(NULL, &r.envelope);
	(void)snprintf(expected, sizeof expected,
		       "'%s' is no manifest, but a head itself: no head can be of it",
		       document_name(d));
	assert_int_equal(trust_listing(d, &r.head, &listing, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_string_equal(e.msg, expected);
	listing_release(&listing);
	document_close(d);
	release_free(&r);
}

/* --- deltas ----------------------------------------------------------------------------------- */

struct delta {
	struct buf text;
	struct pledge pledge;
	struct buf envelope;
};

static void sign_delta(struct delta *d)
{
	struct envelope v;

	envelope_init(&v);
	pledge_format(&v.payload, &d->pledge);
	sign(&v, release);
	buf_clear(&d->envelope);
	envelope_format(&d->envelope, &v);
	envelope_release(&v);
}

/* Removes a file and does nothing else. */
static void make_delta(struct delta *d, const char *removed)
{
	struct delta_header header = {.product = "farm",
				      .channel = "stable",
				      .from = {.version = "1.0", .serial = 41},
				      .to = {.version = "1.1", .serial = 42},
				      .removes = 1,
				      .header = {.kind = HEADER_MANIFEST,
						 .id = {"farm", "stable", "1.1", 42},
						 .piece_length = 16384,
						 .files = 1}};
	const struct delta_line line = {.remove = true, .path = removed};
	uint8_t digest[SHA256_SIZE];
	struct err e = {0};
	struct sha256 *sha = sha256_new(&e);

	*d = (struct delta){.text = BUF_INIT, .envelope = BUF_INIT};
	delta_format_header(&d->text, &header);
	buf_addc(&d->text, '\n');
	delta_format_line(&d->text, &line);
	buf_addc(&d->text, '\n');
	sha256_once(sha, d->text.data, d->text.len, digest);
	sha256_free(sha);
	pledge_of(&header, digest, d->text.len, &d->pledge);
	sign_delta(d);
}

static void delta_free(struct delta *d)
{
	buf_release(&d->text);
	buf_release(&d->envelope);
}

/* Checks a delta as every reader does: 0, or why not behind the document's name. */
static int read_delta(const struct delta *from, const char **ret_why, struct err *e)
{
	static char why[ERR_MSG_MAX];
	struct trust *t = trust_in(release, NULL);
	struct document *d = document_of(&from->text, &from->envelope);
	struct arena arena = ARENA_INIT;
	struct delta_line line;
	struct pledge pledge;
	struct trust_signers signers;
	struct recipe *r = NULL;
	int status = trust_delta(t, d, &pledge, &signers, e);

	if (status == 0) {
		assert_int_equal(signers.count, 1);
		r = document_recipe(d, e);
		assert_non_null(r);
		while ((status = recipe_next(r, &arena, &line, e)) > 0)
			continue;
		if (status == 0)
			status = trust_recipe(r, document_name(d), &pledge, e);
	}
	if (status != 0) {
		const char *name = strstr(e->msg, document_name(d));
		assert_non_null(name);
		(void)snprintf(why, sizeof why, "%s", name + strlen(document_name(d)));
		*ret_why = why;
	}
	arena_release(&arena);
	recipe_close(r);
	document_close(d);
	trust_free(t);
	return status;
}

static void assert_delta_read(const struct delta *d)
{
	const char *why = "";
	struct err e = {0};

	if (read_delta(d, &why, &e) != 0)
		fail_msg("%s", e.msg);
}

static void assert_delta_refused(const struct delta *d, const char *message)
{
	const char *why = "";
	struct err e = {0};

	assert_int_equal(read_delta(d, &why, &e), -1);
	assert_string_equal(why, message);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

static void delta_that_was_signed_is_read(void **state)
{
	struct delta d;

	(void)state;
	make_delta(&d, "old");
	assert_delta_read(&d);
	delta_free(&d);
}

static void delta_with_another_text_is_refused(void **state)
{
	struct delta d, other, longer;
	char why[256];

	(void)state;
	make_delta(&d, "old");
	make_delta(&other, "odd");
	make_delta(&longer, "older");
	struct delta mixed = {.text = other.text, .envelope = d.envelope};
	assert_delta_refused(&mixed,
			     "' is not the delta that was signed: its SHA-256 is another one");
	mixed.text = longer.text;
	(void)snprintf(why, sizeof why,
		       "' is not the delta that was signed: without its last line it has %zu "
		       "bytes, but that line says %zu",
		       longer.text.len, d.text.len);
	assert_delta_refused(&mixed, why);
	delta_free(&d);
	delta_free(&other);
	delta_free(&longer);
}

static void delta_must_be_what_its_last_line_says(void **state)
{
	static const char why[] = "' is of other releases than its last line";
	struct delta d;

	(void)state;
	make_delta(&d, "old");
	const struct pledge good = d.pledge;
	for (int i = 0; i < 8; i++) {
		d.pledge = good;
		switch (i) {
		case 0: d.pledge.product[0] = 'b'; break;
		case 1: d.pledge.channel[0] = 'b'; break;
		case 2: d.pledge.from.version[0] = '0'; break;
		case 3: d.pledge.from.serial--; break;
		case 4: d.pledge.from.digest[31] ^= 1; break;
		case 5: d.pledge.to.version[0] = '2'; break;
		case 6: d.pledge.to.serial++; break;
		default: d.pledge.to.digest[0] ^= 1; break;
		}
		sign_delta(&d);
		assert_delta_refused(&d, why);
	}
	d.pledge = good;
	sign_delta(&d);
	assert_delta_read(&d);
	delta_free(&d);
}

/* Each is signed by the right key, and says something else. */
static void delta_and_head_do_not_stand_for_each_other(void **state)
{
	struct delta d;
	struct release r;
	struct trust *t = trust_in(release, NULL);
	struct listing listing;
	struct pledge pledge;
	struct trust_signers signers;
	struct err e = {0};

	(void)state;
	make_delta(&d, "old");
	make_release(&r, "1.1", 42);
	assert_head_refused(t, &d.text, &d.envelope, "is signed as a delta, not as a release");
	assert_head_refused(t, &r.body, &d.envelope, "is signed as a delta, not as a release");
	assert_head_refused(t, NULL, &d.envelope, "is the last line of a delta, not a head");
	assert_head_refused(t, &d.text, NULL, "is a delta that is not signed");
	struct delta mixed = {.text = d.text, .envelope = r.envelope};
	assert_delta_refused(&mixed, "' is the head of a release: no delta was signed by it");
	struct document *document = document_of(&r.body, &r.envelope);
	assert_int_equal(trust_delta(t, document, &pledge, &signers, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(signers.count, 0);
	document_close(document);
	document = document_of(&d.text, &d.envelope);
	assert_int_equal(trust_listing(document, &r.head, &listing, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.msg, "' is no manifest, but a delta: no head can be of it"));
	listing_release(&listing);
	document_close(document);
	delta_free(&d);
	release_free(&r);
	trust_free(t);
}

static void delta_by_a_stranger_or_unsigned_is_refused(void **state)
{
	struct delta d;
	struct trust *t = trust_in(second, NULL);
	struct pledge pledge;
	struct trust_signers signers;

	(void)state;
	make_delta(&d, "old");
	for (int is_signed = 0; is_signed < 2; is_signed++) {
		struct err e = {0};
		struct document *document =
		    document_of(&d.text, is_signed == 1 ? &d.envelope : NULL);
		assert_int_equal(trust_delta(t, document, &pledge, &signers, &e), -1);
		assert_int_equal(e.code, ERR_UNTRUSTED);
		assert_int_equal(signers.count, 0);
		assert_non_null(strstr(e.msg, is_signed == 1 ? "' is not signed by a key you trust"
							     : "' is a delta that is not signed"));
		document_close(document);
	}
	delta_free(&d);
	trust_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_of_several_files_counts_once),
	    cmocka_unit_test(list_of_files_is_split_at_colons),
	    cmocka_unit_test(private_key_is_never_trusted),
	    cmocka_unit_test(trusts_64_keys_and_no_more),
	    cmocka_unit_test(threshold_is_from_1_to_the_number_of_keys),
	    cmocka_unit_test(trusted_signature_is_found_whatever_its_keyid),
	    cmocka_unit_test(changed_payload_or_signature_is_refused),
	    cmocka_unit_test(signature_by_another_key_is_refused_and_both_are_named),
	    cmocka_unit_test(long_list_of_signatures_is_cut_short),
	    cmocka_unit_test(signatures_that_are_unknown_or_invalid_do_no_harm),
	    cmocka_unit_test(threshold_counts_keys_and_not_signatures),
	    cmocka_unit_test(one_key_in_two_files_does_not_reach_a_threshold),
	    cmocka_unit_test(signature_that_fits_two_keys_counts_once),
	    cmocka_unit_test(head_of_a_manifest_and_a_head_file_are_the_same),
	    cmocka_unit_test(head_signed_by_a_stranger_is_refused),
	    cmocka_unit_test(signed_payload_that_is_no_head_is_malformed),
	    cmocka_unit_test(inventory_has_no_head),
	    cmocka_unit_test(listing_of_the_signed_body_is_read),
	    cmocka_unit_test(newer_head_over_the_same_body_is_enough),
	    cmocka_unit_test(manifest_of_another_release_is_refused),
	    cmocka_unit_test(body_with_one_changed_byte_is_refused),
	    cmocka_unit_test(well_formed_body_with_another_digest_is_refused),
	    cmocka_unit_test(no_more_is_read_than_was_signed),
	    cmocka_unit_test(head_file_has_no_listing),
	    cmocka_unit_test(delta_that_was_signed_is_read),
	    cmocka_unit_test(delta_with_another_text_is_refused),
	    cmocka_unit_test(delta_must_be_what_its_last_line_says),
	    cmocka_unit_test(delta_and_head_do_not_stand_for_each_other),
	    cmocka_unit_test(delta_by_a_stranger_or_unsigned_is_refused),
	};

	return cmocka_run_group_tests(tests, load_keys, free_keys);
}
