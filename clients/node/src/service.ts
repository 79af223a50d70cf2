// The entry of @upkeep/service: the one `service` of this process.

import { runtime } from './runtime.js';
import type { Service } from './service-type.js';

export type { DrainReason } from './drain-reason.js';
export type { Guarantees, Mode } from './mode.js';
export { type Offer, type Received, StateError, type StateWriter } from './offer.js';
export type { Options } from './options.js';
export { requestRestart } from './requests/request-restart.js';
export type { Address, RestartRequest, Service } from './service-type.js';
export type { NamedDescriptor } from './sockets.js';

export const service: Service = runtime(process.env, process.argv);
