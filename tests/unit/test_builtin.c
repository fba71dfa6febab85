/*
 * What these samples show is no secret of anybody, and no scanner shall take it for one: the random
 * parts are made when the tests run, and well-known beginnings are cut by `|`.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <pcre2.h>

#include "swarm/buf.h"
#include "swarm/builtin.h"
#include "swarm/glob.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define GUARDS_MAX   128

/* --- an engine that is as slow as it is short ------------------------------------------------- */

struct engine {
	pcre2_code *codes[GUARDS_MAX];
	pcre2_match_data *found;
	size_t n; /* entries of the table */
};

static int make_engine(void **state)
{
	struct engine *engine = calloc(1, sizeof *engine);

	assert_non_null(engine);
	*state = engine;
	engine->found = pcre2_match_data_create(16, NULL);
	assert_non_null(engine->found);
	for (; builtin_guards[engine->n].id != NULL; engine->n++) {
		const struct builtin *b = &builtin_guards[engine->n];
		int code = 0;
		PCRE2_SIZE at = 0;
		assert_true(engine->n < GUARDS_MAX);
		if (b->kind != BUILTIN_REGEX)
			continue;
		engine->codes[engine->n] = pcre2_compile(
		    (PCRE2_SPTR)b->regex, PCRE2_ZERO_TERMINATED, PCRE2_MULTILINE, &code, &at, NULL);
		if (engine->codes[engine->n] == NULL)
			fail_msg("%s: error %d at '%s'", b->id, code, b->regex + at);
	}
	return 0;
}

static int free_engine(void **state)
{
	struct engine *engine = *state;

	for (size_t i = 0; i < engine->n; i++)
		pcre2_code_free(engine->codes[i]);
	pcre2_match_data_free(engine->found);
	free(engine);
	return 0;
}

static double entropy_of(const char *text, size_t len)
{
	size_t counts[256] = {0};
	double bits = 0;

	for (size_t i = 0; i < len; i++)
		counts[(unsigned char)text[i]]++;
	for (size_t i = 0; i < COUNT(counts); i++)
		if (counts[i] > 0) {
			double share = (double)counts[i] / (double)len;
			bits -= share * log2(share);
		}
	return bits;
}

static bool finds(const struct engine *engine, size_t i, const char *text, size_t len)
{
	const pcre2_code *code = engine->codes[i];
	size_t at = 0;

	while (at <= len) {
		int n = pcre2_match(code, (PCRE2_SPTR)text, len, at, 0, engine->found, NULL);
		if (n == PCRE2_ERROR_NOMATCH)
			return false;
		if (n <= 0)
			fail_msg("%s: error %d", builtin_guards[i].id, n);
		const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(engine->found);
		int group = pcre2_substring_number_from_name(code, (PCRE2_SPTR) "secret");
		size_t k = group > 0 ? (size_t)group : 0;
		if (entropy_of(text + ends[2 * k], ends[2 * k + 1] - ends[2 * k]) >=
		    builtin_guards[i].entropy)
			return true;
		at = ends[1] > at ? ends[1] : at + 1;
	}
	return false;
}

static bool finds_id(const struct engine *engine, const char *id, const char *text, size_t len)
{
	bool is_known = false;

	for (size_t i = 0; i < engine->n; i++) {
		if (engine->codes[i] == NULL || strcmp(builtin_guards[i].id, id) != 0)
			continue;
		is_known = true;
		if (finds(engine, i, text, len))
			return true;
	}
	if (!is_known)
		fail_msg("there is no '%s'", id);
	return false;
}

/* --- samples ---------------------------------------------------------------------------------- */

/* Appends n random characters of a class that has one letter for a name. */
static void add_random(struct buf *to, char class, unsigned long n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_+/";
	static const struct {
		char name;
		const char *from;
		size_t n;
	} classes[] = {
	    {'a', letters, 52},      /* letters */
	    {'A', letters, 62},      /* and digits */
	    {'U', letters, 64},      /* base64url */
	    {'u', letters + 26, 36}, /* upper-case and digits */
	    {'l', letters, 26},      /* lower-case */
	    {'d', letters + 52, 10}, /* digits */
	    {'B', "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 64},
	    {'h', "0123456789abcdef", 16}, /* hexadecimal */
	    {'H', "0123456789ABCDEF", 16},
	    {'2', "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32}, /* base32 */
	    {'Q', "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 32}, /* bech32 */
	    {'x', "x", 1},
	    {'X', "X", 1},
	    {'0', "", 1}, /* NUL */
	};
	uint32_t random = 2463534242;
	size_t i = 0;

	while (i < COUNT(classes) && classes[i].name != class)
		i++;
	assert_true(i < COUNT(classes));
	for (; n > 0; n--) {
		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		buf_addc(to, classes[i].from[random % classes[i].n]);
	}
}

/* "{36:A}" becomes 36 characters of class A, and `|` nothing. */
static void add_sample(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++) {
		char *end = NULL;
		unsigned long n = *text == '{' ? strtoul(text + 1, &end, 10) : 0;
		if (n > 0 && end[0] == ':' && end[1] != '\0' && end[2] == '}') {
			add_random(to, end[1], n);
			text = end + 2;
		} else if (*text != '|') {
			buf_addc(to, *text);
		}
	}
}

/* UTF-16. */
#define WIDE_KEY                                     \
	"P{1:0}R{1:0}I{1:0}V{1:0}A{1:0}T{1:0}E{1:0}" \
	" {1:0}K{1:0}E{1:0}Y{1:0}"                   \
	"-{1:0}-{1:0}-{1:0}-{1:0}-{1:0}\n{1:0}"
#define WIDE_8    "M{1:0}I{1:0}G{1:0}H{1:0}{1:B}{1:0}A{1:0}g{1:0}{1:B}{1:0}"
#define WIDE_LINE WIDE_8 WIDE_8 WIDE_8 WIDE_8 WIDE_8

struct sample {
	const char *id;
	const char *hit, *miss; /* either may be NULL */
};

static const struct sample samples[] = {
    {"private-key", "-----BEGIN| PRIVATE KEY-----\nMC4CAQ{58:B}\n", NULL},
    {"private-key", "-----BEGIN| PRIVATE KEY-----\r\nMIGHAg{58:B}\r\n", NULL},
    {"private-key", "-----BEGIN| RSA PRIVATE KEY-----\nMIIEog{58:B}\n", NULL},
    {"private-key", "-----BEGIN| EC PRIVATE KEY-----\nMHcCAQ{58:B}\n", NULL},
    {"private-key", "-----BEGIN| DSA PRIVATE KEY-----\nMIIBug{58:B}\n", NULL},
    {"private-key", "-----BEGIN| ENCRYPTED PRIVATE KEY-----\nMFcwGw{58:B}\n", NULL},
    {"private-key", "-----BEGIN| OPENSSH PRIVATE KEY-----\nb3BlbnNz{62:B}\n", NULL},
    {"private-key", "{\"key\":\"-----BEGIN| PRIVATE KEY-----\\nMIGHAg{58:B}\\n\"", NULL},
    {"private-key", "\"{\\\"key\\\":\\\"-----BEGIN| PRIVATE KEY-----\\\\nMIGHAg{58:B}", NULL},
    {"private-key", "x = '-----BEGIN| PRIVATE KEY-----\\n' +\n    'MIGHAg{58:B}\\n' +", NULL},
    {"private-key", "key: |\n  -----BEGIN| PRIVATE KEY-----\n  MIGHAg{58:B}\n", NULL},
    {"private-key", "KEY=\"-----BEGIN| PRIVATE KEY----- MIGHAg{58:B} -----END", NULL},
    {"private-key",
     "-----BEGIN| EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,{32:H}\n\n",
     NULL},
    {"private-key",
     "-----BEGIN| PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v1.4.9 (GNU/Linux)\n\nlQOY{60:B}\n",
     NULL},
    {"private-key", "-----BEGIN| PGP PRIVATE KEY BLOCK-----\n\nlQOY{60:B}\n", NULL},
    {"private-key",
     "---- BEGIN| SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"a, b\"\nP2/56w{58:B}\n", NULL},
    {"private-key", "PuTTY-User-Key-File-|3: ssh-ed25519\r\nEncryption: none\r\nComment: a\r\n",
     NULL},
    {"private-key", WIDE_KEY WIDE_LINE, WIDE_KEY "${1:0}{{1:0}"},
    {"private-key", "// -----BEGIN| PRIVATE KEY-----\n// MIGHAg{58:B}\n", NULL},
    {"private-key", "-----BEGIN| PRIVATE KEY-----\\u000aMIGHAg{58:B}\\u000a", NULL},
    {"private-key", "-----BEGIN| PRIVATE KEY-----%0AMIGHAg{58:B}%0A", NULL},
    {"private-key", NULL, "-----BEGIN| PUBLIC KEY-----\nMCowBQ{58:B}\n"},
    {"private-key", NULL, "-----BEGIN| CERTIFICATE-----\nMIIBIj{58:B}\n"},
    {"private-key", NULL, "-----BEGIN| PRIVATE KEY-----\nMII...\n-----END| PRIVATE KEY-----"},
    {"private-key", NULL, "-----BEGIN| PRIVATE KEY-----\n${key}\n"},
    {"private-key", NULL,
     "t=\"-----BEGIN| PRIVATE KEY-----\\r\\n\"+wrap(e,64)+\"-----END| PRIVATE KEY-----\\r\\n\""},
    {"private-key", NULL,
     "[\"-----BEGIN| PRIVATE KEY-----\",\"-----BEGIN| RSA PRIVATE KEY-----\",\"{64:B}\"]"},
    {"private-key", NULL, "-----BEGIN| PRIVATE KEY-----\nM{63:X}\n"},
    {"private-key", NULL, "a.push(\"-----BEGIN| PGP PRIVATE KEY BLOCK-----\\n\");b(\"{64:B}\")"},
    {"private-key", NULL, "-----BEGIN| PGP PUBLIC KEY BLOCK-----\n\nlQOY{60:B}\n"},
    {"private-key", NULL, "/^PuTTY-User-Key-File-|[23]: (\\S+)/; Encryption: none"},
    {"private-key", NULL, "---- BEGIN| SSH2 PUBLIC KEY ----\n{64:B}\n"},

    {"jwk-private-key",
     "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{43:U}\",\"y\":\"{43:U}\",\"d\":\"{43:U}\"}", NULL},
    {"jwk-private-key",
     "{\"crv\":\"Ed25519\",\"d\":\"{43:U}\",\"ext\":true,\"kty\":\"OKP\",\"x\":\"{43:U}\"}", NULL},
    {"jwk-private-key", "{kty:\"EC\",crv:\"P-256\",x:\"{43:U}\",d:\"{43:U}\"}", NULL},
    {"jwk-private-key", "\"{\\\"kty\\\":\\\"OKP\\\",\\\"d\\\":\\\"{43:U}\\\"}\"", NULL},
    {"jwk-private-key",
     "{\n  \"kty\": \"RSA\",\n  \"n\": \"{342:U}\",\n  \"e\": \"AQAB\",\n  \"d\": \"{342:U}\"\n}",
     NULL},
    {"jwk-private-key", NULL,
     "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{43:U}\",\"y\":\"{43:U}\"}"},
    {"jwk-private-key", NULL,
     "{\"kty\":\"EC\",\"x\":\"{43:U}\",\"kid\":\"{43:U}\"},{\"d\":\"{43:U}\"}"},
    {"jwk-private-key", NULL, "{kty:\"EC\",crv:e,x:a(t),d:a(n)}"},
    {"jwk-private-key", NULL, "{\"crv\":\"P-256\",\"d\":\"{43:U}\"}"},

    {"age-identity", "AGE-SECRET-|KEY-1{58:Q}", "AGE-SECRET-|KEY-1{57:Q}"},
    {"age-identity", "AGE-SECRET-|KEY-PQ-1{58:Q}", "age1{58:Q}"},
    {"minisign-key", "KEY=RW|RTY0Iy{203:B}=\n", NULL},
    {"minisign-key", "untrusted comment: minisign encrypted secret key\nRW|RTY0Iy{203:B}=\n",
     "untrusted comment: minisign public key\nRW|Q{53:B}\n"},
    {"minisign-key", "RW|QAAEIy{203:B}=", "RW|RTY0Iy{202:B}="},
    {"signify-key", "untrusted comment: signify secret key\nRW|RCSwAAACo{128:B}=\n",
     "untrusted comment: signify public key\nRW|Q{53:B}\n"},

    {"aws-access-key", "AWS_ACCESS_KEY_ID=AKIA|{16:2}\n", NULL},
    {"aws-access-key", "https://h.example/?AWSAccessKeyId=AKIA|{16:2}&b=1", NULL},
    {"aws-access-key", "/a/AKIA|{16:2}/b", NULL},
    {"aws-access-key", "%22AKIA|{16:2}%22", NULL},
    {"aws-access-key", NULL, "xAKIA|{16:2}"},
    {"aws-access-key", "id=\"AK|IA{16:2}\"", "id=\"AK|IA{15:2}\""},
    {"aws-access-key", "AS|IA{16:2}\n", "AK|IAIOSFODNN7EXAMPLE"},
    {"aws-access-key", "\\nAK|IA{16:2}\\n", "{9:B}AK|IA{16:2}"},
    {"aws-access-key", NULL, "AK|IA{16:2}{20:B}"},
    {"aws-access-key", NULL, "AK|IA{16:X}"},
    {"aws-secret-key", "aws_secret_|access_key = {40:B}\n", "aws_secret_|access_key = {39:B}\n"},
    {"aws-secret-key", "\"AWS_SECRET_|ACCESS_KEY\":\"{40:B}\"",
     "\"AWS_SECRET_|ACCESS_KEY\":\"$KEY\""},
    {"aws-secret-key", "{secretAccess|Key: '{40:B}'}", "{secretAccess|Key: '{40:x}'}"},
    {"aws-secret-key", NULL, "secretAccess|Key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'"},
    {"gcp-service-account",
     "{\"type\": \"service_|account\",\n\"project_id\": \"a\",\n\"private_|key\": "
     "\"-----BEGIN PRIVATE KEY-----\\nMIIEv{59:B}\\n",
     "{\"type\": \"service_|account\", \"project_id\": \"a\", \"private_|key_id\": \"{40:h}\"}"},
    {"google-oauth-secret", "GOCS|PX-{28:U}", "GOCS|PX-{27:U}"},
    {"google-oauth-secret", NULL, "GOCS|PX-your{24:U}"},
    {"firebase-server-key", "AAAA{7:U}:|APA91b{134:U}", "AAAA{7:U}:|APA91b{133:U}"},
    {"azure-storage-key", "AccountName=a;Account|Key={86:B}==;EndpointSuffix=",
     "AccountName=a;Account|Key={85:B}=;EndpointSuffix="},
    {"azure-storage-key", "SharedAccess|Key={43:B}=",
     "Account|Key=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/"
     "K1SZFPTOtr/KBHBeksoGMGw=="},
    {"alibaba-access-key", "OSS_ACCESS_KEY_ID=LTAI|5t{18:A}\n", NULL},
    {"alibaba-access-key", "LT|AI{20:A}", "LT|AI{19:A}"},
    {"alibaba-access-key", NULL, "CONS|LT|AI{20:A}"},
    {"digitalocean-token", "dop|_v1_{64:h}", "dop|_v1_{63:h}"},
    {"cloudflare-token", "cfut|_{40:A}{8:h}", "cfut|_{40:A}"},
    {"cloudflare-token", "v1|.0-{24:h}-{146:h}", "v1|.0-{24:h}-{14:h}"},
    {"heroku-key", "HRKU|-AA{58:U}", "HRKU|-AA{57:U}"},
    {"vault-token", "hvs|.{95:U}", "hvs|.{24:U}"},
    {"terraform-token", "{14:A}.atlas|v1.{64:U}", "{13:A}.atlas|v1.{64:U}"},
    {"databricks-token", "da|pi{32:h}", "da|pi{31:h}"},
    {"supabase-key", "sb_|secret_{22:U}_{8:U}", "sb_|publishable_{22:U}_{8:U}"},
    {"supabase-key",
     "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBh|YmFzZSIsInJlZiI6I{27:A}"
     "Iiwicm9sZSI6InNlcnZpY2Vfcm9sZSIsImlhdCI6",
     "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBh|YmFzZSIsInJlZiI6I{27:A}"
     "Iiwicm9sZSI6ImFub24iLCJpYXQiOjE2"},

    {"github-token", "token: gh|p_{36:A}\n", "token: gh|p_{35:A}\n"},
    {"github-token", "\"a\\ngh|s_{36:A}\"", "agh|p_{36:A}"},
    {"github-token", "https://gh|o_{36:A}@github.com/", "gh|p_{36:x}"},
    {"github-token", "github_|pat_{22:A}_{59:A}", "github_|pat_{22:A}_{58:A}"},
    {"github-token", NULL, "gh|p_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"},
    {"gitlab-token", "gl|pat-{20:U}", "gl|pat-{19:A}"},
    {"gitlab-token", "gl|rt-{27:U}.01.{9:h}", "gl|rt-on-the-left-of-the-row"},
    {"npm-token", "n|pm_{36:A}", "n|pm_config_user_agent_of_the_package"},
    {"npm-token", "//r.example.com/:_auth|Token={36:h}",
     "//r.example.com/:_auth|Token=${NPM_TOKEN}"},
    {"pypi-token", "py|pi-AgE{90:U}", "py|pi-AgE{60:U}"},
    {"docker-token", "dckr|_pat_{27:U}", "dckr|_pat_{26:U}"},
    {"atlassian-token", "AT|ATT3{180:U}={8:H}", "AT|ATT3{180:U}"},
    {"slack-token", "xox|b-{12:d}-{12:d}-{24:A}", "xox|b-xxxxxxxxxxxx-xxxxxxxxxxxx"},
    {"slack-token", "xapp|-1-A{10:u}-{13:d}-{64:h}", "xapp|-1-A{10:u}-{13:d}-{32:h}"},
    {"slack-webhook", "https://hooks.slack|.com/services/T{8:u}/B{8:u}/{24:A}",
     "https://hooks.slack|.com/services/T00000000/B00000000/{24:X}"},
    {"discord-token", "client.login(\"M{23:A}.{6:A}.{27:A}\")",
     "client.call(\"M{23:A}.{6:A}.{27:A}\")"},
    {"discord-token", "DISCORD_TOKEN=M{23:A}.{6:A}.{38:A}", "discord.js a.{6:A}.{27:A}"},
    {"discord-webhook", "https://discord|.com/api/webhooks/{18:d}/{68:A}",
     "https://discord|.com/api/webhooks/{18:d}/{20:A}"},
    {"telegram-token", "https://api.telegram.org/bot{10:d}:|AA{33:A}/sendMessage",
     "{10:d}:|AA{32:A}"},
    {"twilio-key", "TWILIO_AUTH_|TOKEN={32:h}", "TWILIO_ACCOUNT_|SID={34:h}"},
    {"sendgrid-key", "SG|.{22:A}.{43:U}", "SG|.prototype.checkForCameras=function"},
    {"mailgun-key", "mailgun: { apiKey: \"key|-{32:h}\" }", "{\"src\":\"key|-{32:h}.png\"}"},
    {"stripe-key", "sk|_live_{24:A}", "sk|_test_{24:A}"},
    {"stripe-key", "rk|_live_{99:A}", "pk|_live_{24:A}"},
    {"stripe-key", "wh|sec_{32:A}", "sk|_live_{24:x}"},
    {"shopify-token", "shp|at_{32:h}", "shp|at_{31:h}"},
    {"square-token", "sq0|csp-{43:U}", "sq0|idp-{22:U}"},
    {"openai-key", "sk|-{20:A}T3Blbk|FJ{20:A}", "sk|-{20:A}{20:A}"},
    {"openai-key", "sk|-proj-{58:U}T3Blbk|FJ{58:U}", "sk|eleton-T3Blbk|FJ"},
    {"anthropic-key", "sk|-ant-api03-{93:U}AA", "sk|-ant-api03-{20:U}"},
    {"openrouter-key", "sk|-or-v1-{64:h}", "sk|-or-v1-{63:h}"},
    {"groq-key", "gsk|_{52:A}", "gsk|_{51:A}"},
    {"xai-key", "xai|-{80:A}", "xai|-{79:A}"},
    {"huggingface-token", "h|f_{34:a}", "h|f_{34:l}"},
    {"mapbox-secret-token", "sk|.eyJ1Ijoi{60:A}.{22:A}", "pk|.eyJ1Ijoi{60:A}.{22:A}"},
    {"sentry-token", "sntr|ys_eyJpYXQiOj{120:A}=_{43:B}", "https://{32:h}@o1.ingest.sentry.io/1"},
    {"sentry-token", "sntr|yu_{64:h}", "sntr|yu_{63:h}"},
    {"linear-key", "lin_|api_{40:A}", "lin_|api_{39:A}"},
    {"notion-token", "ntn|_{11:d}{35:A}", "ntn|_{11:d}{34:A}"},
    {"notion-token", "sec|ret_{43:A}", "sec|ret_{43:l}"},
    {"newrelic-key", "NR|AK-{27:u}", "NR|JS-{27:u}"},
    {"grafana-token", "gl|sa_{32:A}_{8:h}", "gl|sa_{32:A}"},

    {"url-credentials", "https://deploy:h7Gk29sLq0Z|@yourgame.com/x",
     "https://deploy:h7Gk29sLq0Z|@your-server.com/x"},
    {"url-credentials", "postgres://app:{16:A}@db.internal:5432/app",
     "postgres://app@db.internal/app"},
    {"url-credentials", "\"mongodb+srv://app:{16:A}@c0.mongodb.net\"",
     "postgres://postgres:postgres@db.x"},
    {"url-credentials", "redis://:{16:A}@10.0.0.5:6379", "redis://:{16:A}@localhost:6379"},
    {"url-credentials", "https://u%40x:{5:A}%2F{5:A}@10.0.0.5/", "https://user:password@host.com/"},
    {"url-credentials", NULL, "https://user:{16:A}@www.example.com/"},
    {"url-credentials", NULL, "https://user:{16:A}@myhost:80/"},
    {"url-credentials", NULL, "docker://app:v1.20.3@sha256:{64:h}"},
    {"url-credentials", NULL, "https://user:my-password-1@host.com/"},
    {"url-credentials", NULL, "https://{16:A}:{16:A}@host.com/"},
    {"url-credentials", "https://app:{16:A}@test.game.com/", "https://app:{16:A}@a.test/"},
    {"url-credentials", NULL, "https://${user}:${password}@host.com/"},
    {"url-credentials", NULL, "https://<user>:<password>@host.com/"},
    {"url-credentials", NULL, "https://{{user}}:{{password}}@host.com/"},
    {"url-credentials", NULL, "https://%s:%s@%s/"},
    {"url-credentials", NULL, "https://user:xxxxxxxx@host.com/"},
    {"url-credentials", NULL, "https://user:********@host.com/"},
    {"url-credentials", NULL, "https://a.com:8080@b.com/"},
    {"url-credentials", NULL, "https://a.com:80/b:{16:A}@2.0"},
    {"url-credentials", NULL, "\"https://\"+e+\":\"+t+\"@\"+n"},
    {"url-credentials", NULL, "see http://a.b: mail someone@c.com"},

    {"dotenv-secret", "NPM_PUBLISH_TOKEN=|h7Gk29sLq0Zx81Vb\n",
     "NEXT_PUBLIC_TOKEN=|h7Gk29sLq0Zx81Vb\n"},
    {"dotenv-secret", "ADMIN_PASSWORD=|MySecretPony2024!xQ\n", "ADMIN_PASSWORD=|my-secret-token\n"},
    {"dotenv-secret", "DB_PASSWORD=|h7Gk29sLq0Zx81Vb # prod\n",
     "API_TOKEN=|eyJhbGciOiJIUzI1NiJ9.e30\n"},
    {"dotenv-secret", "# DB_PASS=|h7Gk29sLq0Zx81Vb\n", "BYPASS=|h7Gk29sLq0Zx81Vb\n"},
    {"dotenv-secret", "const DB_PASSWORD = \"|h7Gk29sLq0Zx81Vb\";",
     "STRIPE_API_KEY=|pk_live_h7Gk29sLq0\n"},
    {"dotenv-secret", "{\"env\":\"A=1\\nDB_PASSWORD=|h7Gk29sLq0Zx81Vb\\nB=1\"}", NULL},
    {"dotenv-secret", "A=1\nDB_PASSWORD|={16:A}9a\nB=2\n", "A=1\nDB_PASSWORD|={8:A}9a\nB=2\n"},
    {"dotenv-secret", "export JWT_SECRET|=\"{32:B}9a\"\n",
     "export JWT_SECRET|=\"$SECRET_FROM_CI_12\"\n"},
    {"dotenv-secret", "API_KEY|='{32:h}'\r\n", "API_KEY|='your-api-key-1234'\r\n"},
    {"dotenv-secret", "  STRIPE_SECRET_KEY|: {32:A}9a\n", "STRIPE_SECRET_KEY|=<{20:A}>\n"},
    {"dotenv-secret", "e={NODE_ENV:\"production\",API_SECRET|:\"{32:A}9a1aA\"}",
     "e={INVALID_TOKEN|:\"auth/invalid-user-token-2\"}"},
    {"dotenv-secret", "{\"ACCESS_TOKEN|\":\"{32:A}9a1aA\"}",
     "{\"ACCESS_TOKEN|\":\"oauth2-access-token-name\"}"},
    {"dotenv-secret", NULL, "NEXT_PUBLIC_API_KEY|={32:A}9a\n"},
    {"dotenv-secret", NULL, "VITE_MAP_TOKEN|={32:A}9a\n"},
    {"dotenv-secret", NULL, "SECRET_FILE=/run/secrets/{16:A}9a\n"},
    {"dotenv-secret", NULL, "DB_PASSWORD|={32:x}\n"},
    {"dotenv-secret", NULL, "DB_PASSWORD|=https://vault.corp/{16:A}9\n"},
    {"dotenv-secret", NULL, "    ERR_ABORT_CHECK_PASSWORD = \"zipjs-abort-check-password\";\n"},
    {"dotenv-secret", NULL, "function a(){SKIP_TOKEN=function(){return this.b2<=this.c3}}\n"},
    {"dotenv-secret", NULL, "ENTER_PASSWORD=Enter the password of level 12\n"},

    {"source-map", "{\"version\":3,\"sourcesContent\":[\"let a = 1\"]", "{\"sourcesContent\":[]}"},
    {"source-map", "\"sourcesContent\": [null, null,\n \"let a\"]",
     "\"sourcesContent\":[null,null]"},
    {"source-map", "{\"version\":3,\"sources\":[\"a.ts\"],\"names\":[],\"mappings\":\"AAAA,IAAI\"}",
     "{\"version\":3,\"sources\":[\"a.ts\"],\"names\":[],\"mappings\":\"\"}"},
    {"source-map", "{\"mappings\":\";AAAA,IAAI\",\"names\":[],\"version\":3}",
     "{\"mappings\":\";AAAA,IAAI\",\"names\":[],\"version\":2}"},
    {"source-map", "//# sourceMappingURL=|data:application/json;charset=utf-8;base64,{60:B}",
     "//# sourceMappingURL=|game.js.map"},
    {"source-map", "/*# sourceMappingURL=|data:application/json;base64,{60:B} */",
     "t+\"//# sourceMappingURL=|data:application/json;base64,\"+btoa(unescape(encodeURI(n)))"},
    {"source-map", NULL, "{\"version\":3,\"layers\":[],\"tiles\":{\"mappings\":\"AAAA\"}}"},
};

/* What stands in real games, or is public by design; most of it was seen in the corpora. */
static const char *const harmless[] = {
    "Ion.defaultAccessToken=\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJqdGki{120:A}.{43:U}\"",
    "firebase.initializeApp({apiKey:\"AI|za{35:U}\",authDomain:\"a.firebaseapp.com\"})",
    "mapboxgl.accessToken=\"pk|.eyJ1Ijoi{60:A}.{22:A}\"",
    "Stripe(\"pk|_live_{99:A}\")",
    "Sentry.init({dsn:\"https://{32:h}@o1.ingest.sentry.io/1\"})",
    "AAAAAAAAAAAAAAAAAAAAAAALAAkABI|AAAASAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAA",
    "/wE2AggCQCAEQRBqIARBCGogBEEMaiABIAIQFSIGEAMEQCAGIQUMAQtBVCEFIAQoAgwiB0",
    "SG.prototype.checkForCameraUpdates=function(){}",
    "OPTION_RAW_PASSWORD = \"rawPassword\";\nERR_INVALID_PASSWORD = \"Invalid password\";\n",
    "t[t.CONFLICT_TOKENS_RULES_NAMESPACE=8]=\"CONFLICT_TOKENS_RULES_NAMESPACE\"",
    "DATA_SIZE:()=>Sie,ERR_INVALID_PASSWORD:()=>A0,ERR_INVALID_SIGNATURE:()=>ab",
    "https://registry.example.com/@scope/pkg@1.2.3",
    "import a from \"https://cdn.example.com/npm/three@0.187.0/build/three.module.js\"",
    "this.kty=\"EC\",this.d=\"{40:A}\"",
    "//# sourceMappingURL=phaser.min.js.map",
    "{\"buffers\":[{\"uri\":\"data:application/gltf-buffer;base64,{400:B}\"}]}",
    "{\"version\":3,\"targets\":[\"a\"]}",
    "\"integrity\":\"sha512-{86:B}==\"",
    "src: url(data:font/woff2;base64,{400:B}) format('woff2')",
    "password: string; token = process.env.API_TOKEN;\nAPI_TOKEN = process.env.API_TOKEN_2024;\n",
};

static void builtin_finds_what_is_to_be_found(void **state)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct buf text = BUF_INIT;
		if (samples[i].hit == NULL)
			continue;
		add_sample(&text, samples[i].hit);
		if (!finds_id(*state, samples[i].id, text.data, text.len))
			fail_msg("%s is not found in '%s'", samples[i].id, text.data);
		buf_release(&text);
	}
}

static void builtin_leaves_alone_what_nearly_is(void **state)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct buf text = BUF_INIT;
		if (samples[i].miss == NULL)
			continue;
		add_sample(&text, samples[i].miss);
		if (finds_id(*state, samples[i].id, text.data, text.len))
			fail_msg("%s is found in '%s'", samples[i].id, text.data);
		buf_release(&text);
	}
}

static void builtin_leaves_alone_what_games_have(void **state)
{
	const struct engine *engine = *state;

	for (size_t i = 0; i < COUNT(harmless); i++) {
		struct buf text = BUF_INIT;
		add_sample(&text, harmless[i]);
		for (size_t k = 0; k < engine->n; k++)
			if (engine->codes[k] != NULL && finds(engine, k, text.data, text.len))
				fail_msg("%s is found in '%s'", builtin_guards[k].id, text.data);
		buf_release(&text);
	}
}

/* A window may start and end anywhere, and hold any bytes around what it is about. */
static void builtin_finds_in_the_middle_of_bytes(void **state)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct buf text = BUF_INIT;
		if (samples[i].hit == NULL)
			continue;
		buf_add(&text, "\x00\xFF{[(\n", 6);
		add_sample(&text, samples[i].hit);
		buf_add(&text, "\n\xFE\x00)]}", 6);
		if (!finds_id(*state, samples[i].id, text.data, text.len))
			fail_msg("%s is not found in bytes", samples[i].id);
		buf_release(&text);
	}
}

/* The limit of backtracking is an error to finds(). */
static void builtin_survives_what_backtracks(void **state)
{
	static const char *const parts[] = {
	    "-----BEGIN| PRIVATE KEY-----",
	    "\\\\n",
	    "://a:",
	    "{\"kty\":\"EC\",",
	    "discord ",
	    "\"mappings\":\"",
	    "{",
	    "A_SECRET_",
	    "\nTOKEN_",
	    "sk-",
	    "://%41%41",
	    "kty:'RSA' ",
	    " d:'",
	    "mailgun ",
	    "\"version\":3,",
	    "null,",
	    "AAAA",
	    "glpat-",
	    "0",
	};
	const struct engine *engine = *state;

	for (size_t i = 0; i < COUNT(parts); i++) {
		struct buf text = BUF_INIT;
		add_sample(&text, parts[(i + 1) % COUNT(parts)]);
		add_sample(&text, "-----BEGIN| PRIVATE KEY-----");
		while (text.len < 16384)
			add_sample(&text, parts[i]);
		for (size_t k = 0; k < engine->n; k++)
			if (engine->codes[k] != NULL)
				(void)finds(engine, k, text.data, text.len);
		buf_release(&text);
	}
}

/* --- names ------------------------------------------------------------------------------------ */

struct name {
	const char *id, *hit, *miss;
};

static const struct name names[] = {
    {"vcs", ".git/config", "git/config"},
    {"vcs", "a/.git", "a/.gitkeep"},
    {"vcs", ".gitmodules", ".gitattributes"},
    {"vcs", "a/.svn/entries", "a/svn/entries"},
    {"vcs", ".hg/store/00manifest.i", "a.hg"},
    {"vcs", "a/CVS/Entries", "a/CVS"},
    {"editor-dropping", "index.html~", "~index.html"},
    {"editor-dropping", "a/.index.html.swp", "a/game.swf"},
    {"editor-dropping", ".#a", "#a"},
    {"editor-dropping", "a/#a.js#", "a/a.js#"},
    {"editor-dropping", "a.js.orig", "original.js"},
    {"editor-dropping", "a.js.bak", "bak.js"},
    {"editor-dropping", ".idea/workspace.xml", "idea/workspace.xml"},
    {"editor-dropping", "a/.vscode/settings.json", "a/vscode.json"},
    {"editor-dropping", "a/.DS_Store", "a/DS_Store.js"},
    {"editor-dropping", "a/._b.png", "a/_b.png"},
    {"editor-dropping", "Thumbs.db", "thumbs.png"},
    {"editor-dropping", "__MACOSX/a/b", "macosx/a"},
    {"secret-file", ".env", "a.env"},
    {"secret-file", "a/.env.production", "a/.env.example"},
    {"secret-file", ".env.local", "env.local"},
    {"secret-file", ".npmrc", "npmrc.md"},
    {"secret-file", "_netrc", "netrc"},
    {"secret-file", ".ssh/config", "ssh/config"},
    {"secret-file", ".docker/config.json", "docker/config.json"},
    {"secret-file", "a/.docker/config.json", "a/config.json"},
    {"secret-file", "id_ed25519", "id_ed25519.pub"},
    {"secret-file", "a/b.p12", "a/b.pem"},
    {"secret-file", "a/release.keystore", "a/keystore.js"},
    {"secret-file", "terraform.tfstate.backup", "tfstate.js"},
    {"secret-file", ".bash_history", "match_history"},
    {"secret-file", ".godot/export_credentials.cfg", "export_presets.cfg"},
    {"do-not-ship", "Game_BackUpThisFolder_ButDontShipItWithYourGame/a.cpp", "spaceship.png"},
    {"do-not-ship", "Game_BurstDebugInformation_DoNotShip/a.txt", "dog-nothing-spaceship.png"},
    {"do-not-ship", "a/DO_NOT_SHIP/b", "a/donotskip/b"},
    {"do-not-ship", "do-not-ship.txt", "shipping.txt"},
    {"build-leftover", "game.dSYM/Contents/Info.plist", "game.pdb"},
    {"build-leftover", "game.ilk", "core.4f3e21.js"},
    {"build-leftover", "a/b.gcda", "a/b.debug.js"},
};

static bool matches(const struct builtin *b, const char *path)
{
	struct glob *globs[64] = {NULL};
	struct err e = {0};
	size_t n = 0, which;

	for (; b->names[n] != NULL; n++) {
		assert_true(n < COUNT(globs));
		globs[n] = glob_new(b->names[n], &e);
		if (globs[n] == NULL)
			fail_msg("%s: '%s': %s", b->id, b->names[n], e.msg);
	}
	bool found = glob_list_match(globs, n, path, false, GLOB_NEGATES_BELOW, &which);
	while (n > 0)
		glob_free(globs[--n]);
	return found;
}

static void builtin_refuses_names(void **state)
{
	const struct engine *engine = *state;

	for (size_t i = 0; i < COUNT(names); i++) {
		bool is_hit = false;
		for (size_t k = 0; k < engine->n; k++) {
			const struct builtin *b = &builtin_guards[k];
			if (b->kind != BUILTIN_NAMES)
				continue;
			is_hit =
			    is_hit || (strcmp(b->id, names[i].id) == 0 && matches(b, names[i].hit));
			if (matches(b, names[i].miss))
				fail_msg("%s refuses '%s'", b->id, names[i].miss);
		}
		if (!is_hit)
			fail_msg("%s does not refuse '%s'", names[i].id, names[i].hit);
	}
}

/* --- the table -------------------------------------------------------------------------------- */

static bool has_samples(const struct builtin *b)
{
	bool hit = false, miss = false;

	for (size_t i = 0; i < COUNT(samples); i++) {
		if (strcmp(samples[i].id, b->id) != 0)
			continue;
		hit = hit || samples[i].hit != NULL;
		miss = miss || samples[i].miss != NULL;
	}
	for (size_t i = 0; i < COUNT(names); i++)
		hit = hit || strcmp(names[i].id, b->id) == 0;
	for (size_t i = 0; i < COUNT(names); i++)
		miss = miss || strcmp(names[i].id, b->id) == 0;
	return (hit && miss) || b->kind == BUILTIN_FORMAT;
}

static void builtin_table_is_well_formed(void **state)
{
	static const char *const verbs[] = {"holds ", "has ",     "is ",
					    "says ",  "assigns ", "belongs "};
	const struct engine *engine = *state;

	for (size_t i = 0; i < engine->n; i++) {
		const struct builtin *b = &builtin_guards[i];
		bool has_verb = false;
		if (strspn(b->id, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(b->id))
			fail_msg("'%s' is no id", b->id);
		for (size_t k = 0; k < COUNT(verbs); k++)
			has_verb =
			    has_verb || strncmp(b->description, verbs[k], strlen(verbs[k])) == 0;
		if (!has_verb || b->description[strlen(b->description) - 1] == '.')
			fail_msg("%s: '%s' completes no sentence", b->id, b->description);
		if ((b->regex != NULL) != (b->kind == BUILTIN_REGEX) ||
		    (b->kind == BUILTIN_NAMES && b->names == NULL))
			fail_msg("%s has not what its kind needs", b->id);
		if (!has_samples(b))
			fail_msg("%s has no samples", b->id);
		/* Ways of one id stand next to each other. */
		for (size_t k = 0; k + 1 < i; k++)
			if (strcmp(builtin_guards[k].id, b->id) == 0 &&
			    strcmp(builtin_guards[i - 1].id, b->id) != 0)
				fail_msg("%s stands in two places", b->id);
	}
	assert_true(engine->n > 60);
}

/* Each way to find something is needed by a sample. */
static void builtin_has_no_regex_that_finds_nothing(void **state)
{
	const struct engine *engine = *state;

	for (size_t i = 0; i < engine->n; i++) {
		bool is_needed = engine->codes[i] == NULL;
		for (size_t k = 0; k < COUNT(samples) && !is_needed; k++) {
			struct buf text = BUF_INIT;
			if (samples[k].hit == NULL ||
			    strcmp(samples[k].id, builtin_guards[i].id) != 0)
				continue;
			add_sample(&text, samples[k].hit);
			is_needed = finds(engine, i, text.data, text.len);
			buf_release(&text);
		}
		if (!is_needed)
			fail_msg("%s: '%.60s' finds nothing", builtin_guards[i].id,
				 builtin_guards[i].regex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(builtin_finds_what_is_to_be_found),
	    cmocka_unit_test(builtin_leaves_alone_what_nearly_is),
	    cmocka_unit_test(builtin_leaves_alone_what_games_have),
	    cmocka_unit_test(builtin_finds_in_the_middle_of_bytes),
	    cmocka_unit_test(builtin_survives_what_backtracks),
	    cmocka_unit_test(builtin_refuses_names),
	    cmocka_unit_test(builtin_table_is_well_formed),
	    cmocka_unit_test(builtin_has_no_regex_that_finds_nothing),
	};

	return cmocka_run_group_tests(tests, make_engine, free_engine);
}
