// node browser.js CHROMIUM PROFILE: a headless browser, told what to do by lines on standard input:
// each is a URL to open. The page's promise `result` is printed on one line once it is settled.
'use strict';
const { spawn } = require('child_process');
const readline = require('readline');

const [chromium, profile] = process.argv.slice(2);
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--no-proxy-server', `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'];
const browser = spawn(chromium, flags, { stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'] });
const [, , , to, from] = browser.stdio;
const waiting = new Map();
let listeners = [];
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
      listeners = listeners.filter((heard) => !heard(message));
    }
  }
});

function call(method, params, sessionId) {
  last += 1;
  to.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
  return new Promise((resolve, reject) => waiting.set(last, { resolve, reject }));
}

function event(method) {
  return new Promise((resolve) => listeners.push((message) => message.method === method && (resolve(message), true)));
}

async function main() {
  const { targetInfos } = await call('Target.getTargets');
  const { targetId } = targetInfos.find(({ type }) => type === 'page');
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
  await call('Page.enable', {}, sessionId);
  for await (const url of readline.createInterface({ input: process.stdin })) {
    const loaded = event('Page.loadEventFired');
    await call('Page.navigate', { url }, sessionId);
    await loaded;
    const { result } = await call('Runtime.evaluate', { expression: 'result', awaitPromise: true, returnByValue: true }, sessionId);
    console.log(typeof result.value === 'string' ? result.value : `no result: ${result.description}`);
  }
  await call('Browser.close');
}

browser.on('exit', () => process.exit());
main().catch((error) => {
  console.log(`failed: ${error.message}`);
  browser.kill('SIGKILL');
  process.exitCode = 1;
});
