#include "swarm/builtin.h"

#include <stddef.h>

/*
 * Every regex holds a literal that hardly occurs by chance, and no open class stands before it for
 * long: what reads it first is driven by literals and drops the assertions, so these cost nothing
 * until the rest has matched. Left out because they are public by design in web games, or cannot be
 * told from that: API keys of Google and Firebase for browsers, tokens of Mapbox that start with
 * pk., publishable keys of Stripe, JWTs in general. Left out because nothing tells them from any
 * other text: keys of Steam, itch.io, Heroku (the old ones), and of Twilio alone in a line.
 */

/* --- pieces of regexes ------------------------------------------------------------------------ */

/* Not in the middle of a word or of base64; the escape \n in a string is not part of a word. */
#define START                                                                                 \
	"(?:(?<![0-9A-Za-z_-])|(?<=\\\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\\\\x[0-9A-Fa-f]{2})|" \
	"(?<=\\\\u00[0-9A-Fa-f]{2}))"
#define END       "(?![0-9A-Za-z_-])"
#define END_B64   "(?![0-9A-Za-z+/=_-])"
#define ALNUM     "[0-9A-Za-z]"
#define BASE64    "[0-9A-Za-z+/]"
#define BASE64URL "[0-9A-Za-z_-]"
#define HEX       "[0-9a-f]"
/* Not what people write for an example. */
#define REAL                                                                               \
	"(?!(?i:abcd|abc1|0123|1234|0000|xxxx|your|my[_-]|example|sample|test|dummy|fake|" \
	"change|insert|replace|redacted|placeholder|some[_-]|todo))"
#define SECRET(text) REAL "(?<secret>" text ")"
/* Letters of both cases: no name of a variable, a file or a CSS class. */
#define MIXED "(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])"

/* Between a name and its value, in JSON, JavaScript, YAML and the like. */
#define ASSIGNED "\\\\?[\"']?[ \\t]{0,5}(?:[=:]|=>)[ \\t]{0,5}\\\\?[\"'`]?"
/* A line break and what may stand around it where a file is quoted in code or in a comment. */
#define BREAK \
	"(?:[\\s\"'`+,\\\\>#*/;|<%&-]|[nrt]|u000[ad]|x0[ad]|0[ADad]|01[25]|#1[03];|br|REM){0,60}?"

/* Not what bundlers put into a page on purpose. */
#define SECRET_NAME                                                                                \
	"(?![A-Z0-9_]*(?:PUBLIC_|PUBLISHABLE)|VITE_|REACT_APP_|[A-Z0-9_]*EXAMPLE)[A-Z0-9_]{0,50}?" \
	"(?:SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|PRIVATE_KEY|ACCESS_KEY|"              \
	"ENCRYPTION_KEY|SIGNING_KEY|_PASS|_PWD)"                                                   \
	"(?:_(?:KEY|BASE|PROD|PRODUCTION|LIVE|DEV|STAGING|VALUE|[0-9]{1,2})){0,3}"

/* What both have in common, for the engine that looks first. */
#define SECRET_HINT                                                                   \
	"(?:SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|PRIVATE_KEY|ACCESS_KEY|" \
	"ENCRYPTION_KEY|SIGNING_KEY|_PASS|_PWD)[A-Z0-9_]*"

#define VALUE_CHAR "[0-9A-Za-z+/=_.!@#$%^&*~-]"
/*
 * Values that tell nothing: names of what is elsewhere, placeholders, and keys that are made to be
 * seen (of browsers for Google, of Stripe and Mapbox for pages, JWTs).
 */
#define NO_SECRET                                                                           \
	"(?!(?i:https?:|[./~$]|true|false|null|none|env\\b|process\\.|"                     \
	"(?:my|the|your|some|super|test|dummy)?[_-]?(?:password|secret|token)[_-]?"         \
	"(?:key|here|[0-9]{0,4})[\"'\\s]|"                                                  \
	"[^\\s\"']{0,60}(?:example|placeholder|changeme|change-me|your[_-]|xxxx|-here\\b|_" \
	"here\\b))|"                                                                        \
	"pk_|pk\\.|AIza|eyJ)"

/* Neither what ends a name or a password there nor what a template has in its place. */
#define URL_CHAR "[^\\x00-\\x20\\x7F-\\xFF/:@\"'`<>{}()\\[\\]|\\\\$%*,;#?]"

#define REGEX(name, text, sign, pattern, bits)                                              \
	{                                                                                   \
		.id = (name), .description = (text), .kind = BUILTIN_REGEX, .hint = (sign), \
		.regex = (pattern), .entropy = (bits)                                       \
	}
#define NAMES(name, text, patterns)                                                             \
	{                                                                                       \
		.id = (name), .description = (text), .kind = BUILTIN_NAMES, .names = (patterns) \
	}

/* --- names ------------------------------------------------------------------------------------ */

static const char *const vcs[] = {
    ".git", ".gitmodules", ".svn", ".hg", ".bzr", ".jj", ".plastic", "CVS/", NULL,
};

static const char *const droppings[] = {
    "?*~",
    ".*.sw[n-p]",
    ".#*",
    "\\#*#",
    "*.orig",
    "*.rej",
    "*.bak",
    ".idea",
    ".vscode",
    ".vs/",
    "*.sublime-workspace",
    "._*",
    ".DS_Store",
    "__MACOSX/",
    "[Tt]humbs.db",
    "[Dd]esktop.ini",
    "npm-debug.log*",
    "yarn-error.log",
    NULL,
};

/* `*.env` is not among them: it is what Babylon.js calls a texture of surroundings. */
static const char *const secret_files[] = {
    ".env",
    ".env[._-]*",
    ".envrc",
    ".vault-token",
    "!.env[._-]example",
    "!.env[._-]sample",
    "!.env[._-]template",
    "!.env[._-]dist",
    ".npmrc",
    ".pypirc",
    "[._]netrc",
    ".pgpass",
    ".htpasswd",
    ".git-credentials",
    ".dockercfg",
    "**/.docker/config.json",
    ".s3cfg",
    "rclone.conf",
    "butler_creds",
    "export_credentials.cfg",
    ".ssh/",
    ".aws/",
    ".gnupg/",
    ".kube/",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "*.pfx",
    "*.p12",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.tfstate*",
    "*.tfvars",
    ".*_history",
    NULL,
};

/* Unity and Unreal name folders so. */
static const char *const do_not_ship[] = {
    "*[Dd][Oo][Nn][Oo][Tt][Ss][Hh][Ii][Pp]*",
    "*[Dd][Oo][Nn][Tt][Ss][Hh][Ii][Pp]*",
    "*[Dd][Oo][-_ ][Nn][Oo][Tt][-_ ][Ss][Hh][Ii][Pp]*",
    NULL,
};

/* Not *.pdb, which molecules have too, nor core.*, as scripts are named: their content tells. */
static const char *const leftovers[] = {
    "*.dSYM", "*.ilk", "*.dwo", "*.dwp", "*.gcno", "*.gcda", NULL,
};

/* --- the table -------------------------------------------------------------------------------- */

const struct builtin builtin_guards[] = {
    /* Keys. A marker alone is no key: code that reads and writes them has it too. */
    REGEX("private-key", "holds a private key", "PRIVATE KEY-----",
	  "-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY-----(?=" BREAK
	  "(?<secret>(?:M[A-Za-z]|b3Bl)" BASE64 "{38}))",
	  3.5),
    REGEX("private-key", "holds a private key", "PRIVATE KEY-----",
	  "-----BEGIN [A-Z0-9]{2,12} PRIVATE KEY-----(?=" BREAK "Proc-Type: {0,4}4,ENCRYPTED" BREAK
	  "DEK-Info: ?[A-Z0-9-]{3,20},)",
	  0),
    /* Of either byte order, as PowerShell writes it. */
    REGEX("private-key", "holds a private key", "P\\x00R\\x00I\\x00V\\x00A\\x00T\\x00E\\x00",
	  "P\\x00R\\x00I\\x00V\\x00A\\x00T\\x00E\\x00 \\x00K\\x00E\\x00Y\\x00(?:-\\x00){5}"
	  "(?:[\\r\\n]\\x00){1,4}(?:[0-9A-Za-z+/]\\x00){40}",
	  0),
    REGEX("private-key", "holds a private PGP key", "PGP PRIVATE KEY BLOCK-----",
	  "-----BEGIN PGP PRIVATE KEY BLOCK-----(?=" BREAK "[^;{}]{0,600}?(?<secret>" BASE64
	  "{60}))",
	  4),
    REGEX("private-key", "holds a private SSH key", "---- BEGIN SSH2",
	  "---- BEGIN SSH2 (?:ENCRYPTED )?PRIVATE KEY ----(?=" BREAK
	  "[^;{}]{0,600}?(?<secret>" BASE64 "{60}))",
	  4),
    REGEX("private-key", "holds a private SSH key", "PuTTY-User-Key-File-",
	  "PuTTY-User-Key-File-[1-3]: ?[0-9A-Za-z@.-]{3,60}(?=" BREAK
	  "Encryption: ?[a-z0-9-]{4,20})",
	  0),
    REGEX(
	"jwk-private-key", "holds a private key as JSON", "kty",
	"(?<![0-9A-Za-z_$])kty\\\\?[\"']?\\s{0,4}:\\s{0,4}\\\\?[\"'](?:RSA|EC|OKP)[\"'\\\\]"
	"(?=[^{}]{0,2500}?[\"'\\s,\\\\]d\\\\?[\"']?\\s{0,4}:\\s{0,4}\\\\?[\"'](?<secret>" BASE64URL
	"{40,700})[\"'\\\\])",
	3.5),
    REGEX("jwk-private-key", "holds a private key as JSON", "kty",
	  "(?<![0-9A-Za-z_$])d\\\\?[\"']?\\s{0,4}:\\s{0,4}\\\\?[\"'](?<secret>" BASE64URL
	  "{40,700})\\\\?[\"'][^{}]{0,2500}?[\"'\\s,\\\\]kty\\\\?[\"']?\\s{0,4}:\\s{0,4}\\\\?"
	  "[\"'](?:RSA|EC|OKP)[\"'\\\\]",
	  3.5),
    REGEX("age-identity", "holds an age identity", "AGE-SECRET-KEY-",
	  "AGE-SECRET-KEY-(?:PQ-)?1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", 3),
    /* "Ed", "Sc" or no KDF, "B2"; 158 bytes. */
    REGEX("minisign-key", "holds a minisign key", "RW(?:RTY0Iy|QAAEIy)",
	  START "RW(?:RTY0Iy|QAAEIy)" BASE64 "{203}=", 3),
    /* "Ed", "BK", 42 rounds or none; 104 bytes. */
    REGEX("signify-key", "holds a signify key", "RWRCSwAAA",
	  START "RWRCSwAAA(?:Co|AA)" BASE64 "{128}=", 3),

    /* Clouds. */
    REGEX("aws-access-key", "holds an AWS access key", "AKIA|ASIA|ABIA",
	  START "(?![A-Z0-9]{0,13}EXAMPLE)(?:AKIA|ASIA|ABIA)" SECRET("[A-Z2-7]{16}") END, 2.5),
    REGEX("aws-secret-key", "holds an AWS secret key",
	  "aws_secret_access_key|SECRET_ACCESS_KEY|ecretAccessKey",
	  "(?:aws_secret_access_key|SECRET_ACCESS_KEY|[sS]ecretAccessKey)" ASSIGNED "(?!" BASE64
	  "{0,33}EXAMPLE)" SECRET(BASE64 "{40}") END_B64,
	  3.8),
    REGEX("gcp-service-account", "holds the key of a Google service account", "\"service_account",
	  "\"service_account\\\\?\"[^{}]{0,1000}?\"private_key\\\\?\"\\s{0,4}:\\s{0,4}\\\\?\""
	  "-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----\\\\{1,4}n" BASE64,
	  0),
    REGEX("google-oauth-secret", "holds a Google OAuth client secret", "GOCSPX-",
	  START "GOCSPX-" SECRET(BASE64URL "{28}") END, 3),
    REGEX("firebase-server-key", "holds a Firebase server key", ":APA91b",
	  START "AAAA" BASE64URL "{7}:APA91b" BASE64URL "{134}" END, 4),
    /* Not the key of the emulator, which everybody has. */
    REGEX("azure-storage-key", "holds an Azure storage key", "AccountKey=",
	  "AccountKey=(?!Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq)(?<"
	  "secret>" BASE64 "{86})==",
	  4),
    REGEX("azure-storage-key", "holds an Azure access key",
	  "SharedAccessKey=", "SharedAccessKey=(?<secret>" BASE64 "{43})=", 3.5),
    REGEX("alibaba-access-key", "holds an Alibaba access key", "LTAI",
	  START "LTAI" MIXED SECRET(ALNUM "{20}") END, 3.3),
    REGEX("digitalocean-token", "holds a DigitalOcean token", "do[opr]_v1_",
	  START "do[opr]_v1_" SECRET(HEX "{64}") END, 3),
    REGEX("cloudflare-token", "holds a Cloudflare token", "cf(?:ut|at|k)_",
	  START "cf(?:ut|at|k)_" SECRET(ALNUM "{40}") "[0-9A-Za-z]{4,12}" END, 3.5),
    REGEX("cloudflare-token", "holds a Cloudflare origin CA key", "v1\\.0-" HEX,
	  START "v1\\.0-" SECRET(HEX "{24}-" HEX "{146}") END, 3),
    REGEX("heroku-key", "holds a Heroku key", "HRKU-AA",
	  START "HRKU-AA" SECRET(BASE64URL "{58}") END, 3.5),
    REGEX("vault-token", "holds a Vault token", "hv[sbr]\\.",
	  START "hv[sbr]\\." MIXED SECRET(BASE64URL "{80,300}") END, 3.5),
    REGEX("terraform-token", "holds a Terraform token", "\\.atlasv1\\.",
	  START ALNUM "{14}\\.atlasv1\\.(?<secret>" BASE64URL "{60,70})" END, 3.5),
    REGEX("databricks-token", "holds a Databricks token", "dapi" HEX,
	  START "dapi" SECRET(HEX "{32}") "(?:-[0-9])?" END, 3),
    REGEX("supabase-key", "holds a secret Supabase key", "sb_secret_|sbp_",
	  START "(?:sb_secret_" SECRET(BASE64URL "{22}") "_" BASE64URL "{8}|sbp_" HEX "{40})" END,
	  3),

    /* A JWT with "role":"service_role" in it. */
    REGEX("supabase-key", "holds a secret Supabase key", "eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6I",
	  "eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6I" BASE64URL "{27}Iiwicm9sZSI6InNlcnZpY2Vfcm9sZSIs", 0),

    /* Code and its registries. */
    REGEX("github-token", "holds a GitHub token", "gh[a-z]_",
	  START "gh[opusr]_" MIXED SECRET(ALNUM "{36}"), 3),
    REGEX("github-token", "holds a GitHub token", "github_pat_",
	  START "github_pat_" MIXED SECRET(ALNUM "{22}_" ALNUM "{59}"), 3),
    REGEX("gitlab-token", "holds a GitLab token",
	  "gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|ffct|soat)-",
	  START "gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|ffct|soat)-" MIXED SECRET(
	      "[0-9A-Za-z_.-]{20,320}"),
	  3.3),
    REGEX("npm-token", "holds an npm token", "npm_" ALNUM,
	  START "npm_" MIXED SECRET(ALNUM "{36}") END, 3),
    REGEX("npm-token", "holds the token of a package registry", ":_auth",
	  ":_auth(?:Token)?[ \\t]{0,5}=[ \\t]{0,5}[\"']?" SECRET("[0-9A-Za-z+/=_.-]{16,400}"), 3),
    REGEX("pypi-token", "holds a PyPI token", "pypi-AgE", START "pypi-AgE" BASE64URL "{70,1000}",
	  4),
    REGEX("docker-token", "holds a Docker Hub token", "dckr_[op]at_",
	  START "dckr_[op]at_" SECRET(BASE64URL "{27,40}") END, 3),
    REGEX("atlassian-token", "holds an Atlassian token", "AT[AC]TT3",
	  START "AT[AC]TT3" BASE64URL "{100,250}=[0-9A-F]{8}" END, 4),

    /* Messages. */
    REGEX("slack-token", "holds a Slack token", "xox[a-z][.-]",
	  START "xox[abcdeoprs](?:\\.xox[bp])?-" SECRET("[0-9][0-9A-Za-z-]{20,300}") END, 3),
    REGEX("slack-token", "holds a Slack token", "xapp-[0-9]-A",
	  START "xapp-[0-9]-" SECRET("A[0-9A-Z]{8,12}-[0-9]{10,14}-" HEX "{60,70}") END, 3),
    REGEX("slack-webhook", "holds a Slack webhook", "hooks\\.slack\\.com/",
	  "hooks\\.slack\\.com/(?:services|workflows|triggers)/[TE][0-9A-Z]{6,14}/[0-9A-Z]{6,20}/"
	  "(?:[0-9]{10,24}/)?" SECRET(ALNUM "{20,50}"),
	  3),
    REGEX("discord-token", "holds a Discord bot token", "DISCORD|iscord|\\.login\\([\"'`]|Bot ",
	  "(?:DISCORD|[dD]iscord|\\.login\\([\"'`]|\\bBot "
	  ")[^\\n]{0,120}?(?<![0-9A-Za-z_.-])(?<secret>"
	  "[MNO][0-9A-Za-z_-]{23,27}\\.[0-9A-Za-z_-]{6}\\.[0-9A-Za-z_-]{27,40})(?![0-9A-Za-z_.-])",
	  4),
    REGEX("discord-webhook", "holds a Discord webhook", "/webhooks/[0-9]",
	  "discord(?:app)?\\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{16,21}/" MIXED SECRET(
	      BASE64URL "{60,80}"),
	  3.5),
    REGEX("telegram-token", "holds a Telegram bot token", "[0-9]:AA",
	  "(?:(?<![0-9A-Za-z])|(?<=\\\\[nrt]))(?:bot)?[0-9]{8,10}:AA" MIXED SECRET(BASE64URL "{33}")
	      END,
	  3.5),
    REGEX("twilio-key", "holds a Twilio key", "TWILIO|wilio",
	  "(?:TWILIO|[tT]wilio)_?(?:AUTH_?TOKEN|API_(?:KEY_)?SECRET|auth_?token|[aA]uthToken|"
	  "api_?secret|[aA]piSecret)" ASSIGNED SECRET("[0-9A-Za-z]{32}") END,
	  3),
    REGEX("sendgrid-key", "holds a SendGrid key", "SG\\." BASE64URL,
	  START "SG\\." MIXED SECRET(BASE64URL "{22}\\." BASE64URL "{43}") END, 3.5),
    REGEX("mailgun-key", "holds a Mailgun key", "MAILGUN|ailgun",
	  "(?:MAILGUN|[mM]ailgun)[^\\n]{0,100}?" START "(?<secret>key-" HEX "{32}|" HEX "{32}-" HEX
	  "{8}-" HEX "{8})" END,
	  3),

    /* Money. */
    REGEX("stripe-key", "holds a secret Stripe key", "[rs]k_live_",
	  START "[rs]k_live_" MIXED SECRET(ALNUM "{20,250}"), 3.3),
    REGEX("stripe-key", "holds the secret of a Stripe webhook", "whsec_",
	  START "whsec_" MIXED SECRET("[0-9A-Za-z+/]{32,64}"), 3.3),
    REGEX("shopify-token", "holds a Shopify token", "shp(?:at|ca|pa|ss|ua)_",
	  START "shp(?:at|ca|pa|ss|ua)_" SECRET("[0-9A-Fa-f]{32}") END, 3),
    REGEX("square-token", "holds a Square token", "sq0(?:atp|csp)-",
	  START "sq0(?:atp-" BASE64URL "{22}|csp-" BASE64URL "{43})" END, 3.3),

    /* Machines that talk. */
    REGEX("openai-key", "holds an OpenAI key", "T3BlbkFJ",
	  START "sk-" BASE64URL "{16,110}T3BlbkFJ" BASE64URL "{16,110}", 3.5),
    REGEX("anthropic-key", "holds an Anthropic key", "sk-ant-",
	  START "sk-ant-[a-z]{2,6}[0-9]{2}-" MIXED SECRET(BASE64URL "{80,120}"), 3.5),
    REGEX("openrouter-key", "holds an OpenRouter key", "sk-or-v1-",
	  START "sk-or-v1-" SECRET(HEX "{64}") END, 3),
    REGEX("groq-key", "holds a Groq key", "gsk_", START "gsk_" MIXED SECRET(ALNUM "{52}") END, 3.5),
    REGEX("xai-key", "holds an xAI key", "xai-", START "xai-" MIXED SECRET(ALNUM "{80}") END, 3.5),
    REGEX("huggingface-token", "holds a Hugging Face token", "hf_|api_org_",
	  START "(?:hf|api_org)_" MIXED SECRET("[A-Za-z]{34}") END, 3.3),

    /* Other services. */
    REGEX("mapbox-secret-token", "holds a secret Mapbox token", "sk\\.eyJ1Ijoi",
	  START "sk\\.eyJ1Ijoi" BASE64URL "{20,300}\\." BASE64URL "{20,40}" END, 3.5),
    REGEX("sentry-token", "holds a Sentry token", "sntr(?:ys_eyJ|y[ui]_)",
	  START "sntr(?:ys_eyJ[0-9A-Za-z+/=]{20,600}_" BASE64 "{43}|y[ui]_" HEX "{64})" END_B64, 3),
    REGEX("linear-key", "holds a Linear key", "lin_(?:api|oauth)_",
	  START "lin_(?:api_" ALNUM "{40}|oauth_" HEX "{64})" END, 3.3),
    REGEX("notion-token", "holds a Notion token", "ntn_[0-9]|secret_" ALNUM,
	  START "(?:ntn_[0-9]{11}" ALNUM "{35}|secret_" MIXED ALNUM "{43})" END, 3.8),
    REGEX("newrelic-key", "holds a New Relic key", "NRAK-",
	  START "NRAK-" SECRET("[0-9A-Z]{27}") END, 3),
    REGEX("grafana-token", "holds a Grafana token", "gl(?:sa_|c_eyJ)",
	  START "gl(?:sa_" MIXED ALNUM "{32}_[0-9A-Fa-f]{8}|c_eyJ" BASE64 "{60,400})", 3.5),

    /* Passwords. */
    REGEX("url-credentials", "has a password in a URL", "://[^\\x00-\\x20/@:]*:[^\\x00-\\x20/@:]+@",
	  "(?<=[0-9A-Za-z])://(?<user>(?:" URL_CHAR "|%[0-9A-Fa-f]{2}){0,64}):"
	  "(?!(?i:pass(?:w(?:or)?d|phrase|code)?|pwd?|pw|secret|token|key|api_?key|x+|\\.+|-+|_+|"
	  "test(?:ing)?|user(?:name)?|guest|admin|root|foo|bar|baz|postgres|mysql|redis|mongo|"
	  "minio(?:admin)?|rabbitmq|change_?me|your[^@]*|(?:my|some)[_-]?(?:pass|pw|secret|token)"
	  "[^@]*|[^@]*example[^@]*|[^@]*password|dummy|letmein|hunter2|[0-9]{1,5})@)(?!\\k<user>@)"
	  "(?<secret>(?:" URL_CHAR "|%[0-9A-Fa-f]{2}){5,128})@"
	  "(?!(?i:localhost(?![0-9a-z.-])|127\\.|0\\.0\\.0\\.0|sha256\\b|"
	  "your[_-]?(?:domain|host(?:name)?|server|site|company|org|db|database|registry)|"
	  "(?:my|some)?(?:host(?:name)?|server|domain)(?![0-9a-z.-])|"
	  "(?:[a-z0-9-]{1,63}\\.){0,6}(?:example(?![0-9a-z-])|(?:test|invalid)(?![0-9a-z.-]))"
	  "))[0-9A-Za-z\\[]",
	  2.55),
    REGEX("dotenv-secret", "assigns a password or a key",
	  SECRET_HINT "[ \\t]*[:=][ \\t]*[\"']?" VALUE_CHAR "{8}",
	  "(?<=^|^ {2}|^ {4}|^ {6}|^ {8}|^\\t|^\\t\\t|^export |^set |^ENV |^ARG |^# |"
	  "^\\xEF\\xBB\\xBF|\\\\n)" SECRET_NAME "[ \\t]{0,4}[:=][ \\t]{0,4}[\"']?" NO_SECRET
	  "(?![A-Za-z_][0-9A-Za-z_]*[.+][0-9A-Za-z_]+;)"
	  "(?=[^\\s\"']{0,200}[0-9])(?=[^\\s\"']{0,200}[A-Za-z])"
	  "(?=" SECRET(VALUE_CHAR "{12,200}") "[\"']?;?[ \\t]{0,8}(?:[ \\t]#[^\\n]{0,200})?"
					      "(?:\\r?$|\\\\[nr]))" VALUE_CHAR "{12}",
	  3.2),
    REGEX("dotenv-secret", "assigns a password or a key",
	  SECRET_HINT "[\\\\\"' \\t]*[:=][ \\t]*\\\\?[\"'`][0-9A-Za-z+/=_-]{12}",
	  "(?<=[\"'{,;\\s.])" SECRET_NAME
	  "\\\\?[\"']?[ \\t]{0,4}[:=][ \\t]{0,4}\\\\?[\"'`]" NO_SECRET
	  "(?=[0-9A-Z+/=_-]*[a-z])(?=[0-9A-Za-z+/=_-]*[0-9][A-Za-z+/=_-]+[0-9])"
	  "(?=" SECRET("[0-9A-Za-z+/=_-]{16,200}") "\\\\?[\"'`])[0-9A-Za-z+/=_-]{16}",
	  3.6),

    /* What a game was made from. */
    REGEX("source-map", "has the sources in a source map", "\"sourcesContent\"",
	  "\"sourcesContent\"\\s{0,8}:\\s{0,8}\\[(?=[nul,\\s]{0,2000}\"[^\"])", 0),
    REGEX("source-map", "is a source map", "\"mappings\"",
	  "\"version\"\\s{0,8}:\\s{0,8}3\\s{0,8},(?=[^{}]{0,3000}?\"mappings\"\\s{0,8}:\\s{0,8}\""
	  "[0-9A-Za-z+/;,]{4})",
	  0),
    REGEX("source-map", "is a source map", "\"mappings\"",
	  "\"mappings\"\\s{0,8}:\\s{0,8}\"(?=[0-9A-Za-z+/;,]{0,3000}\"[^{}]{0,500}?"
	  "\"version\"\\s{0,8}:\\s{0,8}3\\s{0,8}[,}])",
	  0),
    REGEX("source-map", "has a source map in it", "sourceMappingURL=data:",
	  "[#@]\\s?sourceMappingURL=data:application/json[^,\\s]{0,60};base64,[0-9A-Za-z+/]{40}",
	  0),

    NAMES("vcs", "belongs to version control", vcs),
    NAMES("editor-dropping", "is a leftover of an editor or a desktop", droppings),
    NAMES("secret-file", "is a place for secrets by its name", secret_files),
    NAMES("do-not-ship", "says itself that it must not ship", do_not_ship),
    NAMES("build-leftover", "is a leftover of a build", leftovers),

    {.id = "photo-position",
     .description = "says where it was taken (GPS)",
     .kind = BUILTIN_FORMAT,
     .only_public = true},
    {.id = "debug-information",
     .description = "has debug information in it",
     .kind = BUILTIN_FORMAT},
    {.id = "core-dump", .description = "is a core dump", .kind = BUILTIN_FORMAT},
    {.id = "html-asset",
     .description = "is an HTML page or a server's error, not what its name says",
     .kind = BUILTIN_FORMAT},
    {.id = NULL},
};
