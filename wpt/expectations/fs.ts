import type { SuiteRecord } from '../record/record.ts';

// The suite fs. Written by npm run wpt:update, except for the reasons and notes, which are kept.
export const record: SuiteRecord = {
  'fs/FileSystemBaseHandle-IndexedDB.https.any.js': { run: true },
  'fs/FileSystemBaseHandle-buckets.https.any.js': {
    run: true,
    except: [
      {
        reason: 'contradiction',
        note: 'wants a file in a bucket of 500 bytes; what a file costs is the implementation’s, and here it is 4,096 bytes beside its content',
        subtests: [
          'Bucket quota restricts the size of a file that can be created',
        ],
      },
    ],
  },
  'fs/FileSystemBaseHandle-getUniqueId.https.any.js': { run: true },
  'fs/FileSystemBaseHandle-isSameEntry.https.any.js': { run: true },
  'fs/FileSystemBaseHandle-postMessage-BroadcastChannel.https.window.js': { run: false, reason: 'service-worker', note: 'and a frame' },
  'fs/FileSystemBaseHandle-postMessage-Error.https.window.js': { run: false, reason: 'frames', note: 'of another origin' },
  'fs/FileSystemBaseHandle-postMessage-MessagePort-frames.https.window.js': { run: false, reason: 'frames' },
  'fs/FileSystemBaseHandle-postMessage-MessagePort-windows.https.window.js': { run: false, reason: 'popups' },
  'fs/FileSystemBaseHandle-postMessage-MessagePort-workers.https.window.js': {
    run: true,
    except: [
      {
        reason: 'service-worker',
        note: 'it is sent to one',
        subtests: [
          'Send and receive messages using a message port in a service worker.',
        ],
      },
    ],
  },
  'fs/FileSystemBaseHandle-postMessage-frames.https.window.js': { run: false, reason: 'frames' },
  'fs/FileSystemBaseHandle-postMessage-windows.https.window.js': { run: false, reason: 'popups' },
  'fs/FileSystemBaseHandle-postMessage-workers.https.window.js': {
    run: true,
    except: [
      {
        reason: 'service-worker',
        note: 'it is sent to one',
        subtests: [
          'Send and receive messages using a service worker.',
        ],
      },
    ],
  },
  'fs/FileSystemBaseHandle-remove.https.any.js': { run: true },
  'fs/FileSystemDirectoryHandle-getDirectoryHandle.https.any.js': {
    run: true,
    except: [
      {
        reason: 'outdated-test',
        note: "takes '\\' for a separator everywhere; the standard, and the test since web-platform-tests/wpt#59480, do on Windows only",
        subtests: [
          'getDirectoryHandle(create=false) with a path separator when the directory exists',
          'getDirectoryHandle(create=true) with a path separator',
        ],
      },
    ],
  },
  'fs/FileSystemDirectoryHandle-getFileHandle.https.any.js': {
    run: true,
    except: [
      {
        reason: 'outdated-test',
        note: "takes '\\' for a separator everywhere; the standard, and the test since web-platform-tests/wpt#59480, do on Windows only",
        subtests: [
          'getFileHandle(create=false) with a path separator when the file exists.',
          'getFileHandle(create=true) with a path separator',
        ],
      },
    ],
  },
  'fs/FileSystemDirectoryHandle-iteration.https.any.js': { run: true },
  'fs/FileSystemDirectoryHandle-removeEntry.https.any.js': {
    run: true,
    harness: { status: 'ERROR', reason: 'broken-test', note: 'nine names are used twice, which the harness refuses' },
    except: [
      {
        reason: 'outdated-test',
        note: "takes '\\' for a separator everywhere; the standard, and the test since web-platform-tests/wpt#59480, do on Windows only",
        subtests: [
          'removeEntry() with a path separator should fail.',
        ],
      },
      {
        reason: 'broken-test',
        note: 'calls the helpers with the test as first argument, which they no longer take; ours/fs/removeEntry.https.any.js is the corrected form',
        subtests: [
          'removeEntry() to remove a file [2]',
          'removeEntry() on an already removed file should fail [2]',
          'removeEntry() to remove an empty directory [2]',
          'removeEntry() on a non-empty directory should fail [2]',
          'removeEntry() on a directory recursively should delete all sub-items [2]',
          'removeEntry() with empty name should fail [2]',
          'removeEntry() with "." name should fail [2]',
          'removeEntry() with ".." name should fail [2]',
          'removeEntry() with a path separator should fail. [2]',
        ],
      },
    ],
  },
  'fs/FileSystemDirectoryHandle-resolve.https.any.js': { run: true },
  'fs/FileSystemFileHandle-create-sync-access-handle.https.window.js': { run: true },
  'fs/FileSystemFileHandle-cross-primitive-locking.https.tentative.worker.js': { run: true },
  'fs/FileSystemFileHandle-getFile.https.any.js': { run: true },
  'fs/FileSystemFileHandle-move.https.any.js': {
    run: true,
    except: [
      {
        reason: 'outdated-test',
        note: "takes '\\' for a separator everywhere; the standard, and the test since web-platform-tests/wpt#59480, do on Windows only",
        subtests: [
          'move(name) with a name with path separators should fail',
        ],
      },
    ],
  },
  'fs/FileSystemFileHandle-sync-access-handle-back-forward-cache.https.tentative.window.js': { run: false, reason: 'navigation' },
  'fs/FileSystemFileHandle-sync-access-handle-lock-modes.https.tentative.worker.js': { run: true },
  'fs/FileSystemFileHandle-sync-access-handle-writable-lock.https.tentative.worker.js': {
    run: true,
    harness: { status: 'ERROR', reason: 'broken-test', note: 'imports a script with top-level constants twice, so it does not parse; ours/fs/sync-access-handle-writable-lock.https.worker.js is the corrected form' },
  },
  'fs/FileSystemFileHandle-writable-file-stream-back-forward-cache.https.tentative.window.js': { run: false, reason: 'navigation' },
  'fs/FileSystemFileHandle-writable-file-stream-lock-modes.https.tentative.worker.js': { run: true },
  'fs/FileSystemObserver-sync-access-handle.https.tentative.worker.js': { run: true },
  'fs/FileSystemObserver-unsupported-global.https.tentative.any.js': { run: false, reason: 'service-worker', note: 'it asks that the observer be absent there' },
  'fs/FileSystemObserver-writable-file-stream.https.tentative.any.js': { run: true },
  'fs/FileSystemObserver.https.tentative.any.js': { run: true },
  'fs/FileSystemSyncAccessHandle-close.https.worker.js': { run: true },
  'fs/FileSystemSyncAccessHandle-flush.https.worker.js': { run: true },
  'fs/FileSystemSyncAccessHandle-getSize.https.worker.js': { run: true },
  'fs/FileSystemSyncAccessHandle-read-write.https.worker.js': { run: true },
  'fs/FileSystemSyncAccessHandle-truncate.https.worker.js': { run: true },
  'fs/FileSystemWritableFileStream-piped.https.any.js': {
    run: true,
    except: [
      {
        reason: 'node',
        note: 'its own pipeTo() has finished a short body of fetch() before an abort right after the call; with any WritableStream',
        sinceNode: 24,
        subtests: [
          'abort() aborts write',
        ],
      },
    ],
  },
  'fs/FileSystemWritableFileStream-write.https.any.js': { run: true },
  'fs/FileSystemWritableFileStream.https.any.js': {
    run: true,
    except: [
      {
        reason: 'broken-test',
        note: 'calls the helpers with the test as first argument, which they no longer take; ours/fs/two-writables.https.any.js is the corrected form',
        subtests: [
          'createWritable() can be called on two handles representing the same file',
        ],
      },
    ],
  },
  'fs/idlharness.https.any.js': { run: true },
  'fs/opaque-origin.https.window.js': { run: false, reason: 'opaque-origin' },
  'fs/root-name.https.any.js': { run: true },
};
