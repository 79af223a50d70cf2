// What Upkeep says of itself, over its control socket: what cannot be seen from its services alone.
import { request } from 'node:http';
import { join } from 'node:path';

export const socketOf = (contender) => join(contender.place.run, 'upkeep', 'control.sock');

/** @returns {Promise<object | null>} null: it does not answer */
export function statusAt(socketPath) {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/v1/status', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)));
      response.on('error', () => resolve(null));
    });
    asked.on('error', () => resolve(null));
    asked.end();
  });
}

/** Asks for something, and waits until it is over. @returns {Promise<string | null>} null: it was done; else why not */
export function order(socketPath, path) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': 2 };
    const asked = request(
      { socketPath, path: `${path}?wait=1m`, method: 'POST', agent: false, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          const { progress, error } = JSON.parse(text);
          resolve(progress?.type === 'done' ? null : (progress?.text ?? error?.message ?? text));
        });
      },
    );
    asked.on('error', reject);
    asked.end('{}');
  });
}

/** Calls back with every change as it is told. @returns {Promise<() => void>} how to stop that, once it has begun */
export function follow(socketPath, onChange) {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/v1/events', agent: false }, (response) => {
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop();
        for (const line of lines) if (line.startsWith('data: ')) onChange(JSON.parse(line.slice('data: '.length)));
      });
      response.on('error', () => {});
      resolve(() => asked.destroy());
    });
    asked.on('error', reject);
    asked.end();
  });
}
