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
