/** What a state says that is being moved, or was: nobody works with it meanwhile. */

/** Until the move is over both places have one, and afterwards the one that was left. */
export type MoveMark =
  | {
      readonly to: string;
      /** ISO 8601, UTC. */
      readonly at: string;
      /** All of it is there. */
      readonly isOver: boolean;
    }
  | { readonly from: string; readonly at: string };
