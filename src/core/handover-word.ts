// Vocabulary: what a generation and the keeper say to one another during a hand-over, beside sd_notify. On the wire it is a
// line of JSON each way (docs/graceful.md); protocol/ reads and writes it.

/** A service to the keeper. */
export type ServiceWord =
  /** The new generation is ready to take the state of the old one. */
  | { readonly type: 'wantsState' }
  /** The old generation has written its state, with its end mark. */
  | { readonly type: 'exported'; readonly bytes: number }
  /** There is none: the old generation does not know how, or has nothing. */
  | { readonly type: 'noState' }
  /** It could not be written; the old generation goes on by itself. */
  | { readonly type: 'exportFailed'; readonly reason: string }
  /** The new generation will not take over. */
  | { readonly type: 'refused'; readonly reason: string };

/** The keeper to a service. `accept`: you are the one, take connections. `drain`: finish what you have begun. `thaw`: it came to nothing, go on. */
export type KeeperWord =
  | { readonly type: 'accept' }
  | { readonly type: 'drain' }
  | { readonly type: 'thaw'; readonly reason: string };
