import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Notification, silence } from '../core/notification.js';
import { type Parsed, parseMessage, saysNothing } from './message.js';

const parse = (text: string, descriptors = 0): Parsed => parseMessage(Buffer.from(text, 'utf8'), descriptors);

function message(text: string, descriptors = 0): Extract<Parsed, { type: 'message' }> {
  const parsed = parse(text, descriptors);
  if (parsed.type !== 'message') throw new Error(`${parsed.type}: ${JSON.stringify(parsed)}`);
  return parsed;
}

const said = (text: string): Partial<Notification> => {
  const { says } = message(text);
  return Object.fromEntries(
    Object.entries(says).filter(([key, value]) => value !== silence[key as keyof Notification]),
  );
};

describe('a message as a whole', () => {
  it('counts up to 4096 bytes and is dropped whole above that (graceful A4)', () => {
    const filled = (length: number): string => `READY=1\nX_FILL=${'x'.repeat(length - 15)}`;
    expect(said(filled(4096))).toEqual({ ready: 'yes' });
    expect(parse(filled(4097))).toEqual({ type: 'dropped', reason: 'it is longer than 4096 bytes' });
  });

  it('is dropped for a zero byte in it, but not for one at its end (graceful A5)', () => {
    expect(parse('READY=1\0STATUS=x').type).toBe('dropped');
    expect(parse('READY=1\0\0').type).toBe('dropped');
    expect(said('READY=1\0')).toEqual({ ready: 'yes' });
  });

  it.each(['', '\0', '\n', '\r\n\n', 'X_OWN=1', 'EXIT_STATUS=3', 'READY', '=', 'READY=yes', 'STOPPING=0'])(
    'says nothing with %j, and that is no fault (graceful A5)',
    (text) => {
      const parsed = message(text);
      expect(saysNothing(parsed)).toBe(true);
      expect(parsed.complaints).toEqual([]);
    },
  );

  it('needs no newline at its end, and takes CR LF for one (graceful A3)', () => {
    expect(said('READY=1\r\nSTATUS=up\r\n')).toEqual({ ready: 'yes', status: 'up' });
    expect(said('STATUS=up\nREADY=1')).toEqual({ ready: 'yes', status: 'up' });
  });

  it('has keys that are neither trimmed nor folded (graceful A3)', () => {
    expect(said(' STATUS=a\nstatus=b\nSTATUS =c\n READY=1\nready=1\nREADY=1 ')).toEqual({});
  });

  it('says what the first of several lines with one key says (graceful A3)', () => {
    expect(said('STATUS=one\nSTATUS=two')).toEqual({ status: 'one' });
    // Also where that is of no use: a second one does not heal it.
    expect(said('ERRNO=nonsense\nERRNO=2')).toEqual({});
  });

  it('never throws, and never lets bytes of the status be another field', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(300), (bytes, descriptors) => {
        expect(parseMessage(Buffer.from(bytes), descriptors).type).toMatch(/^(message|barrier|dropped)$/);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 900 }), (text) => {
        const [line = ''] = text.split(/[\r\n]/);
        fc.pre(!line.includes('\0'));
        expect(Object.keys(said(`STATUS=${line}`)).filter((key) => key !== 'status')).toEqual([]);
      }),
    );
  });

  it('is read field by field, whatever else is said around it', () => {
    const keys = ['READY', 'STATUS', 'MAINPID', 'ERRNO', 'WATCHDOG', 'WATCHDOG_USEC', 'FDSTORE', 'FDNAME', 'BARRIER'];
    const line = fc
      .tuple(fc.constantFrom(...keys, 'X', 'MAINPIDFDID', 'NOTIFYACCESS'), fc.string({ maxLength: 20 }))
      .map(([key, value]) => `${key}=${value}`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.nat(3), (lines, descriptors) => {
        const parsed = parse(lines.join('\n'), descriptors);
        if (parsed.type !== 'message') return;
        expect(parsed.says.main).toBeNull();
        expect(parsed.says.watchdogPeriod ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('a barrier', () => {
  it('is the only line, with one descriptor', () => {
    expect(parse('BARRIER=1', 1)).toEqual({ type: 'barrier' });
    expect(parse('BARRIER=1\n', 1)).toEqual({ type: 'barrier' });
  });

  it.each([
    ['BARRIER=1', 0],
    ['BARRIER=1', 2],
    ['BARRIER=1\nSTATUS=x', 1],
    ['READY=1\nBARRIER=1', 1],
  ])('takes everything else of its message with it: %j with %d descriptors (graceful A6)', (text, descriptors) => {
    expect(parse(text, descriptors).type).toBe('dropped');
  });

  it('is none with another value', () => {
    expect(said('BARRIER=0\nREADY=1')).toEqual({ ready: 'yes' });
  });
});

describe('the state that a message tells', () => {
  it.each([
    ['READY=1', { ready: 'yes' }],
    ['STOPPING=1', { stopping: 'yes' }],
    ['RELOADING=1\nMONOTONIC_USEC=2500', { reloading: { at: 2.5 } }],
    ['RELOADING=1', { reloading: { at: null } }],
    ['RELOADING=1\nMONOTONIC_USEC=soon', { reloading: { at: null } }],
    ['RELOADING=1\nMONOTONIC_USEC=1000\nREADY=1', { reloading: { at: 1 }, ready: 'yes' }],
    ['READY=1\nRELOADING=1\nSTOPPING=1', { stopping: 'yes' }],
    ['RESTART_RESET=1', { restartReset: 'yes' }],
    ['RESTART_RESET=yes', {}],
  ] as const)('%j', (text, expected) => {
    expect(said(text)).toEqual(expected);
  });

  it('has a text that a wrong one takes back (graceful A3)', () => {
    expect(said('STATUS=')).toEqual({ status: '' });
    const broken = parseMessage(Buffer.from('READY=1\nSTATUS=\xff\xfe', 'latin1'), 0);
    expect(broken.type === 'message' && broken.says).toMatchObject({ ready: 'yes', status: '' });
    expect(said('STATUS=läuft ✓')).toEqual({ status: 'läuft ✓' });
  });

  it('has a text that no terminal would obey', () => {
    expect(said('STATUS=\u001b[31mred\u202e')).toEqual({ status: ' [31mred' });
  });
});

describe('numbers and names', () => {
  it.each([
    ['ERRNO=2', { errno: 2 }],
    ['ERRNO=ENOENT', { errno: 2 }],
    ['ERRNO=0', {}],
    ['ERRNO=-2', {}],
    ['ERRNO=4096', {}],
    ['ERRNO=EWHAT', {}],
    ['ERRNO=', {}],
    ['BUSERROR=org.freedesktop.DBus.Error.TimedOut', { busError: 'org.freedesktop.DBus.Error.TimedOut' }],
    ['BUSERROR=nodot', {}],
    ['BUSERROR=a..b', {}],
    ['VARLINKERROR=org.varlink.service.MethodNotFound', { varlinkError: 'org.varlink.service.MethodNotFound' }],
    ['VARLINKERROR=org.varlink.service.small', {}],
    ['VARLINKERROR=Alone', {}],
    ['EXTEND_TIMEOUT_USEC=3000000', { extend: 3000 }],
    ['EXTEND_TIMEOUT_USEC=0', { extend: 0 }],
    ['EXTEND_TIMEOUT_USEC=18446744073709551615', { extend: 100 * 365 * 86_400_000 }],
    ['EXTEND_TIMEOUT_USEC=18446744073709551616', {}],
    ['EXTEND_TIMEOUT_USEC=3s', {}],
    ['EXTEND_TIMEOUT_USEC=+3', {}],
    ['WATCHDOG=1', { watchdog: 'ping' }],
    ['WATCHDOG=trigger', { watchdog: 'trigger' }],
    ['WATCHDOG=2', {}],
    ['WATCHDOG_USEC=6000000', { watchdogPeriod: 6000 }],
    ['WATCHDOG_USEC=1', { watchdogPeriod: 0.001 }],
    ['WATCHDOG_USEC=0', { watchdogPeriod: 0 }],
    ['WATCHDOG_USEC=18446744073709551615', { watchdogPeriod: 0 }],
    ['WATCHDOG_USEC=x', {}],
    ['NOTIFYACCESS=none', { access: 'none' }],
    ['NOTIFYACCESS=main', { access: 'main' }],
    ['NOTIFYACCESS=exec', { access: 'exec' }],
    ['NOTIFYACCESS=all', { access: 'all' }],
    ['NOTIFYACCESS=ALL', {}],
  ] as const)('%s (graceful A15)', (text, expected) => {
    expect(said(text)).toEqual(expected);
    expect(message(text).complaints).toHaveLength(Object.keys(expected).length === 0 ? 1 : 0);
  });
});

describe('the main process that a message names', () => {
  it.each([
    ['MAINPID=7', 0, { type: 'pid', pid: 7, inode: null }],
    ['MAINPID=7\nMAINPIDFDID=99', 0, { type: 'pid', pid: 7, inode: '99' }],
    ['MAINPIDFD=1\nMAINPID=7\nMAINPIDFDID=99', 1, { type: 'pidfd', inode: '99' }],
    ['MAINPIDFDID=99', 0, null],
    ['READY=1', 1, null],
  ])('%j with %d descriptors', (text, descriptors, expected) => {
    expect(message(text, descriptors).main).toEqual(expected);
  });

  it.each([
    ['MAINPID=0', 0],
    ['MAINPID=', 0],
    ['MAINPID=-1', 0],
    ['MAINPID=2147483648', 0],
    ['MAINPID=7 ', 0],
    ['MAINPID=7\nMAINPIDFDID=x', 0],
    ['MAINPIDFD=1', 0],
    ['MAINPIDFD=1', 2],
  ])('is refused with a reason: %j with %d descriptors (graceful A9)', (text, descriptors) => {
    expect(message(`STATUS=x\n${text}`, descriptors)).toMatchObject({
      main: { type: 'refused' },
      says: { status: 'x' },
    });
  });
});

describe('what is to be done with descriptors', () => {
  it.each([
    ['FDSTORE=1', { type: 'store', name: 'stored', poll: 'yes' }],
    ['FDSTORE=1\nFDNAME=a b', { type: 'store', name: 'a b', poll: 'yes' }],
    ['FDSTORE=1\nFDNAME=', { type: 'store', name: '', poll: 'yes' }],
    ['FDSTORE=1\nFDNAME=x\nFDPOLL=0', { type: 'store', name: 'x', poll: 'no' }],
    ['FDSTORE=1\nFDPOLL=1', { type: 'store', name: 'stored', poll: 'yes' }],
    [`FDSTORE=1\nFDNAME=${'x'.repeat(255)}`, { type: 'store', name: 'x'.repeat(255), poll: 'yes' }],
    ['FDSTOREREMOVE=1\nFDNAME=x', { type: 'remove', name: 'x' }],
    ['FDSTOREREMOVE=1\nFDSTORE=1\nFDNAME=x', { type: 'remove', name: 'x' }],
    ['FDNAME=x', null],
    ['FDSTORE=yes', null],
  ])('%j', (text, expected) => {
    expect(message(text).says.store).toEqual(expected);
    expect(message(text).complaints).toEqual([]);
  });

  it.each(['a:b', 'tab\there', 'é', '\x7f', 'x'.repeat(256)])('has no name that is %j', (name) => {
    expect(message(`FDSTORE=1\nFDNAME=${name}`)).toMatchObject({
      says: { store: { type: 'store', name: 'stored' } },
      complaints: [expect.stringContaining('FDNAME')],
    });
    expect(message(`FDSTOREREMOVE=1\nFDNAME=${name}`)).toMatchObject({
      says: { store: null },
      complaints: [expect.stringContaining('FDNAME')],
    });
  });

  it('removes nothing without a name', () => {
    expect(message('FDSTOREREMOVE=1\nFDSTORE=1')).toMatchObject({
      says: { store: null },
      complaints: [expect.stringContaining('FDNAME')],
    });
  });
});
