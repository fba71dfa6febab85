// An HTTP tracker: node tracker.mjs ADDRESS. Prints its port, and ends with its standard input.
import Server from 'bittorrent-tracker/server'

const server = new Server({ http: true, udp: false, ws: false, stats: false, interval: 30000 })
server.on('error', error => { console.error(error.message); process.exit(1) })
server.on('warning', warning => console.error(warning.message))
server.listen(0, process.argv[2], () => console.log(server.http.address().port))
process.stdin.on('end', () => process.exit(0)).resume()
