import { expect, it } from 'vitest';
import { answerFrame, answerIn, frame, frameIn, isRestartRequest, restartRequest } from './frame.js';

it('a request and its answers are the bytes of shellflip (E4)', () => {
  expect(frame(restartRequest)).toEqual(Buffer.from('\0\0\0\x18{"Request":"TryRestart"}'));
  expect(answerFrame({ RestartComplete: 42 }).subarray(4).toString()).toBe('{"Response":{"RestartComplete":42}}');
  expect(answerFrame({ RestartFailed: 'no' }).subarray(4).toString()).toBe('{"Response":{"RestartFailed":"no"}}');
});

it('a frame is whole when its last byte has come, wherever it is cut', () => {
  const bytes = frame(restartRequest);
  for (let cut = 0; cut < bytes.length; cut++) expect(frameIn(bytes.subarray(0, cut))).toEqual({ type: 'partial' });
  expect(frameIn(bytes)).toEqual({ type: 'whole', value: restartRequest });
  expect(frameIn(Buffer.concat([bytes, Buffer.from('more')])).type).toBe('whole');
});

it('a frame that is too long or no JSON is bad', () => {
  expect(frameIn(Buffer.from('GET / HTTP/1.1')).type).toBe('bad');
  expect(frameIn(Buffer.from('\0\0\0\x02{]'))).toMatchObject({ type: 'bad', reason: expect.stringMatching(/no JSON/) });
});

it('only what is asked or answered counts', () => {
  expect(isRestartRequest(restartRequest)).toBe(true);
  for (const value of [null, 1, 'TryRestart', { Request: 'Other' }, { request: 'TryRestart' }])
    expect(isRestartRequest(value)).toBe(false);
  expect(answerIn({ Response: { RestartComplete: 7 } })).toEqual({ RestartComplete: 7 });
  for (const value of [null, {}, { Response: null }, { Response: { RestartComplete: '7' } }])
    expect(answerIn(value)).toBeNull();
});
