/** A document of JSON. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** One line of JSON, of any number. */
export function printJsonLine(value: unknown): void {
  console.log(JSON.stringify(value));
}

export function printLines(lines: Iterable<string>): void {
  for (const line of lines) console.log(line);
}

/** Writes to the standard output, as fast as it is read. */
export async function writeOut(chunk: Uint8Array | string): Promise<void> {
  if (chunk.length === 0) return;
  await new Promise<void>((resolve, reject) => process.stdout.write(chunk, (error) => (error ? reject(error) : resolve())));
}

let isReading = false;

/** Has nobody wait for the standard input any more. */
export function endInput(): void {
  if (isReading) process.stdin.destroy();
}

/** All of the standard input. */
export async function* standardInput(): AsyncGenerator<Uint8Array, void> {
  isReading = true;
  for await (const chunk of process.stdin) yield chunk as Uint8Array;
}
