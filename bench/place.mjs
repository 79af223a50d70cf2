// Where things lie inside the sandbox: /run/bench on tmpfs for what belongs to this boot, /bench on an ext4 of its
// own (in a file in memory, so that no disk decides a figure) for state and logs. Makes the services for a keeper.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './programs.mjs';

export const RUN = '/run/bench';
export const DISK = '/bench';
export const STAMP = join(RUN, 'stamp');
export const FIFO = join(RUN, 'fifo');

/** Makes an ext4 in a file and mounts it. */
export function mountDisk(point, size) {
  const image = join('/var/tmp', `${point.replaceAll('/', '_')}.img`);
  mkdirSync(point, { recursive: true });
  run(['truncate', '-s', size, image]);
  run(['mkfs.ext4', '-q', '-F', '-N', '65536', image]);
  run(['mount', '-o', 'loop', image, point]);
}

/**
 * A copy of node for each keeper that needs one. Memory is read in proportion: a page that two processes have in common
 * is half each one's, and whatever else runs in node on this machine would make Upkeep and pm2 look small.
 */
export function copyNode(original, peer) {
  const copy = join(RUN, peer, 'node');
  if (!existsSync(copy)) {
    mkdirSync(join(RUN, peer));
    copyFileSync(original, copy);
  }
  return copy;
}

/**
 * @param {string} node the program node that keepers written in JavaScript run in
 * @returns {{name: string, node: string, run: string, disk: string, fifo: string}} directories of one keeper, empty
 */
export function makePlace(name, node, disk = DISK) {
  const place = { name, node, run: join(RUN, name), disk: join(disk, name), fifo: FIFO };
  mkdirSync(place.run, { recursive: true });
  mkdirSync(place.disk, { recursive: true });
  return place;
}

/** Of the kind `layered`: each needs so many of the layer before its own. */
export const LAYERS = 20;
const NEEDS = 3;

/** `count` services of one kind for the keeper at `place`; `isStatic` says whether the program can be a "#!" line. */
export function makeServices(place, kind, count, isStatic) {
  const names = (index) => `${place.name}-${index}`;
  return Array.from({ length: count }, (_, index) => {
    const name = names(index);
    const pidFile = join(place.run, `${name}.pid`);
    const service = { name, kind, isStatic };
    switch (kind) {
      case 'pidFile':
        return { ...service, pidFile, command: [STAMP, FIFO, name, pidFile] };
      case 'exe': {
        // Watched by its executable, so each has one of its own.
        const program = join(place.run, `stamp-${index}`);
        copyFileSync(STAMP, program);
        return { ...service, pidFile, command: [program, FIFO, name, pidFile] };
      }
      case 'level':
        return { ...service, command: [STAMP, FIFO, name], needs: [] };
      case 'layered':
        return { ...service, command: [STAMP, FIFO, name], needs: neededBy(index, count).map((each) => names(each)) };
      case 'ring': {
        // The agent and its witness, and each pair's sockets side by side.
        const isAgent = index % 2 === 0;
        const coupling = isAgent ? { restartWith: [names(index + 1)] } : { needs: [names(index - 1)] };
        return { ...service, command: [STAMP, FIFO, name], socket: join(place.run, `${name}.sock`), coupling };
      }
      case 'socket':
        return { ...service, command: [STAMP, FIFO, name], socket: `@bench-${name}` };
      case 'path':
      case 'held':
        return { ...service, command: [STAMP, FIFO, name], socket: join(place.run, `${name}.sock`) };
      default:
        return { ...service, command: [STAMP, FIFO, name] };
    }
  });
}

/** Neighbours in the layer before, as numbers: the widths of the layers are equal. */
function neededBy(index, count) {
  const width = count / LAYERS;
  const layer = Math.floor(index / width);
  if (layer === 0) return [];
  return Array.from({ length: NEEDS }, (_, each) => (layer - 1) * width + ((index + each) % width));
}

/** Is it started by something else than the keeper? Its process is then the daemon, not what was started. */
export function isWatched(service) {
  return service.kind === 'pidFile' || service.kind === 'exe';
}
