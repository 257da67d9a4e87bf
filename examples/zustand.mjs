// A state library that keeps its state in `localStorage`, for state that belongs to the whole server: README.md says why
// a visitor's own does not belong there.
//
//   npm install zustand
//   node --import holdfast/globals examples/zustand.mjs
import { createJSONStorage, persist } from 'zustand/middleware';
import { createStore } from 'zustand/vanilla';

export const settings = createStore(
  persist(
    (set) => ({ starts: 0, theme: 'light', started: () => set(({ starts }) => ({ starts: starts + 1 })) }),
    // Without it the library looks for a `window`, which Holdfast never defines.
    { name: 'settings', storage: createJSONStorage(() => localStorage) },
  ),
);

settings.getState().started();
console.log(settings.getState().starts, localStorage.getItem('settings'));
