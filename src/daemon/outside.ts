// Everything outside of the keeper, put together: the kernel layer, the logs, the disk thread, readiness. The only place
// that knows all of these folders.

import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Places } from '../cli/places.js';
import { nextTime } from '../config/cron.js';
import type { HandoverParts } from '../control/handover-route.js';
import type { Peer } from '../control/judge.js';
import type { FdsDocument } from '../core/descriptor-view.js';
import type { ServiceName } from '../core/spec.js';
import type { Service, ServiceSet } from '../core/state.js';
import { connectAt } from '../heartbeats/connect.js';
import type { WriteJob } from '../journal/job.js';
import type { Clock, Kernel, Post, Report } from '../keeper/ports.js';
import { findGroup, findUser, groupsOf } from '../kernel/account.js';
import { Looker } from '../kernel/appearances.js';
import { endSessionsOf } from '../kernel/asker-program.js';
import { askerRights } from '../kernel/asker-rights.js';
import { Batches } from '../kernel/batches.js';
import { findCgroupBase, findMemoryV1Base } from '../kernel/cgroup-mounts.js';
import { companionStarter, type StartCompanion } from '../kernel/companion.js';
import { factsOf } from '../kernel/descriptor-facts.js';
import { exitAtOnce } from '../kernel/disk-calls.js';
import { DiskThread } from '../kernel/disk-thread.js';
import { Exits } from '../kernel/exits.js';
import { type FeatureName, type Features, missingFeatures, probeFeatures, switchedOff } from '../kernel/features.js';
import { mayTakeFromStrangers } from '../kernel/foreign-descriptor.js';
import { Groups } from '../kernel/groups.js';
import { HeldDescriptors } from '../kernel/held-descriptors.js';
import { RealKernel } from '../kernel/kernel.js';
import { KernelLog } from '../kernel/kernel-log.js';
import { Killers } from '../kernel/killers.js';
import { orphansOfServices } from '../kernel/kin.js';
import { newMain } from '../kernel/new-main.js';
import { NotifySockets } from '../kernel/notify-sockets.js';
import { oomScore } from '../kernel/oom-score.js';
import { peerOf, peerPidfd } from '../kernel/peer.js';
import { ProcConnector, probeProcConnector } from '../kernel/proc-connector.js';
import { createPump, type Together } from '../kernel/pump.js';
import { Reaper } from '../kernel/reaper.js';
import { ServiceSockets } from '../kernel/service-sockets.js';
import { Sleeps } from '../kernel/sleeps.js';
import { Speakers } from '../kernel/speakers.js';
import { StateFiles } from '../kernel/state-files.js';
import { StoredDescriptors } from '../kernel/stored-descriptors.js';
import { close, closeOnExecFrom } from '../kernel/syscalls.js';
import { instanceName, openTraceInstance } from '../kernel/trace-instance.js';
import { Witnesses } from '../kernel/witnesses.js';
import type { LogJob, LogNews, PrintJob } from '../logs/job.js';
import { ServiceOutputs } from '../logs/outputs.js';
import { admit, fullSentence } from '../protocol/fd-store.js';
import { ReadinessProbes } from '../readiness/probes.js';
import { after } from './after.js';
import { askerStarter } from './asker-process.js';
import { AskerSecrets } from './asker-secrets.js';
import { Askers } from './askers.js';
import { fdsView } from './fds-view.js';
import { HandoverChannels } from './handover-channels.js';
import { Hearing } from './hearing.js';
import type { Directory } from './peers.js';
import type { Piece } from './runtime-watch.js';

export interface OutsideOptions {
  readonly places: Places;
  readonly token: string;
  readonly begunAt: (service: ServiceName) => number;
  readonly report: Report;
  readonly post: Post;
  readonly services: () => ServiceSet;
  /** Something is wrong with what this service said. */
  readonly complain: (service: ServiceName, text: string) => void;
  readonly together: Together;
  readonly clock: Pick<Clock, 'now'>;
}

export interface Outside {
  readonly kernel: Kernel;
  readonly startCompanion: StartCompanion;
  /** Who asks the services. */
  readonly askers: Askers;
  readonly outputs: ServiceOutputs;
  /** What services say of themselves by sd_notify. */
  readonly hearing: Hearing;
  /** From now on what this service says is heard, if it may say anything. */
  readonly listenTo: (service: Service) => void;
  /** There is no such service any more. */
  readonly stopListeningTo: (service: ServiceName) => void;
  /** Who hands over to whom, and what they are told of it. */
  readonly handovers: HandoverChannels;
  /** Where they come in. */
  readonly handoverDoor: HandoverParts;
  readonly disk: DiskThread<LogJob | WriteJob | PrintJob, LogNews>;
  readonly without: readonly { readonly name: string; readonly effect: string }[];
  readonly notEnforced: (service: Service) => readonly string[];
  readonly peerOf: (socket: Socket) => Peer | null;
  /** A look whether the machine was suspended: nobody tells us. */
  readonly lookForSleep: () => void;
  /** `yes`: a thread waits for a file system. */
  readonly waitsForFiles: () => 'yes' | 'no';
  /** What is held for it; null: there is no such service. */
  readonly fdsOf: (service: ServiceName) => FdsDocument | null;
  /** What says to the next keeper what is held for services. */
  readonly heldRecord: Piece;
  /** There are only these services: what is held for others is let go. */
  readonly holdFor: (services: ReadonlySet<string>) => void;
  /** What was closed has left no path behind then. */
  readonly tidied: () => Promise<void>;
  /** Ends the process without waiting for a thread that hangs in a disk. */
  readonly endAtOnce: (code: number) => void;
  close(): void;
}

export function composeOutside({
  places,
  token,
  begunAt,
  report,
  post,
  services,
  complain,
  together,
  clock,
}: OutsideOptions): Outside {
  const without = switchedOff(process.env);
  const trace = without.includes('tracefs') ? null : openTraceInstance(instanceName(places.runtime));
  const kernelLog = without.includes('kmsg') ? null : KernelLog.open();
  const [hasTrace, hasLog] = [trace, kernelLog].map((one) => () => (one === null ? 'no' : 'yes') as 'yes' | 'no');
  const features = probeFeatures(without, probeProcConnector, hasTrace, hasLog);
  // What Node itself inherited open (a terminal multiplexer's, a test runner's) is not for our services.
  closeOnExecFrom(3);
  const lastToGo = without.includes('oomScore') ? 'no' : oomScore.lower(process.env);
  const disk = new DiskThread<LogJob | WriteJob | PrintJob, LogNews>({
    name: 'disk thread',
    program: new URL('../worker.js', import.meta.url),
    setting: { without },
    onNews: (news) => outputs.hear(news),
    report,
  });
  const outputs = new ServiceOutputs({ directory: places.logs, send: (job) => disk.send(job), report, inherited: 2 });
  const pump = createPump(features, report, together);
  const connector = features.procConnector === 'yes' ? new ProcConnector(pump) : null;
  const isFollowed = (pid: number): boolean => exits.isFollowed(pid);
  const killers = trace === null ? null : new Killers(trace, pump, isFollowed, report);
  const sleeps = new Sleeps();
  const witnesses = new Witnesses({ killers, log: kernelLog, sleeps, report });
  const exits: Exits = new Exits(
    pump,
    features,
    (pid) => connector?.exitStatusOf(pid) ?? null,
    (process, evidence) => witnesses.testify(process, evidence),
  );
  // Where a pidfd does not tell how a stranger's child ended, the connector has to hear it: then it listens all the time.
  const listening = features.pidfdInfo === 'no' ? (connector?.listen(() => {}) ?? null) : null;
  const groups = new Groups(groupPlaces(features, places), report, () => orphansOfServices(exits));
  const speakers = new Speakers(features, groups);
  const batches = new Batches();
  const hearing = new Hearing({
    post,
    speakers,
    newMain: (service, named) => newMain(service, named, features, speakers),
    batches,
    complain,
  });
  const held = new HeldDescriptors({ directory: places.runtime, features, exits, report });
  const notifySockets = new NotifySockets({
    directory: join(places.runtime, 'notify'),
    pump,
    held,
    features,
    hear: (service, datagram) => hearing.hear(service, datagram),
    complain: (service, reason) => hearing.complain(service, reason),
    hasRoom: () => batches.hasRoom,
  });
  const sockets = new ServiceSockets({ held, pump, report });
  const stored = new StoredDescriptors({
    pump,
    held,
    batches,
    admit,
    onFull: (service, ...counts) => complain(service, fullSentence(...counts)),
    complain,
    now: () => clock.now().wall,
  });
  const stateFiles = new StateFiles(join(places.runtime, 'handover'));
  const handovers = new HandoverChannels({
    post,
    services,
    files: stateFiles,
    notified: (service, speaker, text) => hearing.word(service, speaker, text),
    complain,
  });
  const readiness = new ReadinessProbes({
    post,
    run: (command, spec, signal) => kernel.run(command, spec, signal),
    connect: (place, signal) => connectAt(place, { signal, begin: () => undefined }),
    ask: async (spec, heartbeat, process) => (await askers.test(spec, heartbeat, process)).answer.result,
    logStart: (spec) => outputs.startOf(spec),
  });
  const startCompanion = companionStarter(exits, features);
  const askers: Askers = new Askers({
    post,
    report,
    start: askerStarter(startCompanion, together),
    rightsOf: askerRights,
    secrets: new AskerSecrets({ env: process.env, uid: process.geteuid?.() ?? 0 }),
    measure: (asked) => kernel.usageOf(asked),
    endPrograms: (leaders, uid) => endSessionsOf(leaders, uid, features),
    clock: { now: () => clock.now().instant, after },
  });
  const kernel: RealKernel = new RealKernel({
    post,
    report,
    features,
    pump,
    exits,
    groups,
    outputs,
    readiness,
    asking: askers,
    handovers,
    stateFiles,
    socket: places.socket,
    token,
    begunAt,
    readyFiles: join(places.runtime, 'ready'),
    reaper: new Reaper(isFollowed),
    witnesses,
    notifySockets,
    speakers,
    held,
    sockets,
    stored,
    nextTime,
    seeker: new Looker({ features, connector, post }),
  });
  return {
    kernel,
    startCompanion,
    askers,
    outputs,
    hearing,
    listenTo: ({ spec }) => {
      try {
        if (spec.notifyAccess !== 'none') notifySockets.open(spec.name);
      } catch (error) {
        report(`the socket for the sd_notify of ${spec.name} cannot be made`, error);
      }
    },
    stopListeningTo: (service) => {
      notifySockets.release(service);
      stored.empty(service);
      speakers.release(service);
    },
    handovers,
    handoverDoor: {
      knows: (service) => services().has(service),
      memberOf: (service, peer, socket) => {
        const pidfd = peerPidfd(socket);
        const found = speakers.whoSent(service, { from: peer, pidfd });
        if (pidfd !== null) close(pidfd);
        return found;
      },
      open: (service, speaker, socket) => handovers.open(service, speaker, socket),
    },
    disk,
    without: [
      ...missingFeatures(features).map((name) => ({ name, effect: effects[name] })),
      ...missingRights(features, lastToGo),
    ],
    notEnforced: ({ spec }) => (spec.settings.memory !== null && groups.enforcesMemory === 'no' ? ['memory'] : []),
    peerOf,
    lookForSleep: () => sleeps.look(),
    waitsForFiles: () => kernel.waitsForFiles,
    fdsOf: (name) => {
      const service = services().get(name);
      return service === undefined ? null : fdsView(service, { held, stored, factsOf });
    },
    heldRecord: held,
    holdFor: (services) => {
      sockets.settle(services);
      stored.retain(services);
    },
    tidied: () => sockets.settled(),
    endAtOnce: exitAtOnce,
    close: () => {
      listening?.close();
      readiness.close();
      handovers.close();
      askers.close();
      outputs.close();
      disk.close();
    },
  };
}

function groupPlaces(
  features: Features,
  { runtime }: Places,
): { readonly base: string | null; readonly memoryV1: string | null; readonly instance: string } {
  const isOn = features.cgroup === 'yes';
  return {
    base: isOn ? findCgroupBase() : null,
    memoryV1: isOn ? findMemoryV1Base() : null,
    instance: createHash('sha256').update(runtime).digest('hex').slice(0, 8),
  };
}

/** What it means for a user that a feature is missing. */
const effects: Readonly<Record<FeatureName, string>> = {
  pidfd: 'deaths are found by looking, up to half a second late (Linux 5.3 has it)',
  pidfdInode: 'processes are told apart by start time, to a hundredth of a second (Linux 6.9 has it)',
  pidfdInfo:
    'how a daemon ended that is not our child is known from the proc connector only, or not at all (Linux 6.15 has it)',
  pidfdGetfd:
    'sockets and descriptors that are held for services do not outlive the keeper: they are opened anew at the next start (Linux 5.6 has it)',
  passPidfd:
    'what a service says by sd_notify in its last moment may not count, because nobody can tell who said it (Linux 6.5 has it)',
  procConnector:
    'daemons that come up by another’s hand are found by looking every few seconds (needs root and no container)',
  cgroup:
    'a service is ended by its process group and session; who left both may stay (needs a writable cgroup2 directory)',
  uvPoll: 'the kernel is waited for by a thread: deaths are seen a little later',
  subreaper: 'orphans of a service go to init',
  tracefs:
    'who sent a signal that ended a service is not known (needs root, tracefs on /sys/kernel/tracing, and no container)',
  kmsg: 'where a program faulted, and which group was out of memory, is not known (needs root, or kernel.dmesg_restrict=0, and no container)',
  setpriv: 'user, group, capabilities and noNewPrivileges cannot be set (install util-linux)',
};

function missingRights(
  features: Features,
  lastToGo: 'yes' | 'no',
): readonly { readonly name: string; readonly effect: string }[] {
  const score = {
    name: 'oomScore',
    effect: 'when memory runs out the keeper may be ended before its services (needs CAP_SYS_RESOURCE)',
  };
  const trace = {
    name: 'ptrace',
    effect:
      'what is held for services outlives an upgrade, but not a keeper that is killed (needs root, or kernel.yama.ptrace_scope=0)',
  };
  const missing = [
    ...(lastToGo === 'yes' ? [] : [score]),
    ...(features.pidfdGetfd === 'no' || mayTakeFromStrangers() === 'yes' ? [] : [trace]),
  ];
  if (process.geteuid?.() === 0) return missing;
  return [
    ...missing,
    { name: 'root', effect: 'services run as this user only, and daemons of others are seen, but not signalled' },
  ];
}

/** The users and groups of the host, as the control socket needs them. */
export const directory: Directory = {
  userName: (uid) => findUser(String(uid))?.name ?? null,
  isInGroup: (user, group) => {
    const gid = findGroup(group);
    const account = findUser(user);
    return gid !== null && account !== null && groupsOf(account).includes(gid);
  },
};
