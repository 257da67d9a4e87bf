import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageHost, install } from 'holdfast';
import { TestEnvironment } from 'jest-environment-jsdom';

export default class HoldfastEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    this.root = mkdtempSync(join(tmpdir(), 'holdfast-'));
    this.host = new StorageHost({ root: this.root });
    this.undo = install({ host: this.host, origin: 'http://localhost', target: this.global });
  }

  async teardown() {
    this.undo();
    await this.host.close();
    rmSync(this.root, { recursive: true, force: true });
    await super.teardown();
  }
}
