import type { SuiteRecord } from '../record/record.ts';

// The suite webstorage. Written by npm run wpt:update, except for the reasons and notes, which are kept.
export const record: SuiteRecord = {
  'webstorage/defineProperty.window.js': { run: true },
  'webstorage/document-domain.html': { run: false, reason: 'document', note: 'it sets document.domain' },
  'webstorage/event_basic.html': {
    run: true,
    except: [
      {
        reason: 'session',
        note: 'between a page and its frame',
        subtests: [
          'sessionStorage mutations fire StorageEvents that are caught by the event listener set via window.onstorage.',
        ],
      },
    ],
  },
  'webstorage/event_body_attribute.html': {
    run: true,
    except: [
      {
        reason: 'session',
        note: 'between a page and its frame',
        subtests: [
          'sessionStorage mutations fire StorageEvents that are caught by the event listener specified as an attribute on the body.',
        ],
      },
    ],
  },
  'webstorage/event_case_sensitive.html': {
    run: true,
    except: [
      {
        reason: 'session',
        note: 'between a page and its frame',
        subtests: [
          'sessionStorage storage events fire even when only the case of the value changes.',
        ],
      },
    ],
  },
  'webstorage/event_constructor.window.js': { run: true },
  'webstorage/event_initstorageevent.window.js': { run: true },
  'webstorage/event_local_key.html': { run: true },
  'webstorage/event_local_newvalue.html': { run: true },
  'webstorage/event_local_oldvalue.html': { run: true },
  'webstorage/event_local_removeitem.html': { run: true },
  'webstorage/event_local_storagearea.html': { run: true },
  'webstorage/event_local_url.html': { run: true },
  'webstorage/event_no_duplicates.html': { run: false, reason: 'session', note: 'its subtests on localStorage wait for those; ours/webstorage/events.window.js has their like' },
  'webstorage/event_session_key.html': { run: false, reason: 'session' },
  'webstorage/event_session_newvalue.html': { run: false, reason: 'session' },
  'webstorage/event_session_oldvalue.html': { run: false, reason: 'session' },
  'webstorage/event_session_removeitem.html': { run: false, reason: 'session' },
  'webstorage/event_session_storagearea.html': { run: false, reason: 'session' },
  'webstorage/event_session_url.html': { run: false, reason: 'session' },
  'webstorage/event_setattribute.html': {
    run: true,
    except: [
      {
        reason: 'session',
        note: 'between a page and its frame',
        subtests: [
          'sessionStorage mutations fire StorageEvents that are caught by the event listener attached via setattribute.',
        ],
      },
    ],
  },
  'webstorage/localstorage-about-blank-3P-iframe-opens-3P-window.partitioned.html': { run: false, reason: 'partitioning' },
  'webstorage/localstorage-basic-partitioned.sub.html': { run: false, reason: 'partitioning' },
  'webstorage/localstorage-cross-origin-iframe.https.window.js': { run: false, reason: 'frames', note: 'of another origin, served by a second host' },
  'webstorage/missing_arguments.window.js': { run: true },
  'webstorage/sessionStorage-basic-partitioned.sub.html': { run: false, reason: 'partitioning' },
  'webstorage/set.window.js': { run: true },
  'webstorage/storage_builtins.window.js': { run: true },
  'webstorage/storage_clear.window.js': { run: true },
  'webstorage/storage_enumerate.window.js': { run: true },
  'webstorage/storage_functions_not_overwritten.window.js': { run: true },
  'webstorage/storage_getitem.window.js': { run: true },
  'webstorage/storage_in.window.js': { run: true },
  'webstorage/storage_indexing.window.js': { run: true },
  'webstorage/storage_key.window.js': { run: true },
  'webstorage/storage_key_empty_string.window.js': { run: true },
  'webstorage/storage_length.window.js': { run: true },
  'webstorage/storage_local-manual.html': { run: false, reason: 'manual' },
  'webstorage/storage_local_setitem_quotaexceedederr.window.js': {
    run: true,
    except: [
      {
        reason: 'outdated-test',
        note: 'wants a plain DOMException with the old code; QuotaExceededError is a class of its own since 2025; ours/webstorage/quota.window.js is the test of today',
        subtests: [
          'Throws QuotaExceededError when the quota has been exceeded',
        ],
      },
    ],
  },
  'webstorage/storage_local_window_open.window.js': { run: true },
  'webstorage/storage_removeitem.window.js': { run: true },
  'webstorage/storage_session-manual.html': { run: false, reason: 'manual' },
  'webstorage/storage_session_setitem_quotaexceedederr.window.js': {
    run: true,
    except: [
      {
        reason: 'outdated-test',
        note: 'wants a plain DOMException with the old code; QuotaExceededError is a class of its own since 2025; ours/webstorage/quota.window.js is the test of today',
        subtests: [
          'Throws QuotaExceededError when the quota has been exceeded',
        ],
      },
    ],
  },
  'webstorage/storage_session_window_noopener.window.js': { run: true },
  'webstorage/storage_session_window_open.window.js': { run: false, reason: 'session', note: 'the opened window gets a copy of it' },
  'webstorage/storage_session_window_reopen.window.js': { run: true },
  'webstorage/storage_set_value_enumerate.window.js': { run: true },
  'webstorage/storage_setitem.window.js': { run: true },
  'webstorage/storage_string_conversion.window.js': { run: true },
  'webstorage/storage_supported_property_names.window.js': { run: true },
  'webstorage/symbol-props.window.js': {
    run: true,
    except: [
      {
        reason: 'outdated-test',
        note: 'Web IDL no longer makes every property that a page defines configurable (whatwg/webidl#1418), and no browser ever did; the test of today (web-platform-tests/wpt#53564) asks for the opposite, as ours/webstorage/keys-and-values.window.js does',
        subtests: [
          'localStorage: defineProperty not configurable',
          'sessionStorage: defineProperty not configurable',
        ],
      },
    ],
  },
};
