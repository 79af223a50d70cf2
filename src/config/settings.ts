// How processes of a service are run: environment, limits and capabilities.

import type { Limit, LimitName } from '../core/spec.js';
import { durationOrNone, size, sizeOrNone } from './amounts.js';
import { optional, record, required } from './record.js';
import {
  asWritten,
  below,
  complain,
  integer,
  leafShape,
  listOf,
  orNone,
  refine,
  type Shape,
  unfit,
  word,
} from './shape.js';
import { nearest } from './suggest.js';
import { dictOf, isNull } from './tree.js';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const value = asWritten('a value');

/** Variables, each taken as it is written: 1.10 stays 1.10. */
export const env: Shape<Readonly<Record<string, string>>> = {
  write: 'a map like {LANG: C.UTF-8}',
  schema: {
    type: 'object',
    propertyNames: { pattern: NAME.source },
    additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
  },
  keys: null,
  expand: (tree) => tree,
  complete: (tree) => tree,
  read: (tree, reading) => {
    if (tree.type !== 'dict') return unfit(reading, tree, 'a map like {LANG: C.UTF-8}');
    const variables: [string, string][] = [];
    let isGood = true;
    for (const entry of tree.entries) {
      if (!NAME.test(entry.key)) {
        isGood = false;
        complain(reading, entry.at, `found the name ${JSON.stringify(entry.key)}; names are of letters, digits and _`);
      } else if (!isNull(entry.value)) {
        const text = value.read(entry.value, below(reading, entry.key));
        if (text === undefined) isGood = false;
        else variables.push([entry.key, text]);
      }
    }
    return isGood ? Object.fromEntries(variables) : undefined;
  },
};

/** Files of variables; a leading `-` means that it may be missing. */
export const envFiles = listOf(
  leafShape('a path that begins with /, or -/ where it may be missing', { type: 'string', pattern: '^-?/' }, (text) =>
    /^-?\//.test(text)
      ? { type: 'ok', value: text }
      : { type: 'bad', problem: 'is not a whole path; write one that begins with /, or -/ where it may be missing' },
  ),
  'single',
);

const names = listOf(word('the name of a variable', NAME), 'list');

/** Variables taken over from the keeper. */
export const inheritEnv: Shape<readonly string[] | 'all'> = {
  ...names,
  write: 'a list of names, or all',
  schema: { anyOf: [names.schema, { const: 'all' }] },
  read: (tree, reading) => {
    if (tree.type === 'leaf') return tree.text === 'all' ? 'all' : unfit(reading, tree, 'a list of names, or all');
    return names.read(tree, reading);
  },
};

// capability.h of Linux 6.x, without its prefix.
const CAPABILITIES: readonly string[] = [
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'linux_immutable',
  'net_bind_service',
  'net_broadcast',
  'net_admin',
  'net_raw',
  'ipc_lock',
  'ipc_owner',
  'sys_module',
  'sys_rawio',
  'sys_chroot',
  'sys_ptrace',
  'sys_pacct',
  'sys_admin',
  'sys_boot',
  'sys_nice',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'mknod',
  'lease',
  'audit_write',
  'audit_control',
  'setfcap',
  'mac_override',
  'mac_admin',
  'syslog',
  'wake_alarm',
  'block_suspend',
  'audit_read',
  'perfmon',
  'bpf',
  'checkpoint_restore',
];

/** Capabilities to keep, as `net_bind_service` or CAP_NET_BIND_SERVICE. */
export const capabilities = listOf(
  leafShape(
    'a capability like net_bind_service',
    { anyOf: [{ enum: CAPABILITIES }, { type: 'string', pattern: '^CAP_[A-Z_]+$' }] },
    (text) => {
      const plain = text.toLowerCase().replace(/^cap_/, '');
      if (CAPABILITIES.includes(plain)) return { type: 'ok', value: plain };
      const near = nearest(plain, CAPABILITIES);
      return {
        type: 'bad',
        problem:
          near === null ? 'is no capability; capabilities(7) lists them' : `is no capability; did you mean ${near}`,
      };
    },
  ),
  'list',
);

// getrlimit(2) counts processor time in seconds and real-time bursts in microseconds.
const cpuTime: Shape<number | null> = refine(durationOrNone, (ms, tree, reading) => {
  if (ms !== null && ms % 1000 !== 0)
    return complain(reading, tree.at, 'is counted in whole seconds; write one like 90s');
  return ms === null ? null : ms / 1000;
});
const burst: Shape<number | null> = refine(durationOrNone, (ms) => (ms === null ? null : ms * 1000));
const amountOf = orNone(integer(0, Number.MAX_SAFE_INTEGER));

function limit(unit: Shape<number | null>): Shape<Limit> {
  return refine(
    record(
      `${unit.write}; or {soft, hard}`,
      {
        soft: required(unit, 'The limit in force, which a process may raise up to the hard one.'),
        hard: required(unit, 'The limit that only root may raise.'),
      },
      {
        short: (tree) => (tree.type === 'leaf' ? dictOf(tree, { soft: tree, hard: tree }) : tree),
        shortSchema: unit.schema,
      },
    ),
    (both, tree, reading) =>
      (both.soft ?? Number.POSITIVE_INFINITY) <= (both.hard ?? Number.POSITIVE_INFINITY)
        ? both
        : complain(reading, tree.at, 'found a soft limit above the hard one; write soft ≤ hard'),
  );
}

const bytes = limit(sizeOrNone);
const amount = limit(amountOf);

const limitKeys = {
  nofile: optional(amount, 'Open files.'),
  nproc: optional(amount, 'Processes of the same user.'),
  core: optional(bytes, 'Size of a core file; 0 for none at all.'),
  as: optional(bytes, 'Address space of one process.'),
  data: optional(bytes, 'Data segment.'),
  fsize: optional(bytes, 'Size of a file that it writes.'),
  memlock: optional(bytes, 'Memory locked into RAM.'),
  stack: optional(bytes, 'Stack of the main thread.'),
  rss: optional(bytes, 'Resident memory; Linux does not enforce it.'),
  msgqueue: optional(bytes, 'Bytes in POSIX message queues.'),
  cpu: optional(limit(cpuTime), 'Processor time of one process, in whole seconds.'),
  rttime: optional(limit(burst), 'Processor time of a real-time process without sleeping.'),
  locks: optional(amount, 'File locks; Linux does not enforce it.'),
  nice: optional(amount, 'How far its nice value may be raised, as 20 minus that value.'),
  rtprio: optional(amount, 'Real-time priority.'),
  sigpending: optional(amount, 'Queued signals.'),
} as const satisfies Record<LimitName, unknown>;

/** Resource limits; what is not named stays as it was before the keeper changed its own. */
export const limits: Shape<Readonly<Partial<Record<LimitName, Limit>>>> = refine(
  record('a map like {nofile: 65536, core: none}', limitKeys),
  (fields) => Object.fromEntries(Object.entries(fields).filter(([, both]) => both !== null)),
);

/** More than nothing. */
export const memory: Shape<number> = refine(size, (value, tree, reading) =>
  value > 0 ? value : complain(reading, tree.at, 'found 0; write a size like 512M'),
);
