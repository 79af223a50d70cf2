import { expect, it } from 'vitest';
import { reasonIn, successorOf } from './successor.js';

const places = {
  whose: 'system',
  config: '/srv/upkeep.yaml',
  runtime: '/srv/run',
  state: '/srv/state',
  logs: '/srv/log',
  socket: '/srv/run/control.sock',
} as const;
const called = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => ({
  execPath: '/usr/bin/node',
  execArgv: ['--max-old-space-size=200'],
  argv: ['/usr/bin/node', '/usr/lib/upkeep/bin/upkeep', ...args],
  env,
});

it('is called as the keeper was', () => {
  expect(successorOf(called(['run', '--leave'], { HOME: '/root' }), places)).toEqual({
    path: '/usr/bin/node',
    script: ['--max-old-space-size=200', '/usr/lib/upkeep/bin/upkeep'],
    args: ['run', '--leave'],
    env: { HOME: '/root' },
  });
});

it('depends no longer on the directory that the keeper was started in', () => {
  const env = { UPKEEP_RUNTIME_DIR: 'run', UPKEEP_STATE_DIR: '', UPKEEP_CONFIG: './other.yaml' };
  const { args, env: now } = successorOf(called(['run', '--config', 'upkeep.yaml', '--config=a.yaml'], env), places);
  expect(args).toEqual(['run', '--config', '/srv/upkeep.yaml', '--config=/srv/upkeep.yaml']);
  expect(now).toEqual({ UPKEEP_RUNTIME_DIR: '/srv/run', UPKEEP_STATE_DIR: '', UPKEEP_CONFIG: '/srv/upkeep.yaml' });
  expect(successorOf(called(['run', '--', 'x', '--config', 'y']), places).args).toEqual([
    'run',
    '--',
    'x',
    '--config',
    'y',
  ]);
});

it.each([
  [
    'file:///opt/dist/core/step.js:7\n  export (\n         ^\n\nSyntaxError: Unexpected token\n    at x (y:1)\n\nNode.js v20.20.2\n',
    'SyntaxError: Unexpected token (/opt/dist/core/step.js:7)',
  ],
  [
    "node:internal/modules/esm/resolve:283\n    throw new E\n\nError [ERR_MODULE_NOT_FOUND]: Cannot find module '/a.js'\n    at finalize\n",
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/a.js'",
  ],
  ['upkeep: Error: there is no configuration\n    at x (y)\n', 'there is no configuration'],
  ['upkeep: unknown option --rehearse\n', 'unknown option --rehearse'],
  ['\n', null],
])('says of %j why it cannot run', (said, reason) => {
  expect(reasonIn(said)).toBe(reason);
});
