// The descriptors that are held for a service, as people read them. Pure.

import type { DescriptorView, FdsDocument } from '../core/status.js';
import type { Paint } from './paint.js';
import { type Cell, type Column, tableOf } from './table.js';
import { printable } from './text-width.js';
import { sinceText } from './time-text.js';

const columnsOf: readonly Column[] = [
  { title: 'FD', least: null },
  { title: 'NAME', least: 8 },
  { title: 'WHAT', least: 16 },
  { title: 'DEVICE', least: null },
  { title: 'INODE', least: null },
  { title: 'FLAGS', least: null },
  { title: 'SINCE', least: null },
];

const FIRST = 3; // SD_LISTEN_FDS_START

export function fdsLines(document: FdsDocument, now: number, columns: number | null, paint: Paint): readonly string[] {
  const { service, state, fdStore, descriptors } = document;
  const stored = descriptors.filter(({ held }) => held !== 'socket').length;
  const store = fdStore + stored === 0 ? '' : `  ${stored} of ${fdStore} stored`;
  const head = `${paint('bold', printable(service))}  ${state}${store}`;
  if (descriptors.length === 0) return [head, '  nothing is held for it'];
  const rows = descriptors.map((one, index) => rowOf(one, index, now));
  const table = tableOf(columnsOf, rows, columns === null ? null : columns - 2, paint);
  return [head, ...table.map((line) => `  ${line}`)];
}

function rowOf(one: DescriptorView, index: number, now: number): readonly Cell[] {
  // What counts only for a generation that has not taken over is passed to nobody yet.
  const fd = one.held === 'storedBeside' ? 'beside' : String(FIRST + index);
  const since = one.since === null ? '' : sinceText(one.since, now);
  const texts = [fd, printable(one.name), whatText(one), one.device, one.inode, one.flags.join(' '), since];
  return texts.map((text) => ({ text, colour: null }));
}

/** `tcp 127.0.0.1:80, listening`, `unix /run/a.sock, to pid 812`, `memfd state`, `pipe` */
function whatText({ type, is, at, peer }: DescriptorView): string {
  const place = at === null || at === '' ? type : `${type} ${printable(at)}`;
  if (peer !== null) return `${place}, to ${printable(peer)}`;
  return is === null ? place : `${place}, ${is}`;
}
