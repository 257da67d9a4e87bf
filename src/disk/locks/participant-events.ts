import type { FileChange } from './lock-table.ts';

/** Whom a participant tells what concerns others or needs time. */
export interface ParticipantEvents {
  /** An operation somewhere has changed something. */
  changed(change: FileChange): void;
  /** Changes were missed. */
  gap(): void;
  /** Records of this session have settled or taken away claims of these. */
  wake(folders: ReadonlySet<string>): void;
  /** The session holds or waits for more or less than before. */
  stirred(): void;
  /** A new claim waits for other sessions. */
  queued(): void;
  /** The journal was removed or replaced: whatever watches the bucket watches what is gone. */
  replaced(): void;
}
