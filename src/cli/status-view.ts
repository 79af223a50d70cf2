// The status as a table: problems first, then which keeper speaks and how many are how, then a row for each service,
// in three layouts for three widths of terminal. Pure.

import type { ServiceStatus, Status } from '../core/status.js';
import { pidText } from './generation-text.js';
import { barColour, barText } from './health-text.js';
import type { ElsewhereFact } from './keeper-facts.js';
import { type Colour, type Paint, plain } from './paint.js';
import type { Places } from './places.js';
import { byHandText, colourOf, lastText, nextText, uptimeText } from './service-text.js';
import { type Cell, type Column, tableOf } from './table.js';
import { cutTo, printable } from './text-width.js';
import { sinceText } from './time-text.js';

export interface StatusView {
  readonly status: Status;
  readonly places: Places;
  /** Those to show. */
  readonly services: readonly ServiceStatus[];
  /** For `--all`: those that are not for this host. */
  readonly elsewhere: readonly ElsewhereFact[];
  /** By the keeper's clock, in milliseconds since 1970. */
  readonly now: number;
  /** Of the terminal; null: none, and nothing is cut. */
  readonly columns: number | null;
  readonly paint: Paint;
}

/** The lines of `upkeep status`. */
export function statusLines(view: StatusView): readonly string[] {
  const { status, services, elsewhere, columns, paint } = view;
  const lines = [...problemLines(status, paint), headLine(view), ''];
  if (services.length === 0) lines.push(`no services; write some in ${status.keeper.config}, and \`upkeep apply\``);
  else lines.push(...layoutFor(columns)(view));
  if (elsewhere.length > 0) lines.push('', 'not for this host:', ...elsewhereLines(elsewhere, columns));
  return lines;
}

/** What people should know before they read on, and an empty line behind it. */
export function problemLines({ keeper }: Status, paint: Paint): readonly string[] {
  const { problems } = keeper;
  return problems.length === 0 ? [] : [...problems.map((problem) => paint('red', printable(problem))), ''];
}

/** `web1: 3 running, 1 backoff; the system's keeper (pid 801, up 41 d)` */
function headLine({ status, services, places, now, columns, paint }: StatusView): string {
  const { keeper, host } = status;
  const who = `${keeperText(places)} (pid ${keeper.pid}, up ${sinceText(keeper.since, now)})`;
  const line = `${host}: ${countsText(services)}; ${who}`;
  return paint('bold', columns === null ? line : cutTo(line, columns));
}

/** Which keeper it is. One in a place of its own is named by that. */
export function keeperText({ whose, runtime }: Places): string {
  if (whose === 'system') return runtime === '/run/upkeep' ? "the system's keeper" : `the keeper in ${runtime}`;
  return runtime.endsWith('/upkeep/run') ? 'your own keeper' : `the keeper in ${runtime}`;
}

/** `3 running, 1 stopped (1 on hold)`, in the order of a service's life. */
export function countsText(services: readonly ServiceStatus[]): string {
  const counts = new Map<string, number>();
  for (const { state } of services) counts.set(state, (counts.get(state) ?? 0) + 1);
  const rank = (state: string): number => (ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length);
  const parts = [...counts].sort(([a], [b]) => rank(a) - rank(b)).map(([state, count]) => `${count} ${state}`);
  const held = services.filter(({ hold }) => hold !== null).length;
  return `${parts.length === 0 ? 'no services' : parts.join(', ')}${held === 0 ? '' : ` (${held} on hold)`}`;
}

const ORDER: readonly string[] = [
  'running',
  'done',
  'starting',
  'handover',
  'stopping',
  'waiting',
  'backoff',
  'failed',
  'unknown',
  'stopped',
  'skipped',
];

type Layout = (view: StatusView) => readonly string[];

/** From these widths on a layout fits; a pipe gets everything. */
const FULL = 110;
const CONDENSED = 60;

function layoutFor(columns: number | null): Layout {
  if (columns === null || columns >= FULL) return full;
  return columns >= CONDENSED ? condensed : mini;
}

const cell = (text: string | null, colour: Colour | null = null): Cell => ({ text: text ?? '-', colour });

const NAME: Column = { title: 'NAME', least: 12 };
const STATE: Column = { title: 'STATE', least: null };
const PID: Column = { title: 'PID', least: null };
const UP: Column = { title: 'UP', least: null };
const RESTARTS: Column = { title: 'RESTARTS', least: null };

const HEALTH: Column = { title: 'HEALTH', least: null };
/** Only where somebody has something there. */
const SAYS: Column = { title: 'SAYS', least: 12 };
const BY_HAND: Column = { title: 'BY HAND', least: 12 };

/** How many answers the bar has; null: no service has heartbeats, and nobody misses the column. */
type Bar = number | null;
const BAR = 12;
/** Where there is little room: as wide as its title, and instead of the number of restarts. */
const SHORT_BAR = 6;
/** From this width on there is room in the condensed layout. */
const ROOMY = 80;

function barFor({ services, columns }: StatusView): Bar {
  if (services.every(({ health }) => health.state === 'none')) return null;
  return columns === null || columns >= ROOMY ? BAR : SHORT_BAR;
}

const firstColumns = (bar: Bar): readonly Column[] =>
  bar === null ? [NAME, STATE, PID, UP, RESTARTS] : [NAME, STATE, HEALTH, PID, UP, ...(bar === BAR ? [RESTARTS] : [])];

const firstCells = (service: ServiceStatus, now: number, bar: Bar): readonly Cell[] => [
  cell(service.name),
  cell(service.state, colourOf(service)),
  ...(bar === null ? [] : [cell(barText(service, bar), barColour(service))]),
  cell(pidText(service)),
  cell(uptimeText(service, now)),
  ...(bar === SHORT_BAR ? [] : [cell(String(service.restarts.total))]),
];

const full: Layout = (view) => {
  const { services, now, columns, paint } = view;
  const bar = barFor(view);
  const hands = services.map((service) => byHandText(service, now));
  const says = services.map(({ statusText }) => (statusText === null ? null : printable(statusText)));
  const hasSaid = says.some((said) => said !== null);
  // Most of the time nobody has a hand in anything, and the column would be empty.
  const hasHands = hands.some((hand) => hand !== null);
  const titles = [...firstColumns(bar), { title: 'LAST', least: 16 }, { title: 'NEXT', least: 16 }];
  const rows = services.map((service, index) => [
    ...firstCells(service, now, bar),
    cell(lastText(service, now)),
    cell(nextText(service, now)),
    ...(hasSaid ? [cell(says[index] ?? null)] : []),
    ...(hasHands ? [cell(hands[index] ?? null)] : []),
  ]);
  const more = [...(hasSaid ? [SAYS] : []), ...(hasHands ? [BY_HAND] : [])];
  return tableOf([...titles, ...more], rows, columns, paint);
};

// One column for what matters most: a hand, else what comes next, else what it says of itself, else what was.
const condensed: Layout = (view) => {
  const { services, now, columns, paint } = view;
  const bar = barFor(view);
  const rows = services.map((service) => {
    const last = lastText(service, now);
    const said = service.statusText === null ? null : `says: ${printable(service.statusText)}`;
    const was = last === null ? null : `last: ${last}`;
    const note = byHandText(service, now) ?? nextText(service, now) ?? said ?? was;
    return [...firstCells(service, now, bar), cell(note)];
  });
  return tableOf([...firstColumns(bar), { title: 'NOTE', least: 8 }], rows, columns, paint);
};

const mini: Layout = ({ services, now, columns, paint }) => {
  const rows = services.map((service) => {
    const state = service.hold === null ? service.state : `${service.state} (hold)`;
    return [cell(service.name), cell(state, colourOf(service)), cell(uptimeText(service, now))];
  });
  return tableOf([{ title: 'NAME', least: 6 }, STATE, UP], rows, columns, paint);
};

function elsewhereLines(elsewhere: readonly ElsewhereFact[], columns: number | null): readonly string[] {
  const rows = elsewhere.map(({ name, hosts, reason }) => [cell(name), cell(hosts), cell(reason)]);
  return tableOf([NAME, { title: 'HOSTS', least: 8 }, { title: 'WHY', least: 8 }], rows, columns, plain);
}
