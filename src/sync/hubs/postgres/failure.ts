import { HoldfastError, type HoldfastErrorCode } from '../../../runtime/holdfast-error.ts';
import { describe, type Secrets } from '../secrets.ts';
import { RAISED } from './schema.ts';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: the first that matches a code's beginning counts. */
const BY_SQLSTATE: readonly (readonly [prefix: string, code: HoldfastErrorCode, meaning: string])[] = [
  [RAISED.blobMissing, 'hub-blob-missing', 'the entries name a blob that it does not have'],
  [RAISED.full, 'hub-full', 'it takes no more blobs that no entry names'],
  [RAISED.damaged, 'hub-damaged', 'that is not how it can be'],
  [RAISED.tooLarge, 'hub-too-large', 'it does not take as much at once'],
  [RAISED.malformed, 'hub-incompatible', 'it does not understand that'],
  ['28', 'hub-unauthorized', 'it did not accept the user or the password'],
  ['42501', 'hub-unauthorized', 'the role lacks a right that it needs (docs/POSTGRES.md lists them)'],
  ['3D000', 'hub-incompatible', 'the database does not exist'],
  ['42', 'hub-incompatible', 'its schema is not as Holdfast made it'],
  ['3F', 'hub-incompatible', 'its schema is not as Holdfast made it'],
  ['54', 'hub-too-large', 'it does not take as much at once'],
  ['XX001', 'hub-damaged', 'its data is damaged'],
  ['XX002', 'hub-damaged', 'its data is damaged'],
  ['25006', 'hub-unreachable', 'it takes no writes now, as a standby does'],
];

/** pg tells what goes wrong before the server speaks, and some of what its own code refuses, by messages only. */
const BY_MESSAGE: readonly (readonly [message: RegExp, code: HoldfastErrorCode, meaning: string])[] = [
  [/^SASL: /, 'hub-unauthorized', 'it asked for a password, and there was none or a wrong one'],
  [/does not support SSL|SSL connection/, 'hub-incompatible', 'no TLS connection came about'],
];

/** Codes of Node's TLS. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|ERR_OSSL/;

function classify(error: unknown): readonly [code: HoldfastErrorCode, meaning: string] {
  const { message, code = '' } = describe(error);
  const known = BY_SQLSTATE.find(([prefix]) => code.startsWith(prefix)) ?? BY_MESSAGE.find(([pattern]) => pattern.test(message));
  if (known !== undefined) return [known[1], known[2]];
  if (CERTIFICATE.test(code)) return ['hub-incompatible', 'its TLS certificate was not accepted, or ours not by it'];
  return ['hub-unreachable', 'it cannot be reached, or gave no answer'];
}

/**
 * What the hub's callers get in place of an error of pg.
 *
 * @param doing what was asked, such as `append to the log 'x'`
 */
export function hubError(error: unknown, hub: string, doing: string, secrets: Secrets): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const [code, meaning] = classify(error);
  const cause = secrets.withoutSecrets(error);
  return new HoldfastError(code, secrets.hide(`Cannot ${doing} at the hub ${hub}: ${meaning} (${cause.message}).`), { cause });
}
