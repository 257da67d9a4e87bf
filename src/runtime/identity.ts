/**
 * Which thread a realm runs on, as far as this runtime lets it know. Where `boot` is empty, nobody can prove that
 * the thread is dead.
 */
export interface ThreadIdentity {
  readonly boot: string;
  /** The PID namespace in which `pid` and `tid` are numbers. */
  readonly namespace: string;
  readonly pid: number;
  readonly tid: number;
  /** When the thread started, in the system's own unit; tells a reused number from the first one. */
  readonly start: number;
}
