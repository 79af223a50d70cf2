// Why a generation has to finish.

/**
 * `superseded`: another generation serves already, so there is time. `stop`: nobody serves beside this one, and whoever told it
 * to end waits; also where the next generation is started only after this one has ended.
 */
export type DrainReason = 'superseded' | 'stop';
