// One step of a program's life with a zustand store that persists to localStorage. argv: the step.
import process from 'node:process';
import { createJSONStorage, persist } from 'zustand/middleware';
import { createStore } from 'zustand/vanilla';

const store = createStore(
  persist(() => ({ todos: [], filter: 'all' }), {
    name: 'todos',
    version: 1,
    storage: createJSONStorage(() => localStorage),
    partialize: ({ todos }) => ({ todos }),
  }),
);
const add = (text) => store.setState(({ todos }) => ({ todos: [...todos, text] }));

const steps = {
  fill() {
    for (let n = 0; n < 100; n++) add(`todo ${n}`);
    store.setState({ filter: 'done' });
  },

  query: () => undefined,

  /** Adds for ever, and tells the first time. */
  async hang() {
    for (let n = 0; ; n++) {
      add(`late ${n}`);
      if (n === 20) console.log(JSON.stringify(n));
      await new Promise((resolve) => setTimeout(resolve));
    }
  },
};

await steps[process.argv[2]]();
const { todos, filter } = store.getState();
console.log(JSON.stringify({ count: todos.length, first: todos[0], filter, late: todos.filter((todo) => todo.startsWith('late')) }));
