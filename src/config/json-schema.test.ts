import { describe, expect, it } from 'vitest';
import { jsonSchema } from './json-schema.js';

const at = (schema: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], schema);

/** Every object of a schema. */
function* parts(schema: unknown): Generator<Record<string, unknown>> {
  if (typeof schema !== 'object' || schema === null) return;
  if (!Array.isArray(schema)) yield schema as Record<string, unknown>;
  for (const value of Object.values(schema)) yield* parts(value);
}

describe('the JSON Schema', () => {
  const schema = jsonSchema();

  it('is plain JSON of draft 2020-12', () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  });

  it('describes every key, with its default', () => {
    expect(at(schema, '$defs', 'service', 'properties', 'cwd')).toEqual({
      description: 'The directory that it is started in. Default: /.',
      anyOf: [{ type: 'string', pattern: '^/' }, { type: 'null' }],
    });
    for (const part of parts(schema)) {
      for (const property of Object.values((part.properties as Record<string, unknown> | undefined) ?? {})) {
        expect(at(property, 'description')).toEqual(expect.stringMatching(/\S/));
      }
    }
  });

  it('knows no other keys, and none that come later', () => {
    expect(at(schema, 'additionalProperties')).toBe(false);
    expect(at(schema, 'properties', 'keeper', 'anyOf', '0', 'properties', 'statusPort')).toBeUndefined();
    expect(at(schema, 'properties', 'keeper', 'anyOf', '0', 'properties', 'bootGrace')).toBeDefined();
  });

  it('takes a socket as an address or a map, and none without a name', () => {
    const sockets = at(schema, '$defs', 'service', 'properties', 'sockets', 'anyOf', '0');
    expect(at(sockets, 'type')).toBe('object');
    const [address, map] = at(sockets, 'additionalProperties', 'anyOf', '0', 'anyOf') as readonly unknown[];
    expect(at(address, 'type')).toEqual(['integer', 'string']);
    expect(at(map, 'additionalProperties')).toBe(false);
    expect(at(map, 'required')).toBeUndefined();
  });

  it('takes a heartbeat as a map or a list, and a part of one in a template', () => {
    const [one, list] = at(
      schema,
      '$defs',
      'service',
      'properties',
      'heartbeat',
      'anyOf',
      '0',
      'anyOf',
    ) as readonly unknown[];
    expect(at(list, 'items')).toEqual(one);
    expect(at(one, 'required')).toBeUndefined();
    expect(at(one, 'additionalProperties')).toBe(false);
    expect(Object.keys(at(one, 'properties') as object)).toEqual(expect.arrayContaining(['http', 'process', 'every']));
    expect(at(one, 'properties', 'tls', 'anyOf', '0', 'anyOf', '1', 'required')).toBeUndefined();
  });

  it('writes the service out once, and refers to it from services, templates and defaults', () => {
    const refs = [...parts(schema)].filter((part) => part.$ref !== undefined);
    expect(refs).toEqual(Array(3).fill({ $ref: '#/$defs/service' }));
  });

  it('holds only patterns that compile', () => {
    for (const part of parts(schema))
      if (typeof part.pattern === 'string') expect(() => new RegExp(part.pattern as string, 'u')).not.toThrow();
  });
});
