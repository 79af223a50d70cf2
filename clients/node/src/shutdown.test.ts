import { expect, it } from 'vitest';
import { never, shutdownCoordinator } from './shutdown.js';

const settled = async (promise: Promise<unknown>): Promise<'yes' | 'no'> => {
  const turn = new Promise<'no'>((resolve) => setImmediate(resolve, 'no'));
  return Promise.race([promise.then(() => 'yes' as const), turn]);
};

it('is over at once where nobody holds a handle (library E3)', async () => {
  const coordinator = shutdownCoordinator();
  coordinator.weak();
  await coordinator.shutdown();
  expect(await shutdownCoordinator().shutdownWithin(60_000)).toEqual({ type: 'finished' });
});

it('waits for every handle, and tells each that it began (library E3)', async () => {
  const coordinator = shutdownCoordinator();
  const [one, other] = [coordinator.handle(), coordinator.handle()];
  const end = coordinator.shutdown();
  await one.begun;
  expect(other.signal.aborted).toBe(true);
  one.release();
  one.release();
  expect(await settled(end)).toBe('no');
  other.release();
  await end;
});

it('goes on when the time is up, and says how many still hold it (library E3)', async () => {
  const coordinator = shutdownCoordinator();
  const handle = coordinator.handle();
  expect(await coordinator.shutdownWithin(10)).toEqual({ type: 'deadline', held: 1 });
  handle.release();
  expect(await coordinator.shutdownWithin(60_000)).toEqual({ type: 'finished' });
});

it('tells of the shutdown once, also who asks later (library E3)', async () => {
  const coordinator = shutdownCoordinator();
  const { signal } = coordinator.weak();
  let told = 0;
  signal.addEventListener('abort', () => told++);
  await Promise.all([coordinator.shutdown(), coordinator.shutdown()]);
  expect(told).toBe(1);
  const late = coordinator.handle();
  await late.begun;
  const end = coordinator.shutdown();
  expect(await settled(end)).toBe('no');
  late.release();
  await end;
});

it('is not ended by the last handle before anybody asks for it', async () => {
  const coordinator = shutdownCoordinator();
  coordinator.handle().release();
  expect(await settled(coordinator.weak().begun)).toBe('no');
});

it('holds a handle while work is done, and lets it go when that fails', async () => {
  const coordinator = shutdownCoordinator();
  const work = coordinator.during(async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw new Error('no more');
  });
  const end = coordinator.shutdown();
  await expect(work).rejects.toThrow('no more');
  await end;
});

it('never comes where there is nothing to shut down (library E3)', async () => {
  expect(never.signal.aborted).toBe(false);
  expect(await settled(never.begun)).toBe('no');
});
