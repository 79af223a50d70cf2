import { fstatSync, openSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { closeForeign } from './close-foreign.js';
import { isAsking, mayStandStill } from './may-stand-still.js';
import { AF_INET, kernelAddresses } from './socket-address.js';
import { connect, SOCK_STREAM, SOL_SOCKET, send, setsockopt, socket } from './sockets.js';
import { close, eventfd, pipe } from './syscalls.js';

const SO_LINGER = 13;

describe('closing what others gave us', () => {
  // Where it stood still, it would do so for half an hour.
  it('does not wait for the other end of a connection that lingers and takes nothing', async () => {
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const fd = socket(AF_INET, SOCK_STREAM, 0);
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const [there] = kernelAddresses({ type: 'tcp', host: '127.0.0.1', port });
    expect(() => connect(fd, there?.bytes ?? Buffer.alloc(0))).toThrow(/EINPROGRESS/);
    const other = await accepted;
    expect(() => {
      for (;;) send(fd, Buffer.alloc(65_536));
    }).toThrow(/EAGAIN|EWOULDBLOCK/);
    const linger = Buffer.alloc(8);
    linger.writeInt32LE(1, 0);
    linger.writeInt32LE(1800, 4);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, linger);
    closeForeign(fd);
    expect(() => fstatSync(fd)).toThrow(/EBADF/);
    other.destroy();
    server.close();
  });

  it('closes files, pipes and the rest at once', () => {
    for (const fd of [openSync(import.meta.filename, 'r'), ...pipe(), eventfd()]) {
      closeForeign(fd);
      expect(() => fstatSync(fd)).toThrow(/EBADF/);
    }
  });
});

describe('whether a call may wait for somebody', () => {
  it('is known of what is open, without asking anybody', () => {
    const fds = [openSync(import.meta.filename, 'r'), openSync('/dev/null', 'r'), ...pipe(), eventfd()];
    expect(fds.map((fd) => mayStandStill(fd))).toEqual(fds.map(() => false));
    for (const fd of fds) close(fd);
  });

  const mounts = [
    '31 28 0:27 / /run rw shared:5 - tmpfs tmpfs rw',
    '40 28 0:50 / /mnt/a rw - fuse.sshfs host:/ rw',
    '41 28 0:51 / /mnt/b rw master:1 - nfs4 host:/ rw',
    '42 28 8:1 / / rw - ext4 /dev/sda1 rw',
  ].join('\n');

  it.each([
    ['31', '0:27', false],
    ['40', '0:50', true],
    ['41', '0:51', true],
    ['42', '8:1', false],
    // A directory of btrfs has a device of its own.
    ['42', '0:99', false],
    // Of another mount namespace: a file system that is here too, and one that anybody may have mounted.
    ['4', '8:1', false],
    ['4', '0:50', true],
    ['4', '0:99', true],
    ['', '', true],
  ])('is told by the file system of mount %s and device %s: %s', (mount, device, expected) => {
    expect(isAsking(mounts, mount, device)).toBe(expected);
  });
});
