// Files → configuration, or all that is wrong with them. The one door of this folder for whoever keeps or checks: it
// reads, judges and puts together, and changes nothing.

import { isClassName, isTrue, parseClassExpression } from '../core/classes.js';
import type { NoticesSpec } from '../core/notice-spec.js';
import type { ServiceSpec } from '../core/spec.js';
import { warnOfConflicts } from './conflicts.js';
import { type Disk, realDisk } from './disk.js';
import { readFiles, type Sources } from './files.js';
import { warnOfGraceful } from './graceful-warnings.js';
import { warnOfHeartbeats } from './heartbeat-warnings.js';
import type { HostFacts } from './host-facts.js';
import { checkTemplates, layersOf } from './layers.js';
import { checkReferences, couple, specsOf } from './neighbours.js';
import { checkNoticeServices, withMembers } from './notice-services.js';
import { ordered } from './order.js';
import type { Who } from './ownership.js';
import { gatherParts, includesOf, type Parts } from './parts.js';
import { gatherProblems, inOrder, type Problem, type Problems } from './problem.js';
import { type ReadService, readService } from './service.js';
import { type Setting, settingsOf } from './setting.js';
import { shareParts } from './share.js';
import { checkSocketClashes } from './socket-clash.js';
import { type Classes, checkNames, decideClasses } from './soft-classes.js';
import { warnOfTakingNothingBack } from './taken-back.js';
import type { KeeperSettings } from './top-keys.js';
import { type Dict, valueAt } from './tree.js';
import { checkTrust, envFilesOf, heartbeatSecretsOf, secretFilesOf } from './trust.js';

/** A service that is not for this host. */
export interface Elsewhere {
  readonly name: string;
  readonly hosts: string;
  readonly reason: string;
}

/** A configuration that is right, for one host. Plain data: it can be written to disk and sent to a thread. */
export interface Configuration {
  /** The main file, as it was named. */
  readonly path: string;
  readonly specs: readonly ServiceSpec[];
  readonly elsewhere: readonly Elsewhere[];
  readonly keeper: KeeperSettings;
  /** null: nothing was said about notices. */
  readonly notices: NoticesSpec | null;
  readonly classes: { readonly set: readonly string[]; readonly unset: readonly string[] };
  readonly sources: Sources;
}

export type Loaded =
  | {
      readonly type: 'ok';
      readonly config: Configuration;
      readonly warnings: readonly Problem[];
      /** By service, for `explain`; empty unless asked for. Services of other hosts are among them. */
      readonly settings: Readonly<Record<string, readonly Setting[]>>;
    }
  | {
      readonly type: 'bad';
      readonly problems: readonly Problem[];
      readonly warnings: readonly Problem[];
      readonly sources: Sources;
    };

export interface Request {
  readonly path: string;
  readonly facts: HostFacts;
  /** The keeper's environment, for UPKEEP_CLASSES. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly who: Who;
  /** `settings`: with the origin of every effective value. */
  readonly want?: 'specs' | 'settings';
}

/** Reads a configuration and everything that it includes. Never throws for what is in the files. */
export function loadConfig(request: Request, disk: Disk = realDisk): Loaded {
  const problems = gatherProblems();
  const warnings = gatherProblems();
  const { files, sources, names, extent } = readFiles(request.path, request.who, disk, problems, includesOf);
  const parts = gatherParts(files, problems);
  // What an unreadable file may have declared is not called unknown.
  const references = extent === 'all' ? problems : gatherProblems();

  const facts = { ...request.facts, given: [...request.facts.given, ...givenClasses(request, problems)] };
  const declared = { rules: parts.classes, names: parts.classNames, keeper: parts.keeper.classes };
  const classes = decideClasses(facts, declared, references);

  const read = readServices(parts, extent, { problems, references, warnings });
  const layered = layersByKey(parts);
  checkHosts(layered, classes, references);
  checkReferences(layered, parts.services, references);
  checkTemplates(parts.templates, references);
  checkNoticeServices(parts.noticesTree, { declared: parts.services, read }, references);

  const isHere = ([, { hosts }]: readonly [string, ReadService]): boolean => isTrue(hosts.expression, classes.isSet);
  const here = new Map([...read].filter(isHere));
  const elsewhere = new Map([...read].filter((one) => !isHere(one)).map(([name, { hosts }]) => [name, hosts.text]));
  for (const [name, { members }] of here)
    for (const { effective } of members) {
      checkTrust(`services.${name}.envFile`, envFilesOf(effective), request.who, disk, problems);
      checkTrust(`services.${name}.heartbeat`, heartbeatSecretsOf(effective), request.who, disk, problems);
    }
  const couplings = ordered(couple({ here, elsewhere }, references), here, references, warnings);
  warnOfConflicts(here, couplings, warnings);
  checkSocketClashes(here, problems, warnings);
  warnOfHeartbeats(here, warnings);
  warnOfGraceful(here, warnings);
  checkTrust('notices', secretFilesOf(parts.noticesTree), request.who, disk, problems);
  warn(request.path, parts, warnings);

  if (problems.found().length > 0) {
    return { type: 'bad', problems: inOrder(problems.found(), names), warnings: warnings.found(), sources };
  }
  const config: Configuration = {
    path: request.path,
    specs: shareParts(specsOf(here, couplings)),
    elsewhere: [...elsewhere].map(([name, hosts]) => elsewhereOf(name, hosts, facts)),
    keeper: parts.keeper,
    notices: parts.notices === null ? null : withMembers(parts.notices, read),
    classes: { set: classes.set, unset: classes.unset },
    sources,
  };
  const settings =
    request.want === 'settings' ? [...read].flatMap(([name, service]) => settingsByName(name, service)) : [];
  return { type: 'ok', config, warnings: warnings.found(), settings: Object.fromEntries(settings) };
}

/** Those that are right, by name. `references`: who hears of names that nothing has. */
function readServices(
  parts: Parts,
  extent: 'all' | 'part',
  { problems, references, warnings }: Readonly<Record<'problems' | 'references' | 'warnings', Problems>>,
): ReadonlyMap<string, ReadService> {
  const read = new Map<string, ReadService>();
  for (const [name, tree] of parts.services) {
    if (extent === 'part' && valueAt(tree, 'extends') !== undefined) continue;
    const layers = layersOf(name, tree, parts, references);
    if (layers === undefined) continue;
    warnOfTakingNothingBack(name, layers, warnings);
    const service = readService(name, layers, problems);
    if (service !== undefined) read.set(name, service);
  }
  return read;
}

/** Soft classes out of UPKEEP_CLASSES, between commas or spaces. */
function givenClasses(request: Request, problems: Problems): readonly string[] {
  const text = request.environment.UPKEEP_CLASSES ?? '';
  const names = [...text.matchAll(/[^\s,]+/g)];
  for (const { 0: name, index } of names) {
    if (isClassName(name)) continue;
    const at = { file: 'UPKEEP_CLASSES', line: 1, column: index + 1 };
    problems.report(
      at,
      null,
      `found ${JSON.stringify(name)}, which is no name of a class; they are of letters, digits and _`,
    );
  }
  return names.map(([name]) => name).filter(isClassName);
}

/** Defaults, templates and services by themselves, each with its key. */
function layersByKey({ defaults, templates, services }: Parts): readonly (readonly [string, Dict])[] {
  return [
    ...(defaults === null ? [] : ([['defaults', defaults]] as const)),
    ...[...templates].map(([name, tree]) => [`templates.${name}`, tree] as const),
    ...[...services].map(([name, tree]) => [`services.${name}`, tree] as const),
  ];
}

/** In every layer by itself, so that a service that cannot be read is no reason to be silent about its hosts. */
function checkHosts(layers: ReturnType<typeof layersByKey>, classes: Classes, problems: Problems): void {
  for (const [key, tree] of layers) {
    const hosts = valueAt(tree, 'hosts');
    const parsed = hosts?.type === 'leaf' ? parseClassExpression(hosts.text) : null;
    if (hosts !== undefined && parsed?.type === 'ok')
      checkNames(parsed.expression, hosts, `${key}.hosts`, classes, problems);
  }
}

/** Of the service as it is written, and of each of its members. */
function settingsByName(
  name: string,
  { members, effective }: ReadService,
): readonly (readonly [string, readonly Setting[]])[] {
  const own = [name, settingsOf(effective)] as const;
  return [own, ...members.map((member) => [member.spec.name, settingsOf(member.effective)] as const)];
}

function elsewhereOf(name: string, hosts: string, { hostName }: HostFacts): Elsewhere {
  return { name, hosts, reason: `for hosts ${hosts}, and ${hostName} is none of them` };
}

function warn(path: string, parts: Parts, warnings: Problems): void {
  if (parts.services.size === 0) {
    warnings.report(
      { file: path, line: null, column: null },
      null,
      'there are no services; write some below `services:`',
    );
  }
}
