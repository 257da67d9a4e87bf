// A chat in several processes: each room is a coordinator, which has the history and lives in one of them. Whoever is
// connected to another process hears of a message by a channel.
//
//   node examples/chat.mjs              (PORT, PROCESSES and ROOT from the environment; npm install ws)
//
//   ws://localhost:8080/<room>?from=<n>   gives the messages from number n on, and then each one as it comes:
//                                         {"number": 0, "text": "hello"}. What is sent is a message.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import process from 'node:process';
import { StorageHost } from 'holdfast';
import { Coordinator, Coordinators } from 'holdfast/coordinator';
import { WebSocketServer } from 'ws';

const ORIGIN = 'http://localhost';

export class Room extends Coordinator {
  /** The number of the message, once it is in the journal: sent again after a kill it is taken once. */
  say(text) {
    const number = Number(this.localStorage.getItem('length') ?? 0);
    this.localStorage.setItem(`message ${number}`, text);
    this.localStorage.setItem('length', String(number + 1));
    return number;
  }

  history(from) {
    const length = Number(this.localStorage.getItem('length') ?? 0);
    return Array.from({ length: Math.max(0, length - from) }, (_, index) => this.localStorage.getItem(`message ${from + index}`));
  }
}

const { PORT = '8080', PROCESSES = '4', ROOT = './data' } = process.env;

/** One reader of a room. The room is the truth; a channel only says that there is something new. */
class Reader {
  #room;
  #socket;
  #next;
  #reading = Promise.resolve();

  constructor(room, socket, from) {
    this.#room = room;
    this.#socket = socket;
    this.#next = from;
  }

  /** Sends what is new, one look after another, so that no message comes twice or out of its order. */
  look() {
    this.#reading = this.#reading.then(async () => {
      for (const text of await this.#room.history(this.#next)) this.#socket.send(JSON.stringify({ number: this.#next++, text }));
    }).catch(() => this.#socket.close(1011));
    return this.#reading;
  }
}

function serve() {
  const host = new StorageHost({ root: ROOT });
  const rooms = new Coordinators(host, { Room });
  const client = host.origin(ORIGIN);
  const server = createServer((_request, response) => response.writeHead(426).end());
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    const { pathname, searchParams } = new URL(request.url, ORIGIN);
    const name = pathname.slice(1) || 'lobby';
    const room = rooms.get(ORIGIN, Room, name);
    const news = new client.BroadcastChannel(`room ${name}`);
    const reader = new Reader(room, socket, Number(searchParams.get('from') ?? 0));
    news.onmessage = () => reader.look();
    socket.on('message', async (data) => {
      try {
        await room.say(String(data));
        news.postMessage(null);
        await reader.look();
      } catch (error) {
        socket.close(1011, error.code);
      }
    });
    socket.on('close', () => news.close());
    void reader.look();
  });
  server.listen(Number(PORT), () => console.log(`process ${process.pid} serves ws://localhost:${server.address().port}/lobby`));
  process.on('SIGTERM', async () => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    await rooms.close(); // what runs here ends; other processes take the rooms over
    await host.close();
    process.exit();
  });
}

if (cluster.isPrimary && Number(PROCESSES) > 1) {
  for (let n = 0; n < Number(PROCESSES); n++) cluster.fork();
  cluster.on('exit', (worker) => {
    if (!worker.exitedAfterDisconnect && worker.process.exitCode !== 0) cluster.fork();
  });
} else {
  serve();
}
