// A question → SQL. Pure. It must not know where the database is.

import { isGlob } from '../core/glob.js';
import type { Position, Question } from '../core/history.js';
import { severity } from './row.js';
import type { Value } from './store.js';

export interface Query {
  readonly sql: string;
  readonly parameters: readonly Value[];
}

interface Condition {
  readonly sql: string;
  readonly parameters: readonly Value[];
}

/** The newest entry of all. */
export const LAST = 'SELECT origin, number FROM entry ORDER BY id DESC LIMIT 1';

/** The rows that answer it, oldest first. */
export function queryFor(question: Question): Query {
  const conditions = conditionsOf(question);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  const order = question.after === null ? 'DESC' : 'ASC';
  // The inner search decides by columns and indices alone; only what is answered is read whole.
  const sql = `SELECT entry FROM entry WHERE id IN
    (SELECT id FROM entry ${where} ORDER BY id ${order} LIMIT ?) ORDER BY id`;
  return { sql, parameters: [...conditions.flatMap(({ parameters }) => parameters), question.most] };
}

function conditionsOf(question: Question): readonly Condition[] {
  const { services, since, until, what, incident, by, level, before, after } = question;
  const conditions: (Condition | null)[] = [
    services.length === 0 ? null : serviceIsAnyOf(services),
    since === null ? null : { sql: 'time >= ?', parameters: [since] },
    until === null ? null : { sql: 'time < ?', parameters: [until] },
    what.length === 0 ? null : isOneOf('what', what),
    incident === null ? null : { sql: 'incident = ?', parameters: [incident] },
    by === null ? null : { sql: 'by = ?', parameters: [by] },
    level === 'debug' ? null : { sql: 'level <= ?', parameters: [severity[level]] },
    before === null ? null : { sql: `id < ${idOf}`, parameters: [before.origin, before.number] },
    after === null ? null : isAfter(after),
  ];
  return conditions.filter((condition) => condition !== null);
}

const isOneOf = (column: 'service' | 'what', values: readonly string[]): Condition => ({
  sql: `${column} IN (${values.map(() => '?').join(', ')})`,
  parameters: values,
});

/** SQLite's globs are those of a shell, save that a set is turned round by ^ alone. */
function serviceIsAnyOf(services: readonly string[]): Condition {
  const names = services.filter((name) => !isGlob(name));
  const globs = services.filter(isGlob).map((glob) => glob.replaceAll('[!', '[^'));
  const sql = [isOneOf('service', names).sql, ...globs.map(() => 'service GLOB ?')].join(' OR ');
  return { sql: `(${sql})`, parameters: [...names, ...globs] };
}

const idOf = '(SELECT id FROM entry WHERE origin = ? AND number = ?)';

/** Where that one is not known any more, the history was begun anew since: all of it is after it, but what was given again. */
const isAfter = ({ origin, number }: Position): Condition => ({
  sql: `CASE WHEN ${idOf} IS NULL THEN NOT (origin = ? AND number <= ?) ELSE id > ${idOf} END`,
  parameters: [origin, number, origin, number, origin, number],
});
