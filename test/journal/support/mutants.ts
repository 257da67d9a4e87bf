import type { Defect } from './variants.ts';

/** Deliberate defects, each of which a test must catch. */
export const mutants = [
  {
    name: 'parsing goes on where a bad frame claims to end',
    defects: [
      {
        file: 'frame-reader.ts',
        from: 'const next = this.#magic.find(this.#window, this.#from + 1, this.#to);',
        to: `const claim = new DataView(this.#window.buffer).getUint32(this.#from + 16, true);
             const next = Math.min(this.#to, this.#from + claim + 49);`,
      },
    ],
  },
  {
    name: 'the SEAL is written before the successor is there',
    defects: [
      { file: 'candidate.ts', from: 'return this.#size;', to: 'return this.#size + this.#pendingBytes;' },
      { file: 'candidate.ts', from: 'this.#flush(descriptor);\n      fsync(descriptor, this.path);', to: 'if (end.generation === 0) this.#flush(descriptor);\n      return;' },
      { file: 'compaction.ts', from: 'candidate.finish(strict);\n      propose(replay, candidate);', to: 'propose(replay, candidate);' },
      { file: 'compaction.ts', from: 'if (written !== frame.length)', to: 'candidate.finish(true);\n if (written !== frame.length)' },
    ],
  },
  {
    name: 'generations are created by their names',
    defects: [
      {
        file: 'replay.ts',
        from: 'const file = openSuccessor(this.directory, known.number, known.magic, FILE_HEADER_BYTES, this.encryption);',
        to: `fs.closeSync(fs.openSync(generationPath(this.directory, known.number), 'a'));
             const file = openSuccessor(this.directory, known.number, known.magic, FILE_HEADER_BYTES, this.encryption);`,
      },
    ],
  },
  {
    name: 'after a short write only the rest is appended',
    defects: [
      {
        file: 'journal.ts',
        from: 'return fs.writeSync(this.#replay.file.descriptor, frame, 0, size) === size;',
        to: `for (let at = 0; at < size; ) at += fs.writeSync(this.#replay.file.descriptor, frame, at, size - at);
             return true;`,
      },
    ],
  },
  {
    name: 'the snapshot forgets who has written what',
    defects: [{ file: 'journal-records.ts', from: 'end.dedupe.encode()', to: 'new Uint8Array(0)' }],
  },
  {
    name: 'a SEAL is effective wherever it stands',
    defects: [{ file: 'replay.ts', from: 'seal.after === reader.before', to: 'true' }],
  },
  {
    name: 'a frame may end in any byte',
    defects: [{ file: 'frame.ts', from: "if (bytes[end - 1] !== TERMINATOR) return 'bad';", to: '' }],
  },
] as const satisfies readonly { name: string; defects: readonly Defect[] }[];
