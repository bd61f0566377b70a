/** A note of which only the newest is of interest: one is on its way at a time, and what comes meanwhile takes the place of what waits. */
export class LatestNote<T> {
  readonly #write: (value: T) => Promise<void>;
  #isWriting = false;
  #next: { readonly value: T } | null = null;

  constructor(write: (value: T) => Promise<void>) {
    this.#write = write;
  }

  note(value: T): void {
    this.#next = { value };
    if (!this.#isWriting) void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    for (let next = this.#next; next !== null; next = this.#next) {
      this.#next = null;
      // One that could not be written says less to others.
      await this.#write(next.value).catch(() => undefined);
    }
    this.#isWriting = false;
  }
}
