/** `http()`: the entries of a paginated HTTP API as keys. */
import type { DynamicPartitions } from '../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../definitions/sensor.ts';
import { checkField, checkItem } from './fields.ts';
import type { HttpOptions } from './http/http-options.ts';
import { addressOf, checkLimits, checkSource } from './options.ts';

/**
 * `evaluate` of a sensor: a key for each entry of a paginated API. Reads all pages each tick, so that entries that move from one
 * page to another meanwhile are found by the next. When a page cannot be read, what was found before it is kept, the page is
 * named in `failures`, and the next tick begins there.
 *
 * @throws TypeError at once for options that cannot be meant; Error in `evaluate` when the first page cannot be read
 */
export function http<Entry, Item = unknown>(
  set: DynamicPartitions<Item>,
  options: HttpOptions<Entry, Item>,
): (context: SensorContext) => Promise<SensorResult> {
  checkSource('http', set, options);
  checkLimits('http', options, ['timeoutMs', 'maxBytes']);
  const { rate, next, retry = {} } = options;
  const url = addressOf('http', options.url, {
    example: 'https://example.org/items',
    kinds: ['http:', 'https:', 'data:'],
  });
  checkField(options.key, 'http() needs key');
  if (options.items !== undefined) checkField(options.items, 'items of http() is');
  if (options.version !== undefined) checkField(options.version, 'version of http() is');
  checkItem('http', options.item);
  if (
    next !== undefined &&
    next !== 'link' &&
    typeof next !== 'function' &&
    // Without TypeScript anything may be given.
    !(Object(next) === next && ('token' in next || 'offset' in next))
  )
    throw new TypeError("next of http() must be 'link', { token, param }, { offset } or a function");
  if (rate !== undefined && !(rate.calls >= 1 && rate.perSeconds > 0))
    throw new TypeError('rate of http() must be { calls: 1 or more, perSeconds: above 0 }');
  for (const [name, value] of Object.entries(retry))
    if (!(Number(value) >= 0)) throw new TypeError(`retry.${name} of http() must be a number, 0 or more`);
  return async (context) => {
    const { readPages } = await import('./http/read-pages.ts');
    return readPages(context, set, { ...options, url } as HttpOptions<unknown, Item> & { url: URL });
  };
}
