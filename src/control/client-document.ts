// Is what a keeper answered a document of the version that this program knows? Looks at its head and for its lists; what
// stands in them is the keeper's own, and believed.

export function isDocument(body: unknown, ...lists: readonly string[]): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const fields = new Map<string, unknown>(Object.entries(body));
  return fields.get('version') === 1 && lists.every((name) => Array.isArray(fields.get(name)));
}
