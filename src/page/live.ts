/** The connection to `dynpart ui`: newer data when something was committed, and all of a key when one is opened. */
import type { PageData, PageKeyDetails } from '../report/page-data.ts';

export interface LiveEvents {
  readonly data: (data: PageData) => void;
  readonly connected: (isConnected: boolean) => void;
}

export function listen({ data, connected }: LiveEvents): void {
  const events = new EventSource('events');
  let [isBusy, isBehind] = [false, false];
  const refresh = async (): Promise<void> => {
    isBehind = true;
    if (isBusy || document.hidden) return;
    isBusy = true;
    try {
      while (isBehind && !document.hidden) {
        isBehind = false;
        data(await answer<PageData>('data.json'));
      }
    } catch {
      // It is gone, which the other connection tells as well.
    } finally {
      isBusy = false;
    }
  };
  events.addEventListener('open', () => connected(true));
  events.addEventListener('error', () => connected(false));
  events.addEventListener('commit', () => void refresh());
  document.addEventListener('visibilitychange', () => {
    if (isBehind) void refresh();
  });
}

export function detailsFromServer(set: string | null, key: string | null): Promise<PageKeyDetails> {
  return answer<PageKeyDetails>(`key.json?of=${encodeURIComponent(JSON.stringify([set, key]))}`);
}

async function answer<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}
