import { isObject } from '../runtime/brands.ts';
import { isBlob, isReadableBlob } from '../runtime/byte-brands.ts';
import { isBufferSource, requireFixedLength } from '../webidl/buffers.ts';
import { dictionary, DOMString, enumeration, nullable } from '../webidl/conversions.ts';
import { unsignedLongLong } from '../webidl/integers.ts';

/** https://fs.spec.whatwg.org/#enumdef-writecommandtype */
export type WriteCommandType = 'write' | 'seek' | 'truncate';

type Data = ArrayBuffer | ArrayBufferView | Blob | string;

/** https://fs.spec.whatwg.org/#dictdef-writeparams */
export interface WriteParams {
  type: WriteCommandType;
  /** Bytes, for `truncate`. */
  size?: number | null;
  /** Bytes from the start, for `seek` and `write`. */
  position?: number | null;
  data?: Data | null;
}

/** https://fs.spec.whatwg.org/#typedefdef-filesystemwritechunktype */
export type FileSystemWriteChunkType = Data | WriteParams;

function isShared(value: object): boolean {
  return ArrayBuffer.isView(value) && !isBufferSource(value);
}

/** (BufferSource or Blob or USVString). Lone surrogates need no care: encoding as UTF-8 replaces them. */
function convertData(value: unknown, context: string): Data {
  if (isObject(value)) {
    if (isBlob(value)) {
      if (isReadableBlob(value)) return value;
      throw new TypeError(`${context} is a Blob that cannot be read here: it has no arrayBuffer().`);
    }
    if (isShared(value)) throw new TypeError(`${context} is a view of a SharedArrayBuffer, which is not allowed here.`);
    if (isBufferSource(value)) {
      requireFixedLength(value, context);
      return value;
    }
  }
  return DOMString(value, context);
}

const convertParams = dictionary<WriteParams>({
  data: { convert: nullable(convertData) },
  position: { convert: nullable(unsignedLongLong) },
  size: { convert: nullable(unsignedLongLong) },
  type: { convert: enumeration('WriteCommandType', ['write', 'seek', 'truncate']), required: true },
});

/** A chunk that was converted, with every member read once. */
export class WriteChunk {
  readonly type: WriteCommandType;
  readonly data: Data | null | undefined;
  readonly position: number | null | undefined;
  readonly size: number | null | undefined;

  constructor({ type, data, position, size }: WriteParams) {
    this.type = type;
    this.data = data;
    this.position = position;
    this.size = size;
  }
}

/**
 * Converts what `write()` or a writer was given. https://webidl.spec.whatwg.org/#js-union
 *
 * @throws TypeError, or what the value's own getters and conversions throw
 */
export function convertChunk(value: unknown, context: string): WriteChunk {
  if (value instanceof WriteChunk) return value;
  const isParams =
    value === undefined || value === null || (isObject(value) && !isBlob(value) && !isBufferSource(value) && !isShared(value));
  return new WriteChunk(isParams ? convertParams(value, context) : { type: 'write', data: convertData(value, context) });
}
