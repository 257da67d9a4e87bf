// META: title=Key-value store on the Origin Private File System
// META: script=/ours/resources/key-value-spec.js
// META: timeout=long
'use strict';

let openStore;

promise_setup(async () => {
  const source = await (await fetch('/examples/opfs-kv.mjs')).text();
  ({ openStore } = await import(`data:text/javascript;charset=utf-8,${encodeURIComponent(source)}`));
});

keyValueTests((name) => openStore(name));
