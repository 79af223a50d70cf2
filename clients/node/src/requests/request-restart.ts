// Asks a service for a restart, from outside, at its restart socket.

import { connect } from 'node:net';
import { answerIn, frame, frameIn, restartRequest } from './frame.js';

/** The pid of the new generation; 0 where only its manager knows. @throws Error with the reason why the old one goes on */
export function requestRestart(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(frame(restartRequest)));
    let bytes = Buffer.alloc(0);
    socket.on('data', (part: Buffer) => {
      bytes = Buffer.concat([bytes, part]);
      const first = frameIn(bytes);
      if (first.type === 'partial') return;
      const answer = first.type === 'whole' ? answerIn(first.value) : null;
      if (answer === null) reject(new Error('the answer of the service is none; is it a restart socket?'));
      else if ('RestartComplete' in answer) resolve(answer.RestartComplete);
      else reject(new Error(answer.RestartFailed));
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the service ended before it answered')));
  });
}
