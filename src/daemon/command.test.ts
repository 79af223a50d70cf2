import { describe, expect, it } from 'vitest';
import { commandConfiguration, nameOf, placesOfCommand } from './command.js';

const places = {
  whose: 'system' as const,
  runtime: '/r',
  state: '/s',
  logs: '/l',
  config: '/c',
  socket: '/r/control.sock',
};

describe('a command without a file', () => {
  it('is one service with the arguments as they are, the caller’s directory, environment and output', () => {
    const env = {
      PATH: '/opt/bin',
      SECRET: 'x',
      UPKEEP_GUARD: '1',
      'strange name': 'y',
      UPKEEP_COMMAND_DIRECTORY: '/srv',
    };
    const command = ['/usr/bin/node', 'a b', '$HOME', "it's", '%i', '{"a": [1]}', '*', ''];
    const path = placesOfCommand(places, command, env).config;
    const { specs, sources } = commandConfiguration(path, command, process.getuid?.() ?? 0, env);
    expect(specs).toHaveLength(1);
    expect(specs[0]).toMatchObject({
      name: 'node',
      kind: { type: 'supervised', run: { argv: command } },
      settings: { cwd: '/srv', inheritEnv: ['PATH', 'SECRET'] },
      log: { to: 'inherit' },
    });
    expect(sources).toEqual({ files: [], globs: [] });
    expect(path).toMatch(/^upkeep run -- \/usr\/bin\/node a b/);
  });

  it('remembers where it was called when it is called again from elsewhere', () => {
    const env: NodeJS.ProcessEnv = {};
    placesOfCommand(places, ['x'], env);
    expect(env.UPKEEP_COMMAND_DIRECTORY).toBe(process.cwd());
    env.UPKEEP_COMMAND_DIRECTORY = '/before';
    placesOfCommand(places, ['x'], env);
    expect(env.UPKEEP_COMMAND_DIRECTORY).toBe('/before');
  });

  it.each([
    ['/usr/bin/node', 'node'],
    ['./my server.sh', 'my-server.sh'],
    ['.hidden', 'hidden'],
    ['/bin/…', 'command'],
    ['_x', 'x'],
  ])('%s is called %s', (program, name) => {
    expect(nameOf([program])).toBe(name);
  });
});
