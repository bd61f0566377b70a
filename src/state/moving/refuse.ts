/** A move that is not begun, or that must not go on. */
import { fail } from '../../model/failure.ts';

export function refuse(message: string, hint: string): never {
  return fail({ reason: 'usage', message, hint });
}
