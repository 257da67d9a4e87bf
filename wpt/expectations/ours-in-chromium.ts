import type { BrowserReason, RunEntry } from '../record/record.ts';

/** Subtests of wpt/ours that Chromium fails, and whose fault it is. Files that are not listed pass there. */
export const chromiumExceptions: Readonly<Record<string, RunEntry<BrowserReason>>> = {
  'ours/fs/after-removal-and-move.https.any.js': {
    run: true,
    except: [
      {
        reason: 'browser-bug',
        note: 'createWritable() without keepExistingData succeeds where no file is; the standard wants the entry located first, else NotFoundError',
        subtests: ['a removed file', 'a handle of a file where a directory is now'],
      },
    ],
  },
  'ours/fs/cross-primitive-locking.https.worker.js': {
    run: true,
    except: [
      {
        reason: 'browser-bug',
        note: 'the swap file of an open writable (file.crswap) is seen by iteration',
        subtests: [
          'no removal of a directory above a file that has a siloed writable',
          'no removal of a directory above a file that has a exclusive writable',
        ],
      },
    ],
  },
};
