/** What nobody should ask of coordinators: each gets a clear error, and the instance and its data are whole. */
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SocketFolder } from '../../src/coordinator/sockets/socket-folder.ts';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import type { CoordinatorClass, Stub } from '../../src/host/coordinator/index.ts';
import type { StorageHost } from '../../src/host/storage-host.ts';
import { openHost } from '../host/support.ts';

const ORIGIN = 'https://app.example';

class Box extends Coordinator {
  put(value: string): number {
    this.localStorage.setItem('value', value);
    return this.size();
  }

  size(): number {
    return (this.localStorage.getItem('value') ?? '').length;
  }

  take(value: unknown): void {
    this.localStorage.setItem('taken', typeof value);
  }

  taken(): string | null {
    return this.localStorage.getItem('taken');
  }

  large(): Uint8Array {
    this.localStorage.setItem('value', 'large');
    return new Uint8Array(2 ** 25);
  }
}

/** The same class as a process of the next version has it. */
class NextBox extends Box {
  added(): number {
    return this.size();
  }
}

function serve(host: StorageHost, Class: CoordinatorClass): Coordinators {
  const coordinators = new Coordinators(host, { Box: Class });
  onTestFinished(() => coordinators.close());
  return coordinators;
}

const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );

/** Whoever runs it, and somebody else who calls it over a socket. */
function pair(): { here: Stub<Box>; there: Stub<Box> } {
  const { root } = openHost();
  return { here: boxOf(serve(openHost({ root }), Box)), there: boxOf(serve(openHost({ root }), Box)) };
}

const boxOf = (coordinators: Coordinators): Stub<Box> => coordinators.get<Box>(ORIGIN, 'Box', 'a');

describe('a call is refused', () => {
  test('whose arguments cannot be cloned, or are too large, before anything of it is sent', async () => {
    const { here, there } = pair();
    expect(await here.put('kept')).toBe(4);
    for (const box of [here, there]) {
      expect(await refusal(box.take(() => 1))).toMatchObject({ name: 'DataCloneError' });
      expect(await refusal(box.take(new Uint8Array(2 ** 25)))).toMatchObject({ name: 'HoldfastError', code: 'record-too-large', outcome: 'not-run', retryable: false });
      expect([await box.taken(), await box.size()]).toEqual([null, 4]);
    }
  });

  test('whose result is too large, and told that it has run', async () => {
    const { here, there } = pair();
    expect(await here.put('kept')).toBe(4);
    for (const box of [here, there]) {
      expect(await refusal(box.large())).toMatchObject({ name: 'HoldfastError', code: 'record-too-large', outcome: 'ran', retryable: false });
      expect([await box.size(), await box.put('kept')]).toEqual([5, 4]);
    }
  });

  test('by a process whose class is an older one, and taken by one of the newer', async () => {
    const { root } = openHost();
    const old = serve(openHost({ root }), Box);
    const next = serve(openHost({ root }), NextBox);
    expect(await boxOf(old).put('kept')).toBe(4);
    const box = next.get(ORIGIN, NextBox as never, 'a') as unknown as { added(): Promise<number> };
    expect(await refusal(box.added())).toMatchObject({
      name: 'HoldfastError',
      code: 'bad-option',
      message: "The class of Box 'a' has no method 'added' in the process that runs it.",
      outcome: 'not-run',
      retryable: true,
      remote: false,
    });
    await old.close();
    expect(await box.added()).toBe(4);
  });

  test('that writes beyond the quota, whose instance goes on with what it had', async () => {
    const box = boxOf(serve(openHost({ quota: { localStorage: 1000 } }), Box));
    expect(await box.put('x'.repeat(400))).toBe(400);
    expect(await refusal(box.put('x'.repeat(600)))).toMatchObject({ name: 'QuotaExceededError', remote: true });
    expect([await box.size(), await box.put('y')]).toEqual([400, 1]);
  });

  test('of a class that nobody has', async () => {
    const coordinators = new Coordinators(openHost(), {}, { patience: 20 });
    onTestFinished(() => coordinators.close());
    expect(await refusal(boxOf(coordinators).size())).toMatchObject({ name: 'HoldfastError', code: 'coordinator-unavailable', outcome: 'not-run' });
  });
});

/** That this runs on another system. */
function pretend(platform: NodeJS.Platform): void {
  const own = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor;
  Object.defineProperty(process, 'platform', { ...own, value: platform });
  onTestFinished(() => void Object.defineProperty(process, 'platform', own));
}

describe('the address of a process', () => {
  test('is a pipe of its own folder on Windows, however that is spelled', () => {
    pretend('win32');
    const socketOf = (directory: string, address: string): string => new SocketFolder(directory).socketOf(address);
    const pipe = socketOf('C:\\data\\coordinators\\s', 'a1');
    expect(pipe).toMatch(/^\\\\\.\\pipe\\holdfast-[0-9a-f]{24}-a1$/);
    expect(socketOf('c:\\DATA\\coordinators\\s', 'a1')).toBe(pipe);
    expect(socketOf('C:\\other\\coordinators\\s', 'a1')).not.toBe(pipe);
    expect(socketOf('C:\\data\\coordinators\\s', 'a2')).not.toBe(pipe);
  });

  test('is refused where its path is longer than the system takes', () => {
    pretend('darwin');
    const folder = new SocketFolder(path.join('/', 'long'.repeat(30)));
    expect(() => folder.socketOf('a1')).toThrow(expect.objectContaining({ code: 'disk-failed', message: expect.stringContaining('choose a root with a shorter path') as string }) as Error);
  });
});
