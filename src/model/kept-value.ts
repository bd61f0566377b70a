/** A value as it is kept, whatever it is. */

/** How a value is kept. */
export type Codec = 'json' | 'bin' | 'none';

export interface ValueName {
  readonly asset: string;
  readonly key: string | null;
  readonly codec: Codec;
  readonly bytes: number;
}
