import { bare, ownProperty } from '../../runtime/define.ts';
import { putProperty } from './definition.ts';

/** One definition of a property by one install. */
interface Layer {
  /** What the install put there; undefined where it took the property away. */
  readonly own: PropertyDescriptor | undefined;
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
  return a.get === b.get && a.set === b.set && a.value === b.value;
}

/**
 * Defines a property (or takes it away, for `undefined`) and returns the function that undoes just that. What others
 * have put there since stays; so does what other installs defined, in whatever order they are undone. The old value is
 * never read: reading a runtime's own global may print a warning.
 */
export function layProperty(target: object, key: PropertyKey, own: PropertyDescriptor | undefined): () => void {
  const layers = layersAt(target, key);
  const layer: Layer = { own: own && bare(own), below: ownProperty(target, key) };
  putProperty({ target, key, descriptor: own });
  layers.push(layer);
  return () => removeLayer(target, key, layers, layer);
}

function removeLayer(target: object, key: PropertyKey, layers: Layer[], layer: Layer): void {
  const index = layers.indexOf(layer);
  if (index === -1) return;
  layers.splice(index, 1);
  const above = layers[index];
  if (above !== undefined) {
    if (same(above.below, layer.own)) above.below = layer.below;
  } else if (same(ownProperty(target, key), layer.own)) {
    putProperty({ target, key, descriptor: layer.below });
  }
}
