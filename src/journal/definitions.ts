// The definitions of services as the journal writes them: each in one line with a number, before the first record that names
// it. It must not know what a definition says.

import type { ServiceSpec } from '../core/spec.js';
import { encodeLine } from './line.js';

export interface DefinitionLine {
  readonly d: number;
  readonly spec: ServiceSpec;
}

export const isDefinition = (value: unknown): value is DefinitionLine =>
  typeof value === 'object' && value !== null && 'd' in value && typeof value.d === 'number' && 'spec' in value;

/** Numbers are given by object, not by content: the core passes the same object on until there is another definition. */
export class Definitions {
  readonly #numbers = new WeakMap<ServiceSpec, number>();
  #last = 0;

  /** The line that has to stand before a record that names this definition; empty once it was written. */
  introduce(spec: ServiceSpec | null): string {
    if (spec === null || this.#numbers.has(spec)) return '';
    this.#last += 1;
    this.#numbers.set(spec, this.#last);
    return this.lineOf(spec);
  }

  lineOf(spec: ServiceSpec | null): string {
    return spec === null ? '' : encodeLine({ d: this.numberOf(spec), spec } satisfies DefinitionLine);
  }

  /** 0 for none. */
  numberOf(spec: ServiceSpec | null): number {
    return spec === null ? 0 : (this.#numbers.get(spec) ?? 0);
  }
}
