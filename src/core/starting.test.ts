import { expect, it } from 'vitest';
import { watched } from '../../test/support/builders.js';
import { daemonFacts, exitedWith } from '../../test/support/evidence.js';
import { asPid, type ProcessRef } from './process.js';
import { newService, type Service } from './state.js';
import { step } from './step.js';
import { instant, type Moment, wallTime } from './time.js';
import { worldOf } from './world.js';

const at: Moment = { instant: instant(1000), wall: wallTime(0), random: 0.5, host: 'up', steadySince: instant(0) };
const command: ProcessRef = { pid: asPid(70), startTicks: 7, inode: null };

it('a start command that is found itself ends once: as the process that it was, not as two', () => {
  const spec = watched({ name: 'ssh' });
  const service: Service = {
    ...newService(spec, instant(0)),
    generation: 1,
    state: {
      name: 'starting',
      why: 'first',
      since: instant(900),
      phase: 'launching',
      process: null,
      helper: command,
      hook: 0,
      setback: null,
      deadline: instant(90_000),
    },
  };
  const facts = daemonFacts(command);
  const found = step(
    worldOf(new Map([['ssh', service]])),
    { type: 'looked', service: spec.name, look: { matches: [facts], pidFile: { type: 'none' }, unseen: null } },
    at,
  );
  expect(found.services[0]?.state).toMatchObject({ phase: 'readying', process: command, helper: null });

  const evidence = exitedWith(0, 8);
  const [known] = found.services;
  if (known === undefined) throw new Error('nothing was found');
  const ended = step(
    worldOf(new Map([['ssh', known]])),
    { type: 'exited', service: spec.name, process: command, evidence, away: 'no' },
    at,
  );
  expect(ended.services[0]?.state).toMatchObject({ name: 'starting', phase: 'finding', process: null, helper: null });
});
