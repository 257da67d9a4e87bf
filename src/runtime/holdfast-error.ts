/** Stable codes of {@link HoldfastError}, for programs to switch on. */
export type HoldfastErrorCode =
  | 'root-unusable' // the root is a file, or cannot be read
  | 'root-read-only' // the root cannot be written or created
  | 'root-newer' // the root was made by a newer version
  | 'disk-full'
  | 'disk-failed' // an I/O error, or an outcome that is unknown
  | 'disk-unsupported' // no hard links, or a network disk
  | 'journal-damaged'
  | 'unknown-record' // written by a newer version
  | 'record-too-large'
  | 'session-lost' // this realm was declared dead by others, and its locks were taken away
  | 'closed' // the host or client was closed
  | 'bucket-deleted' // a named bucket was deleted, or is expired
  | 'hub-unreachable' // the hub cannot be reached now; later it may
  | 'hub-unauthorized' // a wrong or missing token, password or right
  | 'hub-incompatible' // an unknown schema version, or a server that is too old or wrongly set up
  | 'hub-trimmed' // the entries that were asked for are gone from the hub; a snapshot stands for them
  | 'hub-too-large' // more bytes than the hub takes at once
  | 'hub-full' // the hub has no room now, or as many blobs from here as it takes that no entry names; later it may take more
  | 'hub-blob-missing' // what is to be appended names a blob that the hub does not have
  | 'hub-damaged' // an entry, snapshot or blob that makes no sense or has another digest
  | 'outcome-unknown' // it cannot be told any more what became of a write; it may have taken effect or not
  | 'conflict' // a transaction was run again and again, and others were always faster
  | 'origin-missing' // the root has nothing of the origin
  | 'origin-exists' // what is to be imported is there already
  | 'root-busy' // somebody else replaces or deletes origins of the root
  | 'archive-damaged' // an archive is cut short, changed, or none
  | 'archive-newer' // an archive was made by a newer version
  | 'coordinator-unavailable' // nobody runs it or can be reached who could, for ten seconds
  | 'coordinator-overloaded' // too many calls wait for it
  | 'coordinator-interrupted' // whoever ran the call ended amid it
  | 'coordinator-deadlock' // the call would wait for itself
  | 'coordinator-reset' // the instance was given up: a turn could not be written, or its code took too long
  | 'backup-unusable' // no directory of backups, or a newer one's
  | 'backup-busy' // another backup runs in it
  | 'backup-damaged' // what a backup holds is missing or not what it was
  | 'backup-missing' // no backup of that time, or none that has the origin
  | 'key-missing' // the origin is encrypted, and no key was given, or none of that id is there
  | 'key-wrong' // the key that was given is not the origin's
  | 'key-pending' // the key has to be waited for: host.unlock(), or an asynchronous method
  | 'keys-damaged' // the file with the origin's wrapped keys makes no sense, or was changed
  | 'not-encrypted' // the host encrypts, and the origin is not encrypted
  | 'encryption-unsupported' // this cannot be used in an encrypted origin, or not on this runtime
  | 'bad-option'
  | 'no-context'; // a tenant's object was asked for outside any run()

/** What Holdfast's own surface throws; the web's interfaces throw DOMExceptions and TypeErrors instead. */
export class HoldfastError extends Error {
  /** A stable, machine-readable reason. */
  readonly code: HoldfastErrorCode;

  constructor(code: HoldfastErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'HoldfastError';
    this.code = code;
  }
}
