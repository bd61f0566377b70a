/** Where the assets of a graph stand: what is made from others to the right of them, with few crossings. */
import type { PageAsset } from '../report/page-data.ts';

export interface Node {
  readonly asset: PageAsset;
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Node[];
  readonly edges: readonly (readonly [from: Node, to: Node])[];
}

export const NODE = { width: 190, height: 46 } as const;
const GAP = { x: 56, y: 16 } as const;
const EDGE = 4;

export function layoutOf(assets: readonly PageAsset[]): Layout {
  const names = new Map(assets.map((asset) => [asset.asset, asset]));
  const upstreams = (asset: PageAsset): PageAsset[] =>
    [...new Set([...asset.inputs, ...asset.deps])].flatMap((name) => names.get(name) ?? []);
  const layerOf = layersOf(assets, upstreams);
  const layers = Array.from({ length: Math.max(0, ...layerOf.values()) + 1 }, (_, layer) =>
    assets.filter((asset) => layerOf.get(asset) === layer),
  );
  const places = new Map<PageAsset, number>();
  for (const layer of layers) {
    // Each stands about where those stand that it is made from.
    const middle = (asset: PageAsset): number => {
      const its = upstreams(asset).flatMap((one) => places.get(one) ?? []);
      return its.length === 0 ? 0 : its.reduce((sum, place) => sum + place, 0) / its.length;
    };
    const ordered = layer.toSorted((one, other) => middle(one) - middle(other));
    for (const [place, asset] of ordered.entries()) places.set(asset, place - (ordered.length - 1) / 2);
  }
  const most = Math.max(1, ...layers.map(({ length }) => length));
  const height = most * (NODE.height + GAP.y) - GAP.y + 2 * EDGE;
  const nodes = new Map<PageAsset, Node>(
    assets.map((asset) => [
      asset,
      {
        asset,
        x: EDGE + layerOf.get(asset)! * (NODE.width + GAP.x),
        y: height / 2 - NODE.height / 2 + places.get(asset)! * (NODE.height + GAP.y),
      },
    ]),
  );
  return {
    width: Math.max(1, layers.length) * (NODE.width + GAP.x) - GAP.x + 2 * EDGE,
    height,
    nodes: [...nodes.values()],
    edges: assets.flatMap((asset) =>
      upstreams(asset).map((from) => [nodes.get(from)!, nodes.get(asset)!] as const),
    ),
  };
}

/** One further than the furthest of what it is made from. */
function layersOf(
  assets: readonly PageAsset[],
  upstreams: (asset: PageAsset) => readonly PageAsset[],
): Map<PageAsset, number> {
  const layers = new Map<PageAsset, number>();
  const visit = (asset: PageAsset): number => {
    const known = layers.get(asset);
    if (known !== undefined) return known;
    // A pipeline has no circle; data that has one is drawn somehow, and ends.
    layers.set(asset, 0);
    const layer = Math.max(-1, ...upstreams(asset).map(visit)) + 1;
    layers.set(asset, layer);
    return layer;
  };
  for (const asset of assets) visit(asset);
  return layers;
}
