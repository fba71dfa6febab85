// node headerrules.mjs netlify|cloudflare RULES PREFIX < MANIFEST: what each file of a manifest or an
// inventory is served with by a host that has the _headers file RULES, as a JSON line a file, of which
// `rules` is how many rules match. Hosts are asked for each URL that a file may have.
//
// Netlify's parser is its own, @netlify/headers-parser by its former name. Of Cloudflare it is the worker
// that serves assets; who hands it the rules is in no package for this Node, so they are parsed here
// as its documentation says.
import { readFileSync } from 'fs';
import { createInterface } from 'readline';
import { webcrypto } from 'crypto';
import { createRequire } from 'module';
import { pathToFileURL } from 'url';

const [kind, file, prefix] = process.argv.slice(2);
const modules = createRequire(new URL('../interop/npm/', import.meta.url));
const origin = 'https://play.example';

function strip(headers) {
  return { cache: headers['cache-control'] ?? null, type: headers['content-type'] ?? null };
}

// --- Netlify ---------------------------------------------------------------------------------------
async function netlify() {
  const { parseAllHeaders } = await import(pathToFileURL(modules.resolve('netlify-headers-parser')));
  const { headers, errors } = await parseAllHeaders({ headersFiles: [file], configHeaders: [], minimal: false });
  if (errors.length > 0) throw errors[0];
  const files = new Set();
  // Whatever else is served there comes first.
  const free = (path) => !files.has(path) && !files.has(`${path}/index.html`);
  const ask = (path) => {
    const link = path.split('/').map((part) => part.replace(/[%?#^]/g, encodeURIComponent)).join('/');
    const urls = [link];
    if (path.endsWith('/index.html')) urls.push(link.slice(0, -10), link.slice(0, -11));
    else if (path.endsWith('.html') && free(path.slice(0, -5))) urls.push(link.slice(0, -5));
    return urls.map((url) => {
      const { pathname } = new URL(url, origin);
      const matching = headers.filter(({ forRegExp }) => forRegExp.test(pathname));
      const found = Object.fromEntries(matching.flatMap(({ values }) => Object.entries(values)).map(([name, value]) => [name.toLowerCase(), value]));
      return { url: pathname, rules: matching.length, ...strip(found) };
    });
  };
  return { know: (path) => files.add(path), ask };
}

// --- Cloudflare ------------------------------------------------------------------------------------
function parse(text) {
  const rules = {};
  let rule;
  for (const line of text.split('\n').map((whole) => whole.trim())) {
    if (line.length > 2000) throw new Error(`a line of ${line.length} characters`);
    if (line.startsWith('/')) {
      if (rules[line]) throw new Error(`two rules for ${line}`);
      rule = { set: {}, unset: [] };
      rules[new URL(line, origin).pathname] = rule;
    } else if (line.startsWith('! ')) {
      rule.unset.push(line.slice(2));
    } else if (line !== '' && !line.startsWith('#')) {
      const [, name, value] = /^([^ :]+): *([^ ].*)$/.exec(line);
      rule.set[name.toLowerCase()] = value;
    }
  }
  if (Object.keys(rules).length > 100) throw new Error(`${Object.keys(rules).length} rules`);
  return rules;
}

async function cloudflare() {
  globalThis.crypto ??= webcrypto;
  const source = readFileSync(modules.resolve('@cloudflare/workers-shared/dist/asset-worker.mjs'), 'utf8')
    .replace(/import\{WorkerEntrypoint as (\w+)\}from"cloudflare:workers";/, 'class $1 { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }');
  const { default: Worker } = await import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`);
  const rules = parse(readFileSync(file, 'utf8'));
  const files = new Set();
  const worker = new Worker({}, { CONFIG: { headers: { version: 2, rules } } });
  worker.unstable_exists = async (path) => (files.has(path) ? path : null);
  worker.unstable_getByETag = async () => ({ readableStream: null, contentType: undefined, cacheStatus: 'HIT' });
  const get = async (url) => {
    const response = await worker.fetch(new Request(url));
    if (response.status === 307) return get(new URL(response.headers.get('location'), url).href);
    if (response.status !== 200) throw new Error(`${response.status} for ${url}`);
    const { cache, type } = strip(Object.fromEntries(response.headers));
    return { url, tag: response.headers.get('etag'), cache: cache === 'public, max-age=0, must-revalidate' ? null : cache, type };
  };
  return {
    know: (path) => files.add(path),
    ask: async (path) => {
      const found = await get(origin + path.split('/').map(encodeURIComponent).join('/'));
      if (found.tag !== `"${path}"`) throw new Error(`${found.tag} for ${path}`);
      return [{ ...found, rules: 1 }];
    },
  };
}

const paths = [];
for await (const line of createInterface({ input: process.stdin })) {
  const { path } = JSON.parse(line);
  if (path !== undefined) paths.push(path);
}
const host = await (kind === 'netlify' ? netlify() : cloudflare());
paths.forEach((path) => host.know(prefix + path));
for (const path of paths)
  for (const { url, rules, cache, type } of await host.ask(prefix + path))
    console.log(JSON.stringify({ path, rules, cache, type, url: new URL(url, origin).pathname }));
