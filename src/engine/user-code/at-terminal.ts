/** Programs that ask at the terminal (`exec` with `terminal: true`), for whoever draws there: a question that is wiped away is not answered. */

let programs = 0;

const told = new Set<(isTaken: boolean) => void>();

/** A program has the terminal from now on, until what is answered is called. */
export function takeTerminal(): () => void {
  programs++;
  if (programs === 1) tell(true);
  return () => {
    programs--;
    if (programs === 0) tell(false);
  };
}

/** Calls back at once, and whenever it changes, with whether a program has the terminal. Returns a function that ends this. */
export function followTerminal(onChange: (isTaken: boolean) => void): () => void {
  told.add(onChange);
  onChange(programs > 0);
  return () => void told.delete(onChange);
}

function tell(isTaken: boolean): void {
  for (const onChange of told) onChange(isTaken);
}
