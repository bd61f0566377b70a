/** Which partition of an upstream a partition of an asset is made from: asked by all who plan, queue and execute. Pure. */
import type { PartitionRef } from '../model/partition-status.ts';
import type { Pipeline } from './pipeline.ts';

/** The same key, or for an upstream without partitions the only value that it has. */
export function upstreamPartition(
  { assets }: Pick<Pipeline, 'assets'>,
  upstream: string,
  partitionKey: string | null,
): PartitionRef {
  const set = assets.get(upstream)?.set ?? null;
  return { asset: upstream, set, key: set === null ? null : partitionKey };
}

/** All upstreams of an asset for a key that are one partition each; `gathers` has those of which it takes many keys. */
export function upstreamsOf(
  pipeline: Pick<Pipeline, 'assets'>,
  asset: string,
  partitionKey: string | null,
): PartitionRef[] {
  const upstream = pipeline.assets.get(asset)?.upstream ?? [];
  return upstream.map((name) => upstreamPartition(pipeline, name, partitionKey));
}
