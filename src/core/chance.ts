// Several chances out of the one that a moment has.

import type { Now } from './time.js';

/** Steps of the golden ratio stay apart, however many they are, and meet no value twice. */
const goldenRatio = 0.618_033_988_749_895;

/** The chance of one of several things that share a moment; the first has the moment's own. From 0 to 1. */
export const chanceOf = ({ random }: Pick<Now, 'random'>, index: number): number => (random + index * goldenRatio) % 1;
