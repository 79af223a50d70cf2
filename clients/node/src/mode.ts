// Which manager runs this process, and what holds by that. Plain data, for programs that want to know before they rely on it.

export interface Mode {
  /** `alone`: none that we know; the process starts its own successor. */
  readonly manager: 'upkeep' | 'systemd' | 'alone';
  readonly guarantees: Guarantees;
}

/** What holds now. Truth values, since programs ask with `if`. */
export interface Guarantees {
  /** A restart starts the new generation beside the old one: somebody serves all the time. */
  readonly overlap: boolean;
  /** A new generation that does not want the state sends it back, and the old one goes on. */
  readonly canRefuse: boolean;
  /** What `onHandover` sends reaches the next generation. */
  readonly stateHandedOver: boolean;
  /** The named sockets stay open while this process does not live, after a crash too. */
  readonly socketsHeld: boolean;
  /** Somebody notices when the event loop stands still. */
  readonly watchdog: boolean;
}
