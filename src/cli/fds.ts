// `upkeep fds NAME`: the sockets that are held for a service, and what it stored. Asks the keeper and shows it; the exit code
// only says whether it could be answered.

import { isDocument } from '../control/client-document.js';
import type { FdsDocument } from '../core/status.js';
import { EXIT, usageError } from './exit.js';
import { fdsLines } from './fds-view.js';
import { hasFlag, type Verb } from './input.js';
import { ask, reachAndWarn, servicesFor, understood } from './keeper-link.js';
import { painter } from './paint.js';
import { printJson, printLines } from './print.js';

export const fds: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  if (input.words.length !== 1) throw usageError('it is `upkeep fds NAME`: one service');
  const keeper = await reachAndWarn(input, ports);
  const services = await servicesFor(input, keeper, 'refuse');
  const documents = await Promise.all(
    services.map(async ({ name }) =>
      understood(await ask(keeper, 'GET', `/v1/services/${encodeURIComponent(name)}/fds`), isFds),
    ),
  );
  if (hasFlag(input, 'json'))
    await printJson(out, documents.length === 1 ? documents[0] : { version: 1, services: documents });
  else {
    const paint = painter(out.colours);
    const now = Date.parse(keeper.status.time);
    const blocks = documents.map((document) => fdsLines(document, now, out.columns(), paint));
    await printLines(
      out,
      blocks.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines])),
    );
  }
  return EXIT.done;
};

const isFds = (body: unknown): body is FdsDocument => isDocument(body, 'descriptors');
