// node tracker.mjs: a WebSocket tracker on a port of the kernel's choice. It prints the port, and then a
// line for each peer that comes or is complete: EVENT INFOHASH, and how many peers there are.
import Server from '../interop/npm/node_modules/bittorrent-tracker/server.js';

const server = new Server({ udp: false, http: false, ws: true, stats: false });
for (const event of ['start', 'complete', 'stop']) {
  server.on(event, (_, { info_hash: hash }) => {
    const { complete = 0, incomplete = 0 } = server.torrents[hash] ?? {};
    console.log(event, hash, complete + incomplete);
  });
}
server.on('warning', ({ message }) => console.error(message));
server.on('error', ({ message }) => {
  console.error(message);
  process.exit(1);
});
server.listen(0, '127.0.0.1', () => console.log(server.ws.address().port));
