// Times and lengths of time for people, in their own time zone. Lengths themselves are worded by core/status.ts.

import { inWords } from '../core/status.js';

/** `09:12` of today, else `Nov 19 09:12`, else with the year. */
export function clockText(iso: string, now: number): string {
  const at = new Date(iso);
  const today = new Date(now);
  if (Number.isNaN(at.getTime())) return iso;
  const hours = `${two(at.getHours())}:${two(at.getMinutes())}`;
  const day = `${MONTHS[at.getMonth()] ?? ''} ${at.getDate()}`;
  if (at.toDateString() === today.toDateString()) return hours;
  return at.getFullYear() === today.getFullYear() ? `${day} ${hours}` : `${day} ${at.getFullYear()} ${hours}`;
}

/** `2026-11-20 10:00:00`, for logs. */
export function stampText(wall: number): string {
  const at = new Date(wall);
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `in 8.0 s`; `now` when it has passed. */
export function untilText(iso: string, now: number): string {
  const left = Date.parse(iso) - now;
  return left > 0 ? `in ${inWords(left)}` : 'now';
}

/** How long it has been so: `41 d`. */
export const sinceText = (iso: string, now: number): string => inWords(now - Date.parse(iso));

/** `3.1 ms`, `400 ms`, `5.0 s` */
export const lengthText = (length: number): string =>
  length < 1000 ? `${Math.round(length * 10) / 10} ms` : inWords(length);

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (number: number): string => String(number).padStart(2, '0');
