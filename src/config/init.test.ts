import { describe, expect, it } from 'vitest';
import { configOf, loadText } from '../../test/support/configuration.js';
import { initText } from './init.js';

describe('a configuration to begin with', () => {
  it('is right as it is', () => expect(loadText(initText()).type).toBe('ok'));

  it('is right with everything in it that is commented out', () => {
    const whole = initText().replace(
      /^( *)# (?=notices:|classes:|ssh:|apache:|web:|migrate:| {2}(?:run|user|ready|needs):)/gm,
      '$1',
    );
    const loaded = configOf(whole);
    expect(loaded.specs.map((spec) => spec.name)).toEqual(['ssh', 'apache', 'web', 'migrate']);
  });

  it('names the daemons that were found, under names that will do', () => {
    const text = initText([
      { name: 'ssh', exe: '/usr/sbin/sshd', start: 'service ssh restart' },
      { name: 'ssh', exe: '/usr/sbin/sshd', start: null },
      { name: '.my daemon@1', exe: '/opt/my: daemon/d', start: null },
    ]);
    expect(
      configOf(text).specs.map(({ name, kind }) => [name, kind.type === 'watched' ? kind.pattern.by : null]),
    ).toEqual([
      ['ssh', { type: 'exe', path: '/usr/sbin/sshd' }],
      ['my_daemon_1', { type: 'exe', path: '/opt/my: daemon/d' }],
    ]);
  });
});
