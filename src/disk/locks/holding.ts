import { Paced } from '../../runtime/paced.ts';
import type { FileLock, HeldWebLock, PendingWebLock } from './lock-table.ts';

/** One record may decide many claims, and whoever waits for each of them is to be told, which takes microseconds. */
const toBeTold = new Paced<Holding>((holding) => holding.tell(), { items: 256, milliseconds: Infinity });

/**
 * What this realm knows of one of its own claims, whichever objects a machine has for it. Its state changes at once;
 * whoever waits for that, or holds, is told at once or, where many are to be told, in a later turn of the event loop.
 */
export class Holding {
  /** Sequence of the record that made the claim. */
  readonly id: number;
  readonly session: number;
  state: 'waiting' | 'held' | 'refused' | 'released' | 'lost';
  /** Called once when it is. */
  onLost: (() => void) | null = null;
  /** Whether the body of an operation runs under it. */
  running = false;
  #decide: ((held: boolean) => void) | null = null;
  #fail: ((error: unknown) => void) | null = null;
  /** What the decision was, until it is told. */
  #wasGranted = false;
  #error: (() => unknown) | null = null;

  constructor(session: number, id: number, state: 'waiting' | 'held' | 'refused') {
    this.session = session;
    this.id = id;
    this.state = state;
  }

  /** Whether the claim was granted, once it is decided; rejects when it was taken away before. */
  decision(): Promise<boolean> {
    if (this.state !== 'waiting') return Promise.resolve(this.state === 'held');
    return new Promise((resolve, reject) => {
      this.#decide = resolve;
      this.#fail = reject;
    });
  }

  settle(held: boolean): void {
    this.state = held ? 'held' : 'refused';
    this.#wasGranted = held;
    if (this.#decide !== null) toBeTold.add(this);
  }

  /** `error` makes what whoever still waits for the decision is told. */
  lose(error: () => unknown): void {
    if (this.state === 'waiting') this.#error = error;
    this.state = 'lost';
    if (this.#decide !== null || this.onLost !== null) toBeTold.add(this);
  }

  /** Tells the decision to whoever waits for it; otherwise, once, that the claim is lost. */
  tell(): void {
    const [decide, fail] = [this.#decide, this.#fail];
    this.#decide = this.#fail = null;
    if (decide === null) this.#tellLost();
    else if (this.#error === null) decide(this.#wasGranted);
    else fail?.(this.#error());
  }

  #tellLost(): void {
    const { onLost } = this;
    if (this.state !== 'lost') return;
    this.onLost = null;
    onLost?.();
  }
}

/** A handle's lock, as the file system sees it. */
export class HeldFileLock implements FileLock {
  readonly holding: Holding;
  readonly #release: (holding: Holding) => void;

  constructor(holding: Holding, release: (holding: Holding) => void) {
    this.holding = holding;
    this.#release = release;
  }

  get lost(): boolean {
    return this.holding.state === 'lost';
  }

  release(): void {
    this.#release(this.holding);
  }
}

/** A web lock, as the lock manager sees it. */
export class GrantedWebLock implements HeldWebLock {
  readonly #holding: Holding;
  readonly #release: (holding: Holding) => void;

  constructor(holding: Holding, release: (holding: Holding) => void) {
    this.#holding = holding;
    this.#release = release;
  }

  get onLost(): (() => void) | null {
    return this.#holding.onLost;
  }

  set onLost(listener: (() => void) | null) {
    if (this.#holding.state === 'lost') listener?.();
    else this.#holding.onLost = listener;
  }

  release(): void {
    this.#release(this.#holding);
  }
}

/** What a request for a web lock has come to. */
export class WebLockTurn implements PendingWebLock {
  readonly granted: Promise<HeldWebLock | null>;
  readonly #holding: Holding;
  readonly #lock: GrantedWebLock;
  readonly #withdraw: (holding: Holding) => boolean;

  constructor(holding: Holding, release: (holding: Holding) => void, withdraw: (holding: Holding) => boolean) {
    this.#holding = holding;
    this.#lock = new GrantedWebLock(holding, release);
    this.#withdraw = withdraw;
    this.granted = this.#decided();
  }

  get held(): HeldWebLock | null {
    return this.#holding.state === 'held' ? this.#lock : null;
  }

  abort(): boolean {
    return this.#withdraw(this.#holding);
  }

  async #decided(): Promise<HeldWebLock | null> {
    return (await this.#holding.decision()) ? this.#lock : null;
  }
}
