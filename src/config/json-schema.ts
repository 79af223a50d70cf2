// The tables of keys as one JSON Schema, for editors: draft 2020-12.

import { service } from './service-keys.js';
import type { JsonSchema } from './shape.js';
import { configuration } from './top-keys.js';

const SERVICE = '#/$defs/service';

/** The schema of a configuration file. A service may take a part of itself from a template, so no key is required. */
export function jsonSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Upkeep configuration',
    ...(withServiceRef(configuration.schema) as JsonSchema),
    $defs: { service: service.schema },
  };
}

/** A service stands in three places, and is written out in one. */
function withServiceRef(schema: unknown): unknown {
  if (schema === service.schema) return { $ref: SERVICE };
  if (Array.isArray(schema)) return schema.map(withServiceRef);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withServiceRef(value)]));
}
