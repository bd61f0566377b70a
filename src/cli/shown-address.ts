/** The address of a state, fit to be printed: without its password. Pure. */

/** Stands for one in which a password may be anywhere. */
const UNSHOWN = 'STATE';

/** @param state as it was typed: a file with a colon in its name, too */
export function shownAddress(state: string): string {
  if (!/^postgres(?:ql)?:|:\/\//i.test(state)) return state;
  if (!URL.canParse(state)) return UNSHOWN;
  const url = new URL(state);
  // A sign that is not written as it should be may end what stands before the host; then the password is behind it.
  if (/@|pass/i.test(`${url.host}${url.pathname}${url.search}${url.hash}`)) return UNSHOWN;
  if (url.password === '') return state;
  url.password = '';
  return url.href;
}
