// A class expression in the configuration: its text, and what core makes of it. Whether its names are known is judged
// elsewhere, when all files have been read.

import { type ClassExpression, parseClassExpression } from '../core/classes.js';
import { leafShape, type Shape } from './shape.js';

export interface WrittenExpression {
  readonly text: string;
  readonly expression: ClassExpression;
}

export const classExpression: Shape<WrittenExpression> = leafShape(
  'a class expression like web|dns',
  { type: ['string', 'number'], minLength: 1 },
  (text) => {
    const parsed = parseClassExpression(text);
    return parsed.type === 'ok'
      ? { type: 'ok', value: { text, expression: parsed.expression } }
      : { type: 'bad', offset: parsed.offset, problem: `cannot be read: ${parsed.problem}` };
  },
);
