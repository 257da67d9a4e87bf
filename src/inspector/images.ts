/** Bytes that decide. */
export const IMAGE_HEAD = 16;

const starts: readonly (readonly [type: string, offset: number, bytes: string])[] = [
  ['image/png', 0, '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/gif', 0, 'GIF87a'],
  ['image/gif', 0, 'GIF89a'],
  ['image/bmp', 0, 'BM'],
  ['image/avif', 4, 'ftypavif'],
];

/**
 * The type of a picture by how it begins; null for everything else, also for SVG, which is a document.
 * https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern
 */
export function imageType(head: Uint8Array): string | null {
  const text = String.fromCharCode(...head);
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'image/webp';
  return starts.find(([, offset, bytes]) => text.startsWith(bytes, offset))?.[0] ?? null;
}
