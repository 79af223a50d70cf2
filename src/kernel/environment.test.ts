import { expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { serviceName } from '../core/spec.js';
import { composeEnvironment, DEFAULT_PATH } from './environment.js';

const { settings } = supervised();
const origin = { service: serviceName('web'), generation: 3, role: 'main', token: 'T', own: {} } as const;
const sources = {
  account: { name: 'www', uid: 33, gid: 33, home: '/var/www', shell: '/bin/false' },
  locale: new Map([['LANG', 'C.UTF-8']]),
  files: [],
  inherited: { PATH: '/keeper', SECRET: 's', HTTP_PROXY: 'p' },
};

it('holds what the user has and what we say of ourselves, and nothing of the keeper', () => {
  expect(Object.fromEntries(composeEnvironment(settings, origin, sources))).toEqual({
    PATH: DEFAULT_PATH,
    HOME: '/var/www',
    USER: 'www',
    LOGNAME: 'www',
    SHELL: '/bin/false',
    LANG: 'C.UTF-8',
    UPKEEP_SERVICE: 'web',
    UPKEEP_GENERATION: '3',
    UPKEEP_ROLE: 'main',
    UPKEEP_TOKEN: 'T',
  });
});

it('lets each source win over those before it: inherited, the files in their order, env, ours', () => {
  const files = [
    new Map([
      ['A', '1'],
      ['B', '1'],
      ['C', '1'],
    ]),
    new Map([
      ['B', '2'],
      ['C', '2'],
    ]),
  ];
  const own = {
    ...settings,
    inheritEnv: ['PATH', 'SECRET', 'MISSING'],
    env: { C: '3', SECRET: 'own', UPKEEP_TOKEN: 'forged' },
  };
  const result = composeEnvironment(own, origin, { ...sources, files });
  expect(['PATH', 'A', 'B', 'C', 'SECRET', 'UPKEEP_TOKEN'].map((name) => result.get(name))).toEqual([
    '/keeper',
    '1',
    '2',
    '3',
    'own',
    'T',
  ]);
  expect(result.has('MISSING')).toBe(false);
  expect(result.has('HTTP_PROXY')).toBe(false);
});

it('takes over all that the keeper has where that is wished, save what is the user’s', () => {
  const result = composeEnvironment({ ...settings, inheritEnv: 'all' }, origin, sources);
  expect([result.get('HTTP_PROXY'), result.get('HOME'), result.get('PATH')]).toEqual(['p', '/var/www', DEFAULT_PATH]);
});

it('calls a user without a name by its number', () => {
  const account = { ...sources.account, name: null };
  expect(composeEnvironment(settings, origin, { ...sources, account }).get('USER')).toBe('33');
});

it('never holds what is between the keeper and who started it, not even where it is named', () => {
  const inherited = {
    ...{ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '1', LISTEN_FDS: '1', UPKEEP_INHERIT: 'lock=5', UPKEEP_OWNER: 'systemd' },
    ...{ UPKEEP_COMMAND_DIRECTORY: '/home/alice', KEPT: 'k' },
  };
  for (const inheritEnv of ['all', Object.keys(inherited)] as const) {
    const result = composeEnvironment({ ...settings, inheritEnv }, origin, { ...sources, inherited });
    expect(Object.keys(inherited).filter((name) => result.has(name))).toEqual(['KEPT']);
  }
});
