// A process that starts one service through the kernel layer, sees its end, closes the layer, and must then end by itself:
//   UPKEEP_WITHOUT=… node kernel-that-closes.mjs
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Batches } from '../../dist/kernel/batches.js';
import { findCgroupBase } from '../../dist/kernel/cgroup-mounts.js';
import { Exits } from '../../dist/kernel/exits.js';
import { probeFeatures, switchedOff } from '../../dist/kernel/features.js';
import { Groups } from '../../dist/kernel/groups.js';
import { HeldDescriptors } from '../../dist/kernel/held-descriptors.js';
import { RealKernel } from '../../dist/kernel/kernel.js';
import { KernelLog } from '../../dist/kernel/kernel-log.js';
import { NotifySockets } from '../../dist/kernel/notify-sockets.js';
import { ProcConnector, probeProcConnector } from '../../dist/kernel/proc-connector.js';
import { createPump } from '../../dist/kernel/pump.js';
import { Reaper } from '../../dist/kernel/reaper.js';
import { ServiceSockets } from '../../dist/kernel/service-sockets.js';
import { Sleeps } from '../../dist/kernel/sleeps.js';
import { Speakers } from '../../dist/kernel/speakers.js';
import { StateFiles } from '../../dist/kernel/state-files.js';
import { StoredDescriptors } from '../../dist/kernel/stored-descriptors.js';
import { Witnesses } from '../../dist/kernel/witnesses.js';

// On stderr: it stands in the error of whoever waits in vain for our end.
const report = (problem, error) => console.error(`told: ${problem}`, error);
const features = probeFeatures(switchedOff(process.env), probeProcConnector);
const pump = createPump(features, report);
const connector = features.procConnector === 'yes' ? new ProcConnector(pump) : null;
const witnesses = new Witnesses({ killers: null, log: KernelLog.open(), sleeps: new Sleeps(), report });
const exits = new Exits(
  pump,
  features,
  (pid) => connector?.exitStatusOf(pid) ?? null,
  (process, evidence) => witnesses.testify(process, evidence),
);
const listening = connector?.listen(() => {}) ?? null;
const base = features.cgroup === 'yes' ? findCgroupBase() : null;
const told = [];
const groups = new Groups({ base, memoryV1: null, instance: `test-${process.pid}` }, report, () => []);
const directory = mkdtempSync(join(tmpdir(), 'upkeep-closes-'));
process.on('exit', () => rmSync(directory, { recursive: true }));
const held = new HeldDescriptors({ directory, features, exits, report });
const nobody = { hear: () => {}, complain: () => {}, hasRoom: () => 'yes' };
const full = { admit: () => [], onFull: () => {}, complain: () => {}, now: Date.now };
const kernel = new RealKernel({
  nextTime: () => null,
  post: (event) => {
    told.push(event.type);
    if (event.type !== 'exited') return;
    listening?.close();
    kernel.close();
    console.log([...told, 'closed'].join(' '));
  },
  report,
  features,
  pump,
  exits,
  groups,
  held,
  speakers: new Speakers(features, groups),
  notifySockets: new NotifySockets({ directory: join(directory, 'notify'), pump, held, features, ...nobody }),
  sockets: new ServiceSockets({ held, pump, report }),
  stored: new StoredDescriptors({ pump, held, batches: new Batches(), ...full }),
  handovers: { export: () => {}, endExport: () => {}, say: () => {} },
  stateFiles: new StateFiles(join(directory, 'handover')),
  socket: join(directory, 'control.sock'),
  begunAt: () => 0,
  readyFiles: join(directory, 'ready'),
  reaper: new Reaper((pid) => exits.isFollowed(pid)),
  witnesses,
  seeker: { look: () => {}, stopSeeking: () => {}, matches: () => false, close: () => {} },
  outputs: { descriptorFor: () => null, release: () => {} },
  readiness: { await: () => {}, cancel: () => {} },
  asking: { ask: () => {}, stop: () => {} },
  token: 'test',
});
const command = { argv: ['/bin/sleep', '0.1'], timeout: null, user: null };
const settings = {
  user: null,
  group: null,
  groups: null,
  cwd: '/',
  umask: 0o022,
  env: {},
  envFiles: [],
  inheritEnv: [],
  limits: {},
  nice: null,
  oomScoreAdjust: null,
  noNewPrivileges: 'no',
  capabilities: null,
  memory: null,
};
const spec = {
  name: 'web',
  kind: { type: 'supervised' },
  settings,
  ready: { probe: { type: 'alive', for: 1 }, timeout: null },
  pool: null,
  restart: { alwaysAfter: [] },
  sockets: [],
  fdStore: 0,
  handover: { mode: 'replace', pidFile: null },
  watchdog: null,
  notifyAccess: 'none',
};
kernel.perform({ type: 'spawn', hook: 0, env: {}, spec, role: 'main', generation: 1, command });
