/** What one look of the doctor comes to. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failure';
  readonly message: string;
  /** How to mend it. */
  readonly hint: string | null;
}

export function ok(name: string, message: string): Check {
  return { name, status: 'ok', message, hint: null };
}

export function warning(name: string, message: string, hint: string): Check {
  return { name, status: 'warning', message, hint };
}

export function failure(name: string, message: string, hint: string | null): Check {
  return { name, status: 'failure', message, hint };
}
