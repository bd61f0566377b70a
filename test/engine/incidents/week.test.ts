/**
 * A week of a pipeline that nobody looks at: ticks each half hour as cron would make them, with outages, an edit, kills and a person who
 * mends one thing by hand. What was sent, literally, and that it is the same whichever process was killed.
 */
import { expect, it } from 'vitest';
import {
  asset,
  definePipeline,
  dynamicPartitions,
  type NotifyMessage,
  type Pipeline,
  sensor,
} from '../../../src/index.ts';
import { testPipeline, type TestPipeline } from '../../../src/testing/index.ts';
import { isoTime } from '../../../src/model/time.ts';

/** Monday. */
const START = '2026-03-02T00:00:00.000Z';
const HOUR = 3_600_000;

/** Days and hours since Monday, 00:00. */
const at = (day: number, hour: number): number => (day * 24 + hour) * HOUR;
const [MON, TUE, WED, THU, FRI, SAT, SUN] = [0, 1, 2, 3, 4, 5, 6] as const;

/** When the outage of the shop begins and ends, and when an invoice fails. */
const KILLED = [at(MON, 9), at(MON, 11), at(TUE, 3)];

class Week {
  /** What was sent, with the day and time. */
  readonly log: string[] = [];
  /** Milliseconds since Monday. */
  time = 0;
  test!: TestPipeline;

  is(from: number, to: number): boolean {
    return this.time >= from && this.time < to;
  }

  /** A new order every three hours, but none on Saturday. */
  orders(): string[] {
    const found: string[] = [];
    for (let hour = 0; hour * HOUR <= this.time; hour += 3)
      if (!(hour * HOUR >= at(SAT, 0) && hour * HOUR < at(SUN, 9)))
        found.push(`order-${String(hour).padStart(3, '0')}`);
    return found;
  }

  pipeline(codeVersion: string): Pipeline {
    const orders = dynamicPartitions('orders');
    const shop = sensor({
      name: 'shop',
      minimumIntervalSeconds: 1800,
      expectNewKeysEvery: '1d',
      evaluate: () => {
        if (this.is(at(MON, 9), at(MON, 11)) || this.is(at(THU, 15), at(THU, 16)))
          throw new Error('https://user:pass@shop.example.org/orders?key=t0ken answered 503');
        return { dynamicPartitionsRequests: [orders.buildAddRequest(this.orders())] };
      },
    });
    const invoice = asset({
      name: 'invoice',
      partitions: orders,
      automate: 'missing',
      codeVersion,
      materialize: ({ partitionKey }) => {
        // Somebody orders in another currency on Tuesday, and the code of then cannot do that.
        if (codeVersion === '1' && ['order-027', 'order-033'].includes(partitionKey))
          throw new Error('no rate for SEK');
        return partitionKey;
      },
    });
    const days = dynamicPartitions('days');
    const calendar = sensor({
      name: 'calendar',
      cron: '0 7 * * *',
      timeZone: 'UTC',
      evaluate: () => {
        const today = isoTime(Date.parse(START) + this.time).slice(0, 10);
        return { dynamicPartitionsRequests: [days.buildAddRequest([today])] };
      },
    });
    const report = asset({
      name: 'report',
      partitions: days,
      automate: 'missing',
      freshFor: { fail: '32h' },
      materialize: () => {
        if (this.is(at(FRI, 0), at(SAT, 11))) throw new Error('the template is not there');
        return this.time;
      },
    });
    return definePipeline({
      assets: [invoice, report],
      sensors: [shop, calendar],
      notify: [
        {
          name: 'mail',
          on: ['run-failed', 'sensor-failed', 'stuck', 'overdue', 'recovered'],
          remindEvery: '1d',
          send: (message) => this.#send(message),
        },
      ],
    });
  }

  #send({ text }: NotifyMessage): void {
    if (this.is(at(THU, 14), at(THU, 18))) throw new Error('the mail server is down');
    const now = isoTime(Date.parse(START) + this.time);
    const day = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][Math.floor(this.time / (24 * HOUR))]!;
    this.log.push(`${day} ${now.slice(11, 16)} ${text.trimEnd().replaceAll(/logs \S+/g, 'logs RUN')}`);
  }

  /** The tick of now, killed before and after each of its commits: the next one tells what this one would have told, not twice within a minute. */
  async #dieEverywhere(): Promise<void> {
    const until = this.log.length;
    const crashes = await this.test.crashEverywhere(
      (one) => one.tickDue(),
      async (one, crash) => {
        for (let minute = 0; minute < 2 && crash !== null; minute++) {
          await one.advance('61s');
          await one.tick();
        }
        const told = this.log.splice(until).map((text) => text.split(' (')[0]);
        expect([crash, new Set(told).size]).toEqual([crash, 1]);
        // Whoever is killed when the hook was called and before that is on record tells it once more.
        expect(told.length).toBeLessThanOrEqual(2);
      },
    );
    expect(crashes.length).toBeGreaterThan(3);
    // The last one came to its end.
    this.log.length = until;
  }

  async live(): Promise<void> {
    this.test = testPipeline(this.pipeline('1'), { now: START });
    for (; this.time < at(SUN, 24);) {
      if (this.time === at(WED, 10)) await this.test.deploy(this.pipeline('2'));
      if (this.time === at(SAT, 11))
        for (const day of ['2026-03-06', '2026-03-07']) await this.test.materialize('report', day);
      const before = this.log.length;
      if (KILLED.includes(this.time)) await this.#dieEverywhere();
      await this.test.tickDue();
      if (KILLED.includes(this.time)) expect(this.log.length).toBe(before + 1);
      // What two things at once have taken is no part of the week.
      const next = this.time + HOUR / 2;
      await this.test.advance(Date.parse(START) + next - this.test.now.getTime());
      this.time = next;
    }
  }
}

it('tells of a week what a person would want to know, and nothing else', async () => {
  const week = new Week();
  await week.live();
  expect(`\n${week.log.join('\n')}\n`).toBe(`
Mon 09:00 sensor shop failed: https://…@shop.example.org/orders?… answered 503
  dynpart sensor history shop --limit 3
Mon 11:00 sensor shop is well again: it failed from 2026-03-02 09:00 UTC, for 2 h: https://…@shop.example.org/orders?… answered 503
Tue 03:00 invoice failed for 1 key: no rate for SEK
  order-027
  dynpart runs logs RUN
Wed 03:00 invoice still failed for 2 keys, for 1 d now: no rate for SEK
  order-027
  order-033
  dynpart runs logs RUN
Wed 10:00 invoice is well again: it failed from 2026-03-03 03:00 UTC, for 1 d 7 h: no rate for SEK
Thu 18:30 sensor shop is well again: it failed from 2026-03-05 15:00 UTC, for 1 h: https://…@shop.example.org/orders?… answered 503
Fri 07:00 report failed for 1 key: the template is not there
  2026-03-06
  dynpart runs logs RUN
Fri 15:30 report is overdue: made 2026-03-05 07:00 UTC, wanted within 32 h
  dynpart why report
Sat 07:00 report still failed for 2 keys, for 1 d now: the template is not there
  2026-03-06
  2026-03-07
  dynpart runs logs RUN
Sat 11:00 report is fresh again: it was overdue from 2026-03-06 15:30 UTC, for 19 h 30 min: made 2026-03-05 07:00 UTC, wanted within 32 h
Sat 11:00 report is well again: it failed from 2026-03-06 07:00 UTC, for 1 d 4 h: the template is not there
Sat 21:30 sensor shop is overdue: no new key since 2026-03-06 21:00 UTC, expected every 1 d
  dynpart sensor history shop --limit 3
Sun 09:00 sensor shop brings keys again: it was overdue from 2026-03-07 21:30 UTC, for 11 h 30 min: no new key since 2026-03-06 21:00 UTC, expected every 1 d
`);
});
