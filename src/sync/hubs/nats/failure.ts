import { isError } from '../../../runtime/errors.ts';
import { HoldfastError, type HoldfastErrorCode } from '../../../runtime/holdfast-error.ts';
import { describe, type Secrets } from '../secrets.ts';

/** https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const NO_MEMORY = 10_023;
const JETSTREAM_OFF = 10_039;
const NO_STORAGE = 10_047;
const BAD_STREAM = 10_052;
const MESSAGE_TOO_LARGE = 10_054;
const STREAM_NOT_FOUND = 10_059;
const WRONG_LAST_SEQUENCE = [10_071, 10_164];
const JETSTREAM_NOT_ON_SERVER = 10_076;
const STREAM_FULL = 10_077;

type Meaning = readonly [code: HoldfastErrorCode, meaning: string];

const OFF: Meaning = ['hub-incompatible', 'JetStream is not switched on for the server or the account'];
const FULL: Meaning = ['hub-unreachable', 'it has no room left'];

const BY_NUMBER: ReadonlyMap<number, Meaning> = new Map([
  [JETSTREAM_OFF, OFF],
  [JETSTREAM_NOT_ON_SERVER, OFF],
  [BAD_STREAM, ['hub-incompatible', 'it does not take the stream that Holdfast needs']],
  [NO_MEMORY, FULL],
  [NO_STORAGE, FULL],
  [STREAM_FULL, ['hub-full', 'its stream has no room left']],
  [MESSAGE_TOO_LARGE, ['hub-too-large', 'it does not take as much at once']],
]);

/** The client's classes, by the names of their errors: importing them would load the package. */
const BY_NAME: Readonly<Record<string, Meaning>> = {
  AuthorizationError: ['hub-unauthorized', 'it did not accept the credentials'],
  UserAuthenticationExpiredError: ['hub-unauthorized', 'the credentials have expired'],
  PermissionViolationError: ['hub-unauthorized', 'the user lacks a permission that it needs (docs/NATS.md lists them)'],
  JetStreamNotEnabled: OFF,
};

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|ERR_OSSL/;

function numberOf(error: unknown): number | undefined {
  const code: unknown = isError(error) ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** Somebody else has appended in between. */
export function isConflict(error: unknown): boolean {
  return WRONG_LAST_SEQUENCE.includes(numberOf(error) ?? 0);
}

export function isStreamNotFound(error: unknown): boolean {
  return numberOf(error) === STREAM_NOT_FOUND;
}

/** Messages to a stream that somebody has deleted have no taker. */
export function isUnanswered(error: unknown): boolean {
  for (let each: unknown = error; isError(each); each = each.cause) if (each.name === 'NoRespondersError') return true;
  return false;
}

/** From the error and those that caused it, the first that means something. */
function classify(error: unknown): Meaning {
  for (let each: unknown = error; isError(each); each = each.cause) {
    const known = BY_NUMBER.get(numberOf(each) ?? 0) ?? BY_NAME[each.name];
    if (known !== undefined) return known;
    if (CERTIFICATE.test(describe(each).code ?? '')) return ['hub-incompatible', 'its TLS certificate was not accepted, or ours not by it'];
  }
  return ['hub-unreachable', 'it cannot be reached, or gave no answer'];
}

/**
 * What the hub's callers get in place of an error of the client.
 *
 * @param doing what was asked, such as `append to the log 'x'`
 */
export function hubError(error: unknown, hub: string, doing: string, secrets: Secrets): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const [code, meaning] = classify(error);
  const cause = secrets.withoutSecrets(error);
  return new HoldfastError(code, secrets.hide(`Cannot ${doing} at the hub ${hub}: ${meaning} (${cause.message}).`), { cause });
}
