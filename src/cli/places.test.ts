import { describe, expect, it } from 'vitest';
import { type Places, placesOf, type Who } from './places.js';

const alice: Who = { uid: 1000, env: { HOME: '/home/alice' }, home: '/home/from-passwd', cwd: '/srv' };
const root: Who = { uid: 0, env: {}, home: '/root', cwd: '/srv' };

describe('places', () => {
  it("has the system's keeper in the places of the manual", () => {
    expect(placesOf({ whose: 'system', config: null }, root)).toEqual<Places>({
      whose: 'system',
      config: '/etc/upkeep/upkeep.yaml',
      runtime: '/run/upkeep',
      state: '/var/lib/upkeep',
      logs: '/var/log/upkeep',
      socket: '/run/upkeep/control.sock',
    });
  });

  it("has a user's keeper below the XDG defaults when no variable is set", () => {
    expect(placesOf({ whose: 'user', config: null }, alice)).toEqual<Places>({
      whose: 'user',
      config: '/home/alice/.config/upkeep/upkeep.yaml',
      runtime: '/home/alice/.local/state/upkeep/run',
      state: '/home/alice/.local/state/upkeep',
      logs: '/home/alice/.local/state/upkeep/log',
      socket: '/home/alice/.local/state/upkeep/run/control.sock',
    });
  });

  it('is the same from login, ssh and cron: XDG_RUNTIME_DIR and a missing HOME change nothing', () => {
    const fromCron: Who = { ...alice, env: {}, home: '/home/alice' };
    const fromLogin: Who = { ...alice, env: { HOME: '/home/alice', XDG_RUNTIME_DIR: '/run/user/1000' } };
    expect(placesOf({ whose: 'user', config: null }, fromCron)).toEqual(
      placesOf({ whose: 'user', config: null }, fromLogin),
    );
  });

  it('follows XDG variables, and ignores a relative one as the specification asks', () => {
    const env = { HOME: '/home/alice', XDG_CONFIG_HOME: '/cfg', XDG_STATE_HOME: 'relative' };
    const places = placesOf({ whose: 'user', config: null }, { ...alice, env });
    expect(places.config).toBe('/cfg/upkeep/upkeep.yaml');
    expect(places.state).toBe('/home/alice/.local/state/upkeep');
  });

  it('lets each variable override its place, and an empty one count as unset', () => {
    const env = {
      HOME: '/h',
      UPKEEP_CONFIG: '/a.yaml',
      UPKEEP_RUNTIME_DIR: '/r',
      UPKEEP_STATE_DIR: '',
      UPKEEP_LOG_DIR: '/l',
    };
    const places = placesOf({ whose: 'user', config: null }, { ...alice, env });
    expect(places).toMatchObject({
      config: '/a.yaml',
      runtime: '/r',
      state: '/h/.local/state/upkeep',
      logs: '/l',
      socket: '/r/control.sock',
    });
  });

  it("moves a user's runtime and logs along with the state", () => {
    const places = placesOf({ whose: 'user', config: null }, { ...alice, env: { HOME: '/h', UPKEEP_STATE_DIR: '/s' } });
    expect(places).toMatchObject({ runtime: '/s/run', logs: '/s/log' });
  });

  it('prefers --config to UPKEEP_CONFIG, and reads it relative to the working directory', () => {
    const who = { ...root, env: { UPKEEP_CONFIG: '/a.yaml' } };
    expect(placesOf({ whose: 'system', config: 'b.yaml' }, who).config).toBe('/srv/b.yaml');
  });
});
