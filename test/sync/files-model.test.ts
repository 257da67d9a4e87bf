import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Locator } from '../../src/disk/locator.ts';
import { ByteReader } from '../../src/disk/replica/byte-reader.ts';
import { ByteWriter } from '../../src/disk/replica/byte-writer.ts';
import { NO_OPERATION } from '../../src/disk/replica/operation.ts';
import type { Operation, OperationId } from '../../src/disk/replica/operation.ts';
import { CHANGE, encodeChange } from '../../src/sync/files/change.ts';
import type { Change, Step } from '../../src/sync/files/change.ts';
import { FilesModel } from '../../src/sync/files/files-model.ts';
import { sha256 } from '../../src/sync/files/manifest.ts';
import type { Manifest } from '../../src/sync/files/manifest.ts';
import { View } from '../../src/sync/files/view.ts';

const PLACES: Locator[] = [['a'], ['b'], ['a', 'a'], ['a', 'b'], ['b', 'a'], ['a', 'a', 'a'], ['a', 'a', 'b']];

/** A step whose `expected` is what is there when `seen`, else what some earlier operation wrote, or nothing. */
interface Draft {
  readonly type: Step['type'];
  readonly place: number;
  readonly seen: boolean;
  readonly other: number;
  readonly content: number;
}

const drafts = fc.array(
  fc.array(
    fc.record({
      type: fc.constantFrom<Step['type']>('file', 'file', 'directory', 'gone-file', 'gone-directory', 'seed'),
      place: fc.nat(PLACES.length - 1),
      seen: fc.boolean(),
      other: fc.nat(8),
      content: fc.nat(3),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  { maxLength: 24 },
);

function manifestOf(content: number): Manifest {
  return { size: 1, lastModified: content, chunks: sha256(Uint8Array.of(content)) };
}

/** What an operation asks for, given what a writer sees who has everything before it. */
function stepOf({ type, place, seen, other, content }: Draft, model: FilesModel, session: number): Step {
  const locator = PLACES[place] ?? [];
  const current = model.get(locator);
  const earlier: OperationId = other === 0 ? NO_OPERATION : { session: other, sequence: 1 };
  const expected = seen && current?.kind === 'file' ? current.id : earlier;
  const manifest = manifestOf(content + (content > 1 ? 10 * session : 0));
  return { type, locator, expected, manifest } as Step;
}

function operationOf(change: Change, session: number): Operation {
  return { session, sequence: 1, kind: CHANGE, payload: encodeChange(change) };
}

/** Applies the drafts one after the other; calls `each` with every operation and its change before it is confirmed. */
function play(all: readonly Draft[][], model: FilesModel, each: (operation: Operation, change: Change) => void): void {
  all.forEach((steps, index) => {
    const session = index + 1;
    // Steps of one change are decided upon together.
    const change = { region: `r${session % 3}`, steps: steps.map((draft) => stepOf(draft, model, session)) };
    const operation = operationOf(change, session);
    each(operation, change);
    expect(model.confirm(operation)).toBeNull();
  });
}

function bytesOf(model: FilesModel): Buffer {
  const writer = new ByteWriter();
  model.write(writer);
  return Buffer.from(writer.finish());
}

function listOf(entries: Iterable<[Locator, { kind: string; id?: OperationId }]>): Record<string, string> {
  return Object.fromEntries(Array.from(entries, ([locator, { kind, id }]) => [locator.join('/'), id === undefined ? kind : `${id.session}`]));
}

/** The rules once more, as plainly as they can be said, over paths as text. */
class Reference {
  readonly entries = new Map<string, { content: number; by: number } | 'directory'>();
  readonly lost: string[] = [];

  apply({ steps }: Change, by: number): void {
    for (const step of steps) this.#step(step, by);
  }

  #step(step: Step, by: number): void {
    const path = step.locator.join('/');
    const current = this.entries.get(path);
    if (step.type === 'gone-file') {
      if (typeof current === 'object' && current.by === step.expected.session) this.entries.delete(path);
    } else if (step.type === 'gone-directory') {
      const isEmpty = ![...this.entries.keys()].some((key) => key.startsWith(`${path}/`));
      if (current === 'directory' && isEmpty) this.entries.delete(path);
    } else if (step.type === 'directory') {
      this.#directories(step.locator);
    } else {
      this.#directories(step.locator.slice(0, -1));
      this.#file(step, path, by);
    }
  }

  #file(step: Extract<Step, { type: 'file' | 'seed' }>, path: string, by: number): void {
    const current = this.entries.get(path);
    const content = step.manifest.lastModified;
    if (current === 'directory') this.lost.push(`${path} ${by}`);
    else if (step.type === 'seed' && current !== undefined) {
      if (current.content !== content) this.lost.push(`${path} ${by}`);
    } else {
      const expected = step.type === 'file' ? step.expected.session : 0;
      const at = this.lost.indexOf(`${path} ${expected}`);
      if (at !== -1) this.lost.splice(0, this.lost.length, ...this.lost.filter((line) => line !== `${path} ${expected}`));
      if (current !== undefined && current.by !== expected && current.content !== content) this.lost.push(`${path} ${current.by}`);
      this.entries.set(path, { content, by });
    }
  }

  #directories(locator: Locator): void {
    for (let length = 1; length <= locator.length; length += 1) {
      const path = locator.slice(0, length).join('/');
      const current = this.entries.get(path);
      if (typeof current === 'object') this.lost.push(`${path} ${current.by}`);
      this.entries.set(path, 'directory');
    }
  }

  get list(): Record<string, string> {
    return Object.fromEntries([...this.entries].map(([path, entry]) => [path, entry === 'directory' ? entry : String(entry.by)]));
  }
}

describe('the table of files', () => {
  it('follows its rules', () => {
    fc.assert(
      fc.property(drafts, (all) => {
        const model = new FilesModel();
        const reference = new Reference();
        play(all, model, ({ session }, change) => reference.apply(change, session));
        expect(listOf(model.entries())).toEqual(reference.list);
        expect(model.conflicts.items.map(({ locator, lost }) => `${locator.join('/')} ${lost.id.session}`)).toEqual(reference.lost);
      }),
      { numRuns: 500 },
    );
  });

  it('is the same for whoever replays the operations, and for whoever goes on from a snapshot', () => {
    fc.assert(
      fc.property(drafts, fc.nat(24), (all, cut) => {
        const model = new FilesModel();
        const replayed = new FilesModel();
        let restored = new FilesModel();
        let count = 0;
        play(all, model, (operation) => {
          if ((count += 1) === cut) restored = reopened(model);
          replayed.confirm(operation);
          restored.confirm(operation);
        });
        expect(bytesOf(replayed)).toEqual(bytesOf(model));
        if (count >= cut) expect(bytesOf(restored)).toEqual(bytesOf(model));
        expect(bytesOf(reopened(model))).toEqual(bytesOf(model));
      }),
      { numRuns: 300 },
    );
  });

  it('has a file in every directory that the file is in', () => {
    fc.assert(
      fc.property(drafts, (all) => {
        const model = new FilesModel();
        play(all, model, () => undefined);
        for (const [locator] of model.entries()) {
          if (locator.length > 1) expect(model.get(locator.slice(0, -1))).toEqual({ kind: 'directory' });
        }
      }),
    );
  });

  it('loses no content that nobody has seen without a word', () => {
    fc.assert(
      fc.property(drafts, (all) => {
        const model = new FilesModel();
        const written: [version: string, content: number][] = [];
        const seen = new Set<string>();
        play(all, model, ({ session }, { steps }) => {
          for (const step of steps) {
            const path = step.locator.join('/');
            if (step.type === 'file' || step.type === 'gone-file') seen.add(`${path} ${step.expected.session}`);
            if (step.type === 'file') written.push([`${path} ${session}`, step.manifest.lastModified]);
          }
        });
        const told = new Set(model.conflicts.items.map(({ locator, lost }) => `${locator.join('/')} ${lost.id.session}`));
        for (const [version, content] of written) {
          const [path = ''] = version.split(' ');
          const current = model.get(path.split('/'));
          const isThere = current?.kind === 'file' && current.manifest.lastModified === content;
          // What somebody has seen is his to replace; what was equal to the next one went on as that.
          const isEqual = written.some(([other, its]) => other !== version && its === content && other.startsWith(`${path} `));
          expect(isThere || told.has(version) || seen.has(version) || isEqual).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('seeds another one with what it has', () => {
    fc.assert(
      fc.property(drafts, drafts, (all, others) => {
        const [model, other] = [new FilesModel(), new FilesModel()];
        play(all, model, () => undefined);
        play(others, other, () => undefined);
        const before = new Map(other.entries());
        let sequence = 1;
        for (const { kind, payload } of model.seeds()) {
          expect(other.confirm({ session: 999, sequence: (sequence += 1), kind, payload })).toBeNull();
        }
        for (const [locator, entry] of model.entries()) expect(other.get(locator)?.kind === 'directory' || entry.kind === 'file').toBe(true);
        for (const [locator, entry] of before) {
          const now = other.get(locator);
          if (entry.kind === 'directory' || now?.kind === 'file') expect(now).toEqual(entry);
        }
        const empty = new FilesModel();
        for (const { kind, payload } of model.seeds()) empty.confirm({ session: 999, sequence: (sequence += 1), kind, payload });
        expect([...empty.entries()].map(([locator, { kind }]) => [locator, kind])).toEqual(
          [...model.entries()].map(([locator, { kind }]) => [locator, kind]),
        );
      }),
    );
  });
});

function reopened(model: FilesModel): FilesModel {
  const copy = new FilesModel();
  copy.read(new ByteReader(bytesOf(model)));
  return copy;
}

describe('the view', () => {
  it('is the table with the pending changes on top', () => {
    fc.assert(
      fc.property(drafts, fc.nat(24), (all, confirmed) => {
        const model = new FilesModel();
        const base = new FilesModel();
        const pending: Operation[] = [];
        play(all, model, (operation) => (operation.session <= confirmed ? base.confirm(operation) : pending.push(operation)));
        const view = new View(base, pending.map((operation, index) => ({ operation, incarnation: 'x', number: index + 1, ticket: index + 1, previous: null })));
        for (const locator of PLACES) {
          expect(view.get(locator)).toEqual(model.get(locator));
          expect(view.hasChildren(locator)).toBe(model.hasChildren(locator));
        }
        const places = new Set(Array.from(view.places(), (locator) => locator.join('/')));
        for (const [locator] of model.entries()) expect(places.has(locator.join('/'))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('bytes from elsewhere', () => {
  const model = (): FilesModel => {
    const made = new FilesModel();
    made.confirm(operationOf({ region: 'r', steps: [{ type: 'file', locator: ['a', 'b'], expected: NO_OPERATION, manifest: manifestOf(1) }] }, 1));
    return made;
  };

  it('that make no sense are refused, and change nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 0, max: 255 }), (payload, kind) => {
        const target = model();
        const before = bytesOf(target);
        if (target.confirm({ session: 2, sequence: 1, kind, payload }) !== null) expect(bytesOf(target)).toEqual(before);
      }),
      { numRuns: 2000 },
    );
  });

  it('that were an operation before one byte changed are applied whole or not at all', () => {
    const steps: Step[] = [
      { type: 'gone-file', locator: ['a', 'b'], expected: { session: 1, sequence: 1 } },
      { type: 'file', locator: ['c'], expected: NO_OPERATION, manifest: manifestOf(2) },
    ];
    const good = encodeChange({ region: 'r', steps });
    for (let at = 0; at < good.length; at += 1) {
      for (const flip of [1, 0x80, 0xff]) {
        const payload = good.slice();
        payload[at] = (payload[at] ?? 0) ^ flip;
        const target = model();
        const before = bytesOf(target);
        if (target.confirm({ session: 2, sequence: 1, kind: CHANGE, payload }) !== null) expect(bytesOf(target)).toEqual(before);
      }
    }
  });

  it.each([
    ['..', ['..', 'etc']],
    ['.', ['.']],
    ['an empty name', ['a', '']],
    ['a slash', ['a/b']],
    ['a backslash', ['a\\b']],
    ['no name at all', []],
    ['too many names', Array.from({ length: 5000 }, () => 'a')],
    ['too long a name', ['a'.repeat(2 ** 17)]],
  ])('that name %s are refused, wherever they do', (_, locator) => {
    const manifest = manifestOf(1);
    const steps: Step[] = [
      { type: 'file', locator, expected: NO_OPERATION, manifest },
      { type: 'directory', locator },
      { type: 'gone-file', locator, expected: NO_OPERATION },
      { type: 'gone-directory', locator },
      { type: 'seed', locator, manifest },
    ];
    for (const step of steps) {
      const good: Step = { type: 'directory', locator: ['good'] };
      const target = model();
      const before = bytesOf(target);
      expect(target.confirm(operationOf({ region: 'r', steps: [good, step] }, 2))).toBe('damaged');
      expect(bytesOf(target)).toEqual(before);
    }
  });

  it.each([
    ['fewer', { size: 2 ** 20 + 1, lastModified: 0, chunks: new Uint8Array(32) }],
    ['more', { size: 1, lastModified: 0, chunks: new Uint8Array(64) }],
    ['half', { size: 1, lastModified: 0, chunks: new Uint8Array(16) }],
    ['far too few', { size: Number.MAX_SAFE_INTEGER, lastModified: 0, chunks: new Uint8Array(32) }],
  ])('that give a file %s chunks than its size has are refused', (_, manifest) => {
    const step: Step = { type: 'file', locator: ['f'], expected: NO_OPERATION, manifest };
    expect(new FilesModel().confirm(operationOf({ region: 'r', steps: [step] }, 1))).toBe('damaged');
  });

  it('are no snapshot unless every entry is once, and in a directory', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = bytesOf(model());
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ flip;
        const target = model();
        const before = bytesOf(target);
        try {
          target.read(new ByteReader(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'hub-damaged' });
          expect(bytesOf(target)).toEqual(before);
          return;
        }
        for (const [locator] of target.entries()) {
          if (locator.length > 1) expect(target.get(locator.slice(0, -1))?.kind).toBe('directory');
        }
      }),
      { numRuns: 500 },
    );
  });
});
