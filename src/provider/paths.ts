/** An id of dots would lead to another path, however it is written. The schema of an id refuses those. */
export function pathOf(responseId: string): string {
  return `/responses/${encodeURIComponent(responseId)}`;
}

/** Each read has to ask again for the fields that the create included, except for one that a read may not ask for. */
export function queryOf(include: string[]): { include?: string[] } {
  const wanted = include.filter(field => field !== 'reasoning.encrypted_content');
  return wanted.length > 0 ? { include: wanted } : {};
}

/** True if `include` may have caused the error: it names a field that is unknown there, or makes the URL too long. */
export function mayBeTheInclude(status: number | null, include: string[]): boolean {
  return include.length > 0 && status !== null && [400, 414, 422, 431].includes(status);
}
