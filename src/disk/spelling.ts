/*
 * The names that Holdfast gives to what it later deletes, or takes over from a process that was killed. Whatever is
 * spelled otherwise is somebody else's, wherever it lies, and is never touched.
 */

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

const DRAFT = new RegExp(`^${UUID}(?:\\.dead)?$`);
const PROBE = /^\.new-probe-\u00e9-[0-9]+-[0-9a-z]*$/;
const PART = new RegExp(`^\\.new-(?:quota|files-sync|channels|caches|locks|storage|alarms|register)-${UUID}$`);
const SWAP = new RegExp(`^(?:fence-)?${UUID}$`);
const SWAP_FILE = new RegExp(`^${UUID}/[0-9]+-[0-9a-z]+$`);
const TRASH = new RegExp(`^-?${UUID}\\.(?:[0-9]+-[0-9a-z]+|${UUID})$`);
const RESPONSE = new RegExp(`^(${UUID})\\.[0-9]+-[0-9a-z]+$`);
const WAKE = new RegExp(`^(${UUID})(?:\\.lease)?$`);

/** What is being built in a root's workshop. */
export const isDraft = (name: string): boolean => DRAFT.test(name) || PROBE.test(name.normalize('NFC'));

/** What is being built of a part of a bucket; see root/late-part.ts. */
export const isPartDraft = (name: string): boolean => PART.test(name);

/** A session's folder, in `swap/`. */
export const isSwapFolder = (name: string): boolean => SWAP.test(name);

/** A file of a session in `swap/`, behind the name of its folder. */
export const isSwapFile = (name: string): boolean => SWAP_FILE.test(name);

export const isTrash = (name: string): boolean => TRASH.test(name);

/** What the name of a session's folder begins with once it is trash: it costs its bucket nothing, what is in it does. */
export const FREE_TRASH = '-';

/** The session to which a file in `wake/` belongs; null for what is none of ours. */
export const sessionOfWake = (name: string): string | null => WAKE.exec(name)?.[1] ?? null;

/** The session that has made a file of a response, in `caches/responses/`; null for what is none of ours. */
export const sessionOfResponse = (name: string): string | null => RESPONSE.exec(name)?.[1] ?? null;

/** Where the file of a response is in its bucket. */
export const placeOfResponse = (name: string): string => `caches/responses/${name}`;
