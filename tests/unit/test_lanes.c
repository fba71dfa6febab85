#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "swarm/ipsecmb.h"
#include "swarm/lanes.h"

#include "trees.h"

/* --- a libcrypto that can be told to fail, or to lie ------------------------------------------ */

static atomic_bool broken, lying;

int EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t len)
{
	int (*real)(EVP_MD_CTX *, const void *, size_t);
	void *found = dlsym(RTLD_NEXT, "EVP_DigestUpdate");

	memcpy(&real, &found, sizeof real);
	if (atomic_load(&broken))
		return 0;
	return real(context, bytes, atomic_load(&lying) && len > 0 ? len - 1 : len);
}

/* --- helpers ---------------------------------------------------------------------------------- */

/* Twice what a lane may take, and some. */
#define CONTENT (2 * IPSECMB_LEN_MAX + 8192)
/* More than it takes until managers are set up. */
#define WARM         MIB
#define MESSAGES_MAX ((size_t)2000)

static uint8_t *content;

static bool has_any_kind(void)
{
	for (enum ipsecmb_kind kind = 0; kind < IPSECMB_KINDS; kind++)
		if (ipsecmb_has(kind))
			return true;
	return false;
}

/* NULL: not set. */
static void wish_for(const char *wish)
{
	assert_int_equal(wish != NULL ? setenv("SWARM_HASH", wish, 1) : unsetenv("SWARM_HASH"), 0);
}

static struct lanes *new_lanes(void)
{
	struct err e;
	struct lanes *l = lanes_new(&e);

	if (l == NULL)
		fail_msg("%s", e.msg);
	return l;
}

static void assert_good(struct lanes *l)
{
	struct err e;

	if (lanes_check(l, &e) != 0)
		fail_msg("%s", e.msg);
}

struct set {
	struct sha256_message messages[MESSAGES_MAX];
	size_t count;
	uint8_t digests[MESSAGES_MAX + 1][SHA256_SIZE];
};

static void add(struct set *s, size_t at, size_t len)
{
	s->messages[s->count] = (struct sha256_message){content + at, len, s->digests[s->count]};
	s->count++;
}

/* Hashes what was added, and starts over. Returns how many digests are wrong. */
static size_t count_wrong(struct lanes *l, struct set *s)
{
	size_t wrong = 0;

	memset(s->digests, 0xA5, sizeof s->digests);
	lanes_hash(l, s->messages, s->count);
	for (size_t i = 0; i < s->count; i++) {
		uint8_t want[SHA256_SIZE];
		SHA256(s->messages[i].bytes, s->messages[i].len, want);
		wrong += memcmp(s->digests[i], want, SHA256_SIZE) != 0;
	}
	for (size_t k = 0; k < SHA256_SIZE; k++)
		wrong += s->digests[s->count][k] != 0xA5;
	s->count = 0;
	return wrong;
}

static struct set *new_set(void)
{
	struct set *s = calloc(1, sizeof *s);

	assert_non_null(s);
	return s;
}

/* --- each in a process that has not hashed before --------------------------------------------- */

/* Runs in a process of its own, and says whether it went well. */
static void assert_in_child(bool (*holds)(void))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(holds() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool is_refused(int status, const struct err *e)
{
	static const char want[] = "SWARM_HASH asks for ipsec-mb, which is not to be had here";

	return status != 0 && e->code == ERR_USAGE && strcmp(e->msg, want) == 0;
}

/* Nothing but libcrypto: `more` is said of it, and a wish for anything else is refused. */
static bool has_only_libcrypto(const char *more)
{
	struct err e = {.code = ERR_NONE};
	struct buf text = BUF_INIT;
	char want[200];

	(void)snprintf(want, sizeof want, "hashing: OpenSSL %s%s\n",
		       OpenSSL_version(OPENSSL_FULL_VERSION_STRING), more);
	bool good = lanes_describe(&text, &e) == 0 && strcmp(text.data, want) == 0;
	good = setenv("SWARM_HASH", "ipsec-mb", 1) == 0 && good;
	struct lanes *l = lanes_new(&e);
	good = is_refused(l == NULL ? -1 : 0, &e) && good;
	e = (struct err){.code = ERR_NONE};
	good = is_refused(lanes_describe(&text, &e), &e) && good;
	lanes_free(l);
	buf_release(&text);
	return good;
}

/* Here it is libcrypto that is wrong; which of the two it is cannot be told. */
static bool is_out(void)
{
	atomic_store(&lying, true);
	return has_only_libcrypto(has_any_kind() ? " (libipsec-mb failed its test)" : "");
}

static void libipsec_mb_is_out_once_it_gives_another_digest(void **state)
{
	(void)state;
	wish_for(NULL);
	assert_in_child(is_out);
}

static bool does_without(void)
{
	atomic_store(&broken, true);
	return has_only_libcrypto("");
}

static void libipsec_mb_is_not_used_where_it_cannot_be_tested(void **state)
{
	(void)state;
	wish_for(NULL);
	assert_in_child(does_without);
}

/* --- threads: first, so that all of them find out at once what there is ----------------------- */

struct one_thread {
	pthread_t thread;
	unsigned number;
	size_t wrong;
	int status;
};

static void *hash_in_thread(void *arg)
{
	struct one_thread *t = arg;
	struct err e;
	struct set *s = calloc(1, sizeof *s);
	struct lanes *l = lanes_new(&e);

	t->status = -1;
	if (s != NULL && l != NULL) {
		for (size_t round = 0; round < 40; round++) {
			for (size_t i = 0; i < 30; i++)
				add(s, i * t->number, (i * 797 + round * 31 + t->number) % 9000);
			t->wrong += count_wrong(l, s);
		}
		t->status = lanes_check(l, &e);
	}
	lanes_free(l);
	free(s);
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	static const char *const wishes[] = {NULL, "openssl", "ipsec-mb"};
	struct one_thread threads[6];

	(void)state;
	for (size_t w = 0; w < COUNT(wishes) - !has_any_kind(); w++) {
		wish_for(wishes[w]);
		for (unsigned i = 0; i < COUNT(threads); i++) {
			threads[i] = (struct one_thread){.number = i};
			assert_int_equal(
			    pthread_create(&threads[i].thread, NULL, hash_in_thread, &threads[i]),
			    0);
		}
		for (size_t i = 0; i < COUNT(threads); i++) {
			assert_int_equal(pthread_join(threads[i].thread, NULL), 0);
			assert_int_equal(threads[i].status, 0);
			assert_int_equal(threads[i].wrong, 0);
		}
	}
}

/* --- digests, with each wish ------------------------------------------------------------------ */

static void take_wish(void **state)
{
	const char *wish = *state;

	wish_for(wish);
	if (wish != NULL && strcmp(wish, "ipsec-mb") == 0 && !has_any_kind())
		skip();
}

static void warm_up(struct lanes *l)
{
	uint8_t digest[SHA256_SIZE];

	lanes_hash(l, &(struct sha256_message){content, WARM, digest}, 1);
}

static void hash_all_sorts(struct lanes *l, struct set *s)
{
	static const size_t counts[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 49, 511, 512, 513, 1100};

	for (size_t len = 0; len <= 300; len++) {
		add(s, len, len);
		assert_int_equal(count_wrong(l, s), 0);
	}
	for (size_t len = 0; len <= 1100; len++)
		add(s, len % 67, len);
	assert_int_equal(count_wrong(l, s), 0);
	for (size_t i = 0; i < COUNT(counts); i++) {
		for (size_t k = 0; k < counts[i]; k++)
			add(s, k, 64);
		assert_int_equal(count_wrong(l, s), 0);
		for (size_t k = 0; k < counts[i]; k++)
			add(s, k, k * 7919 % 2000);
		assert_int_equal(count_wrong(l, s), 0);
		for (size_t k = 0; k < counts[i]; k++)
			add(s, k, 0);
		assert_int_equal(count_wrong(l, s), 0);
	}
	for (size_t len = 16382; len <= 16386; len++)
		for (size_t k = 0; k < 20; k++)
			add(s, k, len);
	assert_int_equal(count_wrong(l, s), 0);
}

/* From the first message on: what hashes changes on the way. */
static void digests_are_right_from_the_start(void **state)
{
	take_wish(state);
	struct set *s = new_set();
	for (size_t first = 1; first < 100; first += 13) {
		struct lanes *l = new_lanes();
		size_t work = 0;
		for (size_t i = 0; work < 2 * MIB; i++) {
			for (size_t k = 0; k < first; k++) {
				size_t len = (i * 37 + k * 4099) % 40000;
				add(s, k, len);
				work += len;
			}
			assert_int_equal(count_wrong(l, s), 0);
		}
		assert_good(l);
		lanes_free(l);
	}
	free(s);
}

static void digests_are_right_cold(void **state)
{
	take_wish(state);
	struct set *s = new_set();
	/* Little work each, so that no manager is started. */
	for (size_t count = 0; count < 40; count++) {
		struct lanes *l = new_lanes();
		for (size_t k = 0; k < count; k++)
			add(s, k, k * 61);
		assert_int_equal(count_wrong(l, s), 0);
		assert_good(l);
		lanes_free(l);
	}
	free(s);
}

static void digests_are_right_warm(void **state)
{
	take_wish(state);
	struct set *s = new_set();
	struct lanes *l = new_lanes();
	warm_up(l);
	hash_all_sorts(l, s);
	assert_good(l);
	lanes_free(l);
	free(s);
}

static void messages_too_long_for_a_lane_may_stand_between_others(void **state)
{
	static const size_t lengths[] = {IPSECMB_LEN_MAX - 1, IPSECMB_LEN_MAX,
					 IPSECMB_LEN_MAX + 1, 2 * IPSECMB_LEN_MAX - 64,
					 2 * IPSECMB_LEN_MAX, 2 * IPSECMB_LEN_MAX + 65};
	static const size_t places[] = {0, 1, 20, 39};

	take_wish(state);
	struct set *s = new_set();
	struct lanes *l = new_lanes();
	for (size_t i = 0; i < COUNT(lengths); i++) {
		for (size_t k = 0; k < 40; k++)
			add(s, k, k == places[i % COUNT(places)] ? lengths[i] : k * 97);
		assert_int_equal(count_wrong(l, s), 0);
	}
	/* Several, side by side and apart. */
	for (size_t k = 0; k < 40; k++)
		add(s, k, k == 0 || k == 1 || k == 20 || k == 39 ? lengths[2] : k * 97);
	assert_int_equal(count_wrong(l, s), 0);
	assert_good(l);
	lanes_free(l);
	free(s);
}

/* One that is long for its company, and goes on alone when all others are done. */
static void messages_of_very_different_lengths_may_be_mixed(void **state)
{
	unsigned seed = 3;

	take_wish(state);
	struct set *s = new_set();
	struct lanes *l = new_lanes();
	warm_up(l);
	for (size_t round = 0; round < 60; round++) {
		for (size_t k = 0; k < 3 + round; k++) {
			seed = seed * 1103515245 + 12345;
			size_t most = (size_t)1 << (seed >> 16 & 15);
			add(s, k, (seed >> 8) % (most + 1));
		}
		if (round % 3 == 0)
			add(s, 5, 200000);
		assert_int_equal(count_wrong(l, s), 0);
	}
	assert_good(l);
	lanes_free(l);
	free(s);
}

/* --- what SWARM_HASH says --------------------------------------------------------------------- */

static void a_wish_for_anything_else_is_refused(void **state)
{
	static const char *const nonsense[] = {"sha1", "OpenSSL", "openssl ", "ipsec-mb,openssl",
					       " "};

	(void)state;
	for (size_t i = 0; i < COUNT(nonsense); i++) {
		struct err e = {.code = ERR_NONE}, again = {.code = ERR_NONE};
		struct buf text = BUF_INIT;
		char want[200];
		wish_for(nonsense[i]);
		(void)snprintf(want, sizeof want, "SWARM_HASH can be openssl or ipsec-mb, not '%s'",
			       nonsense[i]);
		assert_null(lanes_new(&e));
		assert_int_equal(e.code, ERR_USAGE);
		assert_string_equal(e.msg, want);
		assert_int_equal(lanes_describe(&text, &again), -1);
		assert_int_equal(again.code, ERR_USAGE);
		assert_string_equal(again.msg, want);
		assert_int_equal(text.len, 0);
		buf_release(&text);
	}
}

static void describe(struct buf *to)
{
	struct err e;

	buf_clear(to);
	if (lanes_describe(to, &e) != 0)
		fail_msg("%s", e.msg);
}

static void lanes_tell_of_libcrypto_when_it_is_wished_for(void **state)
{
	struct buf text = BUF_INIT;
	struct err e;
	char want[200];

	(void)state;
	wish_for("openssl");
	(void)snprintf(want, sizeof want, "before\nhashing: OpenSSL %s\n",
		       OpenSSL_version(OPENSSL_FULL_VERSION_STRING));
	buf_adds(&text, "before\n");
	assert_int_equal(lanes_describe(&text, &e), 0);
	assert_string_equal(text.data, want);
	buf_release(&text);
}

/* Which kind is the fastest is found out; that it is one of those there are is known. */
static bool is_ipsecmb(const char *text)
{
	for (enum ipsecmb_kind kind = 0; kind < IPSECMB_KINDS; kind++) {
		char want[300];
		(void)snprintf(want, sizeof want, "hashing: libipsec-mb %s (%s), OpenSSL %s\n",
			       ipsecmb_version(), ipsecmb_kind_name(kind),
			       OpenSSL_version(OPENSSL_FULL_VERSION_STRING));
		if (ipsecmb_has(kind) && strcmp(text, want) == 0)
			return true;
	}
	return false;
}

static void lanes_tell_of_libipsec_mb_when_it_is_wished_for(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	if (!has_any_kind())
		skip();
	wish_for("ipsec-mb");
	describe(&text);
	if (!is_ipsecmb(text.data))
		fail_msg("%s", text.data);
	buf_release(&text);
}

static void an_empty_wish_is_none(void **state)
{
	struct buf none = BUF_INIT, empty = BUF_INIT;

	(void)state;
	wish_for(NULL);
	describe(&none);
	wish_for("");
	describe(&empty);
	assert_string_equal(empty.data, none.data);
	assert_true(strncmp(none.data, "hashing: OpenSSL ", 17) == 0 || is_ipsecmb(none.data));
	struct lanes *l = new_lanes();
	lanes_free(l);
	buf_release(&none);
	buf_release(&empty);
}

/* --- failures --------------------------------------------------------------------------------- */

static void assert_failed(const struct lanes *l)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(lanes_check(l, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "libcrypto failed to compute a SHA-256");
}

static void a_failure_of_libcrypto_stays_known(void **state)
{
	take_wish(state);
	struct set *s = new_set();
	struct lanes *l = new_lanes(), *other = new_lanes();
	add(s, 0, 1000);
	assert_int_equal(count_wrong(l, s), 0);
	assert_good(l);
	/* Too long for a lane: it is libcrypto that hashes it, whatever is wished for. */
	uint8_t digest[SHA256_SIZE];
	atomic_store(&broken, true);
	lanes_hash(l, &(struct sha256_message){content, IPSECMB_LEN_MAX + 1, digest}, 1);
	atomic_store(&broken, false);
	assert_failed(l);
	add(s, 0, 1000);
	(void)count_wrong(l, s);
	assert_failed(l);
	assert_good(other);
	lanes_free(l);
	lanes_free(other);
	lanes_free(NULL);
	free(s);
}

/* --- all -------------------------------------------------------------------------------------- */

static int make(void **state)
{
	(void)state;
	content = make_content(CONTENT, 1);
	return content != NULL ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	free(content);
	return unsetenv("SWARM_HASH");
}

int main(void)
{
	static char openssl[] = "openssl", ipsecmb[] = "ipsec-mb";
#define WISHING(test, name, wish)                      \
	{                                              \
#test "_" name, test, NULL, NULL, wish \
	}
#define WITH_EACH(test)                                                  \
	WISHING(test, "unset", NULL), WISHING(test, "openssl", openssl), \
	    WISHING(test, "ipsecmb", ipsecmb)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(libipsec_mb_is_out_once_it_gives_another_digest),
	    cmocka_unit_test(libipsec_mb_is_not_used_where_it_cannot_be_tested),
	    cmocka_unit_test(threads_do_not_disturb_each_other),
	    WITH_EACH(digests_are_right_from_the_start),
	    WITH_EACH(digests_are_right_cold),
	    WITH_EACH(digests_are_right_warm),
	    WITH_EACH(messages_too_long_for_a_lane_may_stand_between_others),
	    WITH_EACH(messages_of_very_different_lengths_may_be_mixed),
	    cmocka_unit_test(a_wish_for_anything_else_is_refused),
	    cmocka_unit_test(lanes_tell_of_libcrypto_when_it_is_wished_for),
	    cmocka_unit_test(lanes_tell_of_libipsec_mb_when_it_is_wished_for),
	    cmocka_unit_test(an_empty_wish_is_none),
	    WITH_EACH(a_failure_of_libcrypto_stays_known),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
