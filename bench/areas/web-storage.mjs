// localStorage with 1,000 keys and values of 100 characters. Every setItem changes the value, so that no store can
// skip it; a peer's promise of durability stands in the table.
export const contestants = ['limit', 'holdfast', 'node', 'deno', 'node-localstorage', 'chromium'];
export const scope = 'window';

export const works = [
  { id: 'getItem', label: 'getItem, hit', chart: 'localStorage.getItem' },
  { id: 'getMiss', label: 'getItem, miss' },
  { id: 'setItem', label: 'setItem, replace', chart: 'localStorage.setItem', durability: 'survives SIGKILL (Chromium: in memory)' },
  { id: 'setNew', label: 'setItem + removeItem' },
  { id: 'key', label: 'key(i), of 1,000' },
];

const keys = Array.from({ length: 1000 }, (_, index) => `key ${index}`);
const filler = 'x'.repeat(90);
let counter = 0;
const value = () => `${(counter += 1)}`.padStart(10, '0') + filler;

export function operations({ localStorage }) {
  if (localStorage === undefined) return {};
  for (const key of keys) localStorage.setItem(key, value());
  return {
    getItem: (n) => {
      for (let i = 0; i < n; i += 1) localStorage.getItem(keys[i % 1000]);
    },
    getMiss: (n) => {
      for (let i = 0; i < n; i += 1) localStorage.getItem('absent');
    },
    setItem: (n) => {
      for (let i = 0; i < n; i += 1) localStorage.setItem(keys[i % 1000], value());
    },
    setNew: (n) => {
      for (let i = 0; i < n; i += 1) {
        localStorage.setItem('new', value());
        localStorage.removeItem('new');
      }
    },
    key: (n) => {
      for (let i = 0; i < n; i += 1) localStorage.key(i % 1000);
    },
  };
}
