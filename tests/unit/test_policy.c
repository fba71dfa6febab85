#define _DEFAULT_SOURCE /* flock() */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/io.h"
#include "swarm/num.h"
#include "swarm/policy.h"
#include "swarm/utc.h"

#include "folder.h"

#define DIGEST "abababababababababababababababababababababababababababababababab"
#define STATE                                                                               \
	"{\"swarm\":\"state/1\",\"product\":\"farm\",\"channel\":\"stable\",\"serial\":42," \
	"\"sha256\":\"" DIGEST "\",\"issued\":\"2026-11-23T12:00:00Z\"}"

static int set_up(void **state)
{
	(void)state;
	return make_folder("farm.state");
}

static int tear_down(void **state)
{
	(void)state;
	return remove_folder();
}

static struct head head_of(uint64_t serial)
{
	struct head head = {
	    .id = {.product = "farm", .channel = "stable", .version = "1.0.2", .serial = serial}};

	memset(head.digest, 0xAB, sizeof head.digest);
	assert_true(utc_parse("2026-11-23T12:00:00Z", &head.issued));
	assert_true(utc_parse("2026-12-23T12:00:00Z", &head.expires));
	return head;
}

/* --- policy ----------------------------------------------------------------------------------- */

static void assert_policy_refused(const struct policy *p, const struct head *head, const char *why)
{
	struct err e = {0};

	assert_int_equal(policy_check(p, head, &e), -1);
	assert_string_equal(e.msg, why);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void anything_goes_where_nothing_was_asked_for(void **state)
{
	struct policy p = {.now = 0};
	struct head head = head_of(1);
	struct err e = {0};

	(void)state;
	assert_int_equal(policy_check(&p, &head, &e), 0);
}

static void another_product_or_channel_is_refused(void **state)
{
	struct policy p = {.product = "farm", .channel = "stable"};
	struct head head = head_of(42);
	struct err e = {0};

	(void)state;
	assert_int_equal(policy_check(&p, &head, &e), 0);
	p.product = "Farm";
	assert_policy_refused(&p, &head, "this is a release of 'farm', not of 'Farm'");
	p.product = "farm";
	p.channel = "beta";
	assert_policy_refused(&p, &head, "this is a release for the channel 'stable', not 'beta'");
}

static void serial_below_the_minimum_is_refused(void **state)
{
	struct policy p = {.min_serial = 42};
	struct head head = head_of(42);
	struct err e = {0};

	(void)state;
	assert_int_equal(policy_check(&p, &head, &e), 0);
	head.id.serial = 41;
	assert_policy_refused(&p, &head,
			      "this is serial 41 (version 1.0.2), but at least 42 was asked for");
	p.min_serial = NUM_MAX;
	head.id.serial = NUM_MAX;
	assert_int_equal(policy_check(&p, &head, &e), 0);
}

static void head_is_expired_from_the_second_on_that_it_names(void **state)
{
	static const struct {
		int64_t after;
		const char *ago;
	} cases[] = {
	    {0, "0 seconds"},          {1, "1 second"},
	    {59, "59 seconds"},        {60, "1 minute"},
	    {3599, "59 minutes"},      {3600, "1 hour"},
	    {86399, "23 hours"},       {86400, "1 day"},
	    {3 * 86400 + 5, "3 days"}, {1000 * 86400, "1,000 days"},
	};
	struct head head = head_of(42);
	struct policy p = {.now = head.expires - 1};
	struct err e = {0};

	(void)state;
	assert_int_equal(policy_check_expiry(&p, &head, &e), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char expected[128];
		(void)snprintf(expected, sizeof expected,
			       "farm 1.0.2 expired 2026-12-23T12:00:00Z, %s ago", cases[i].ago);
		p.now = head.expires + cases[i].after;
		assert_int_equal(policy_check_expiry(&p, &head, &e), -1);
		assert_string_equal(e.msg, expected);
		assert_int_equal(e.code, ERR_REFUSED);
	}
}

/* --- state ------------------------------------------------------------------------------------ */

static void state_is_written_as_it_is_read(void **state)
{
	struct policy_state s;
	struct buf text = BUF_INIT;
	struct err e = {0};

	(void)state;
	assert_int_equal(policy_state_parse(STATE, strlen(STATE), &s, &e), 0);
	assert_true(s.exists);
	assert_string_equal(s.id.product, "farm");
	assert_string_equal(s.id.channel, "stable");
	assert_string_equal(s.id.version, "");
	assert_int_equal(s.id.serial, 42);
	assert_int_equal(s.digest[0], 0xAB);
	assert_int_equal(s.issued, head_of(42).issued);
	policy_state_format(&text, &s);
	assert_string_equal(text.data, STATE);
	buf_release(&text);
}

#define LINE(swarm, product, serial, digest, issued, end)                                        \
	"{\"swarm\":" swarm ",\"product\":" product ",\"channel\":\"stable\",\"serial\":" serial \
	",\"sha256\":" digest ",\"issued\":" issued end
#define S1    "\"state/1\""
#define P1    "\"farm\""
#define D1    "\"" DIGEST "\""
#define T1    "\"2026-11-23T12:00:00Z\""
#define SPELT "it is not spelt as a state file is"

static void state_in_any_other_spelling_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
	    {LINE("\"state/2\"", P1, "42", D1, T1, "}"), "'swarm' is not state/1"},
	    {LINE(S1, "\"\"", "42", D1, T1, "}"), "'product' is no name"},
	    {LINE(S1, "\"../farm\"", "42", D1, T1, "}"), "'product' is no name"},
	    {LINE(S1, "\"a23456789b123456789c123456789d123\"", "42", D1, T1, "}"),
	     "'product' is no name"},
	    {LINE(S1, "1", "42", D1, T1, "}"), "'product' is not a string"},
	    {LINE(S1, P1, "0", D1, T1, "}"), "'serial' is not at least 1"},
	    {LINE(S1, P1, "-1", D1, T1, "}"), "'serial' is not a whole number from 0 to 2^53-1"},
	    {LINE(S1, P1, "42.0", D1, T1, "}"), "'serial' is not a whole number from 0 to 2^53-1"},
	    {LINE(S1, P1, "9007199254740992", D1, T1, "}"),
	     "'serial' is not a whole number from 0 to 2^53-1"},
	    {LINE(S1, P1, "42", "\"abab\"", T1, "}"),
	     "'sha256' is not lower-case hex of the right length"},
	    {LINE(S1, P1, "42", D1, "\"2026-02-30T00:00:00Z\"", "}"), "'issued' is no time"},
	    {LINE(S1, P1, "42", D1, T1, ",\"more\":1}"), "'more' is not a key known here"},
	    {LINE(S1, P1, " 42", D1, T1, "}"), SPELT},
	    {LINE(S1, "\"\\u0066arm\"", "42", D1, T1, "}"), SPELT},
	    {LINE(S1, P1, "42", D1, T1, "}") "\n", SPELT},
	    {" " LINE(S1, P1, "42", D1, T1, "}"), SPELT},
	    {"{\"product\":\"farm\",\"swarm\":\"state/1\",\"channel\":\"stable\",\"serial\":42,"
	     "\"sha256\":\"" DIGEST "\",\"issued\":\"2026-11-23T12:00:00Z\"}",
	     SPELT},
	    {"{\"swarm\":\"state/1\"}", "'product' is missing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policy_state s;
		struct err e = {0};
		assert_int_equal(policy_state_parse(cases[i].text, strlen(cases[i].text), &s, &e),
				 -1);
		assert_string_equal(e.msg, cases[i].why);
		assert_int_equal(e.code, ERR_CONFIG);
	}
}

static void state_cut_off_or_changed_anywhere_is_refused_or_says_another_thing(void **state)
{
	char text[] = STATE;
	struct policy_state s;
	struct err e = {0};
	struct buf again = BUF_INIT;

	(void)state;
	for (size_t len = 0; len < strlen(STATE); len++) {
		assert_int_equal(policy_state_parse(STATE, len, &s, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
	}
	for (size_t i = 0; i < strlen(STATE); i++) {
		text[i] ^= 1;
		if (policy_state_parse(text, strlen(text), &s, &e) == 0) {
			buf_clear(&again);
			policy_state_format(&again, &s);
			assert_string_equal(again.data, text);
		} else {
			assert_int_equal(e.code, ERR_CONFIG);
		}
		text[i] ^= 1;
	}
	buf_release(&again);
}

static void assert_state_refuses(const struct policy_state *s, const struct head *head,
				 const char *why)
{
	struct err e = {0};

	assert_int_equal(policy_check_state(s, head, &e), -1);
	assert_string_equal(e.msg, why);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void nothing_seen_refuses_nothing(void **state)
{
	struct policy_state s = {.id.serial = 1000, .issued = UTC_MAX};
	struct head head = head_of(1);
	struct err e = {0};

	(void)state;
	assert_int_equal(policy_check_state(&s, &head, &e), 0);
}

static void what_is_older_than_what_was_seen_is_refused(void **state)
{
	struct policy_state s;
	struct head head = head_of(42);
	struct err e = {0};

	(void)state;
	assert_int_equal(policy_state_parse(STATE, strlen(STATE), &s, &e), 0);
	assert_int_equal(policy_check_state(&s, &head, &e), 0);
	/* Rollback. */
	head.id.serial = 41;
	assert_state_refuses(&s, &head,
			     "this is serial 41 (version 1.0.2), but serial 42 was seen before");
	/* Mix-and-match: the same number for other files. */
	head = head_of(42);
	head.digest[31] ^= 1;
	assert_state_refuses(&s, &head,
			     "serial 42 was seen before over another manifest (SHA-256 "
			     "abababababab…, now abababababab…)");
	head.id.serial = 43;
	assert_int_equal(policy_check_state(&s, &head, &e), 0);
	/* An older head over the same files, whose expiry may be later. */
	head = head_of(42);
	head.issued--;
	assert_state_refuses(&s, &head,
			     "this head was issued 2026-11-23T11:59:59Z, but one issued "
			     "2026-11-23T12:00:00Z was seen before");
	head.id.serial = 43;
	assert_state_refuses(&s, &head,
			     "this head was issued 2026-11-23T11:59:59Z, but one issued "
			     "2026-11-23T12:00:00Z was seen before");
	head.issued += 2;
	assert_int_equal(policy_check_state(&s, &head, &e), 0);
}

static void state_pins_product_and_channel(void **state)
{
	struct policy_state s;
	struct head head = head_of(43);
	struct err e = {0};

	(void)state;
	assert_int_equal(policy_state_parse(STATE, strlen(STATE), &s, &e), 0);
	memcpy(head.id.product, "barn", sizeof "barn");
	assert_state_refuses(&s, &head,
			     "the state is of another one: this is a release of 'barn', not of "
			     "'farm'");
	head = head_of(43);
	memcpy(head.id.channel, "beta", sizeof "beta");
	assert_state_refuses(&s, &head,
			     "the state is of another one: this is a release for the channel "
			     "'beta', not 'stable'");
	assert_int_equal(
	    policy_check_state(&s, &(struct head){.id = head_of(43).id, .issued = s.issued}, &e),
	    0);
}

/* --- the file --------------------------------------------------------------------------------- */

static void put_state(const char *text)
{
	struct err e;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, text, strlen(text), path, &e), 0);
	assert_int_equal(close(fd), 0);
}

static void assert_file_is(const char *text)
{
	struct buf got = BUF_INIT;
	struct err e;
	int fd = io_open(path, &e);

	assert_true(fd >= 0);
	assert_int_equal(io_read_all(fd, &got, 65536, path, &e), 0);
	assert_string_equal(got.data, text);
	assert_int_equal(close(fd), 0);
	buf_release(&got);
}

static struct policy_file *open_file(void)
{
	struct err e = {0};
	struct policy_file *f = policy_file_open(path, &e);

	if (f == NULL)
		fail_msg("%s", e.msg);
	return f;
}

static void update(struct policy_file *f, const struct head *head)
{
	struct err e = {0};

	if (policy_file_update(f, head, scratch, &e) != 0)
		fail_msg("%s", e.msg);
}

static void first_use_makes_the_file_and_later_ones_raise_it(void **state)
{
	struct head head = head_of(42);
	struct err e = {0};
	struct policy_file *f = open_file();

	(void)state;
	assert_false(policy_file_state(f)->exists);
	assert_int_equal(access(path, F_OK), -1);
	update(f, &head);
	assert_file_is(STATE "\n");
	assert_true(policy_file_state(f)->exists);
	head.id.serial = 43;
	update(f, &head);
	policy_file_close(f);

	f = open_file();
	assert_int_equal(policy_file_state(f)->id.serial, 43);
	head.id.serial = 42;
	assert_int_equal(policy_file_update(f, &head, scratch, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	policy_file_close(f);
	f = open_file();
	assert_int_equal(policy_file_state(f)->id.serial, 43);
	policy_file_close(f);
	/* No lock, no temporary file is left. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void state_that_cannot_be_read_is_never_started_over(void **state)
{
	static const char *const bad[] = {
	    "", "\n", STATE, STATE "\n\n", STATE "\r\n", "garbage\n", STATE "\n" STATE "\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char start[128];
		struct err e = {0};
		put_state(bad[i]);
		assert_null(policy_file_open(path, &e));
		assert_int_equal(e.code, ERR_CONFIG);
		(void)snprintf(start, sizeof start, "cannot use the state '%s': ", path);
		assert_int_equal(strncmp(e.msg, start, strlen(start)), 0);
		assert_file_is(bad[i]);
	}
	put_state(STATE "\n");
	policy_file_close(open_file());

	struct buf large = BUF_INIT;
	struct err e = {0};
	while (large.len < 10000)
		buf_addc(&large, ' ');
	put_state(large.data);
	assert_null(policy_file_open(path, &e));
	assert_int_equal(e.code, ERR_CONFIG);
	buf_release(&large);
	assert_int_equal(unlink(path), 0);
}

static void state_without_its_line_feed_is_cut_off(void **state)
{
	static const char *const cut[] = {"", STATE};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char expected[256];
		struct err e = {0};
		put_state(cut[i]);
		(void)snprintf(expected, sizeof expected,
			       "cannot use the state '%s': it is not one line: is it cut off?",
			       path);
		assert_null(policy_file_open(path, &e));
		assert_string_equal(e.msg, expected);
	}
	assert_int_equal(unlink(path), 0);
}

static void state_that_went_bad_meanwhile_is_not_overwritten(void **state)
{
	struct head head = head_of(43);
	struct err e = {0};

	(void)state;
	put_state(STATE "\n");
	struct policy_file *f = open_file();
	put_state("garbage\n");
	assert_int_equal(policy_file_update(f, &head, scratch, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_file_is("garbage\n");
	/* Nor is what it said forgotten where it is gone. */
	assert_int_equal(unlink(path), 0);
	head.id.serial = 41;
	assert_int_equal(policy_file_update(f, &head, scratch, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_int_equal(access(path, F_OK), -1);
	policy_file_close(f);
}

static void what_another_run_has_seen_meanwhile_counts(void **state)
{
	struct head newer = head_of(43), older = head_of(42);
	struct err e = {0};
	struct policy_file *f = open_file(), *other = open_file();

	(void)state;
	update(other, &newer);
	assert_int_equal(policy_file_update(f, &older, scratch, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_string_equal(e.msg,
			    "this is serial 42 (version 1.0.2), but serial 43 was seen before");
	newer.id.serial = 44;
	update(f, &newer);
	policy_file_close(f);
	policy_file_close(other);
	assert_int_equal(unlink(path), 0);
}

static void only_a_regular_file_in_a_folder_that_exists_will_do(void **state)
{
	struct err e = {0};
	char expected[256];

	(void)state;
	assert_null(policy_file_open("-", &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_null(policy_file_open("/dev/null", &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "cannot use the state '/dev/null': it is no regular file");
	assert_null(policy_file_open("/tmp", &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(policy_file_open(path, &e));
	assert_int_equal(e.code, ERR_CONFIG);
	assert_null(policy_file_open("/nonexistent/farm.state", &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, ENOENT);
	assert_string_equal(e.msg, "cannot lock the folder of '/nonexistent/farm.state': No such "
				   "file or directory");
	assert_null(policy_file_open("nonexistent/", &e));
	assert_string_equal(e.msg, "cannot lock the folder of 'nonexistent/': No such file or "
				   "directory");
	assert_int_equal(unlink(path), 0);
	(void)snprintf(expected, sizeof expected, "%s/farm.state", folder);
	assert_string_equal(path, expected);
}

static void name_without_a_folder_is_in_this_one(void **state)
{
	char before[4096];
	struct head head = head_of(42);
	struct err e = {0};

	(void)state;
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(folder), 0);
	struct policy_file *f = policy_file_open("farm.state", &e);
	assert_int_equal(chdir(folder), 0);
	assert_non_null(f);
	update(f, &head);
	policy_file_close(f);
	assert_file_is(STATE "\n");
	assert_int_equal(unlink("farm.state"), 0);
	assert_int_equal(chdir(before), 0);
}

static void link_to_a_state_and_its_mode_survive(void **state)
{
	char link_path[sizeof path];
	struct head head = head_of(43);
	struct stat st;
	struct err e = {0};

	(void)state;
	(void)snprintf(link_path, sizeof link_path, "%s/link", folder);
	put_state(STATE "\n");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(symlink("farm.state", link_path), 0);
	struct policy_file *f = policy_file_open(link_path, &e);
	assert_non_null(f);
	update(f, &head);
	policy_file_close(f);
	assert_int_equal(lstat(link_path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	f = open_file();
	assert_int_equal(policy_file_state(f)->id.serial, 43);
	policy_file_close(f);
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(unlink(path), 0);
}

static void same_head_again_writes_nothing(void **state)
{
	struct head head = head_of(42);
	struct stat before, after;

	(void)state;
	put_state(STATE "\n");
	assert_int_equal(stat(path, &before), 0);
	struct policy_file *f = open_file();
	update(f, &head);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	head.issued++;
	update(f, &head);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	policy_file_close(f);
	assert_int_equal(unlink(path), 0);
}

static void failed_write_leaves_the_old_state(void **state)
{
	struct head head = head_of(43);
	struct rlimit before, none;
	struct err e = {0};

	(void)state;
	put_state(STATE "\n");
	struct policy_file *f = open_file();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 10;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	int status = policy_file_update(f, &head, scratch, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(status, -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, EFBIG);
	assert_int_equal(policy_file_state(f)->id.serial, 42);
	assert_file_is(STATE "\n");
	update(f, &head);
	policy_file_close(f);
	assert_int_equal(unlink(path), 0);
}

#define CHILDREN 4
#define ROUNDS   25

/* Records the serials child, child + CHILDREN, ... that are still news. 0 if all went well. */
static int race(unsigned child)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct err e = {0};
		struct head head = head_of(1 + child + i * CHILDREN);
		struct policy_file *f = policy_file_open(path, &e);
		if (f == NULL)
			return 1;
		int status = policy_file_update(f, &head, scratch, &e);
		policy_file_close(f);
		if (status != 0 && e.code != ERR_REFUSED)
			return 1;
	}
	return 0;
}

static void highest_serial_survives_many_writers(void **state)
{
	pid_t children[CHILDREN];

	(void)state;
	for (unsigned i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(race(i));
	}
	for (unsigned i = 0; i < CHILDREN; i++) {
		int status = -1;
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	struct policy_file *f = open_file();
	assert_int_equal(policy_file_state(f)->id.serial, CHILDREN * ROUNDS);
	policy_file_close(f);
	assert_int_equal(unlink(path), 0);
}

/* An update by this name of the state does nothing while its folder is locked. */
static void assert_waits(const char *name)
{
	struct head head = head_of(43);
	struct err e = {0};
	int status = -1;

	put_state(STATE "\n");
	struct policy_file *f = policy_file_open(name, &e);
	assert_non_null(f);
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(fd);
		int updated = policy_file_update(f, &head, scratch, &e);
		policy_file_close(f);
		_exit(updated == 0 ? 0 : 1);
	}
	(void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	assert_file_is(STATE "\n");
	assert_int_equal(flock(fd, LOCK_UN), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(close(fd), 0);
	policy_file_close(f);
	f = open_file();
	assert_int_equal(policy_file_state(f)->id.serial, 43);
	policy_file_close(f);
	assert_int_equal(unlink(path), 0);
}

static void update_waits_for_the_lock(void **state)
{
	char elsewhere[sizeof path], link_path[sizeof path + 8];

	(void)state;
	(void)snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
	(void)snprintf(link_path, sizeof link_path, "%s/link", elsewhere);
	assert_int_equal(mkdir(elsewhere, 0700), 0);
	assert_int_equal(symlink("../farm.state", link_path), 0);
	assert_waits(path);
	assert_waits(link_path);
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(rmdir(elsewhere), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(anything_goes_where_nothing_was_asked_for),
	    cmocka_unit_test(another_product_or_channel_is_refused),
	    cmocka_unit_test(serial_below_the_minimum_is_refused),
	    cmocka_unit_test(head_is_expired_from_the_second_on_that_it_names),
	    cmocka_unit_test(state_is_written_as_it_is_read),
	    cmocka_unit_test(state_in_any_other_spelling_is_refused),
	    cmocka_unit_test(state_cut_off_or_changed_anywhere_is_refused_or_says_another_thing),
	    cmocka_unit_test(nothing_seen_refuses_nothing),
	    cmocka_unit_test(what_is_older_than_what_was_seen_is_refused),
	    cmocka_unit_test(state_pins_product_and_channel),
	    cmocka_unit_test(first_use_makes_the_file_and_later_ones_raise_it),
	    cmocka_unit_test(state_that_cannot_be_read_is_never_started_over),
	    cmocka_unit_test(state_without_its_line_feed_is_cut_off),
	    cmocka_unit_test(state_that_went_bad_meanwhile_is_not_overwritten),
	    cmocka_unit_test(what_another_run_has_seen_meanwhile_counts),
	    cmocka_unit_test(only_a_regular_file_in_a_folder_that_exists_will_do),
	    cmocka_unit_test(name_without_a_folder_is_in_this_one),
	    cmocka_unit_test(link_to_a_state_and_its_mode_survive),
	    cmocka_unit_test(same_head_again_writes_nothing),
	    cmocka_unit_test(failed_write_leaves_the_old_state),
	    cmocka_unit_test(highest_serial_survives_many_writers),
	    cmocka_unit_test(update_waits_for_the_lock),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
