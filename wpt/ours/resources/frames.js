'use strict';

let lastCommand = 0;

/** A frame with storage-frame.html; `tell(command, ...args)` gives what the frame answers. */
async function openStorageFrame(t) {
  const frame = document.createElement('iframe');
  t.add_cleanup(() => frame.remove());
  const loaded = new Promise((resolve) => (frame.onload = resolve));
  frame.src = '/ours/resources/storage-frame.html';
  document.body.appendChild(frame);
  await loaded;
  return {
    tell: (command, ...args) => new Promise((resolve) => {
      const id = ++lastCommand;
      const listen = ({ data }) => {
        if (data.id !== id) return;
        removeEventListener('message', listen);
        resolve(data.result);
      };
      addEventListener('message', listen);
      frame.contentWindow.postMessage({ id, command, args }, '*');
    }),
  };
}

/** The storage events of this window, from now on; `until(done)` resolves with them when they are enough. */
function collectStorageEvents(t) {
  const events = [];
  let check = () => undefined;
  const listen = (event) => {
    events.push(event);
    check();
  };
  addEventListener('storage', listen);
  t.add_cleanup(() => removeEventListener('storage', listen));
  return {
    until: (done) => new Promise((resolve) => {
      check = () => done(events) && resolve(events);
      check();
    }),
  };
}
