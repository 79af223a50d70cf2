import { getEventListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { httpQuestion, plainTls } from '../../test/support/builders.js';
import { type Certificate, certificate, issueCertificate } from '../../test/support/certificate.js';
import type { HttpQuestion } from '../core/question.js';
import { askHttp } from './http.js';
import { judge } from './judge.js';
import type { Asking, Finding } from './kind.js';

const closers: Array<() => void> = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server, where: object): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(where, resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** What serves on 127.0.0.1, as a URL without a path. */
async function serves(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createHttpServer(listener), { host: '127.0.0.1', port: 0 })}`;
}

/** A server that says just this to whoever connects. */
async function says(talk: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume();
    talk(socket);
  });
  return `http://127.0.0.1:${await listen(server, { host: '127.0.0.1', port: 0 })}`;
}

const ask = (url: string, more: Partial<HttpQuestion> = {}, asking: Asking = anAsking()): Promise<Finding> =>
  askHttp(httpQuestion(url, more), asking).catch((error: unknown) => judge(error));

const goodAs = (detail: string): Finding => ({ result: 'good', detail });
const failedAs = (detail: string): Finding => ({ result: 'failed', detail });

function directoryOfOurs(): string {
  const directory = mkdtempSync(join(tmpdir(), 'upkeep-http-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describe('a question by HTTP', () => {
  it('is good where the status is one of those that are', async () => {
    const asked: string[] = [];
    const origin = await serves(({ method, url, headers }, response) => {
      asked.push(`${method} ${url} ${headers['user-agent']} ${headers.connection} ${headers.host}`);
      response.writeHead(204).end();
    });
    const asking = anAsking();
    expect(await ask(`${origin}/up?now=1`, {}, asking)).toEqual(goodAs('204'));
    expect(asked).toEqual([`GET /up?now=1 upkeep/0.1.0 close ${new URL(origin).host}`]);
    expect(asking.steps).toEqual(['connect', 'answer <127.0.0.1>']);
    expect(
      await ask(origin, {
        status: [
          [200, 200],
          [301, 302],
        ],
      }),
    ).toEqual(failedAs('204 instead of 200, 301-302'));
  });

  it('that is answered with 500 has failed', async () => {
    const origin = await serves((_, response) => response.writeHead(500).end('sorry'));
    expect(await ask(origin)).toEqual(failedAs('500 instead of 200-399'));
  });

  it('finds a server on localhost that listens by ::1 alone (seed 003, dependencies 4)', async () => {
    const server = createHttpServer((_, response) => response.end());
    const port = await listen(server, { host: '::1', port: 0 });
    expect(await ask(`http://localhost:${port}/`)).toEqual(goodAs('200'));
    expect(await ask(`http://[::1]:${port}/`)).toEqual(goodAs('200'));
  });

  it('has a method and headers of its own', async () => {
    const origin = await serves(({ method, headers }, response) => {
      response
        .writeHead(method === 'POST' && headers['x-ask'] === 'yes' && headers.host === 'other.example' ? 200 : 400)
        .end();
    });
    expect(await ask(origin, { method: 'POST', headers: { 'X-Ask': 'yes', Host: 'other.example' } })).toEqual(
      goodAs('200'),
    );
    expect(await ask(origin, { method: 'HEAD', status: [[400, 400]] })).toEqual(goodAs('400'));
  });

  it('logs in with a secret', async () => {
    const origin = await serves(({ headers }, response) => {
      const login = Buffer.from((headers.authorization ?? '').slice(6), 'base64').toString();
      response.writeHead(login === 'up:pass word' ? 200 : 401).end();
    });
    const auth = { user: 'up', password: { type: 'env', name: 'PASS' } } as const;
    expect(await ask(origin, { auth }, anAsking('pass word'))).toEqual(goodAs('200'));
    expect(await ask(origin, { auth }, anAsking('wrong'))).toEqual(failedAs('401 instead of 200-399'));
  });

  it('looks at headers', async () => {
    const origin = await serves((_, response) => response.setHeader('content-type', 'text/html').end());
    expect(await ask(origin, { header: { 'Content-Type': '^text/' } })).toEqual(goodAs('200'));
    expect(await ask(origin, { header: { 'Content-Type': 'json' } })).toEqual(
      failedAs('200, but its header Content-Type is "text/html", not /json/'),
    );
    expect(await ask(origin, { header: { 'X-Mode': '.' } })).toEqual(failedAs('200, but no header X-Mode'));
  });

  it('looks at the body, and at no more than 64 KiB of it', async () => {
    const origin = await serves(({ url }, response) => {
      if (url === '/short') response.end('{"state": "läuft"}');
      else response.end(`${'x'.repeat(64 * 1024)}behind`);
    });
    expect(await ask(`${origin}/short`, { body: '"state": "l.uft"' })).toEqual(goodAs('200'));
    expect(await ask(`${origin}/short`, { body: 'down' })).toEqual(failedAs('200, but /down/ is not in its body'));
    expect(await ask(`${origin}/long`, { body: '^x' })).toEqual(goodAs('200'));
    expect(await ask(`${origin}/long`, { body: 'behind' })).toEqual(
      failedAs('200, but /behind/ is not in the first 64 KiB of its body'),
    );
  });

  it('does not wait for a body that nobody asked for', async () => {
    const closed: string[] = [];
    const origin = await serves((request, response) => {
      request.socket.once('close', () => closed.push('closed'));
      response.writeHead(200).write('it begins');
    });
    expect(await ask(origin)).toEqual(goodAs('200'));
    await expect.poll(() => closed, { timeout: 20_000 }).toEqual(['closed']);
  });

  it('goes by a Unix socket', async () => {
    const path = join(directoryOfOurs(), 'sock');
    const server = createHttpServer(({ url, headers }, response) => response.end(`${headers.host}${url}`));
    await listen(server, { path });
    expect(await ask('http://localhost/health', { socket: path, body: '^localhost/health$' })).toEqual(goodAs('200'));
    expect(await ask('http://localhost/', { socket: `${path}.gone` })).toEqual(failedAs(`no socket at ${path}.gone`));
  });

  it('asks every address where it is to, and names the one that fails (dependencies 4)', async () => {
    const answering = createHttpServer((_, response) => response.end());
    const port = await listen(answering, { host: '127.0.0.1', port: 0 });
    expect(await ask(`http://localhost:${port}/`, { addresses: 'each' })).toEqual(
      failedAs(`::1: refused by [::1]:${port}`),
    );
    const broken = createHttpServer((_, response) => response.writeHead(503).end());
    await listen(broken, { host: '::1', port });
    expect(await ask(`http://localhost:${port}/`, { addresses: 'each' })).toEqual(
      failedAs('::1: 503 instead of 200-399'),
    );
    expect(await ask(`http://localhost:${port}/`, { addresses: 'each', status: [[200, 599]] })).toEqual(
      goodAs('503 and 200 from 2 addresses'),
    );
  });
});

describe('a question of which one address is silent until the deadline', () => {
  it('names that address, where each is asked', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    const port = await listen(silent, { host: '::1', port: 0 });
    const answered: string[] = [];
    const answering = createHttpServer((request, response) => {
      // It has been heard when we close.
      request.socket.once('close', () => answered.push('heard'));
      response.end();
    });
    await listen(answering, { host: '127.0.0.1', port });
    const asking = anAsking();
    const asked = ask(`http://localhost:${port}/`, { addresses: 'each' }, asking);
    await expect.poll(() => answered, { timeout: 20_000 }).toHaveLength(1);
    asking.end();
    expect(await asked).toEqual(failedAs('::1: no answer in time'));
  });
});

describe('a server that behaves badly', () => {
  it('and closes at once has failed', async () => {
    expect(await ask(await says((socket) => socket.end()))).toEqual(failedAs('closed by the server without an answer'));
    expect(await ask(await says((socket) => socket.resetAndDestroy()))).toMatchObject({ result: 'failed' });
  });

  it('and speaks no HTTP has failed, with what it says', async () => {
    expect(await ask(await says((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n')))).toEqual(
      failedAs('what it answers is no HTTP: "SSH-2.0-OpenSSH_9.2p1"'),
    );
  });

  it('and sends headers for ever has failed, and is read no further', async () => {
    const origin = await says((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => {
        if (!socket.destroyed) socket.write(`x: ${'y'.repeat(1000)}\r\n`, () => setImmediate(more));
      };
      more();
    });
    expect(await ask(origin)).toEqual(failedAs('headers longer than 16 KiB'));
  });

  it('and sends a byte a moment is given up at the deadline, and everything is closed (monitors 7)', async () => {
    const closed: string[] = [];
    const origin = await says((socket) => {
      const bytes = [...'HTTP/1.1 200 OK\r\nx: '];
      const timer = setInterval(() => socket.write(bytes.shift() ?? 'y'), 20);
      socket.once('close', () => {
        clearInterval(timer);
        closed.push('closed');
      });
    });
    const asking = anAsking();
    const asked = askHttp(httpQuestion(origin), asking);
    const late = expect(asked).rejects.toThrow('the deadline has passed');
    await expect.poll(asking.heard, { timeout: 20_000 }).toBeGreaterThan(5);
    asking.end();
    await late;
    await expect.poll(() => closed, { timeout: 20_000 }).toEqual(['closed']);
    expect(getEventListeners(asking.signal, 'abort')).toEqual([]);
  });

  it('and breaks off in its body is judged by what there is of it', async () => {
    const origin = await says((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nall is well'));
    expect(await ask(origin, { body: 'well' })).toEqual(goodAs('200'));
    expect(await ask(origin, { body: 'better' })).toEqual(failedAs('200, but /better/ is not in its body'));
  });

  it('and changes to another protocol has answered', async () => {
    const origin = await says((socket) =>
      socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'),
    );
    expect(await ask(origin)).toEqual(failedAs('101 instead of 200-399'));
  });
});

describe('a redirection', () => {
  it('is an answer where none is to be followed', async () => {
    const origin = await serves((_, response) => response.writeHead(302, { location: '/on' }).end());
    expect(await ask(origin)).toEqual(goodAs('302'));
  });

  it('is followed, also where it is relative', async () => {
    const origin = await serves(({ url }, response) => {
      if (url === '/a/b') response.writeHead(302, { location: '../on?x' }).end();
      else response.writeHead(url === '/on?x' ? 200 : 404).end('here');
    });
    expect(await ask(`${origin}/a/b`, { redirects: 5, body: 'here' })).toEqual(goodAs(`200 from ${origin}/on`));
  });

  it('in a ring has failed', async () => {
    const origin = await serves(({ url }, response) =>
      response.writeHead(302, { location: url === '/a' ? '/b' : '/a' }).end(),
    );
    expect(await ask(`${origin}/a`, { redirects: 5 })).toEqual(failedAs(`redirected in a ring, back to ${origin}/a`));
  });

  it('that leads on and on has failed', async () => {
    let count = 0;
    const origin = await serves((_, response) => response.writeHead(307, { location: `/${++count}` }).end());
    expect(await ask(origin, { redirects: 5 })).toEqual(failedAs(`redirected 6 times, last to ${origin}/6`));
  });

  it('to what is no HTTP has failed', async () => {
    const origin = await serves((_, response) => response.writeHead(301, { location: 'ftp://x/' }).end());
    expect(await ask(origin, { redirects: 1 })).toEqual(failedAs('redirected to "ftp://x/", which is no HTTP'));
  });

  it('takes neither password nor headers to another server', async () => {
    const seen: unknown[] = [];
    const other = await serves(({ headers }, response) => {
      seen.push([headers.authorization, headers['x-key']]);
      response.end();
    });
    const origin = await serves(({ url, headers }, response) => {
      seen.push([headers.authorization !== undefined, headers['x-key']]);
      response.writeHead(302, { location: url === '/' ? '/again' : other }).end();
    });
    const auth = { user: 'up', password: { type: 'env', name: 'PASS' } } as const;
    expect(await ask(`${origin}/`, { redirects: 2, auth, headers: { 'x-key': 'k' } })).toEqual(
      goodAs(`200 from ${other}/`),
    );
    expect(seen).toEqual([
      [true, 'k'],
      [true, 'k'],
      [undefined, undefined],
    ]);
  });
});

describe('a question by HTTPS', () => {
  async function shows(shown: Certificate, answer: RequestListener = (_, response) => response.end()): Promise<number> {
    const server = createHttpsServer(shown, answer);
    return listen(server, { host: '127.0.0.1', port: 0 });
  }
  const fileOf = (cert: string): string => {
    const path = join(directoryOfOurs(), 'ca.pem');
    writeFileSync(path, cert);
    return path;
  };

  it('believes the authorities that it is given', async () => {
    const port = await shows(certificate());
    const asking = anAsking();
    const tls = { ...plainTls, ca: fileOf(certificate().cert) };
    expect(await ask(`https://localhost:${port}/`, { tls }, asking)).toEqual(goodAs('200'));
    expect(asking.steps).toEqual(['connect <::1, 127.0.0.1>', 'tls', 'answer <TLSv1.3>']);
    expect(await ask(`https://127.0.0.1:${port}/`, { tls })).toEqual(goodAs('200'));
    expect(await ask(`https://localhost:${port}/`, { tls: { ...tls, ca: '/nowhere.pem' } })).toMatchObject({
      result: 'unasked',
      detail: expect.stringContaining('/nowhere.pem'),
    });
  });

  it('hears what the server says, and not what TLS says for itself', async () => {
    const port = await shows(certificate(), (_, { socket }) => socket?.write('HTTP/1.1 200 OK\r\n'));
    const asking = anAsking();
    const asked = ask(`https://localhost:${port}/`, { tls: { ...plainTls, verify: 'no' } }, asking);
    await expect.poll(() => asking.steps.at(-1), { timeout: 20_000 }).toBe('answer <TLSv1.3>');
    await expect.poll(asking.heard, { timeout: 20_000 }).toBe(17);
    asking.end();
    await asked;
  });

  it('has failed where nobody that we trust vouches for the certificate, unless it is not to be judged', async () => {
    const port = await shows(certificate());
    expect(await ask(`https://localhost:${port}/`)).toEqual(
      failedAs(
        'nobody that we trust vouches for its certificate (DEPTH_ZERO_SELF_SIGNED_CERT, issued by itself); `tls: {ca: FILE}` trusts it',
      ),
    );
    expect(await ask(`https://localhost:${port}/`, { tls: { ...plainTls, verify: 'no' } })).toEqual(goodAs('200'));
  });

  it('has failed where the certificate has expired, and says when', async () => {
    const expired = issueCertificate({ name: 'localhost', for: 'DNS:localhost', from: -10, until: -3 });
    const port = await shows(expired);
    const day = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10);
    expect(await ask(`https://localhost:${port}/`, { tls: { ...plainTls, ca: fileOf(expired.cert) } })).toEqual(
      failedAs(`its certificate expired 3 d ago (${day})`),
    );
  });

  it('has failed where that of its issuer has expired, and says whose', async () => {
    const issuer = issueCertificate({ name: 'The House', for: null, from: -10, until: -3 });
    const port = await shows(issueCertificate({ name: 'localhost', for: 'DNS:localhost', by: issuer }));
    expect(await ask(`https://localhost:${port}/`, { tls: { ...plainTls, ca: fileOf(issuer.cert) } })).toMatchObject(
      failedAs(expect.stringMatching(/^the certificate of its issuer The House expired 3 d ago/)),
    );
  });

  it('has failed where the certificate is for somebody else, unless that is the name that is asked for', async () => {
    const other = issueCertificate({ name: 'other', for: 'DNS:a.example,DNS:b.example' });
    const port = await shows(other);
    const tls = { ...plainTls, ca: fileOf(other.cert) };
    expect(await ask(`https://localhost:${port}/`, { tls })).toEqual(
      failedAs('its certificate is not for localhost, but for a.example and b.example'),
    );
    expect(await ask(`https://127.0.0.1:${port}/`, { tls: { ...tls, name: 'b.example' } })).toEqual(goodAs('200'));
  });

  it('to a server without TLS has failed', async () => {
    const origin = await serves((_, response) => response.end());
    expect(await ask(origin.replace('http:', 'https:'))).toEqual(failedAs('it speaks no TLS'));
    const closing = await says((socket) => socket.end());
    expect(await ask(closing.replace('http:', 'https:'))).toEqual(
      failedAs('closed by the server during the TLS handshake'),
    );
  });
});

describe('questions by HTTP', () => {
  it('leave no socket behind, a thousand later', async () => {
    const origin = await serves((_, response) => response.end('hello'));
    const open = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    for (let i = 0; i < 20; i += 1) await Promise.all(Array.from({ length: 50 }, () => ask(origin, { body: 'hello' })));
    await expect.poll(open, { timeout: 20_000 }).toBe(0);
  });
});
