import { expect, it } from 'vitest';
import { forget, surroundings } from './environment.js';

const upkeep = {
  UPKEEP_SOCKET: '/run/c.sock',
  UPKEEP_SERVICE: 'web',
  UPKEEP_GENERATION: '4',
  UPKEEP_HANDOVER: 'overlap',
};

it('who started us is told by the environment (E1)', () => {
  expect(surroundings({}, 7).origin).toEqual({ manager: 'alone', handed: null });
  expect(surroundings({ ...upkeep, UPKEEP_SUCCEEDS: '3' }, 7).origin).toEqual({
    manager: 'upkeep',
    socket: '/run/c.sock',
    service: 'web',
    generation: 4,
    handover: 'overlap',
    succeeds: 3,
    stateFile: null,
  });
  expect(surroundings({ NOTIFY_SOCKET: '/n', RUNTIME_DIRECTORY: '/run/a:/run/b', FDSTORE: '8' }, 7).origin).toEqual({
    manager: 'systemd',
    runtimeDirectory: '/run/a',
    storeMax: 8,
  });
  expect(surroundings({ SYSTEMD_EXEC_PID: '7' }, 7).origin.manager).toBe('systemd');
});

it('a child of a service is no service by what it inherits (E2)', () => {
  const env: NodeJS.ProcessEnv = {
    ...upkeep,
    NOTIFY_SOCKET: '/n',
    LISTEN_FDS: '1',
    LISTEN_PID: '7',
    WATCHDOG_USEC: '1',
  };
  forget(env);
  expect(env).toEqual({ UPKEEP_SOCKET: '/run/c.sock', UPKEEP_SERVICE: 'web', UPKEEP_GENERATION: '4' });
  expect(surroundings({ ...env, SYSTEMD_EXEC_PID: '7' }, 8).origin).toEqual({ manager: 'alone', handed: null });
});
