import { bare, ownProperty } from '../../runtime/define.ts';
import { putProperty } from './definition.ts';
import type { Definition } from './definition.ts';

/** One definition of a property by one install. */
interface Layer {
  /** What the install put there. */
  readonly own: Definition;
  /** What was there before. */
  below: PropertyDescriptor | undefined;
}

// Shared by all installs of a realm, so that they may be undone in any order.
const layersOf = new WeakMap<object, Map<PropertyKey, Layer[]>>();

function layersAt(target: object, key: PropertyKey): Layer[] {
  const properties = layersOf.get(target) ?? new Map<PropertyKey, Layer[]>();
  layersOf.set(target, properties);
  const layers = properties.get(key) ?? [];
  properties.set(key, layers);
  return layers;
}

function same(a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [own, other] = [bare(a), bare(b)];
  return own.get === other.get && own.set === other.set && own.value === other.value;
}

/**
 * Defines a property (or takes it away) and returns the function that undoes just that. What others have put there since
 * stays; so does what other installs defined, in whatever order they are undone. The old value is never read: reading a
 * runtime's own global may print a warning.
 */
export function layProperty(definition: Definition): () => void {
  const { target, key } = definition;
  const layers = layersAt(target, key);
  const layer: Layer = { own: definition, below: ownProperty(target, key) };
  putProperty(definition);
  layers.push(layer);
  return () => removeLayer(layers, layer);
}

function removeLayer(layers: Layer[], layer: Layer): void {
  const index = layers.indexOf(layer);
  if (index === -1) return;
  layers.splice(index, 1);
  const { target, key, descriptor } = layer.own;
  const above = layers[index];
  if (above !== undefined) {
    if (same(above.below, descriptor)) above.below = layer.below;
  } else if (same(ownProperty(target, key), descriptor)) {
    putProperty({ target, key, descriptor: layer.below });
  }
}
