/** What a written value says of a Blob: its bytes are in one of the files that the record refers to. */
export interface BlobData {
  /** Which of them. */
  readonly place: number;
  /** Bytes. */
  readonly size: number;
  readonly type: string;
  /** Of Files only. */
  readonly name?: string;
  /** Milliseconds since 1970. Of Files only. */
  readonly lastModified?: number;
}
