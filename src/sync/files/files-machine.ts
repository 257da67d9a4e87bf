import type { JournalRecord, Machine, SnapshotRecord } from '../../disk/journal/machine.ts';
import type { Locator } from '../../disk/locator.ts';
import { isReplicaPart, REPLICA } from '../../disk/replica/replica-kinds.ts';
import { applyRecord, partsOf, ReplicaParts } from '../../disk/replica/apply-record.ts';
import { Replica } from '../../disk/replica/replica.ts';
import type { Applied as AppliedOperation } from '../../disk/replica/turn.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { AppliedTree, APPLIED_DIRECTORY, decodePlaced } from './applied.ts';
import type { Applied } from './applied.ts';
import { CHANGE, decodeChange } from './change.ts';
import type { Step } from './change.ts';
import { FilesModel } from './files-model.ts';
import { APPLIED, decodeLocal, LOCAL } from './files-records.ts';
import { keyOf } from './locators.ts';
import { contentKey } from './manifest.ts';
import { View } from './view.ts';

/** Whom a machine tells what may have to be done on the disk. */
export interface FilesListener {
  /** What should be at a place has changed. */
  touched(locator: Locator): void;
  /** What should be anywhere may have changed. */
  replaced(): void;
}

/**
 * The state machine behind the journal of synced files: the replica, and what of it is on the disk. Invariants:
 * - a LOCAL record takes effect whole, and only if the disk was at the versions that it is made on: two processes that
 *   find one change make one operation of it;
 * - that the change is pending and that the disk has it become known by one record.
 */
export class FilesMachine implements Machine<boolean> {
  readonly model = new FilesModel();
  readonly replica = new Replica(this.model);
  readonly applied = new AppliedTree();
  listener: FilesListener | null = null;
  #view: View | null = null;
  /** Of the REPLICA of a snapshot that is being read. */
  readonly #parts = new ReplicaParts();

  constructor() {
    this.model.listener = (locator) => this.listener?.touched(locator);
  }

  /** What should be on the disk. */
  get view(): View {
    return (this.#view ??= new View(this.model, this.replica.pending));
  }

  /** False: a LOCAL record was void. */
  apply(record: JournalRecord): boolean {
    const { kind, payload } = record;
    if (kind === LOCAL) return this.#local(record);
    if (kind === APPLIED) {
      for (const line of decodePlaced(payload)) this.applied.put(line);
      return true;
    }
    this.#applyToReplica(record);
    return true;
  }

  #local({ session, sequence, payload }: JournalRecord): boolean {
    const local = decodeLocal(payload);
    const states = this.#outcome(decodeChange(local.change).steps, { session, sequence }, local.fingerprints);
    if (!this.replica.active || states === null) return false;
    const operation = { session, sequence, kind: CHANGE, payload: local.change };
    this.replica.local(operation);
    this.#view?.add(operation);
    for (const { locator, state } of states) this.applied.put({ locator, state });
    return true;
  }

  /** What the disk holds where the steps were found; null when it was known to hold something else before them. */
  #outcome(steps: readonly Step[], version: Version, fingerprints: readonly string[]): Iterable<Change> | null {
    const changes = new Map<string, Change>();
    const before = (locator: Locator): Applied | null => {
      const change = changes.get(keyOf(locator));
      return change === undefined ? (this.applied.get(locator) ?? null) : change.state;
    };
    let files = 0;
    for (const step of steps) {
      if (!isMadeOn(step, before(step.locator))) return null;
      const fingerprint = step.type === 'file' ? (fingerprints[files++] ?? '') : '';
      changes.set(keyOf(step.locator), { locator: step.locator, state: stateAfter(step, version, fingerprint) });
    }
    return changes.values();
  }

  #applyToReplica(record: JournalRecord): void {
    const own = this.#ownPlaces();
    this.#view = null;
    const effect = applyRecord(this.replica, record);
    if (effect.did === 'enter') this.#entered(effect.applied, own);
    else if (effect.did !== 'nothing') this.listener?.replaced();
  }

  /** Where pending changes differ from the table; when some of them go, what should be there is another. */
  #ownPlaces(): readonly Locator[] {
    return this.listener === null || this.replica.pending.length === 0 ? [] : [...this.view.ownPlaces()];
  }

  #entered(operations: readonly AppliedOperation[], own: readonly Locator[]): void {
    // What was pending and is confirmed is what should be there all along.
    const isAsExpected = operations.every(({ own: isOwn, early, refusal }) => isOwn && !early && refusal === null);
    for (const locator of isAsExpected ? [] : own) this.listener?.touched(locator);
  }

  reset(): void {
    this.replica.reset();
    this.model.clear();
    this.applied.clear();
    this.#parts.clear();
    this.#view = null;
  }

  restore(kind: number, payload: Uint8Array): void {
    if (isReplicaPart(kind)) return this.#parts.add(kind, payload);
    if (kind !== APPLIED) throw unknownRecord(kind);
    for (const line of decodePlaced(payload)) this.applied.put(line);
  }

  restored(): void {
    if (!this.#parts.isEmpty) this.#parts.restore(this.replica);
    this.#view = null;
    this.listener?.replaced();
  }

  *snapshot(): Generator<SnapshotRecord> {
    for (const payload of partsOf(this.replica)) yield { kind: REPLICA, payload };
    for (const payload of this.applied.blocks()) yield { kind: APPLIED, payload };
  }
}

interface Version {
  readonly session: number;
  readonly sequence: number;
}

interface Change {
  readonly locator: Locator;
  readonly state: Applied | null;
}

/** Whether a step that was found on the disk starts from what the journal knows of the disk. */
function isMadeOn(step: Step, before: Applied | null): boolean {
  switch (step.type) {
    case 'directory':
      return before === null;
    case 'gone-directory':
      return before?.kind === 'directory';
    case 'file':
      return before === null ? step.expected.session === 0 : isVersion(before, step.expected);
    case 'gone-file':
      return before !== null && isVersion(before, step.expected);
    case 'seed':
      return false;
  }
}

function isVersion(state: Applied, { session, sequence }: Version): boolean {
  return state.kind === 'file' && state.version.session === session && state.version.sequence === sequence;
}

function stateAfter(step: Step, version: Version, fingerprint: string): Applied | null {
  if (step.type === 'directory') return APPLIED_DIRECTORY;
  return step.type === 'file' ? { kind: 'file', version, key: contentKey(step.manifest), fingerprint } : null;
}

function unknownRecord(kind: number): HoldfastError {
  const message = `A record of kind ${kind} is in the journal of synced files; a newer version of Holdfast must have written it.`;
  return new HoldfastError('unknown-record', message);
}
