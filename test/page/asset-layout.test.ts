/** Where the assets of the graph stand. */
import { describe, expect, it } from 'vitest';
import { layoutOf, NODE } from '../../src/page/asset-layout.ts';
import { pageAsset } from '../support/page-data.ts';

const made = (asset: string, ...inputs: string[]) => pageAsset(asset, { inputs });

describe('the graph of the assets', () => {
  it('has each asset to the right of all that it is made from', () => {
    const { nodes, edges } = layoutOf([made('d', 'b', 'c'), made('b', 'a'), made('c', 'a', 'b'), made('a')]);
    expect(nodes).toHaveLength(4);
    expect(edges).toHaveLength(5);
    for (const [from, to] of edges) expect(from.x + NODE.width).toBeLessThan(to.x);
  });

  it('has no two in one place, and all within its size', () => {
    const { nodes, width, height } = layoutOf([
      made('a'),
      ...Array.from({ length: 30 }, (_, at) => made(`b${at}`, 'a')),
    ]);
    expect(new Set(nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(31);
    for (const { x, y } of nodes) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(x + NODE.width).toBeLessThanOrEqual(width);
      expect(y + NODE.height).toBeLessThanOrEqual(height);
    }
  });

  it('leaves out what is not on the page, and ends where the data goes in a circle', () => {
    expect(layoutOf([made('a', 'elsewhere')]).edges).toEqual([]);
    expect(layoutOf([made('a', 'b'), made('b', 'a')]).nodes).toHaveLength(2);
    expect(layoutOf([]).nodes).toEqual([]);
  });
});
