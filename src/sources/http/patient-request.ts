/** Requests to an API that limits how often it is asked: as often as it allows, again after what passes, and no longer than that makes sense. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpRetry } from './http-options.ts';
import { isPassing } from '../../model/network-words.ts';
import {
  type Answer,
  LONGEST_TIMER_MS,
  request,
  RequestFailed,
  type RequestOptions,
  statusWords,
} from '../request/request.ts';

export interface PatientOptions extends RequestOptions {
  readonly retry: HttpRetry;
  readonly rate: { readonly calls: number; readonly perSeconds: number } | undefined;
}

/** @throws RequestFailed with the last answer in words, when it was no answer to go on with */
export async function patientRequest(url: URL, options: PatientOptions): Promise<Answer> {
  const { maxRetries = 4, delayMs = 500, maxDelayMs = 20_000 } = options.retry;
  for (let attempt = 0; ; attempt++) {
    await turnOf(url.host, options);
    let failed: RequestFailed;
    let wanted: number | null = null;
    let mayPass: boolean;
    try {
      const answer = await request(url, options);
      wanted = waitWanted(answer.headers, Date.now());
      if (answer.status >= 200 && answer.status < 300) {
        // The last call that was allowed: the next one waits.
        if (wanted !== null && isExhausted(answer.headers))
          closed.set(url.host, performance.now() + Math.min(wanted, maxDelayMs));
        return answer;
      }
      failed = new PageRefused(statusWords(answer), answer.status);
      mayPass = PASSING.has(answer.status) || (answer.status === 403 && isExhausted(answer.headers));
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      failed = error;
      mayPass = isPassing(error) || error.message.startsWith('there is no whole answer');
    }
    const wait = wanted ?? Math.random() * delayMs * 2 ** attempt;
    if (!mayPass || attempt >= maxRetries) throw failed;
    if (wait > maxDelayMs)
      throw new RequestFailed(
        `${failed.message}: it wants ${Math.ceil(wait / 1000)} seconds, longer than a tick waits`,
      );
    await sleep(Math.min(wait, LONGEST_TIMER_MS), undefined, { signal: options.signal });
  }
}

/** An answer that is none to go on with. */
export class PageRefused extends RequestFailed {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Retry-After as seconds or as a date, or when the limit is lifted, as the several kinds of rate limit headers say it. */
export function waitWanted(headers: Headers, now: number): number | null {
  const after = headers.get('retry-after')?.trim();
  if (after !== undefined && after !== '') {
    const at = Date.parse(after);
    if (/^\d+(?:\.\d+)?$/.test(after)) return Number(after) * 1000;
    if (!Number.isNaN(at)) return Math.max(0, at - now);
  }
  if (!isExhausted(headers)) return null;
  const reset = Number(
    headers.get('ratelimit-reset') ??
      headers.get('x-ratelimit-reset') ??
      headers.get('x-rate-limit-reset') ??
      NaN,
  );
  if (Number.isNaN(reset)) return null;
  // Some say in how many seconds, others at which second since 1970.
  return Math.max(0, reset > 1e9 ? reset * 1000 - now : reset * 1000);
}

function isExhausted(headers: Headers): boolean {
  const left =
    headers.get('ratelimit-remaining') ??
    headers.get('x-ratelimit-remaining') ??
    headers.get('x-rate-limit-remaining');
  return left !== null && Number(left) === 0;
}

/** When a host may be asked again, by the clock that nobody sets. */
const closed = new Map<string, number>();
const calls = new Map<string, number[]>();

async function turnOf(host: string, { rate, signal }: PatientOptions): Promise<void> {
  for (;;) {
    const now = performance.now();
    const recent = (calls.get(host) ?? []).filter(
      (at) => rate !== undefined && at > now - rate.perSeconds * 1000,
    );
    const full =
      rate !== undefined && recent.length >= rate.calls
        ? recent[recent.length - rate.calls]! + rate.perSeconds * 1000
        : 0;
    const until = Math.max(closed.get(host) ?? 0, full);
    if (until <= now) {
      if (rate !== undefined) calls.set(host, [...recent, now]);
      return;
    }
    await sleep(Math.min(until - now + 1, LONGEST_TIMER_MS), undefined, { signal });
  }
}
