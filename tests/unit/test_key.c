#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/io.h"
#include "swarm/key.h"

#include "patience.h"
#define KEYS       "testdata/keys/"
#define PASSPHRASE "correct horse"
#define SUPPORTED  "supported are Ed25519 and ECDSA P-256"

/* openssl pkey -pubin -in X.pub -outform DER | sha256sum */
#define RELEASE_ID "b4559cee7fb284e9cb573bb878578a675df221eeb349009a2324988a9cd3a6a0"
#define SECOND_ID  "6325d9cb7e06ca1140365946b5b2b9502dc5a330bd6cec327340ef2d7f5d15eb"
#define P256_ID    "6fd17a239ed5bc2936c1ef64d9f17b02756e235fb665a6ae40bf78a24bf92b4c"

static char folder[] = "/tmp/swarm-test-key-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* A file of these bytes in the test's folder; the caller unlinks it. */
static const char *put_file(const char *name, const void *bytes, size_t len)
{
	static char path[256];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, bytes, len, path, &e), 0);
	assert_int_equal(close(fd), 0);
	return path;
}

static void get_file(const char *path, struct buf *to)
{
	struct err e;
	int fd = io_open(path, &e);

	assert_true(fd >= 0);
	assert_int_equal(io_read_all(fd, to, 1 << 20, path, &e), 0);
	assert_int_equal(close(fd), 0);
}

static struct key *private_key(const char *path, const char *passphrase)
{
	bool exposed;
	struct err e = {0};
	struct key *k = key_load_private(path, passphrase, &exposed, &e);

	if (k == NULL)
		fail_msg("%s", e.msg);
	return k;
}

static struct key *public_key(const char *path)
{
	size_t count = 0;
	struct err e = {0};
	struct key **keys = key_load_public(path, &count, &e);

	if (keys == NULL)
		fail_msg("%s", e.msg);
	assert_int_equal(count, 1);
	struct key *k = keys[0];
	free(keys);
	return k;
}

/* --- loading ---------------------------------------------------------------------------------- */

static void private_keys_of_every_container_load(void **state)
{
	static const struct {
		const char *file, *passphrase, *algorithm, *id;
	} cases[] = {
	    {KEYS "release.key", NULL, "Ed25519", RELEASE_ID},
	    {KEYS "second.key", NULL, "Ed25519", SECOND_ID},
	    {KEYS "encrypted.key", PASSPHRASE, "Ed25519", RELEASE_ID},
	    {KEYS "p256-pkcs8.key", NULL, "ECDSA P-256", P256_ID},
	    {KEYS "p256-sec1.key", NULL, "ECDSA P-256", P256_ID},
	    {KEYS "p256-params.key", NULL, "ECDSA P-256", P256_ID},
	    {KEYS "p256-sec1-encrypted.key", PASSPHRASE, "ECDSA P-256", P256_ID},
	    {KEYS "release.key", "a passphrase that nobody needs", "Ed25519", RELEASE_ID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct key *k = private_key(cases[i].file, cases[i].passphrase);
		assert_string_equal(key_algorithm(k), cases[i].algorithm);
		assert_string_equal(key_id(k), cases[i].id);
		key_free(k);
	}
}

static void public_keys_have_one_keyid_whatever_their_encoding(void **state)
{
	static const struct {
		const char *file, *algorithm, *id;
	} cases[] = {
	    {KEYS "release.pub", "Ed25519", RELEASE_ID},
	    {KEYS "second.pub", "Ed25519", SECOND_ID},
	    {KEYS "p256.pub", "ECDSA P-256", P256_ID},
	    {KEYS "p256-compressed.pub", "ECDSA P-256", P256_ID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct key *k = public_key(cases[i].file);
		assert_string_equal(key_algorithm(k), cases[i].algorithm);
		assert_string_equal(key_id(k), cases[i].id);
		key_free(k);
	}
}

static void public_file_may_hold_several_keys_and_text(void **state)
{
	size_t count = 0;
	struct err e = {0};
	struct key **keys = key_load_public(KEYS "two.pub", &count, &e);

	(void)state;
	assert_non_null(keys);
	assert_int_equal(count, 2);
	assert_string_equal(key_id(keys[0]), RELEASE_ID);
	assert_string_equal(key_id(keys[1]), SECOND_ID);
	key_free(keys[0]);
	key_free(keys[1]);
	free(keys);
}

static void assert_private_refused(const char *spec, const char *passphrase, const char *why)
{
	bool exposed;
	char expected[ERR_MSG_MAX];
	struct err e = {0};

	(void)snprintf(expected, sizeof expected, "cannot use the key '%s': %s", spec, why);
	assert_null(key_load_private(spec, passphrase, &exposed, &e));
	assert_string_equal(e.msg, expected);
	assert_int_equal(e.code, ERR_CONFIG);
}

static void unusable_private_keys_are_refused_by_name(void **state)
{
	static const struct {
		const char *file, *passphrase, *why;
	} cases[] = {
	    {KEYS "encrypted.key", NULL, "it is encrypted and no passphrase was given"},
	    {KEYS "encrypted.key", "", "it is encrypted and no passphrase was given"},
	    {KEYS "encrypted.key", "incorrect horse",
	     "it is encrypted and the passphrase does not fit"},
	    {KEYS "p256-sec1-encrypted.key", NULL, "it is encrypted and no passphrase was given"},
	    {KEYS "p256-sec1-encrypted.key", "incorrect horse",
	     "it is encrypted and the passphrase does not fit"},
	    {KEYS "encrypted-des.key", PASSPHRASE,
	     "it is encrypted in a way that OpenSSL does not support (any more)"},
	    {KEYS "rsa.key", NULL, "its algorithm is RSA; " SUPPORTED},
	    {KEYS "rsa-pkcs1.key", NULL,
	     "it holds 'RSA PRIVATE KEY'; " SUPPORTED ", in PKCS#8 or SEC 1"},
	    {KEYS "openssh.key", NULL,
	     "it holds 'OPENSSH PRIVATE KEY'; " SUPPORTED ", in PKCS#8 or SEC 1"},
	    {KEYS "p384.key", NULL, "its algorithm is EC secp384r1; " SUPPORTED},
	    {KEYS "x25519.key", NULL, "its algorithm is X25519; " SUPPORTED},
	    {KEYS "p256-explicit.key", NULL,
	     "its algorithm is EC with a curve of its own (not named); " SUPPORTED},
	    {KEYS "p256-mismatched.key", NULL, "it is not a valid ECDSA P-256 key"},
	    {KEYS "two.key", NULL, "it holds more than one private key"},
	    {KEYS "release.pub", NULL, "it holds 'PUBLIC KEY', where a private key is needed"},
	    {KEYS "certificate.pem", NULL, "it holds 'CERTIFICATE', where a private key is needed"},
	    {KEYS "garbage.pub", NULL, "it holds no key in PEM"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_private_refused(cases[i].file, cases[i].passphrase, cases[i].why);
}

static void assert_public_refused(const char *path, const char *why)
{
	size_t count = 1;
	char expected[ERR_MSG_MAX];
	struct err e = {0};

	(void)snprintf(expected, sizeof expected, "cannot use the key '%s': %s", path, why);
	assert_null(key_load_public(path, &count, &e));
	assert_string_equal(e.msg, expected);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(count, 0);
}

static void unusable_public_keys_are_refused_by_name(void **state)
{
	static const struct {
		const char *file, *why;
	} cases[] = {
	    {KEYS "rsa.pub", "its algorithm is RSA; " SUPPORTED},
	    {KEYS "p384.pub", "its algorithm is EC secp384r1; " SUPPORTED},
	    {KEYS "x25519.pub", "its algorithm is X25519; " SUPPORTED},
	    {KEYS "p256-explicit.pub",
	     "its algorithm is EC with a curve of its own (not named); " SUPPORTED},
	    {KEYS "p256-infinity.pub", "it is not a valid ECDSA P-256 key"},
	    {KEYS "trailing.pub", "its public key is malformed or unknown; " SUPPORTED},
	    {KEYS "certificate.pem", "it holds 'CERTIFICATE', where only 'PUBLIC KEY' can be"},
	    {KEYS "garbage.pub", "it holds no key in PEM"},
	};
	static const char *const private_files[] = {
	    KEYS "release.key",   KEYS "encrypted.key", KEYS "p256-sec1.key",
	    KEYS "rsa-pkcs1.key", KEYS "openssh.key",
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_public_refused(cases[i].file, cases[i].why);
	for (size_t i = 0; i < sizeof private_files / sizeof *private_files; i++)
		assert_public_refused(private_files[i],
				      "it holds a private key, which nobody but its owner should "
				      "have: give the public one");
}

static void files_that_cannot_be_read_are_system_errors(void **state)
{
	bool exposed;
	size_t count;
	struct err e = {0};

	(void)state;
	assert_null(key_load_private(KEYS "absent.key", NULL, &exposed, &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, ENOENT);
	assert_string_equal(e.msg,
			    "cannot open 'testdata/keys/absent.key': No such file or directory");
	e = (struct err){0};
	assert_null(key_load_public(KEYS, &count, &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot read 'testdata/keys/': Is a directory");
}

static void key_comes_from_the_environment(void **state)
{
	bool exposed = true;
	struct buf text = BUF_INIT;
	struct err e = {0};

	(void)state;
	get_file(KEYS "encrypted.key", &text);
	assert_int_equal(setenv("SWARM_TEST_KEY", text.data, 1), 0);
	struct key *k = key_load_private("env:SWARM_TEST_KEY", PASSPHRASE, &exposed, &e);
	assert_non_null(k);
	assert_false(exposed);
	assert_string_equal(key_id(k), RELEASE_ID);
	key_free(k);
	assert_private_refused("env:SWARM_TEST_KEY", NULL,
			       "it is encrypted and no passphrase was given");
	assert_int_equal(setenv("SWARM_TEST_KEY", "", 1), 0);
	assert_private_refused("env:SWARM_TEST_KEY", NULL, "it holds no key in PEM");
	assert_int_equal(unsetenv("SWARM_TEST_KEY"), 0);
	assert_private_refused("env:SWARM_TEST_KEY", NULL, "there is no such environment variable");
	buf_release(&text);
}

static void key_that_others_can_read_is_reported(void **state)
{
	static const struct {
		mode_t mode;
		bool exposed;
	} cases[] = {{0600, false}, {0400, false}, {0640, true}, {0604, true}, {0622, false}};
	struct buf text = BUF_INIT;
	struct err e = {0};

	(void)state;
	get_file(KEYS "release.key", &text);
	const char *path = put_file("key", text.data, text.len);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool exposed = !cases[i].exposed;
		assert_int_equal(chmod(path, cases[i].mode), 0);
		struct key *k = key_load_private(path, NULL, &exposed, &e);
		assert_non_null(k);
		assert_int_equal(exposed, cases[i].exposed);
		key_free(k);
	}
	assert_int_equal(unlink(path), 0);
	buf_release(&text);
}

static void file_of_64_KiB_loads_and_one_byte_more_does_not(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	get_file(KEYS "release.pub", &text);
	while (text.len < 65536)
		buf_addc(&text, text.len % 64 == 0 ? '\n' : '.');
	const char *path = put_file("large", text.data, text.len);
	struct key *k = public_key(path);
	assert_string_equal(key_id(k), RELEASE_ID);
	key_free(k);
	buf_addc(&text, '\n');
	path = put_file("large", text.data, text.len);
	assert_public_refused(path, "it is larger than 65536 bytes");
	assert_private_refused(path, NULL, "it is larger than 65536 bytes");
	assert_int_equal(unlink(path), 0);
	buf_release(&text);
}

static void key_with_a_mistyped_start_line_is_not_overlooked(void **state)
{
	size_t count = 0;
	struct buf text = BUF_INIT;
	struct err e = {0};

	(void)state;
	get_file(KEYS "two.pub", &text);
	char *second = strstr(text.data + 40, "KEY-----\n");
	second = strstr(strstr(second + 1, "BEGIN"), "KEY-----\n");
	memcpy(second, "KEY----.\n", strlen("KEY----.\n"));
	assert_null(key_parse_public("two", text.data, text.len, &count, &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg,
			    "cannot use the key 'two': its PEM is malformed (bad start line)");
	buf_release(&text);
}

static void key_cut_off_anywhere_is_refused(void **state)
{
	size_t count = 0;
	struct buf text = BUF_INIT;

	(void)state;
	get_file(KEYS "release.pub", &text);
	for (size_t len = 0; len + 1 < text.len; len++) {
		struct err e = {0};
		assert_null(key_parse_public("cut", text.data, len, &count, &e));
		assert_int_equal(e.code, ERR_CONFIG);
	}
	buf_release(&text);
}

static void no_changed_character_of_a_file_leaves_the_same_key(void **state)
{
	struct buf text = BUF_INIT;
	size_t refused = 0;

	(void)state;
	get_file(KEYS "release.pub", &text);
	/* The base64 between the two lines. */
	size_t start = (size_t)(strchr(text.data, '\n') - text.data) + 1;
	size_t end = (size_t)(strrchr(text.data, '=') - text.data);
	for (size_t i = start; i < start + 60 && i < end; i++) {
		size_t count = 0;
		struct err e = {0};
		char before = text.data[i];
		text.data[i] = before == 'A' ? 'B' : 'A';
		struct key **keys = key_parse_public("x", text.data, text.len, &count, &e);
		text.data[i] = before;
		if (keys == NULL) {
			assert_int_equal(e.code, ERR_CONFIG);
			refused++;
			continue;
		}
		assert_string_not_equal(key_id(keys[0]), RELEASE_ID);
		key_free(keys[0]);
		free(keys);
	}
	/* The first 16 characters are the algorithm, the rest is any point. */
	assert_in_range(refused, 14, 17);
	buf_release(&text);
}

/* --- signatures ------------------------------------------------------------------------------- */

static void assert_only_exact_signature_verifies(const char *pub, const char *sig_file)
{
	struct buf message = BUF_INIT, sig = BUF_INIT;
	struct key *k = public_key(pub);

	get_file(KEYS "message", &message);
	get_file(sig_file, &sig);
	uint8_t *bytes = (uint8_t *)sig.data;
	assert_true(key_verify(k, message.data, message.len, bytes, sig.len));
	const size_t step = patience_step(7);
	for (size_t i = 0; i < sig.len; i += step) {
		bytes[i] ^= 1;
		assert_false(key_verify(k, message.data, message.len, bytes, sig.len));
		bytes[i] ^= 1;
	}
	for (size_t i = 0; i < message.len; i += step) {
		message.data[i] ^= 1;
		assert_false(key_verify(k, message.data, message.len, bytes, sig.len));
		message.data[i] ^= 1;
	}
	for (size_t len = 0; len < sig.len; len += step)
		assert_false(key_verify(k, message.data, message.len, bytes, len));
	assert_false(key_verify(k, message.data, message.len - 1, bytes, sig.len));
	assert_true(key_verify(k, message.data, message.len, bytes, sig.len));
	/* And no other key's. */
	struct key *other = public_key(KEYS "second.pub");
	assert_false(key_verify(other, message.data, message.len, bytes, sig.len));
	key_free(other);
	key_free(k);
	buf_release(&message);
	buf_release(&sig);
}

static void what_openssl_signed_verifies(void **state)
{
	(void)state;
	assert_only_exact_signature_verifies(KEYS "release.pub", KEYS "message.release.sig");
	assert_only_exact_signature_verifies(KEYS "p256.pub", KEYS "message.p256.sig");
	assert_only_exact_signature_verifies(KEYS "p256-compressed.pub", KEYS "message.p256.sig");
}

static void signature_longer_than_any_is_none(void **state)
{
	struct buf message = BUF_INIT, sig = BUF_INIT;
	struct key *p256 = public_key(KEYS "p256.pub"), *release = public_key(KEYS "release.pub");

	(void)state;
	get_file(KEYS "message", &message);
	get_file(KEYS "message.p256.sig", &sig);
	buf_addc(&sig, '\0');
	assert_false(
	    key_verify(p256, message.data, message.len, (const uint8_t *)sig.data, sig.len));
	buf_clear(&sig);
	get_file(KEYS "message.release.sig", &sig);
	while (sig.len <= 4096) {
		buf_addc(&sig, '\0');
		assert_false(key_verify(release, message.data, message.len,
					(const uint8_t *)sig.data, sig.len));
	}
	key_free(p256);
	key_free(release);
	buf_release(&message);
	buf_release(&sig);
}

/* One ECDSA signature, spelt as `spelling` says; it must verify only in DER. */
enum spelling {
	DER,
	LONG_LENGTH,
	INDEFINITE,
	PADDED_R,
	PADDED_S,
	TRAILING_INSIDE,
};

static void put_number(struct buf *to, const uint8_t *tlv, bool padded)
{
	size_t len = tlv[1];

	buf_addc(to, 2);
	buf_addc(to, (char)(len + padded));
	if (padded)
		buf_addc(to, 0);
	buf_add(to, tlv + 2, len);
}

static void respell(struct buf *to, const uint8_t *sig, enum spelling how)
{
	struct buf numbers = BUF_INIT;
	const uint8_t *r = sig + 2, *s = r + 2 + r[1];

	put_number(&numbers, r, how == PADDED_R);
	put_number(&numbers, s, how == PADDED_S);
	if (how == TRAILING_INSIDE)
		buf_add(&numbers, "\5\0", 2);
	if (how == INDEFINITE)
		buf_add(&numbers, "\0\0", 2);
	buf_clear(to);
	buf_addc(to, 0x30);
	if (how == LONG_LENGTH)
		buf_addc(to, (char)0x81);
	buf_addc(to, (char)(how == INDEFINITE ? 0x80 : numbers.len));
	buf_add(to, numbers.data, numbers.len);
	buf_release(&numbers);
}

static void ecdsa_signature_verifies_in_DER_only(void **state)
{
	struct buf message = BUF_INIT, sig = BUF_INIT, again = BUF_INIT;
	struct key *k = public_key(KEYS "p256.pub");

	(void)state;
	get_file(KEYS "message", &message);
	get_file(KEYS "message.p256.sig", &sig);
	for (enum spelling how = DER; how <= TRAILING_INSIDE; how++) {
		respell(&again, (const uint8_t *)sig.data, how);
		assert_int_equal(key_verify(k, message.data, message.len,
					    (const uint8_t *)again.data, again.len),
				 how == DER);
	}
	key_free(k);
	buf_release(&again);
	buf_release(&message);
	buf_release(&sig);
}

static void ed25519_signature_with_a_larger_equal_number_is_none(void **state)
{
	/* RFC 8032: the order of the group, little-endian. */
	static const uint8_t order[32] = {0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58,
					  0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
					  0,    0,    0,    0,    0,    0,    0,    0,
					  0,    0,    0,    0,    0,    0,    0,    0x10};
	struct buf message = BUF_INIT, sig = BUF_INIT;
	struct key *k = public_key(KEYS "release.pub");
	unsigned carry = 0;

	(void)state;
	get_file(KEYS "message", &message);
	get_file(KEYS "message.release.sig", &sig);
	uint8_t *bytes = (uint8_t *)sig.data;
	assert_true(key_verify(k, message.data, message.len, bytes, sig.len));
	for (size_t i = 0; i < sizeof order; i++) {
		carry += (unsigned)bytes[32 + i] + order[i];
		bytes[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_false(key_verify(k, message.data, message.len, bytes, sig.len));
	key_free(k);
	buf_release(&message);
	buf_release(&sig);
}

static void ed25519_signs_as_openssl_does(void **state)
{
	uint8_t sig[KEY_SIG_MAX];
	size_t len = 0;
	struct buf message = BUF_INIT, expected = BUF_INIT;
	struct err e = {0};
	struct key *k = private_key(KEYS "encrypted.key", PASSPHRASE);

	(void)state;
	get_file(KEYS "message", &message);
	get_file(KEYS "message.release.sig", &expected);
	assert_int_equal(key_sign(k, message.data, message.len, sig, &len, &e), 0);
	assert_int_equal(len, expected.len);
	assert_memory_equal(sig, expected.data, len);
	key_free(k);
	buf_release(&message);
	buf_release(&expected);
}

static void what_is_signed_verifies_with_the_public_half(void **state)
{
	static const char *const pairs[][2] = {
	    {KEYS "release.key", KEYS "release.pub"},
	    {KEYS "p256-sec1.key", KEYS "p256-compressed.pub"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t sig[KEY_SIG_MAX];
		size_t len = 0;
		struct err e = {0};
		struct key *k = private_key(pairs[i][0], NULL), *pub = public_key(pairs[i][1]);
		/* Nothing at all is a message too. */
		for (size_t size = 0; size < 2; size++) {
			assert_int_equal(key_sign(k, "x", size, sig, &len, &e), 0);
			assert_true(key_verify(pub, "x", size, sig, len));
			assert_false(key_verify(pub, "x", 1 - size, sig, len));
		}
		key_free(k);
		key_free(pub);
	}
}

static void public_key_cannot_sign(void **state)
{
	uint8_t sig[KEY_SIG_MAX];
	size_t len = 0;
	struct buf text = BUF_INIT;
	struct err e = {0};
	struct key *k = public_key(KEYS "release.pub");

	(void)state;
	assert_int_equal(key_sign(k, "x", 1, sig, &len, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "a public key cannot sign");
	e = (struct err){0};
	assert_int_equal(key_format_private(k, NULL, &text, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(text.len, 0);
	key_free(k);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void generated_key_can_be_written_and_read_again(void **state)
{
	static const char *const passphrases[] = {NULL, PASSPHRASE};

	(void)state;
	/* A passphrase is made to take its time, each way; another test goes both ways with one. */
	for (size_t i = 0; i < patience(2, 1); i++) {
		uint8_t sig[KEY_SIG_MAX];
		size_t len = 0;
		struct buf text = BUF_INIT, pub = BUF_INIT;
		struct err e = {0};
		struct key *k = key_generate(&e);
		assert_non_null(k);
		assert_string_equal(key_algorithm(k), "Ed25519");
		assert_int_equal(key_format_private(k, passphrases[i], &text, &e), 0);
		assert_int_equal(key_format_public(k, &pub, &e), 0);
		assert_int_equal(strncmp(text.data, "-----BEGIN ENCRYPTED", 20) == 0, i == 1);
		assert_int_equal(key_sign(k, "x", 1, sig, &len, &e), 0);

		const char *path = put_file("generated", text.data, text.len);
		struct key *again = private_key(path, passphrases[i]);
		assert_string_equal(key_id(again), key_id(k));
		path = put_file("generated", pub.data, pub.len);
		struct key *half = public_key(path);
		assert_string_equal(key_id(half), key_id(k));
		assert_true(key_verify(half, "x", 1, sig, len));
		assert_int_equal(unlink(path), 0);
		key_free(k);
		key_free(again);
		key_free(half);
		buf_wipe(&text);
		buf_release(&pub);
	}
}

static void generated_keys_differ(void **state)
{
	struct err e = {0};
	struct key *a = key_generate(&e), *b = key_generate(&e);

	(void)state;
	assert_string_not_equal(key_id(a), key_id(b));
	key_free(a);
	key_free(b);
}

static void encrypted_key_opens_with_its_passphrase_only(void **state)
{
	char passphrase[1026];
	struct buf text = BUF_INIT;
	struct err e = {0};
	struct key *k = private_key(KEYS "release.key", NULL);

	(void)state;
	memset(passphrase, 'p', sizeof passphrase);
	passphrase[1024] = '\0';
	assert_int_equal(key_format_private(k, passphrase, &text, &e), 0);
	const char *path = put_file("sealed", text.data, text.len);
	struct key *again = private_key(path, passphrase);
	assert_string_equal(key_id(again), RELEASE_ID);
	key_free(again);
	passphrase[1023] = 'q';
	assert_private_refused(path, passphrase, "it is encrypted and the passphrase does not fit");
	assert_int_equal(unlink(path), 0);

	passphrase[1024] = 'p';
	passphrase[1025] = '\0';
	const char *const bad[] = {passphrase, ""};
	for (size_t i = 0; i < 2; i++) {
		buf_clear(&text);
		e = (struct err){0};
		assert_int_equal(key_format_private(k, bad[i], &text, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_string_equal(e.msg, "a passphrase has 1 to 1024 bytes");
		assert_int_equal(text.len, 0);
	}
	key_free(k);
	buf_wipe(&text);
}

static void public_key_is_written_named_and_uncompressed(void **state)
{
	struct buf text = BUF_INIT, expected = BUF_INIT;
	struct err e = {0};
	struct key *k = public_key(KEYS "p256-compressed.pub");

	(void)state;
	get_file(KEYS "p256.pub", &expected);
	assert_int_equal(key_format_public(k, &text, &e), 0);
	assert_string_equal(text.data, expected.data);
	key_free(k);
	buf_release(&text);
	buf_release(&expected);
}

static void openssl_errors_are_cleared_and_others_kept(void **state)
{
	bool exposed;
	size_t count;
	uint8_t sig[64] = {0};
	struct err e = {0};
	struct key *k = public_key(KEYS "p256.pub");

	(void)state;
	ERR_clear_error();
	ERR_raise(ERR_LIB_USER, 42);
	assert_null(key_load_private(KEYS "encrypted.key", "no", &exposed, &e));
	assert_null(key_load_private(KEYS "encrypted-des.key", "no", &exposed, &e));
	assert_null(key_load_private(KEYS "garbage.pub", NULL, &exposed, &e));
	assert_null(key_load_public(KEYS "p256-infinity.pub", &count, &e));
	assert_null(key_load_public(KEYS "p256-explicit.pub", &count, &e));
	assert_false(key_verify(k, "x", 1, sig, sizeof sig));
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
	assert_int_equal(ERR_get_error(), 0);
	key_free(k);
}

static void freeing_no_key_does_nothing(void **state)
{
	(void)state;
	key_free(NULL);
}

/* --- passphrases ------------------------------------------------------------------------------ */

/* The reading end of a pipe that holds these bytes and then ends. */
static int pipe_of(const void *bytes, size_t len)
{
	int ends[2];
	struct err e;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(io_write(ends[1], bytes, len, "pipe", &e), 0);
	assert_int_equal(close(ends[1]), 0);
	return ends[0];
}

static void passphrase_is_the_first_line_as_it_is(void **state)
{
	static const struct {
		const char *text, *passphrase, *rest;
	} cases[] = {
	    {"secret", "secret", ""},
	    {"secret\n", "secret", ""},
	    {"secret\nrest", "secret", "rest"},
	    {" se cret \r\n\n", " se cret \r", "\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char rest[16] = "";
		struct buf to = BUF_INIT;
		struct err e = {0};
		int fd = pipe_of(cases[i].text, strlen(cases[i].text));
		assert_int_equal(key_passphrase_fd(fd, &to, &e), 0);
		assert_string_equal(to.data, cases[i].passphrase);
		assert_int_equal(read(fd, rest, sizeof rest - 1), strlen(cases[i].rest));
		assert_string_equal(rest, cases[i].rest);
		assert_int_equal(close(fd), 0);
		buf_wipe(&to);
	}
}

static void assert_passphrase_refused(const void *bytes, size_t len, const char *why)
{
	char expected[256];
	struct buf to = BUF_INIT;
	struct err e = {0};
	int fd = pipe_of(bytes, len);

	(void)snprintf(expected, sizeof expected, "the passphrase in file descriptor %d %s", fd,
		       why);
	assert_int_equal(key_passphrase_fd(fd, &to, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, expected);
	assert_int_equal(to.len, 0);
	assert_int_equal(close(fd), 0);
	buf_wipe(&to);
}

static void passphrase_empty_or_with_NUL_or_too_long_is_refused(void **state)
{
	char text[1026];
	struct buf to = BUF_INIT;
	struct err e = {0};

	(void)state;
	memset(text, 'p', sizeof text);
	text[1024] = '\n';
	int fd = pipe_of(text, 1025);
	assert_int_equal(key_passphrase_fd(fd, &to, &e), 0);
	assert_int_equal(to.len, 1024);
	assert_int_equal(close(fd), 0);
	buf_wipe(&to);
	text[1024] = 'p';
	text[1025] = '\n';
	assert_passphrase_refused(text, 1026, "is longer than 1024 bytes");
	assert_passphrase_refused(text, 1025, "is longer than 1024 bytes");
	assert_passphrase_refused("", 0, "is empty");
	assert_passphrase_refused("\nrest", 5, "is empty");
	assert_passphrase_refused("se\0cret\n", 8, "has a NUL byte");
}

static void passphrase_from_a_closed_descriptor_is_a_system_error(void **state)
{
	struct buf to = BUF_INIT;
	struct err e = {0};

	(void)state;
	assert_int_equal(key_passphrase_fd(987, &to, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, EBADF);
	assert_string_equal(
	    e.msg, "cannot read a passphrase from file descriptor 987: Bad file descriptor");
	buf_wipe(&to);
}

static void passphrase_comes_from_the_environment(void **state)
{
	struct buf to = BUF_INIT;
	struct err e = {0};

	(void)state;
	assert_int_equal(setenv("SWARM_TEST_PASS", "secret ", 1), 0);
	assert_int_equal(key_passphrase_env("SWARM_TEST_PASS", &to, &e), 0);
	assert_string_equal(to.data, "secret ");
	buf_wipe(&to);
	assert_int_equal(setenv("SWARM_TEST_PASS", "", 1), 0);
	assert_int_equal(key_passphrase_env("SWARM_TEST_PASS", &to, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "the passphrase in 'SWARM_TEST_PASS' is empty");
	char text[1026] = "";
	memset(text, 'p', 1024);
	assert_int_equal(setenv("SWARM_TEST_PASS", text, 1), 0);
	assert_int_equal(key_passphrase_env("SWARM_TEST_PASS", &to, &e), 0);
	assert_string_equal(to.data, text);
	buf_wipe(&to);
	text[1024] = 'p';
	assert_int_equal(setenv("SWARM_TEST_PASS", text, 1), 0);
	assert_int_equal(key_passphrase_env("SWARM_TEST_PASS", &to, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "the passphrase in 'SWARM_TEST_PASS' is longer than 1024 bytes");
	assert_int_equal(to.len, 0);
	assert_int_equal(unsetenv("SWARM_TEST_PASS"), 0);
	assert_int_equal(key_passphrase_env("SWARM_TEST_PASS", &to, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "there is no environment variable 'SWARM_TEST_PASS'");
	buf_wipe(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(private_keys_of_every_container_load),
	    cmocka_unit_test(public_keys_have_one_keyid_whatever_their_encoding),
	    cmocka_unit_test(public_file_may_hold_several_keys_and_text),
	    cmocka_unit_test(unusable_private_keys_are_refused_by_name),
	    cmocka_unit_test(unusable_public_keys_are_refused_by_name),
	    cmocka_unit_test(files_that_cannot_be_read_are_system_errors),
	    cmocka_unit_test(key_comes_from_the_environment),
	    cmocka_unit_test(key_that_others_can_read_is_reported),
	    cmocka_unit_test(file_of_64_KiB_loads_and_one_byte_more_does_not),
	    cmocka_unit_test(key_with_a_mistyped_start_line_is_not_overlooked),
	    cmocka_unit_test(key_cut_off_anywhere_is_refused),
	    cmocka_unit_test(no_changed_character_of_a_file_leaves_the_same_key),
	    cmocka_unit_test(what_openssl_signed_verifies),
	    cmocka_unit_test(signature_longer_than_any_is_none),
	    cmocka_unit_test(ecdsa_signature_verifies_in_DER_only),
	    cmocka_unit_test(ed25519_signature_with_a_larger_equal_number_is_none),
	    cmocka_unit_test(ed25519_signs_as_openssl_does),
	    cmocka_unit_test(what_is_signed_verifies_with_the_public_half),
	    cmocka_unit_test(public_key_cannot_sign),
	    cmocka_unit_test(generated_key_can_be_written_and_read_again),
	    cmocka_unit_test(generated_keys_differ),
	    cmocka_unit_test(encrypted_key_opens_with_its_passphrase_only),
	    cmocka_unit_test(public_key_is_written_named_and_uncompressed),
	    cmocka_unit_test(openssl_errors_are_cleared_and_others_kept),
	    cmocka_unit_test(freeing_no_key_does_nothing),
	    cmocka_unit_test(passphrase_is_the_first_line_as_it_is),
	    cmocka_unit_test(passphrase_empty_or_with_NUL_or_too_long_is_refused),
	    cmocka_unit_test(passphrase_from_a_closed_descriptor_is_a_system_error),
	    cmocka_unit_test(passphrase_comes_from_the_environment),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
