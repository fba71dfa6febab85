// node browser.js CHROMIUM PROFILE [FLAG...]: a headless browser, told what to do by lines on standard
// input. Each is answered by one line:
//
//   open URL     what the page's promise `result` is, once it is settled
//   tell CODE    the same of any expression in the page; what is no string, as JSON
//   console      what was logged since the page was opened, also by the browser itself (what it has
//                blocked, and why): a JSON array of "LEVEL: TEXT"
//   shot FILE    a PNG of the whole page: its name
//   quit         none: the browser ends, as it does with its input
//
// `failed: WHY` if that cannot be done.
'use strict';
const { spawn } = require('child_process');
const { writeFileSync } = require('fs');
const readline = require('readline');

const [chromium, profile, ...more] = process.argv.slice(2);
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--no-proxy-server', '--window-size=1000,800',
  `--user-data-dir=${profile}`, ...more, '--remote-debugging-pipe', 'about:blank'];
const browser = spawn(chromium, flags, { stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'] });
const [, , , to, from] = browser.stdio;
const waiting = new Map();
let listeners = [];
const loaded = new Set(); // documents, by what Page.navigate called their loading
let logged = [];
let session;
let last = 0;
let rest = '';

from.setEncoding('utf8');
from.on('data', (text) => {
  const messages = (rest + text).split('\0');
  rest = messages.pop();
  for (const message of messages.map((m) => JSON.parse(m))) {
    const call = waiting.get(message.id);
    if (call) {
      waiting.delete(message.id);
      if (message.error) call.reject(new Error(message.error.message));
      else call.resolve(message.result);
    } else {
      hear(message);
      listeners = listeners.filter((heard) => !heard());
    }
  }
});

function call(method, params, sessionId) {
  last += 1;
  to.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
  return new Promise((resolve, reject) => waiting.set(last, { resolve, reject }));
}

function ask(method, params) {
  return call(method, params, session);
}

// Not of any document: that of about:blank may still come.
function load(loaderId) {
  return new Promise((resolve) => {
    const heard = () => loaded.has(loaderId) && (resolve(), true);
    if (!heard()) listeners.push(heard);
  });
}

function hear({ method, params }) {
  if (method === 'Page.lifecycleEvent') {
    if (params.name === 'load') loaded.add(params.loaderId);
  } else if (method === 'Log.entryAdded') {
    logged.push(`${params.entry.level}: ${params.entry.text}`);
  } else if (method === 'Runtime.consoleAPICalled') {
    logged.push(`${params.type}: ${params.args.map((arg) => arg.value ?? arg.description).join(' ')}`);
  } else if (method === 'Runtime.exceptionThrown') {
    const { exception, text } = params.exceptionDetails;
    logged.push(`exception: ${exception?.description ?? text}`);
  }
}

async function open(url) {
  logged = [];
  const { errorText, loaderId } = await ask('Page.navigate', { url });
  if (errorText) throw new Error(errorText);
  if (!loaderId) throw new Error('this document is open already');
  await load(loaderId);
  return tell('result');
}

async function tell(expression) {
  const { result, exceptionDetails } = await ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(result.description ?? result.value);
  return typeof result.value === 'string' ? result.value : JSON.stringify(result.value ?? null);
}

async function shot(file) {
  const { cssContentSize } = await ask('Page.getLayoutMetrics');
  const { data } = await ask('Page.captureScreenshot', { captureBeyondViewport: true, clip: { ...cssContentSize, scale: 1 } });
  writeFileSync(file, Buffer.from(data, 'base64'));
  return file;
}

const commands = { open, tell, shot, console: () => JSON.stringify(logged) };

async function main() {
  const { targetInfos } = await call('Target.getTargets');
  const { targetId } = targetInfos.find(({ type }) => type === 'page');
  session = (await call('Target.attachToTarget', { targetId, flatten: true })).sessionId;
  for (const domain of ['Page', 'Runtime', 'Log']) await ask(`${domain}.enable`);
  await ask('Page.setLifecycleEventsEnabled', { enabled: true });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [, word, argument] = /^(\w*) ?(.*)$/.exec(line);
    if (word === 'quit') break;
    const answer = commands[word]?.(argument) ?? Promise.reject(new Error(`what is '${word}'?`));
    console.log(await Promise.resolve(answer).catch((error) => `failed: ${error.message.split('\n')[0]}`));
  }
  await call('Browser.close');
}

browser.on('exit', () => process.exit());
process.on('SIGTERM', () => browser.kill('SIGKILL'));
main().catch((error) => {
  console.log(`failed: ${error.message}`);
  browser.kill('SIGKILL');
  process.exitCode = 1;
});
