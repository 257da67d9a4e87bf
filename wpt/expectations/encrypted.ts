import type { RunEntry } from '../record/record.ts';

const noSnapshots = 'Databases of an encrypted origin are those of the WebAssembly build, which has no snapshots, so a reader waits for whoever writes, whatever their stores.';

/** What `--key` adds to the record: where everything is encrypted, these end otherwise. docs/DEVIATIONS.md */
export const whenEncrypted: Readonly<Record<string, RunEntry>> = {
  'IndexedDB/blob-composite-blob-reads.any.js': {
    run: true,
    except: [
      {
        reason: 'encrypted',
        note: 'A Blob made of Blobs is read by the runtime itself, which cannot decrypt the files that they are.',
        subtests: ['Composite Blob Handling: Many blobs: fetch-blob-url', 'Composite Blob Handling: Many blobs: direct'],
      },
    ],
  },
  'IndexedDB/idb-explicit-commit.any.js': {
    run: true,
    harness: { status: 'TIMEOUT', reason: 'encrypted', note: noSnapshots },
    except: [
      {
        reason: 'encrypted',
        note: noSnapshots,
        subtests: [
          'Transactions with same scope should stay in program order, even if one calls commit.',
          'Transactions that explicitly commit and have errors should abort.',
          'Transactions that handle all errors properly should behave as expected when an explicit commit is called in an onerror handler.',
        ],
      },
    ],
  },
  'ours/fs/names.https.any.js': {
    run: true,
    except: [{ reason: 'encrypted', note: 'Encrypted names are longer, so that a path ends sooner.', subtests: ['a deep tree'] }],
  },
};
