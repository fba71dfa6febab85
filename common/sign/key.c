#include "swarm/key.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/hex.h"
#include "swarm/io.h"

#define FILE_MAX       ((size_t)64 * 1024)
#define PASSPHRASE_MAX ((size_t)1024) /* what OpenSSL has room for */
#define SPKI_MAX       ((size_t)91)
#define COORDINATE     32
#define SUPPORTED      "supported are Ed25519 and ECDSA P-256"
/* OWASP's number for PBKDF2 with HMAC-SHA256 (2023); OpenSSL's own default is 2048. */
#define ITERATIONS 600000

/*
 * All of a SubjectPublicKeyInfo but the point itself. Written out here since OpenSSL encodes a key
 * the way it came (a compressed point stays compressed), and a key must have one keyid only.
 */
static const uint8_t ed25519_spki[] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03,
				       0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t p256_spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
				    0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
				    0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

struct algorithm {
	const char *name;
	const char *digest; /* NULL: the algorithm has its own */
};

static const struct algorithm ed25519 = {"Ed25519", NULL};
static const struct algorithm p256 = {"ECDSA P-256", "SHA256"};

struct key {
	EVP_PKEY *pkey;
	const struct algorithm *algorithm;
	bool is_private;
	uint8_t spki[SPKI_MAX];
	size_t spki_len;
	char id[KEY_ID_SIZE];
};

/* --- from OpenSSL's key to ours --------------------------------------------------------------- */

static int refuse_algorithm(const char *family, const char *name, struct err *e)
{
	return err_set(e, ERR_CONFIG, "its algorithm is %s%s; " SUPPORTED, family, name);
}

static const struct algorithm *recognise(const EVP_PKEY *pkey, struct err *e)
{
	char group[64] = "";
	int is_explicit = 0;

	if (EVP_PKEY_is_a(pkey, "ED25519"))
		return &ed25519;
	if (!EVP_PKEY_is_a(pkey, "EC")) {
		const char *name = EVP_PKEY_get0_type_name(pkey);
		(void)refuse_algorithm("", name != NULL ? name : "unknown", e);
		return NULL;
	}
	/* Whoever writes out a curve can write out one that only looks like P-256. */
	if (!EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				    &is_explicit) ||
	    is_explicit) {
		(void)refuse_algorithm("EC with a curve of its own (not named)", "", e);
		return NULL;
	}
	if (!EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) ||
	    strcmp(group, SN_X9_62_prime256v1) != 0) {
		(void)refuse_algorithm("EC ", group, e);
		return NULL;
	}
	return &p256;
}

static bool put_coordinate(struct key *k, const char *name)
{
	BIGNUM *n = NULL;
	bool ok = EVP_PKEY_get_bn_param(k->pkey, name, &n) &&
		  BN_bn2binpad(n, k->spki + k->spki_len, COORDINATE) == COORDINATE;

	k->spki_len += COORDINATE;
	BN_free(n);
	return ok;
}

static bool put_spki(struct key *k)
{
	size_t room = SPKI_MAX;

	if (k->algorithm == &p256) {
		memcpy(k->spki, p256_spki, sizeof p256_spki);
		k->spki_len = sizeof p256_spki;
		return put_coordinate(k, OSSL_PKEY_PARAM_EC_PUB_X) &&
		       put_coordinate(k, OSSL_PKEY_PARAM_EC_PUB_Y);
	}
	memcpy(k->spki, ed25519_spki, sizeof ed25519_spki);
	room -= sizeof ed25519_spki;
	if (!EVP_PKEY_get_raw_public_key(k->pkey, k->spki + sizeof ed25519_spki, &room))
		return false;
	k->spki_len = sizeof ed25519_spki + room;
	return true;
}

static bool put_id(struct key *k)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t len = 0;

	if (!put_spki(k) || !EVP_Q_digest(NULL, "SHA256", NULL, k->spki, k->spki_len, digest, &len))
		return false;
	hex_format(k->id, digest, len);
	return true;
}

/* The point is on the curve and not at infinity; a private half belongs to it. */
static bool is_sound(const struct key *k)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	bool ok =
	    ctx != NULL && (k->is_private ? EVP_PKEY_check(ctx) : EVP_PKEY_public_check(ctx)) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* Takes `pkey` over, also on failure. */
static struct key *wrap(EVP_PKEY *pkey, bool is_private, struct err *e)
{
	struct key *k = calloc(1, sizeof *k);

	if (k == NULL) {
		EVP_PKEY_free(pkey);
		(void)err_nomem(e);
		return NULL;
	}
	k->pkey = pkey;
	k->is_private = is_private;
	k->algorithm = recognise(pkey, e);
	if (k->algorithm == NULL)
		goto fail;
	if (!is_sound(k) || !put_id(k)) {
		(void)err_set(e, ERR_CONFIG, "it is not a valid %s key", k->algorithm->name);
		goto fail;
	}
	return k;
fail:
	key_free(k);
	return NULL;
}

void key_free(struct key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

const char *key_id(const struct key *k)
{
	return k->id;
}

const char *key_algorithm(const struct key *k)
{
	return k->algorithm->name;
}

struct key *key_generate(struct err *e)
{
	ERR_set_mark();
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct key *k = NULL;

	if (pkey != NULL)
		k = wrap(pkey, true, e);
	else
		(void)err_set(e, ERR_SYSTEM, "cannot make a key: OpenSSL refused");
	ERR_pop_to_mark();
	return k;
}

/* --- PEM -------------------------------------------------------------------------------------- */

struct block {
	char *name;
	char *header;
	unsigned char *bytes;
	long len;
};

static void block_release(struct block *b)
{
	OPENSSL_secure_free(b->name);
	OPENSSL_secure_free(b->header);
	OPENSSL_secure_clear_free(b->bytes, (size_t)b->len);
	*b = (struct block){0};
}

/*
 * OpenSSL skips a line that it cannot take for the start of a block. A typing error there must not
 * make a key silently untrusted, so the starts are counted.
 */
static size_t count_starts(const char *text, size_t len)
{
	static const char start[] = "-----BEGIN";
	size_t n = 0;

	for (const char *end = text + len; text < end;) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((feed != NULL ? feed : end) - text);
		if (line >= sizeof start - 1 && memcmp(text, start, sizeof start - 1) == 0)
			n++;
		text += line + (feed != NULL);
	}
	return n;
}

/* 1 with the next block, 0 after the last one, -1. */
static int next_block(BIO *from, struct block *ret, struct err *e)
{
	block_release(ret);
	if (PEM_read_bio_ex(from, &ret->name, &ret->header, &ret->bytes, &ret->len,
			    PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE))
		return 1;
	unsigned long why = ERR_peek_last_error();
	if (ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE)
		return 0;
	const char *reason = ERR_reason_error_string(why);
	return err_set(e, ERR_CONFIG, "its PEM is malformed (%s)",
		       reason != NULL ? reason : "unknown reason");
}

/* Calls take() with each block of the text. */
static int each_block(const char *text, size_t len,
		      int (*take)(void *context, struct block *b, struct err *e), void *context,
		      struct err *e)
{
	int status = -1, more;
	size_t n = 0;
	struct block block = {0};
	BIO *from = NULL;

	ERR_set_mark();
	if (len > FILE_MAX) {
		(void)err_set(e, ERR_CONFIG, "it is larger than %zu bytes", FILE_MAX);
		goto out;
	}
	from = BIO_new_mem_buf(text, (int)len);
	if (from == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	for (; (more = next_block(from, &block, e)) > 0; n++)
		if (take(context, &block, e) != 0)
			goto out;
	if (more < 0)
		goto out;
	if (count_starts(text, len) != n)
		(void)err_set(e, ERR_CONFIG, "its PEM is malformed (bad start line)");
	else if (n == 0)
		(void)err_set(e, ERR_CONFIG, "it holds no key in PEM");
	else
		status = 0;
out:
	block_release(&block);
	BIO_free(from);
	ERR_pop_to_mark();
	return status;
}

static bool is_private_block(const struct block *b)
{
	return strstr(b->name, "PRIVATE KEY") != NULL;
}

/* Appends all of a file that holds a key. */
static int read_file(int fd, const char *name, struct buf *to, struct err *e)
{
	/* One byte more than allowed, and never a second allocation, which would leave a copy. */
	char *room = buf_room(to, FILE_MAX + 1);

	if (room == NULL)
		return err_nomem(e);
	ssize_t n = io_read(fd, room, FILE_MAX + 1, name, e);
	if (n < 0)
		return -1;
	buf_grew(to, (size_t)n);
	return 0;
}

/* --- public keys ------------------------------------------------------------------------------ */

struct key_list {
	struct key **keys;
	size_t count;
};

static void list_release(struct key_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		key_free(l->keys[i]);
	free(l->keys);
	*l = (struct key_list){0};
}

static struct key *decode_public(const struct block *b, struct err *e)
{
	const unsigned char *at = b->bytes;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, b->len);

	if (pkey == NULL || at != b->bytes + b->len) {
		EVP_PKEY_free(pkey);
		(void)err_set(e, ERR_CONFIG, "its public key is malformed or unknown; " SUPPORTED);
		return NULL;
	}
	return wrap(pkey, false, e);
}

static int take_public(void *context, struct block *b, struct err *e)
{
	struct key_list *l = context;

	if (is_private_block(b))
		return err_set(e, ERR_CONFIG,
			       "it holds a private key, which nobody but its owner should have: "
			       "give the public one");
	if (strcmp(b->name, "PUBLIC KEY") != 0 || *b->header != '\0')
		return err_set(e, ERR_CONFIG, "it holds '%.40s', where only 'PUBLIC KEY' can be",
			       b->name);
	struct key *k = decode_public(b, e);
	if (k == NULL)
		return -1;
	struct key **keys = realloc(l->keys, (l->count + 1) * sizeof(*keys));
	if (keys == NULL) {
		key_free(k);
		return err_nomem(e);
	}
	l->keys = keys;
	l->keys[l->count++] = k;
	return 0;
}

struct key **key_parse_public(const char *name, const char *text, size_t len, size_t *ret_count,
			      struct err *e)
{
	struct key_list list = {0};

	*ret_count = 0;
	if (each_block(text, len, take_public, &list, e) != 0) {
		(void)err_prefix(e, "cannot use the key '%s'", name);
		list_release(&list);
		return NULL;
	}
	*ret_count = list.count;
	return list.keys;
}

struct key **key_load_public(const char *path, size_t *ret_count, struct err *e)
{
	struct key **keys = NULL;
	struct buf text = BUF_INIT;
	int fd = io_open(path, e);

	*ret_count = 0;
	if (fd < 0)
		return NULL;
	if (read_file(fd, io_name(path), &text, e) == 0)
		keys = key_parse_public(io_name(path), text.data, text.len, ret_count, e);
	(void)close(fd);
	/* It may turn out to be a private one. */
	buf_wipe(&text);
	return keys;
}

/* --- private keys ----------------------------------------------------------------------------- */

struct opening {
	const char *passphrase; /* NULL: none */
	bool was_asked;
	struct key *key;
};

static int tell_passphrase(char *to, int size, int writing, void *context)
{
	struct opening *o = context;
	size_t len = o->passphrase != NULL ? strlen(o->passphrase) : 0;

	(void)writing;
	o->was_asked = true;
	if (size < 0 || len > (size_t)size)
		return 0;
	memcpy(to, o->passphrase != NULL ? o->passphrase : "", len);
	return (int)len;
}

static EVP_PKEY *decode_private(struct block *b, struct opening *o)
{
	EVP_CIPHER_INFO cipher;
	EVP_PKEY *pkey = NULL;

	/* SEC 1 files say above the base64 how they are encrypted, PKCS#8 says it inside. */
	if (!PEM_get_EVP_CIPHER_INFO(b->header, &cipher) ||
	    !PEM_do_header(&cipher, b->bytes, &b->len, tell_passphrase, o))
		return NULL;
	const unsigned char *at = b->bytes;
	size_t left = (size_t)b->len;
	OSSL_DECODER_CTX *ctx =
	    OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER", NULL, NULL, EVP_PKEY_KEYPAIR, NULL, NULL);
	if (ctx != NULL && OSSL_DECODER_CTX_set_pem_password_cb(ctx, tell_passphrase, o))
		(void)OSSL_DECODER_from_data(ctx, &at, &left);
	OSSL_DECODER_CTX_free(ctx);
	return pkey;
}

static const char *why_undecoded(const struct opening *o)
{
	unsigned long why = ERR_peek_last_error();

	if (!o->was_asked)
		return "its private key is malformed or unknown; " SUPPORTED;
	if (o->passphrase == NULL)
		return "it is encrypted and no passphrase was given";
	if (ERR_GET_LIB(why) == ERR_LIB_EVP && ERR_GET_REASON(why) == ERR_R_UNSUPPORTED)
		return "it is encrypted in a way that OpenSSL does not support (any more)";
	return "it is encrypted and the passphrase does not fit";
}

static int take_private(void *context, struct block *b, struct err *e)
{
	struct opening *o = context;

	/* `openssl ecparam -genkey` puts these in front; the key says it again. */
	if (strcmp(b->name, "EC PARAMETERS") == 0)
		return 0;
	if (!is_private_block(b))
		return err_set(e, ERR_CONFIG, "it holds '%.40s', where a private key is needed",
			       b->name);
	if (strcmp(b->name, "PRIVATE KEY") != 0 && strcmp(b->name, "ENCRYPTED PRIVATE KEY") != 0 &&
	    strcmp(b->name, "EC PRIVATE KEY") != 0)
		return err_set(e, ERR_CONFIG, "it holds '%.40s'; " SUPPORTED ", in PKCS#8 or SEC 1",
			       b->name);
	if (o->key != NULL)
		return err_set(e, ERR_CONFIG, "it holds more than one private key");
	EVP_PKEY *pkey = decode_private(b, o);
	if (pkey == NULL)
		return err_set(e, ERR_CONFIG, "%s", why_undecoded(o));
	o->key = wrap(pkey, true, e);
	return o->key != NULL ? 0 : -1;
}

static struct key *parse_private(const char *name, const char *text, size_t len,
				 const char *passphrase, struct err *e)
{
	bool empty = passphrase == NULL || *passphrase == '\0';
	struct opening o = {.passphrase = empty ? NULL : passphrase};
	int status = each_block(text, len, take_private, &o, e);

	if (status == 0 && o.key == NULL)
		status = err_set(e, ERR_CONFIG, "it holds no private key");
	if (status == 0)
		return o.key;
	(void)err_prefix(e, "cannot use the key '%s'", name);
	key_free(o.key);
	return NULL;
}

static struct key *load_private_env(const char *spec, const char *passphrase, struct err *e)
{
	const char *text = getenv(spec + strlen("env:"));

	if (text == NULL) {
		(void)err_set(e, ERR_CONFIG,
			      "cannot use the key '%s': there is no such environment variable",
			      spec);
		return NULL;
	}
	return parse_private(spec, text, strlen(text), passphrase, e);
}

struct key *key_load_private(const char *spec, const char *passphrase, bool *ret_exposed,
			     struct err *e)
{
	struct stat st;
	struct key *k = NULL;
	struct buf text = BUF_INIT;

	*ret_exposed = false;
	if (strncmp(spec, "env:", 4) == 0)
		return load_private_env(spec, passphrase, e);
	int fd = io_open(spec, e);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0)
		*ret_exposed = S_ISREG(st.st_mode) && (st.st_mode & (S_IRGRP | S_IROTH)) != 0;
	if (read_file(fd, io_name(spec), &text, e) == 0)
		k = parse_private(io_name(spec), text.data, text.len, passphrase, e);
	(void)close(fd);
	buf_wipe(&text);
	return k;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int put_sealed(BIO *to, PKCS8_PRIV_KEY_INFO *plain, const char *passphrase)
{
	X509_ALGOR *how =
	    PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), ITERATIONS, NULL, 16, NULL, NID_hmacWithSHA256);
	X509_SIG *sealed = NULL;

	if (how != NULL)
		sealed = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), plain, how);
	if (sealed == NULL)
		X509_ALGOR_free(how);
	int ok = sealed != NULL && PEM_write_bio_PKCS8(to, sealed);
	X509_SIG_free(sealed);
	return ok;
}

/* Appends what was written to `from`, or says that it was not; frees it. */
static int finish(BIO *from, int ok, struct buf *to, struct err *e)
{
	char *text = NULL;
	long len = from != NULL ? BIO_get_mem_data(from, &text) : 0;

	if (ok && len > 0)
		buf_add(to, text, (size_t)len);
	BIO_free(from);
	ERR_pop_to_mark();
	if (!ok || len <= 0)
		return err_set(e, ERR_SYSTEM, "cannot write a key: OpenSSL refused");
	return buf_check(to, e);
}

int key_format_private(const struct key *k, const char *passphrase, struct buf *to, struct err *e)
{
	if (!k->is_private)
		return err_set(e, ERR_USAGE, "a public key has no private half to write");
	if (passphrase != NULL && (*passphrase == '\0' || strlen(passphrase) > PASSPHRASE_MAX))
		return err_set(e, ERR_CONFIG, "a passphrase has 1 to %zu bytes", PASSPHRASE_MAX);
	ERR_set_mark();
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(k->pkey);
	BIO *text = BIO_new(BIO_s_secmem());
	int ok = plain != NULL && text != NULL;
	if (ok)
		ok = passphrase != NULL ? put_sealed(text, plain, passphrase)
					: PEM_write_bio_PKCS8_PRIV_KEY_INFO(text, plain);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return finish(text, ok, to, e);
}

int key_format_public(const struct key *k, struct buf *to, struct err *e)
{
	ERR_set_mark();
	BIO *text = BIO_new(BIO_s_mem());
	int ok =
	    text != NULL && PEM_write_bio(text, "PUBLIC KEY", "", k->spki, (long)k->spki_len) > 0;

	return finish(text, ok, to, e);
}

/* --- signatures ------------------------------------------------------------------------------- */

int key_sign(const struct key *k, const void *bytes, size_t len, uint8_t *sig, size_t *ret_len,
	     struct err *e)
{
	if (!k->is_private)
		return err_set(e, ERR_USAGE, "a public key cannot sign");
	ERR_set_mark();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	*ret_len = KEY_SIG_MAX;
	bool ok = ctx != NULL &&
		  EVP_DigestSignInit_ex(ctx, NULL, k->algorithm->digest, NULL, NULL, k->pkey,
					NULL) == 1 &&
		  EVP_DigestSign(ctx, sig, ret_len, bytes, len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_pop_to_mark();
	/* A bit that flips while an Ed25519 signature is made can give the private key away. */
	if (ok && key_verify(k, bytes, len, sig, *ret_len))
		return 0;
	return err_set(e, ERR_SYSTEM, "cannot sign with the key %.8s: OpenSSL refused", k->id);
}

bool key_verify(const struct key *k, const void *bytes, size_t len, const uint8_t *sig,
		size_t sig_len)
{
	ERR_set_mark();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	/* OpenSSL itself insists on 64 bytes, or on DER that encodes again to the same bytes. */
	bool ok = ctx != NULL &&
		  EVP_DigestVerifyInit_ex(ctx, NULL, k->algorithm->digest, NULL, NULL, k->pkey,
					  NULL) == 1 &&
		  EVP_DigestVerify(ctx, sig, sig_len, bytes, len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_pop_to_mark();
	return ok;
}

/* --- passphrases ------------------------------------------------------------------------------ */

int key_passphrase_fd(int fd, struct buf *to, struct err *e)
{
	char *room = buf_room(to, PASSPHRASE_MAX + 1);
	size_t n = 0;

	if (room == NULL)
		return err_nomem(e);
	/* Byte by byte: what follows the line may be meant for somebody else. */
	for (; n <= PASSPHRASE_MAX; n++) {
		ssize_t got = read(fd, room + n, 1);
		while (got < 0 && errno == EINTR)
			got = read(fd, room + n, 1);
		if (got < 0)
			return err_sys(e, "cannot read a passphrase from file descriptor %d", fd);
		if (got == 0 || room[n] == '\n')
			break;
		if (room[n] == '\0')
			return err_set(e, ERR_CONFIG,
				       "the passphrase in file descriptor %d has a NUL byte", fd);
	}
	if (n == 0)
		return err_set(e, ERR_CONFIG, "the passphrase in file descriptor %d is empty", fd);
	if (n > PASSPHRASE_MAX)
		return err_set(e, ERR_CONFIG,
			       "the passphrase in file descriptor %d is longer than %zu bytes", fd,
			       PASSPHRASE_MAX);
	buf_grew(to, n);
	return 0;
}

int key_passphrase_env(const char *name, struct buf *to, struct err *e)
{
	const char *text = getenv(name);
	size_t len = text != NULL ? strlen(text) : 0;

	if (text == NULL)
		return err_set(e, ERR_CONFIG, "there is no environment variable '%s'", name);
	if (len == 0)
		return err_set(e, ERR_CONFIG, "the passphrase in '%s' is empty", name);
	if (len > PASSPHRASE_MAX)
		return err_set(e, ERR_CONFIG, "the passphrase in '%s' is longer than %zu bytes",
			       name, PASSPHRASE_MAX);
	buf_add(to, text, len);
	return buf_check(to, e);
}

/* R, or r in the DER of SEQUENCE { r INTEGER, s INTEGER }, whose lengths are below 128 here. */
static const uint8_t *find_nonce(const uint8_t *sig, size_t len, size_t *ret_len)
{
	*ret_len = 32;
	if (len == 64)
		return sig;
	if (len < 4 || sig[0] != 0x30 || sig[2] != 0x02 || (size_t)sig[3] + 4 > len)
		return NULL;
	*ret_len = sig[3];
	return sig + 4;
}

bool key_shares_nonce(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t n = 0, m = 0;
	const uint8_t *x = find_nonce(a, a_len, &n), *y = find_nonce(b, b_len, &m);

	return x != NULL && y != NULL && n == m && memcmp(x, y, n) == 0;
}
