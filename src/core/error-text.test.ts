import { describe, expect, it } from 'vitest';
import { errorCode, errorText } from './error-text.js';

const missing = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });

describe('what was thrown', () => {
  it('is told by its message, or as it is', () => {
    expect([errorText(missing), errorText('full'), errorText(null)]).toEqual(['ENOENT: no such file', 'full', 'null']);
  });

  it('is named by the code of the system, else as it is', () => {
    expect([errorCode(missing), errorCode(new Error('no code')), errorCode('full')]).toEqual([
      'ENOENT',
      'Error: no code',
      'full',
    ]);
  });
});
