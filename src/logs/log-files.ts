// Where the files of one log lie, beside each other in one directory. Knows names only, and touches no disk.
//
//   web.log            what the service writes
//   web.log.times      when: the index of times
//   web.log.1[.gz]     older output, .1 the youngest; each with its own .1.times
//   web.log.next       a head being copied away
//   web.log.sent       up to where it was handed on, for `log: syslog`
//   web.log.rotating   the intent of a rotation, there from the end of the copy to the end of the rotation

import { join } from 'node:path';

/** The log that this service writes to. Names of services are safe in a path ([A-Za-z0-9][A-Za-z0-9_.-]*, and @ with a number for a member of a pool). */
export const logPath = (directory: string, service: string): string => join(directory, `${service}.log`);

export const timesPath = (log: string): string => `${log}.times`;
export const sentPath = (log: string): string => `${log}.sent`;
export const nextPath = (log: string): string => `${log}.next`;
export const intentPath = (log: string): string => `${log}.rotating`;

export const archivePath = (log: string, number: number): string => `${log}.${number}`;
export const compressedPath = (log: string, number: number): string => `${log}.${number}.gz`;
