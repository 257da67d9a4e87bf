// A window's globals in the place of Node's own, as many a test's setup file puts them there.
import { JSDOM } from 'jsdom';

const { window } = new JSDOM('', { url: 'http://localhost/' });
const names = ['Blob', 'File', 'Event', 'EventTarget', 'CustomEvent', 'AbortController', 'AbortSignal', 'DOMException', 'URL', 'Headers', 'FormData', 'document', 'Storage', 'StorageEvent'];
for (const name of names) if (window[name] !== undefined) globalThis[name] = window[name];
globalThis.window = window;
