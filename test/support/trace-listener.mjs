// Listens to signals as a keeper does, with nothing to keep, and says how much processor that costs. Run by node from dist/.

import { Killers } from '../../dist/kernel/killers.js';
import { createPump } from '../../dist/kernel/pump.js';
import { instanceName, openTraceInstance } from '../../dist/kernel/trace-instance.js';

const instance = openTraceInstance(instanceName(process.argv[2]));
const pump = createPump({ uvPoll: 'yes' }, () => {});
const killers = new Killers(
  instance,
  pump,
  () => false,
  () => {},
);
let cpu = process.cpuUsage();
let since = performance.now();
console.log('listening');
process.stdin.on('data', () => {
  const { user, system } = process.cpuUsage(cpu);
  console.log(`share ${(user + system) / 1000 / (performance.now() - since)} lost ${killers.lost}`);
  cpu = process.cpuUsage();
  since = performance.now();
});
process.stdin.on('end', () => {
  killers.close();
  pump.close();
});
