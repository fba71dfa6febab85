// node s3.js FOLDER: an S3 server (npm s3rver) with one bucket, `www`, on a free port of 127.0.0.1,
// told what to do by lines on standard input. It answers with lines, the first of which is
// "port N".
//
//   free      obeys all requests from now on; what it held is dropped         -> "free"
//   hold N    obeys N more that change something, and keeps the next waiting  -> "hold", then "held"
//   drop N    obeys N more, and then breaks every connection                 -> "drop"
//   count     how many it has obeyed that change something                   -> "count N"
//
// An object is there as a whole or not at all, as in S3: requests that change something are read to
// their end and obeyed one after the other.
const http = require('http');
const readline = require('readline');
const S3rver = require('s3rver');

const say = (text) => process.stdout.write(text + '\n');
let left = Infinity;
let dropping = false;
let obeyed = 0;
let busy = false;
let held = false; // it was said
const waiting = [];

function next() {
    if (busy || waiting.length === 0) return;
    if (left === 0) {
        if (!held) say('held');
        held = true;
        return;
    }
    busy = true;
    left--;
    obeyed++;
    const { request, response, obey } = waiting.shift();
    response.once('close', () => {
        busy = false;
        if (left === 0 && dropping) drop();
        next();
    });
    obey(request, response);
}

function drop() {
    for (const { request } of waiting.splice(0)) request.socket.destroy();
}

const store = new S3rver({
    silent: true,
    directory: process.argv[2],
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: 'www' }],
});

store.configureBuckets().then(() => {
    const obey = store.callback();
    const server = http.createServer((request, response) => {
        if (dropping && left === 0) return request.socket.destroy();
        if (request.method === 'GET' || request.method === 'HEAD') return obey(request, response);
        // It undoes less of the percent-encoding than S3 does.
        const from = request.headers['x-amz-copy-source'];
        if (from) request.headers['x-amz-copy-source'] = encodeURI(decodeURIComponent(from));
        waiting.push({ request, response, obey });
        next();
    });
    server.on('clientError', (error, socket) => socket.destroy());
    server.listen(0, '127.0.0.1', () => say(`port ${server.address().port}`));

    readline.createInterface({ input: process.stdin }).on('line', (line) => {
        const [word, number] = line.split(' ');
        if (word === 'count') return say(`count ${obeyed}`);
        if (word === 'free') drop();
        held = false;
        dropping = word === 'drop';
        left = word === 'free' ? Infinity : Number(number);
        say(word);
        next();
    }).on('close', () => process.exit());
});
