import type { SuiteRecord } from '../record/record.ts';

// The suite webmessaging/broadcastchannel. Written by npm run wpt:update, except for the reasons and notes, which are kept.
export const record: SuiteRecord = {
  'webmessaging/broadcastchannel/basics.any.js': { run: true },
  'webmessaging/broadcastchannel/blobs.html': { run: true },
  'webmessaging/broadcastchannel/cross-origin.html': { run: false, reason: 'frames', note: 'frames of another origin' },
  'webmessaging/broadcastchannel/cross-partition.https.tentative.html': { run: false, reason: 'partitioning' },
  'webmessaging/broadcastchannel/detached-iframe.html': { run: false, reason: 'frames', note: 'what becomes of the channels of a document that is not there any more' },
  'webmessaging/broadcastchannel/interface.any.js': { run: true },
  'webmessaging/broadcastchannel/opaque-origin.html': { run: false, reason: 'opaque-origin' },
  'webmessaging/broadcastchannel/ordering.html': { run: true },
  'webmessaging/broadcastchannel/origin.window.js': { run: false, reason: 'frames', note: 'a frame of another origin' },
  'webmessaging/broadcastchannel/sandbox.html': { run: false, reason: 'opaque-origin' },
  'webmessaging/broadcastchannel/service-worker.https.html': { run: false, reason: 'service-worker' },
  'webmessaging/broadcastchannel/workers.html': {
    run: true,
    except: [
      {
        reason: 'shared-worker',
        note: 'A server has no shared workers.',
        subtests: [
          'BroadcastChannel works in shared workers',
        ],
      },
      {
        reason: 'node',
        note: 'A worker that has called close() goes on to the end of its script, and what it posts then is to be ignored; but no runtime tells that its thread is closing.',
        subtests: [
          'BroadcastChannel messages from closed worker to parent should be ignored (BC created before closing)',
          'BroadcastChannel messages from closed worker to parent should be ignored (BC created after closing)',
        ],
      },
    ],
  },
};
