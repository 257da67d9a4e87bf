import type { RealmConfig } from './config.ts';

import type * as holdfast from 'holdfast';

export type Product = typeof holdfast;

/** Installs the built package as a user would. `exposure` says which of a browser's globals the realm gets. */
export async function installProduct(config: RealmConfig): Promise<Product | null> {
  if (!config.product) return hideNative();
  const product = await import('holdfast');
  product.install({
    ...hostOptions(config),
    origin: new URL(config.href).origin,
    exposure: config.kind,
    events: true,
    structuredClone: true,
  });
  touchInterfaces();
  return product;
}

/** What every host of a test's root is made with. */
export function hostOptions({ root, encrypted }: RealmConfig): { readonly root: string; readonly encryption?: { readonly key: Uint8Array } } {
  return encrypted ? { root, encryption: { key: new Uint8Array(32).fill(7) } } : { root };
}

/** Node's own channels would pass for the product's where that is absent. */
function hideNative(): null {
  Reflect.deleteProperty(globalThis, 'BroadcastChannel');
  return null;
}

/** Costly interface objects are accessors until somebody has touched them (docs/DEVIATIONS.md); the tests ask how they are then. */
function touchInterfaces(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) if (/^(IDB|DOMStringList$|BroadcastChannel$|StorageBucket|FileSystemWritable)/.test(name)) Reflect.get(globalThis, name);
}
