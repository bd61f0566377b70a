/** The connection to `dynpart ui`: newer data when something has changed, and all of a key when one is opened. */
import type { PageData, PageKeyDetails } from '../report/page-data.ts';
import { pageMark } from '../report/page-mark.ts';

export interface LiveEvents {
  /** What is shown now. */
  readonly shown: () => PageData;
  readonly data: (data: PageData) => void;
  /** A run that is at work wrote something. */
  readonly log: () => void;
  readonly connected: (isConnected: boolean) => void;
}

export function listen(on: LiveEvents): void {
  let events: EventSource | null = null;
  let [isBusy, newest] = [false, pageMark(on.shown())];
  const refresh = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      while (newest !== pageMark(on.shown())) {
        const data = await answer<PageData>('data.json');
        // It may be newer still than what was told.
        newest = pageMark(data);
        on.data(data);
      }
    } catch {
      // It is gone, which the other connection tells as well.
    } finally {
      isBusy = false;
    }
  };
  const open = (): void => {
    events = new EventSource('events');
    events.addEventListener('open', () => on.connected(true));
    events.addEventListener('error', () => on.connected(false));
    events.addEventListener('log', () => on.log());
    events.addEventListener('now', ({ data }: MessageEvent<string>) => {
      newest = data;
      void refresh();
    });
  };
  // Browsers allow few connections to one server, and windows that nobody looks at need none.
  const look = (): void => {
    if (document.hidden) {
      events?.close();
      events = null;
    } else if (events === null) open();
  };
  document.addEventListener('visibilitychange', look);
  look();
}

export function detailsFromServer(set: string | null, key: string | null): Promise<PageKeyDetails> {
  return answer<PageKeyDetails>(`key.json?of=${encodeURIComponent(JSON.stringify([set, key]))}`);
}

async function answer<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}
