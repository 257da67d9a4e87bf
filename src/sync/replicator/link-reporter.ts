import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import { LINK } from '../../disk/replica/replica-kinds.ts';
import { encodeLink } from '../../disk/replica/replica-records.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Tells all processes, through the journal, how the connection is. Nothing is written while nothing changes. `time` is
 * when the replica was last known to be at the hub's head.
 */
export class LinkReporter {
  readonly #journal: ReplicaJournal;
  readonly #hub: string;
  readonly #surroundings: Pick<Surroundings, 'now'>;
  readonly #notices = new Map<string, string>();
  #atHead: number | null = null;

  constructor(journal: ReplicaJournal, hub: string, surroundings: Pick<Surroundings, 'now'>) {
    this.#journal = journal;
    this.#hub = hub;
    this.#surroundings = surroundings;
  }

  /** What somebody should look after, though all goes on; the last of each kind. Empty: it is over. */
  notice(kind: string, sentence: string): void {
    if ((this.#notices.get(kind) ?? '') === sentence) return;
    this.#notices.set(kind, sentence);
    const { connected, head } = this.#journal.current().link;
    if (connected) this.#write(true, head, this.#sentences);
  }

  get #sentences(): string {
    return [...this.#notices.values()].filter((sentence) => sentence !== '').join(' ');
  }

  /** The hub answers, and its log is followed; `head` is where it ends. */
  connected(head: number): void {
    if (this.#journal.current().position >= head) this.#atHead = this.#surroundings.now();
    this.#write(true, head, this.#sentences);
  }

  /** @param error - why; null when it was ended on purpose, or nothing is known yet */
  disconnected(error: unknown): void {
    const problem = error === null ? '' : errorMessage(error);
    this.#write(false, this.#journal.current().link.head, problem, error instanceof HoldfastError ? error.code : '');
  }

  #write(connected: boolean, head: number, problem: string, code = ''): void {
    const { link } = this.#journal.current();
    if (link.connected === connected && link.problem === problem && link.code === code && link.hub === this.#hub) return;
    const time = Math.max(0, Math.floor(this.#atHead ?? link.time));
    this.#journal.append(LINK, encodeLink({ connected, time, head, hub: this.#hub, problem, code }));
  }
}
