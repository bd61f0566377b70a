/** Which upstream keys a key is made of, where a function of the pipeline names them: asked by stores for what becomes stale. */

/** @param at the place of the upstream asset among those that the asset gathers. @returns `null` where it is not known */
export type Mapping = (asset: string, at: number, key: string) => readonly string[] | null;
