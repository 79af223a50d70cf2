// The entry of @upkeep/service.

export type { Guarantees, Mode } from './mode.js';
export { type Offer, type Received, StateError, type StateWriter } from './offer.js';
export type { Options } from './options.js';
export type { Address, Service } from './service-type.js';
