// The pool of askers with real askers: who asks, what they may, and what is left when somebody dies.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AskerPool, openPool, script } from '../support/askers.js';

let pool: AskerPool;
beforeEach(() => {
  pool = openPool();
});
afterEach(() => pool.close());

describe('an asker', () => {
  it('runs a program and tells its first line', async () => {
    expect(await pool.answerTo(pool.ask(script('echo all is well; echo more')))).toMatchObject({
      result: 'good',
      detail: 'all is well',
    });
  });
});
