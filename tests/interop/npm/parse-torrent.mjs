// Prints what parse-torrent, which WebTorrent reads torrents with, makes of a file or a magnet link.
import fs from 'fs'
import parseTorrent from 'parse-torrent'

const [what] = process.argv.slice(2)
const torrent = await parseTorrent(what.startsWith('magnet:') ? what : new Uint8Array(fs.readFileSync(what)))
const files = torrent.files?.map(({ path, length }) => ({ path, length }))
console.log(JSON.stringify({ infoHash: torrent.infoHash, infoHashV2: torrent.infoHashV2, name: torrent.name, announce: torrent.announce, urlList: torrent.urlList, pieces: torrent.pieces?.length, files }))
