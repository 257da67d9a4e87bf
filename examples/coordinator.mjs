// A booking system in several processes: each show is a coordinator, which sells every seat once. The server may run as
// often as there are cores; whichever process is asked, the show lives in one of them.
//
//   node examples/coordinator.mjs       (PORT, PROCESSES and ROOT from the environment)
//
//   GET  /<show>              the seats that are left
//   POST /<show>?name=<name>  books one, for two minutes: 201 and its number, or 409
//   PUT  /<show>?seat=<n>     pays for it
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import process from 'node:process';
import { StorageHost } from 'holdfast';
import { Coordinator, Coordinators } from 'holdfast/coordinator';

const SEATS = 100;
const RESERVED_MS = 120_000;

export class Show extends Coordinator {
  left() {
    return SEATS - this.localStorage.length;
  }

  /** The number of the seat, or null. What it writes and its alarm are one record, on disk before the caller hears of it. */
  book(name) {
    for (let seat = 1; seat <= SEATS; seat++) {
      if (this.localStorage.getItem(String(seat)) !== null) continue;
      this.localStorage.setItem(String(seat), JSON.stringify({ name, until: Date.now() + RESERVED_MS }));
      if (this.state.getAlarm() === null) this.state.setAlarm(Date.now() + RESERVED_MS);
      return seat;
    }
    return null;
  }

  /** False: there is no such reservation any more. */
  pay(seat) {
    const booking = this.#booking(seat);
    if (booking === null) return false;
    this.localStorage.setItem(String(seat), JSON.stringify({ name: booking.name, paid: true }));
    return true;
  }

  #booking(seat) {
    return JSON.parse(this.localStorage.getItem(String(seat)) ?? 'null');
  }

  /** Gives up what was not paid for in time. Called at least once, whatever happened to the process meanwhile. */
  alarm() {
    const open = Object.keys(this.localStorage).filter((seat) => !this.#booking(seat).paid);
    const late = open.filter((seat) => this.#booking(seat).until <= Date.now());
    for (const seat of late) this.localStorage.removeItem(seat);
    const next = Math.min(...open.filter((seat) => !late.includes(seat)).map((seat) => this.#booking(seat).until));
    if (next !== Infinity) this.state.setAlarm(next);
  }
}

const { PORT = '8080', PROCESSES = '4', ROOT = './data' } = process.env;

async function answer(shows, request) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const show = shows.get('http://localhost', Show, pathname.slice(1) || 'today');
  if (request.method === 'POST') {
    const seat = await show.book(searchParams.get('name') ?? 'nobody');
    return seat === null ? [409, 'sold out'] : [201, String(seat)];
  }
  if (request.method === 'PUT') return (await show.pay(Number(searchParams.get('seat')))) ? [200, 'paid'] : [410, 'no such reservation'];
  return [200, `${await show.left()} left`];
}

function serve() {
  const host = new StorageHost({ root: ROOT });
  const shows = new Coordinators(host, { Show });
  const server = createServer((request, response) => {
    answer(shows, request).then(
      ([status, text]) => response.writeHead(status).end(`${text}\n`),
      (error) => response.writeHead(error.retryable ? 503 : 500).end(`${error.message}\n`),
    );
  });
  server.listen(Number(PORT), () => console.log(`process ${process.pid} serves http://localhost:${server.address().port}/tonight`));
  process.on('SIGTERM', async () => {
    server.close();
    await shows.close(); // what runs here ends; other processes take the shows over
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
