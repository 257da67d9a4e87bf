/** Whether a directory has been given its name in order to be deleted. */
export function isDead(name: string): boolean {
  return name.endsWith('.dead');
}
