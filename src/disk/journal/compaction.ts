import fs from 'node:fs';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { Candidate } from './candidate.ts';
import { diskError } from './disk-error.ts';
import { encodeFrame, FRAME_OVERHEAD, SEAL_KIND } from './frame.ts';
import { encodeSeal } from './journal-records.ts';
import type { Machine } from './machine.ts';
import type { Replay } from './replay.ts';

/*
 * Invariants
 * - The candidate is finished, and closed, before the SEAL that names it is appended.
 * - The SEAL is effective only if no record came between the last one in the candidate and it; else it is void, the
 *   candidate gets what came in between, and the next SEAL names its new size.
 * - A candidate that an effective SEAL names, or may name, is never deleted here.
 */

const SEAL_ATTEMPTS = 24;

/**
 * Moves the journal to its next generation, whose snapshot is the machine's state.
 *
 * @returns whether that is what happened. Not if somebody else did it first, nor if others append too fast.
 */
export function compact<Outcome>(replay: Replay<Outcome>, machine: Machine<Outcome>, strict: boolean): boolean {
  const { number } = replay;
  const candidate = new Candidate(replay.directory, number + 1, replay.encryption);
  try {
    const end = { generation: number + 1, covers: replay.position, count: replay.count, dedupe: replay.dedupe };
    candidate.write(machine.snapshot(), end);
    replay.candidate = candidate;
    for (let attempt = 0; attempt < SEAL_ATTEMPTS && replay.candidate === candidate; attempt++) {
      candidate.finish(strict);
      propose(replay, candidate);
    }
  } catch (error) {
    // Whoever moves the journal on deletes all other candidates, maybe while they are being written.
    if (!movedOn(replay, number)) throw error;
  } finally {
    replay.candidate = null;
    candidate.discard();
  }
  return candidate.fate === 'effective';
}

function movedOn<Outcome>(replay: Replay<Outcome>, from: number): boolean {
  replay.advance();
  return replay.number !== from;
}

/** Appends a SEAL, and reads what became of it. */
function propose<Outcome>(replay: Replay<Outcome>, candidate: Candidate): void {
  const { magic, cipher } = replay.file;
  const payload = encodeSeal({ after: replay.position, resume: candidate.size, successor: candidate.magic });
  const seal = { kind: SEAL_KIND, session: 0, sequence: 0, payload };
  const sealed = cipher?.seal(seal) ?? seal;
  const frame = new Uint8Array(FRAME_OVERHEAD + sealed.payload.length);
  encodeFrame(frame, 0, magic, sealed);
  candidate.fate = 'unknown';
  try {
    const written = fs.writeSync(replay.file.descriptor, frame, 0, frame.length);
    if (written !== frame.length) throw new HoldfastError('disk-full', `The disk took only a part of a record of ${replay.path}.`);
  } catch (error) {
    learnFate(replay, candidate);
    throw diskError(error, 'append to the journal', replay.path);
  }
  learnFate(replay, candidate);
}

/** The write has ended: whatever the journal does not hold of it by now, it never will. */
function learnFate<Outcome>(replay: Replay<Outcome>, candidate: Candidate): void {
  replay.advance();
  if (candidate.fate === 'unknown') candidate.fate = 'void';
}
