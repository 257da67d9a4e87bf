import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { Malformed } from '../frames.ts';
import { OtherProtocol, type Status, STATUS } from '../protocol.ts';
import type { Outcome } from './counters.ts';
import { isOutOfDescriptors } from './descriptors.ts';

/** Why a request is not answered with what it asked for. */
export class Refused extends Error {
  readonly status: Exclude<Status, 0>;

  constructor(status: Exclude<Status, 0>, message: string) {
    super(message);
    this.status = status;
  }
}

/** What the peer is told of an error. */
export function refusalOf(error: unknown): { status: Exclude<Status, 0>; message: string } {
  if (error instanceof Refused) return error;
  if (error instanceof OtherProtocol) return { status: STATUS.incompatible, message: `The hub does not understand the request: ${error.message}.` };
  if (error instanceof Malformed) return { status: STATUS.malformed, message: `The hub does not understand the request: ${error.message}.` };
  if (isOutOfDescriptors(error)) return { status: STATUS.failed, message: 'The hub has no file descriptors left; try again later.' };
  if (!(error instanceof HoldfastError)) return { status: STATUS.failed, message: 'The hub has failed; its own output says why.' };
  return { status: statusOf(error), message: error.message };
}

/** Whether it is the hub's own fault, and so for whoever runs it. */
export function isFailure(error: unknown): boolean {
  return !(error instanceof Refused) && refusalOf(error).status === STATUS.failed && !(error instanceof HoldfastError && error.code === 'hub-unreachable');
}

function statusOf({ code }: HoldfastError): Exclude<Status, 0> {
  switch (code) {
    case 'hub-trimmed':
      return STATUS.trimmed;
    case 'hub-too-large':
    case 'record-too-large':
      return STATUS.tooLarge;
    case 'hub-unauthorized':
      return STATUS.unauthorized;
    case 'hub-blob-missing':
      return STATUS.blobMissing;
    case 'hub-full':
      return STATUS.full;
    case 'hub-damaged':
    case 'journal-damaged':
    case 'unknown-record':
      return STATUS.damaged;
    default:
      return STATUS.failed;
  }
}

const OUTCOMES: Readonly<Record<Status, Outcome>> = {
  [STATUS.ok]: 'ok',
  [STATUS.trimmed]: 'trimmed',
  [STATUS.tooLarge]: 'too-large',
  [STATUS.unauthorized]: 'unauthorized',
  [STATUS.incompatible]: 'incompatible',
  [STATUS.damaged]: 'damaged',
  [STATUS.malformed]: 'malformed',
  [STATUS.failed]: 'failed',
  [STATUS.blobMissing]: 'blob-missing',
  [STATUS.full]: 'full',
};

export function outcomeOf(status: Status): Outcome {
  return OUTCOMES[status];
}
