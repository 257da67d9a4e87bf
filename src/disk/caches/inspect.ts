import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import { placeOfResponse, sessionOfResponse } from '../spelling.ts';
import type { Sealing } from '../tree/sealing.ts';
import { faultOfSealed } from '../verify/sealed-file.ts';
import type { CacheEntry } from './entry.ts';
import type { CacheMachine } from './machine.ts';
import { bodyStart, PREFIX_BYTES, readHead } from './response-head.ts';

/** What is wrong with a response that an index names. */
export interface ResponseFault {
  /** Its file. */
  readonly path: string;
  readonly url: string;
  readonly isMissing: boolean;
}

/** The responses that are there, named or not, in the order of their names. @throws the operating system's error */
export function listResponses(caches: string): string[] {
  try {
    return fs.readdirSync(path.join(caches, 'responses')).filter((name) => sessionOfResponse(name) !== null).sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return [];
    throw error;
  }
}

/** The responses that an index names, and that are not as they were written. Reads only. @throws the operating system's error */
export function faultsOfResponses(caches: string, machine: CacheMachine, sealing: Sealing | null): ResponseFault[] {
  const entries = [...machine.caches.values()].flatMap((cache) => [...cache]);
  return entries.flatMap((entry) => faultOf(path.join(caches, 'responses', entry.file), entry, sealing?.bound(placeOfResponse(entry.file)) ?? null));
}

function faultOf(file: string, { size, url }: CacheEntry, sealing: Sealing | null): ResponseFault[] {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false });
  const isLong = stats?.isFile() === true && stats.size === (sealing?.stored(size) ?? size);
  if (isLong && (sealing === null ? hasHead(file) : faultOfSealed(file, sealing, 'beside-readers') === null)) return [];
  return [{ path: file, url, isMissing: stats === undefined }];
}

function hasHead(file: string): boolean {
  const descriptor = fs.openSync(file, 'r');
  try {
    const start = bodyStart(readStart(descriptor, PREFIX_BYTES));
    return start !== null && start <= fs.fstatSync(descriptor).size && readHead(readStart(descriptor, start)) !== null;
  } finally {
    fs.closeSync(descriptor);
  }
}

function readStart(descriptor: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, fs.readSync(descriptor, bytes, 0, length, 0));
}
