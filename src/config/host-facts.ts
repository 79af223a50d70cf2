// What is known of the host before any configuration is read: its name and its hard classes. Reads the real host, or
// stands for another one (`check --as`).

import { existsSync, readFileSync } from 'node:fs';
import { hostname, machine } from 'node:os';
import { classNameOf } from '../core/classes.js';

export interface HostFacts {
  readonly hostName: string;
  /** Classes that nobody can take away. */
  readonly hard: readonly string[];
  /** Soft classes that are set by whoever asks. */
  readonly given: readonly string[];
  /** Does the marker file of a class exist? */
  readonly exists: (path: string) => boolean;
}

/** Where facts come from; tests bring their own. */
export interface HostSource {
  readonly hostName: string;
  readonly architecture: string;
  readonly uid: number;
  /** The text of a file; null where it cannot be read. */
  readonly text: (path: string) => string | null;
  readonly exists: (path: string) => boolean;
}

const KNOWN = ['any', 'linux', 'root', 'user', 'systemd', 'container'];

// `uname -m` of the machines that Node runs on.
const ARCHITECTURES = [
  'x86_64',
  'aarch64',
  'armv6l',
  'armv7l',
  'i686',
  'i586',
  'ppc64le',
  's390x',
  'riscv64',
  'loongarch64',
];

// ID= of os-release(5), made class names.
const DISTRIBUTIONS = [
  'debian',
  'ubuntu',
  'devuan',
  'raspbian',
  'linuxmint',
  'pop',
  'kali',
  'fedora',
  'rhel',
  'centos',
  'rocky',
  'almalinux',
  'ol',
  'amzn',
  'sles',
  'opensuse',
  'opensuse_leap',
  'opensuse_tumbleweed',
  'arch',
  'manjaro',
  'alpine',
  'gentoo',
  'void',
  'nixos',
  'guix',
  'slackware',
  'azurelinux',
  'mageia',
];

/** Is it a hard class of some host, so that it may stand in an expression without being declared? */
export const isHardFamily = (name: string): boolean =>
  KNOWN.includes(name) ||
  ARCHITECTURES.includes(name) ||
  DISTRIBUTIONS.some((id) => name === id || (name.startsWith(`${id}_`) && /^[0-9_]+$/.test(name.slice(id.length + 1))));

/** The names of hard classes, to suggest from. */
export const hardFamilies: readonly string[] = [...KNOWN, ...ARCHITECTURES, ...DISTRIBUTIONS];

/** The hard classes of a host. */
export function factsOf(source: HostSource): HostFacts {
  const hard = [
    'any',
    'linux',
    classNameOf(source.architecture),
    ...distributionOf(source.text('/etc/os-release') ?? source.text('/usr/lib/os-release') ?? ''),
    ...namesOf(source.hostName),
    source.uid === 0 ? 'root' : 'user',
    ...(isSystemd(source) ? ['systemd'] : []),
    ...(isContainer(source) ? ['container'] : []),
  ];
  return { hostName: source.hostName, hard: [...new Set(hard)], given: [], exists: source.exists };
}

/** The host that this runs on. */
export const realHost = (): HostFacts =>
  factsOf({
    hostName: hostname(),
    architecture: machine(),
    uid: process.getuid?.() ?? 0,
    text: textOf,
    exists: existsSync,
  });

/** Another host, of which only its name and these classes are known. */
export function hostNamed(hostName: string, classes: readonly string[]): HostFacts {
  return { hostName, hard: [...new Set(['any', 'linux', ...namesOf(hostName)])], given: classes, exists: () => false };
}

/** The host name whole and its first label, as classes. */
function namesOf(hostName: string): readonly string[] {
  return [classNameOf(hostName), classNameOf(hostName.split('.')[0] ?? '')].filter((name) => name !== '');
}

function distributionOf(osRelease: string): readonly string[] {
  const fieldOf = (key: string): string => {
    const match = new RegExp(`^${key}=(?:"([^"]*)"|'([^']*)'|(.*))$`, 'm').exec(osRelease);
    return (match?.[1] ?? match?.[2] ?? match?.[3] ?? '').trim().toLowerCase();
  };
  const id = classNameOf(fieldOf('ID'));
  const version = classNameOf(fieldOf('VERSION_ID'));
  if (id === '') return [];
  // 22.04 is both ubuntu_22 and ubuntu_22_04.
  const major = version.split('_')[0] ?? '';
  return version === '' ? [id] : [id, `${id}_${major}`, `${id}_${version}`];
}

// The name of PID 1 where it may be seen (hidepid hides it), else what sd_booted(3) looks at.
function isSystemd(source: HostSource): boolean {
  const name = source.text('/proc/1/comm');
  return name === null ? source.exists('/run/systemd/system') : name.trim() === 'systemd';
}

// Podman and Docker leave a file; systemd-nspawn and LXC tell PID 1, which only root may read.
function isContainer(source: HostSource): boolean {
  if (source.exists('/run/.containerenv') || source.exists('/.dockerenv') || source.exists('/run/systemd/container'))
    return true;
  return (source.text('/proc/1/environ') ?? '').split('\0').some((variable) => /^container=./.test(variable));
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
