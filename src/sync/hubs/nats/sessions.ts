import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { clearTimeout, setTimeout } from '../../../runtime/timers.ts';
import { Lifetime } from '../lifetime.ts';
import { hubError, isStreamNotFound, isUnanswered } from './failure.ts';
import type { NatsSettings } from './options.ts';
import { closeConnection, openSession, type Session } from './session.ts';

/** Milliseconds that one call may take; also keeps the process alive meanwhile, which the connection does not. */
const CALL_TIMEOUT = 120_000;

/** The connection of one hub: made when it is needed, and made anew when it was lost. */
export class Sessions {
  readonly lifetime: Lifetime;
  readonly #settings: NatsSettings;
  readonly #name: string;
  readonly #onOpen: (session: Session) => void;
  #current: Promise<Session> | null = null;

  /** @param onOpen called with each new connection, before anything else is done over it */
  constructor(settings: NatsSettings, name: string, onOpen: (session: Session) => void) {
    this.#settings = settings;
    this.#name = name;
    this.#onOpen = onOpen;
    this.lifetime = new Lifetime(() => this.#error('closed', 'was closed'));
  }

  /**
   * What `work` gives over the connection.
   *
   * @param doing what is done, for the message of an error
   * @throws HoldfastError as HubLog's methods do
   */
  async perform<T>(doing: string, work: (session: Session) => Promise<T>): Promise<T> {
    const call = new Lifetime(() => this.#error('hub-unreachable', `gave no answer in ${CALL_TIMEOUT / 1000} seconds`));
    const timer = setTimeout(() => call.end(), CALL_TIMEOUT);
    try {
      return await this.lifetime.during(() => call.during(() => this.#attempt(work)));
    } catch (error) {
      throw hubError(error, this.#name, doing, this.#settings.secrets);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The connection, made if there is none. */
  current(): Promise<Session> {
    if (this.#current !== null) return this.#current;
    const opening = openSession(this.#settings, this.#name);
    this.#current = opening;
    const forget = () => {
      if (this.#current === opening) this.#current = null;
    };
    opening.then((session) => this.#opened(session, forget), forget);
    return opening;
  }

  async close(): Promise<void> {
    if (!this.lifetime.end()) return;
    // What still is opened closes itself.
    const session = await this.#current?.catch(() => undefined);
    if (session !== undefined) await closeConnection(session.connection);
  }

  #opened(session: Session, forget: () => void): void {
    void session.connection.closed().then(forget);
    if (this.lifetime.ended) void closeConnection(session.connection);
    else this.#onOpen(session);
  }

  async #attempt<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.current();
    try {
      return await session.lifetime.during(() => work(session));
    } catch (error) {
      if (!isStreamNotFound(error) && !isUnanswered(error)) throw error;
      // Somebody has deleted the stream or the bucket: the log begins anew, as its epoch tells.
      await session.prepareAgain();
      return session.lifetime.during(() => work(session));
    }
  }

  #error(code: 'closed' | 'hub-unreachable', what: string): HoldfastError {
    return new HoldfastError(code, `The hub ${this.#name} ${what}.`);
  }
}
