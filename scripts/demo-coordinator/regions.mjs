// Three regions that keep shows and rooms in one hub: a process, a root and a network of its own for each.
import { createServer } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { StorageHost } from 'holdfast';
import { Coordinators } from 'holdfast/coordinator';
import { Proxy } from '../demo-regions/proxy.mjs';
import { openHub, startHub } from '../hubs.mjs';

const NAMES = ['eu', 'us', 'ap'];
const tokenOf = (region) => `what-${region}-is-shown`;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Where a region is, and how it comes to the hub and to the others: by ways that can be cut. */
class Region {
  name;
  root;
  port;
  engine;
  ways = new Map();
  #proxies = [];

  static async open(name, folder) {
    const region = new Region();
    region.name = name;
    region.root = join(folder, name);
    region.port = await freePort();
    return region;
  }

  async connect(hub, others) {
    const toHub = await this.#way(hub.port);
    this.engine = hub.engineAt(toHub.port);
    for (const other of others) this.ways.set(other.name, await this.#way(other.port));
  }

  async #way(port) {
    const proxy = await Proxy.open(port);
    this.#proxies.push(proxy);
    return proxy;
  }

  /** What `Coordinators` are given in this region, but for the hub. */
  get options() {
    const peers = Object.fromEntries([...this.ways].map(([name, { port }]) => [name, { url: `http://127.0.0.1:${port}/`, token: tokenOf(name) }]));
    return { region: this.name, token: tokenOf(this.name), peers };
  }

  /** Nothing leaves it any more, and nobody is told. */
  cut() {
    for (const proxy of this.#proxies) proxy.cut();
  }

  mend() {
    for (const proxy of this.#proxies) proxy.mend();
  }

  close() {
    for (const proxy of this.#proxies) proxy.close();
  }
}

export class Regions {
  /** What calls in each region. */
  callers = [];
  hubName;
  #regions = [];
  #hub;
  #ends = [];

  static async open(folder, members, tell) {
    const regions = new Regions();
    regions.#hub = (await startHub('postgres', join(folder, 'hub'), (reason) => tell(`${reason}: the embedded hub takes its place`))) ?? (await startHub('embedded', join(folder, 'hub')));
    regions.hubName = regions.#hub.name;
    for (const name of NAMES) regions.#regions.push(await Region.open(name, folder));
    for (const region of regions.#regions) await regions.#start(region, members);
    return regions;
  }

  async #start(region, members) {
    await region.connect(this.#hub, this.#regions.filter((other) => other !== region));
    const { root, port, engine, options } = region;
    await members.add({ ROOT: root, PORT: String(port), HUB: JSON.stringify(engine), REGION: JSON.stringify(options) });
    const [host, hub] = [new StorageHost({ root }), openHub(engine)];
    const caller = new Coordinators(host, {}, { regions: { hub, ...options } });
    this.callers.push(caller);
    this.#ends.push(async () => {
      await caller.close();
      await hub.close();
      await host.close();
    });
  }

  /** The last region loses its network: it reaches neither the hub nor the others, and they do not reach it. */
  cut() {
    const [alone, ...others] = [...this.#regions].reverse();
    alone.cut();
    for (const { ways } of others) ways.get(alone.name).cut();
  }

  mend() {
    const [alone, ...others] = [...this.#regions].reverse();
    alone.mend();
    for (const { ways } of others) ways.get(alone.name).mend();
  }

  async close() {
    for (const end of this.#ends) await end();
  }

  /** After the processes that use them have ended. */
  async dispose() {
    for (const region of this.#regions) region.close();
    await this.#hub.dispose();
  }
}
