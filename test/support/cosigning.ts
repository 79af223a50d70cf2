// What seed 000 needs before anybody keeps it: a real Ed25519 key for OpenSSH's agent, our witness compiled, and a client that asks
// for a signature and verifies it by itself. Who starts the two programs is not known here.

import { spawnSync } from 'node:child_process';
import { createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import ts from 'typescript';
import { stringsIn } from './agent-connection.js';

export const SSH_AGENT = '/usr/bin/ssh-agent';
export const SSH_ADD = '/usr/bin/ssh-add';

export const hasAgent = [SSH_AGENT, SSH_ADD].every((program) => existsSync(program));
if (!hasAgent)
  console.warn('skipped: cosigning cannot be tested here (needs /usr/bin/ssh-agent, of Debian’s openssh-client)');

export interface Cosigning {
  /** The file of the private key; its public half lies beside it with `.pub`. */
  readonly key: string;
  readonly publicKey: KeyObject;
  /** The compiled program. */
  readonly witness: string;
}

export interface Sockets {
  readonly agentSocket: string;
  readonly witnessSocket: string;
}

/** The words that start the witness. */
export const witnessCommand = ({ witness }: Cosigning, { agentSocket, witnessSocket }: Sockets): readonly string[] => [
  ...[process.execPath, witness],
  ...['--agent', agentSocket, '--listen', witnessSocket],
];

/** For a shell, with SSH_AUTH_SOCK: the same, but only once the agent has its key. For who cannot say that the witness needs it. */
export const patientWitness = (cosigning: Cosigning, sockets: Sockets): string =>
  `until ${SSH_ADD} -l; do sleep 0.05; done; exec ${witnessCommand(cosigning, sockets).join(' ')}`;

/** Makes the key and the program below this directory. */
export function prepareCosigning(directory: string): Cosigning {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const key = join(directory, 'key');
  const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'witness', '-f', key]);
  if (made.status !== 0) throw new Error(`ssh-keygen: ${made.error?.message ?? made.stderr.toString()}`);
  return { key, publicKey: publicKeyIn(`${key}.pub`), witness: compileWitness(directory) };
}

/** What it answers to fresh bytes: `good` for a signature of this key over them, else what was wrong. */
export async function cosign(socketPath: string, publicKey: KeyObject, patience = 10_000): Promise<string> {
  const data = randomBytes(200);
  try {
    const answer = await post(socketPath, data, patience);
    if (answer.status !== 200) return `status ${answer.status}: ${answer.body.toString()}`;
    return verify(null, data, publicKey, answer.body) ? 'good' : 'the signature is wrong';
  } catch (error) {
    return (error as Error).message;
  }
}

async function post(socketPath: string, data: Buffer, patience: number): Promise<{ status: number; body: Buffer }> {
  const signal = AbortSignal.timeout(patience);
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/cosign', method: 'POST', agent: false, signal }, (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    asked.once('error', reject).end(data);
  });
}

function publicKeyIn(file: string): KeyObject {
  const [, blob = ''] = readFileSync(file, 'utf8').split(' ');
  const [, point = Buffer.alloc(0)] = stringsIn(Buffer.from(blob, 'base64'));
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') } });
}

/** Types are only taken away: tsc has checked them with the rest of the tests. */
function compileWitness(directory: string): string {
  for (const name of ['witness', 'agent-connection']) {
    const source = readFileSync(join(import.meta.dirname, `${name}.ts`), 'utf8');
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
    writeFileSync(join(directory, `${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  return join(directory, 'witness.js');
}
