import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { randomUuid } from '../../../runtime/random.ts';
import { encodeState, NAME_HEADER, STATE_HEADER } from './message.ts';
import type { Session } from './session.ts';
import { isConflict } from './failure.ts';
import { lastMessage, type LogMessage } from './subject.ts';
import type { subjectsOf } from './stream.ts';

/** A log as the stream has it now. */
export interface Place {
  readonly epoch: string;
  /** Where its messages are. */
  readonly subject: string;
}

/** The names of one log. */
export interface LogNames {
  /** Its name as text of ASCII, for people. */
  readonly label: string;
  readonly subjects: ReturnType<typeof subjectsOf>;
}

/** A UUID. */
const EPOCH = /^[0-9a-f-]{36}$/;

async function findEpoch({ manager, prepared }: Session, subject: string): Promise<{ epoch: string; sequence: number } | null> {
  const message = await manager.streams.getMessage(prepared.config.name, { last_by_subj: subject });
  if (message === null) return null;
  const epoch = message.string();
  // It becomes a part of subjects, in which some characters stand for many others.
  if (!EPOCH.test(epoch)) throw new HoldfastError('hub-damaged', 'The message that names the epoch of the log makes no sense.');
  return { epoch, sequence: message.seq };
}

/** Makes a new epoch in place of the one that the message `replaced` names. When another does so at once, one counts. */
async function makeEpoch(session: Session, { label, subjects }: LogNames, replaced: number): Promise<void> {
  const epoch = randomUuid();
  const headers = session.headers();
  headers.set(STATE_HEADER, encodeState({ position: 0, count: 0, trimmed: 0 }));
  await session.jetstream.publish(subjects.log(epoch), '', { headers, expect: { lastSubjectSequence: 0 } });
  const naming = session.headers();
  naming.set(NAME_HEADER, label);
  try {
    await session.jetstream.publish(subjects.epoch, epoch, { headers: naming, expect: { lastSubjectSequence: replaced } });
  } catch (error) {
    if (!isConflict(error)) throw error;
    await session.manager.streams.purge(session.prepared.config.name, { filter: subjects.log(epoch) });
  }
}

/** Finds a log, and remembers where it was. */
export class Whereabouts {
  readonly #names: LogNames;
  #known: Place | null = null;

  constructor(names: LogNames) {
    this.#names = names;
  }

  /** Where the log is and its last message. Makes the log when there is none. */
  async find(session: Session): Promise<Place & { last: LogMessage }> {
    if (this.#known !== null) {
      // An epoch that was replaced has no messages, so one that has some counts.
      const last = await lastMessage(session, this.#known.subject);
      if (last !== null) return { ...this.#known, last };
    }
    const found = await this.#search(session);
    this.#known = { epoch: found.epoch, subject: found.subject };
    return found;
  }

  async #search(session: Session): Promise<Place & { last: LogMessage }> {
    for (;;) {
      const found = await findEpoch(session, this.#names.subjects.epoch);
      if (found !== null) {
        const subject = this.#names.subjects.log(found.epoch);
        const last = await lastMessage(session, subject);
        if (last !== null) return { epoch: found.epoch, subject, last };
      }
      await makeEpoch(session, this.#names, found?.sequence ?? 0);
    }
  }
}
